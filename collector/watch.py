"""A second connection, over which the broker says who comes and goes, and how it fares.

An existing broker may not say so, or not to us. That it lets us subscribe proves nothing there
(Mosquitto with an ACL file lets everybody, and sends nothing): who is connected is seen from the
first line on that tells of a connection. Without one nothing is claimed, and nothing arrives later.

It has no session of its own: nothing waits for it in the broker, so no flood of log lines takes
room from readings there. What happens while it is down is not known. The other connection, whose
session carries readings, is in `collector.session`.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from collector.client import Caller, is_too_new
from collector.connecting import TrustError
from collector.containment import contained
from collector.dialect import Dialect
from collector.link import Endpoint
from collector.message import Message
from collector.outage import Outage, Outages
from collector.reasons import explain, refused
from collector.receipt import ReceiptClock
from collector.sighting import Closed, Opened, read_line
from telemetry.clock import Clock
from telemetry.login import SecretError

KEEP_ALIVE_S = 20
FILTER = "$SYS/broker/#"

_LOG = "$SYS/broker/log/"
_TELLING = (f"{_LOG}N", f"{_LOG}E")  # not M: its lines begin with what a client chooses
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.25, 5.0
_REFUSED_RETRY_S = 300.0  # whoever may not look asks again, but is no nuisance

log = structlog.get_logger("collector.watch")


class Watch:
    """Hands on what the broker publishes below `$SYS/broker/`, and says when it did not arrive.

    Args:
        endpoint: The broker and the login of the session; the client identifier gets `watch`.
        offer: Takes a message, or says no without waiting; runs on a thread of the watch.
        clock: The time.

    Attributes:
        up: Whether what the broker says arrives.
        dropped: Messages that `offer` did not take.
    """

    def __init__(self, endpoint: Endpoint, offer: Callable[[Message], bool], clock: Clock) -> None:
        self.up = False
        self.dropped = 0
        self._endpoint = endpoint
        self._offer = offer
        self._clock = clock
        self._receipts = ReceiptClock(clock)
        self._outages = Outages()
        self._heard_us = clock()
        self._reason = ""
        self._retry_s = _FIRST_RETRY_S
        self._dialect = Dialect(settled=endpoint.is_ours)
        self._stopping = threading.Event()
        self._client: Caller | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the link is lost; once."""
        self._outages.begin(self._heard_us)
        if not self._stopping.is_set() and self._thread.ident is None:
            self._thread.start()

    def stop(self, wait_s: float = 1.0) -> None:
        """Disconnects; safe at any moment."""
        self._stopping.set()
        if self._client is not None:
            self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def take_outages(self) -> list[Outage]:
        """Since when nothing arrives, and from when to when nothing did; each is told once."""
        return self._outages.take()

    def _make_client(self) -> Caller:
        login = self._endpoint.login
        watching = replace(login, client_id=f"{login.client_id}watch")
        client = Caller(self._endpoint, watching, self._dialect.version)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._live()
            except (SecretError, TrustError, OSError) as error:
                self._explain(explain(error))
            except Exception as error:
                log.exception("network thread", error=str(error))
            self._lose()
            self._dialect.ended()
            jitter = random.uniform(0.5, 1.0)  # noqa: S311  # spreads attempts, hides nothing
            self._stopping.wait(self._retry_s * jitter)
            if self._retry_s < _LONGEST_RETRY_S:
                self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)

    def _live(self) -> None:
        """Connects and serves one connection until it ends, with the password of now."""
        self._client = client = self._make_client()
        client.call(KEEP_ALIVE_S)
        self._dialect.asked()
        while client.loop(1.0) == mqtt.MQTT_ERR_SUCCESS:
            if self._stopping.is_set() and not client.want_write():
                return

    def _lose(self) -> None:
        self.up = False
        self._outages.begin(self._heard_us)

    def _explain(self, reason: str) -> None:
        """Logs why the broker is not watched, if that is news."""
        if reason != self._reason and not self._stopping.is_set():
            log.warning("cannot see who is connected; trying until it works", reason=reason)
            self._reason = reason

    @contained
    def _on_connect(
        self, client: mqtt.Client, _u: object, _f: object, reason: ReasonCode, _p: object
    ) -> None:
        if is_too_new(reason):
            self._dialect.not_understood()
            return
        self._dialect.answered(taken_in=not reason.is_failure)
        if reason.is_failure:
            self._explain(refused(str(reason), ours=self._endpoint.is_ours))
        else:
            client.subscribe(FILTER, qos=0)

    @contained
    def _on_subscribe(
        self, client: mqtt.Client, _u: object, _mid: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._explain(f"subscription refused: {FILTER}")
            self._retry_s = _LONGEST_RETRY_S if self._endpoint.is_ours else _REFUSED_RETRY_S
            client.disconnect()
            return
        self._reason = ""
        self._retry_s = _FIRST_RETRY_S
        if self._endpoint.is_ours:
            self._see()

    def _see(self) -> None:
        """From now on every line about a connection arrives."""
        log.info("watching the broker")
        self.up = True
        self._heard_us = self._receipts.now_us()
        self._outages.end(self._heard_us)

    @contained
    def _on_disconnect(
        self, _c: object, _u: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        if self.up:
            self._explain(f"connection lost: {reason}")
        self._lose()

    @contained
    def _on_message(self, _c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        topic, payload = message.topic, bytes(message.payload)
        if not self.up and topic in _TELLING and isinstance(read_line(payload), Opened | Closed):
            self._see()
        now_us = self._receipts.now_us()
        if self._offer(Message(topic, payload, now_us, retain=message.retain)):
            self._heard_us = now_us
            if self.up:
                self._outages.end(now_us)
            return
        self.dropped += 1
        if topic.startswith(_LOG):
            self._outages.begin(self._heard_us)
