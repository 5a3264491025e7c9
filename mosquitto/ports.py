"""The broker's ports: each its own, and free."""

import errno
import socket

from telemetry.fault import Fault
from telemetry.settings import Settings


class PortRefused(Fault):
    """A port cannot be had; the message names it and the setting that changes it."""


def check_ports(settings: Settings) -> None:
    """The three ports are free.

    Raises:
        PortRefused: Naming the one that is not, and the setting that changes it.
    """
    ports = {
        "mqtt_port": ("127.0.0.1", settings.mqtt_port),
        "mqtt_tls_port": ("0.0.0.0", settings.mqtt_tls_port),  # noqa: S104  # TLS listens everywhere
        "mqtt_ws_port": ("0.0.0.0", settings.mqtt_ws_port),  # noqa: S104  # TLS listens everywhere
    }
    seen = {settings.http_port: "http_port"}
    for key, (host, port) in ports.items():
        if port in seen:
            raise PortRefused(f"{key} and {seen[port]} are both {port}; give each its own port")
        seen[port] = key
        _check_port(key, host, port)


def _check_port(key: str, host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"fails: {error.strerror}"
            raise PortRefused(
                f"port {port} {reason}; stop what uses it or set CULEX_{key.upper()} to a free port"
            ) from None
