"""Whether each listener answers, asked as a client would ask it."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, NamedTuple

from telemetry.finding import Finding, Severity
from telemetry.settings import Settings
from telemetry.window import DAY_US

FAIL, WARN, OK = Severity.FAIL, Severity.WARN, Severity.OK

_PATIENCE_S = 3.0
_GOODBYE_S = 0.05
_SOON_DAYS = 14
_LOOPBACK = "127.0.0.1"
_EVERYWHERE = {"0.0.0.0": _LOOPBACK, "::": "::1", "": _LOOPBACK}  # noqa: S104  # compared, not bound
_REMEDIES = {
    10: "restart the broker, which renews it",
    62: "set mqtt_host in culex.toml to the name by which clients find it, and restart the broker",
    64: "set mqtt_host in culex.toml to the address at which clients find it, and restart it",
}
"""By OpenSSL's code: it has expired, it has another host name, or another address."""

_THERE = "start that broker, or correct broker_url in culex.toml"
_START = "start the broker with .venv/bin/python -m mosquitto run, and look at data/logs/broker.log"


class Door(NamedTuple):
    """A port on which somebody should answer.

    Attributes:
        code: The word of its findings.
        words: What answers there.
        host: Where.
        port: The port.
    """

    code: str
    words: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """What and where, as the beginning of a sentence."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.words} on {host}:{self.port}"


def check_ports(settings: Settings, now_us: int) -> Iterator[Finding]:
    """The listeners of broker and dashboard; of an existing broker, whether it answers."""
    existing = settings.existing_broker
    if existing is not None:
        yield _check_plain(Door("port-broker", "The broker", existing.host, existing.port))
    else:
        yield from _check_own(settings, now_us)
    host = _reached(settings.http_host)
    yield _check_plain(Door("port-http", "The dashboard", host, settings.http_port))


def _check_own(settings: Settings, now_us: int) -> Iterator[Finding]:
    host = _reached(settings.mqtt_host)
    yield _check_plain(Door("port-plain", "MQTT without TLS", _LOOPBACK, settings.mqtt_port))
    yield from _check_tls(settings, Door("port-tls", "MQTT", host, settings.mqtt_tls_port), now_us)
    if not settings.asks_clients:  # else there are no WebSockets
        door = Door("port-ws", "MQTT over WebSockets", host, settings.mqtt_ws_port)
        yield from _check_tls(settings, door, now_us)


def _reached(host: str) -> str:
    """Where one connects to whom listens there."""
    return _EVERYWHERE.get(host, host)


def _check_plain(door: Door) -> Finding:
    try:
        socket.create_connection((door.host, door.port), _PATIENCE_S).close()
    except OSError as error:
        seen = f"{door.name} does not answer: {_why(error)}"
        if door.code == "port-http":  # without it readings are stored too
            return Finding(
                door.code, WARN, seen, remedy="start it with .venv/bin/python -m dashboard run"
            )
        return Finding(
            door.code, FAIL, seen, remedy=_START if door.code != "port-broker" else _THERE
        )
    return Finding(door.code, OK, f"{door.name} answers")


def _check_tls(settings: Settings, door: Door, now_us: int) -> Iterator[Finding]:
    code, where = door.code, door.name
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
    except OSError as error:
        remedy = "run .venv/bin/python -m mosquitto init, which makes it"
        seen = f"{settings.ca_file} cannot be used: {_why(error)}"
        yield Finding(code, FAIL, seen, remedy=remedy)
        return
    try:
        certificate = _greet(context, door)
    except ssl.SSLCertVerificationError as error:
        cause = "Clients that check the certificate, as they should, do not connect"
        remedy = _REMEDIES.get(error.verify_code, "restart the broker, so that it takes its own")
        seen = f"{where} has a certificate that does not hold: {error.verify_message}"
        yield Finding(code, FAIL, seen, cause, remedy)
    except OSError as error:
        yield Finding(code, FAIL, f"{where} does not answer with TLS: {_why(error)}", remedy=_START)
    else:
        yield _judge(code, where, certificate, now_us)


def _greet(context: ssl.SSLContext, door: Door) -> Mapping[str, Any]:
    """The certificate of who answers there, which the context has checked."""
    with (
        socket.create_connection((door.host, door.port), _PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=door.host) as wrapped,
    ):
        certificate = wrapped.getpeercert() or {}
        wrapped.settimeout(_GOODBYE_S)
        with suppress(OSError):
            wrapped.unwrap()  # a goodbye, so that the broker has no refusal to tell; it gives none
        return certificate


def _judge(code: str, where: str, certificate: Mapping[str, Any], now_us: int) -> Finding:
    ends_us = int(ssl.cert_time_to_seconds(str(certificate["notAfter"]))) * 1_000_000
    days = (ends_us - now_us) // DAY_US
    names = ", ".join(_short(name) for _, name in certificate.get("subjectAltName", ()))
    seen = f"{where} answers with TLS; its certificate holds {days} days more, for {names}"
    if days < _SOON_DAYS:
        remedy = "restart the broker, which renews it"
        return Finding(code, WARN, seen, remedy=remedy)
    return Finding(code, OK, seen)


def _short(name: str) -> str:
    """A name of a certificate; OpenSSL writes IPv6 addresses at their full length.

    >>> _short("FD00:0:0:0:0:0:0:2"), _short("192.0.2.7"), _short("broker.example")
    ('fd00::2', '192.0.2.7', 'broker.example')
    """
    with suppress(ValueError):
        return str(ip_address(name))
    return name


def _why(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
