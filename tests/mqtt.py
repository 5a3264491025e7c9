"""A foreign MQTT client for tests: each call waits for the broker's answer."""

import ssl
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.settings import Settings
from tests.support import wait_until

V311 = MQTTProtocolVersion.MQTTv311
V5 = MQTTProtocolVersion.MQTTv5


class Listener(StrEnum):
    """The doors of the broker."""

    TLS = "tls"
    PLAIN = "plain"
    WS = "ws"


class Peer:
    """One connection; use it in a `with` block.

    Attributes:
        messages: Topic and payload of everything received.
        reason: Why the connection was accepted or refused.
        ended: Set when the connection is gone.
    """

    def __init__(  # noqa: PLR0917  # what differs between two connections of a test
        self,
        settings: Settings,
        login: tuple[str, str] | None,
        listener: Listener = Listener.TLS,
        version: MQTTProtocolVersion = V5,
        ca_file: Path | None = None,
        client_id: str = "",
        certificate: Path | None = None,
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.reason: ReasonCode | None = None
        self.ended = threading.Event()
        self._version = version
        self._answers: dict[int, ReasonCode] = {}
        self._port = {
            Listener.TLS: settings.mqtt_tls_port,
            Listener.PLAIN: settings.mqtt_port,
            Listener.WS: settings.mqtt_ws_port,
        }[listener]
        transport = "websockets" if listener is Listener.WS else "tcp"
        self._paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or (login[0] if login else ""),
            protocol=version,
            transport=transport,  # type: ignore[arg-type]  # one of its two literals
            reconnect_on_failure=False,
        )
        if listener is not Listener.PLAIN:
            self._paho.tls_set(
                str(ca_file or settings.ca_file),
                certfile=str(certificate) if certificate else None,
                keyfile=str(certificate.with_suffix(".key")) if certificate else None,
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        if login is not None:
            self._paho.username_pw_set(*login)
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = lambda *_: self.ended.set()
        self._paho.on_message = lambda _c, _u, m: self.messages.append((m.topic, bytes(m.payload)))
        self._paho.on_publish = lambda _c, _u, mid, reason, _p: self._answer(mid, reason)
        self._paho.on_subscribe = lambda _c, _u, mid, reasons, _p: self._answer(mid, reasons[0])

    def __enter__(self) -> Self:
        self._paho.connect("127.0.0.1", self._port)
        self._paho.loop_start()
        wait_until(lambda: self.reason is not None or self.ended.is_set())
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    @property
    def accepted(self) -> bool:
        """Whether the broker let it in."""
        return self.reason is not None and not self.reason.is_failure

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> ReasonCode:
        """Publishes at QoS 1 and returns the broker's answer."""
        return self._asked(lambda: self._paho.publish(topic, payload, 1, retain).mid)

    def send(self, topic: str, payload: str) -> None:
        """Publishes at QoS 0, which nobody answers."""
        self._paho.publish(topic, payload, 0)

    def subscribe(self, topic: str) -> ReasonCode:
        """Subscribes at QoS 1 and returns the broker's answer."""
        return self._asked(lambda: self._paho.subscribe(topic, 1)[1])

    def wait_for(self, topic: str) -> None:
        """Returns once a message of that topic has arrived."""
        wait_until(lambda: any(got == topic for got, _ in self.messages))

    def _asked(self, ask: Callable[[], int | None]) -> ReasonCode:
        mid = ask()
        assert mid is not None
        wait_until(lambda: mid in self._answers or self.ended.is_set())
        return self._answers[mid]

    def _answer(self, mid: int, reason: ReasonCode) -> None:
        self._answers[mid] = reason

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        self.reason = reason
