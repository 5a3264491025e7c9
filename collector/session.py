"""The session with the broker, which brings the readings.

MQTT 5, one fixed client identifier, a session that never expires, QoS 1, acknowledged by hand; or
MQTT 3.1.1 with an existing broker that speaks no other (docs/adr/0020). Paho connects, subscribes
and publishes; messages and their acknowledgements pass it by (docs/adr/0009). Nothing that arrives
can end the network thread, and no callback raises.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from typing import cast

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.backoff import Backoff
from collector.client import CONNECT_S, Client, is_too_new
from collector.connecting import TrustError
from collector.containment import contained
from collector.dialect import Dialect
from collector.intake import Intake
from collector.link import Endpoint, LinkState, LinkWatch
from collector.liveness import Liveness
from collector.message import Message
from collector.ping import SelfPing, ping_topic
from collector.properties import Malformed
from collector.reasons import LOST, UNANSWERED, explain, plain, refused
from collector.stream import TICK_S, Stream
from collector.subscriptions import Subscriptions
from collector.tally import Tally
from collector.terms import Terms, terms_of
from collector.wire import Wire
from telemetry.clock import Clock
from telemetry.login import SecretError

KEEP_ALIVE_S = 20
"""A broker that is silent for so long is gone; it is asked for a sign of life twice as often."""

_RETRY_S = (0.25, 5.0)
_BARRIER = "clients/collector/barrier"
_STOPPED = "the collector stopped"

log = structlog.get_logger("collector.session")


class Session:
    """A persistent session that feeds the intake and acknowledges what was committed.

    Attributes:
        ping: What our own messages say of the way through the broker.
    """

    def __init__(
        self, endpoint: Endpoint, intake: Intake, subscriptions: Subscriptions, clock: Clock
    ) -> None:
        self.ping = SelfPing(secrets.token_hex(4), required=endpoint.is_ours)
        self._endpoint = endpoint
        self._intake = intake
        self._subscriptions = subscriptions
        self._link = LinkWatch(clock, endpoint.place)
        self._dialect = Dialect(settled=endpoint.is_ours)
        self._tally = Tally(clock)
        self._liveness = Liveness(self._link, self.ping, self._tally)
        self._backoff = Backoff(*_RETRY_S)
        self._generation = 0
        self._topic = ""  # of our own messages
        self._stream: Stream | None = None
        self._asked: dict[int, Sequence[str]] = {}
        self._refused = False
        self._began_s = 0.0
        self._goodbye_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def state(self) -> LinkState:
        """Whether the link is up, since when, and why not."""
        return self._link.state

    @property
    def received(self) -> int:
        """Messages that arrived, repetitions included."""
        return self._tally.messages

    @property
    def heard_us(self) -> int:
        """When anything last came from the broker, or 0."""
        return self._tally.heard_us

    @property
    def catching_up(self) -> bool:
        """Whether what arrives now was held by the broker, so that its rate says nothing."""
        stream = self._stream
        return stream is not None and self._liveness.is_catching_up(stream.pipe.settled_ns)

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the link is lost."""
        self._thread.start()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Lets the broker forget these messages, in order of arrival.

        Those of an earlier connection are left alone: they come again, and on a new session
        their identifiers may belong to others (MQTT 5, 4.4).
        """
        if self._stream is not None:
            self._stream.pipe.acknowledge(messages)

    def finish(self) -> None:
        """Takes no more messages; what arrives from now on stays with the broker."""
        self._tally.finished = True

    def stop(self, wait_s: float = 1.0) -> None:
        """Lets the acknowledgements leave, then disconnects; safe at any moment."""
        self.finish()
        self._goodbye_s = wait_s
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(wait_s + 2 * TICK_S)
        self._link.lose(_STOPPED)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._live()
            except (SecretError, TrustError) as error:
                self._link.fail(explain(error), error=str(error))
            except (Malformed, OSError) as error:
                log.debug("no connection", error=str(error))
                self._link.fail(self._explain(error))
            except Exception as error:
                log.exception("network thread", error=str(error))
                self._link.fail("an error of our own, see the log")
            if self.ping.end():
                self._no_ping("it ends connections over them")
            self._link.lose(LOST)
            self._dialect.ended()
            self._stopping.wait(self._backoff.next_s(time.monotonic() - self._began_s))

    def _live(self) -> None:
        """Connects and serves one connection until it ends."""
        self._began_s, self._refused = time.monotonic(), False
        self._generation += 1
        login, version = self._endpoint.login, self._dialect.version
        self._topic = ping_topic(login.client_id)
        client = Client(self._endpoint, login, version, self._generation)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.resume(KEEP_ALIVE_S)
        self._dialect.asked()
        wire = Wire(self._generation, self._topic, self._subscriptions.places, version)
        stream = Stream(client.pipe, wire, self._intake, self._tally)
        stream.keep_alive_s = KEEP_ALIVE_S
        self._stream, self._asked = stream, {}
        try:
            self._serve(client, stream)
        finally:
            client.pipe.close()

    def _serve(self, client: Client, stream: Stream) -> None:
        while client.socket() is not None and not self._stopping.is_set():
            if self._link.state.up and stream.is_full:
                self._liveness.resumed(stream.hold(self._liveness.halted, self._stopping))
            stream.turn(client, self.ping)
            self._look_after(client, stream)
        if self._stopping.is_set():
            self._say_goodbye(client, stream)

    def _look_after(self, client: Client, stream: Stream) -> None:
        """What a connection needs beside reading and writing."""
        now_ns = time.monotonic_ns()
        stream.expect_life()
        if not self._link.state.up:
            if now_ns / 1e9 - self._began_s > CONNECT_S:
                raise TimeoutError("the broker does not answer")
            return
        stream.keep_alive()
        if self.ping.is_due(now_ns):
            client.publish(self._topic, self.ping.payload(now_ns), qos=1)
        self._liveness.look(now_ns)

    def _say_goodbye(self, client: Client, stream: Stream) -> None:
        """Lets the broker see every acknowledgement, then disconnects.

        The broker answers in order, so its answer to one more request says that it has.
        """
        end_s = time.monotonic() + self._goodbye_s
        if self._link.state.up:
            _, packet_id = client.unsubscribe(_BARRIER)
            self._asked[packet_id or 0] = (_BARRIER,)
            while self._asked and client.socket() is not None and time.monotonic() < end_s:
                stream.turn(client, self.ping)
        self._link.lose(_STOPPED)
        client.disconnect()
        stream.write(client)

    @contained
    def _on_connect(
        self,
        client: mqtt.Client,
        _u: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._turned_away(reason)
            return
        self._dialect.answered(taken_in=True)
        self._link.up()
        terms = terms_of(properties, KEEP_ALIVE_S, self._dialect.version)
        for trouble in terms.troubles():
            self._link.limp(trouble)
        if self._stream is not None:
            self._stream.keep_alive_s = terms.keep_alive_s
        if not flags.session_present:
            self._intake.put_new_session()
            if self._subscriptions.known:
                log.warning("the broker lost our session: what it held for us is gone")
        self.ping.begin(time.monotonic_ns())
        self._subscribe(cast("Client", client), terms)

    def _turned_away(self, reason: ReasonCode) -> None:
        self._refused = True
        if is_too_new(reason):
            log.info("the broker does not speak MQTT 5; trying 3.1.1", at=self._endpoint.place)
            self._dialect.not_understood()
            return
        self._dialect.answered(taken_in=False)
        self._link.fail(refused(str(reason), ours=self._endpoint.is_ours))

    def _explain(self, error: Exception) -> str:
        """Why the connection ended; without TLS a door of TLS shuts without a word."""
        at = self._endpoint
        silent = isinstance(error, ConnectionResetError) and self._dialect.waiting
        if silent and not at.is_ours and at.load_trust is None:
            return UNANSWERED
        return explain(error)

    def _subscribe(self, client: Client, terms: Terms) -> None:
        """Asks for what is configured on every connection, and gives up what no longer is."""
        subscriptions = self._subscriptions
        subscriptions.asking(identified=terms.identifiers)
        own = (self._topic,) if self.ping.wanted else ()
        for name in (*subscriptions.wanted, *own):
            identifier = subscriptions.identifiers.get(name) if terms.identifiers else None
            self._asked[client.ask_for(name, identifier)] = (name,)
        if subscriptions.stale:  # last, so that no message falls between old and new
            _, packet_id = client.unsubscribe(list(subscriptions.stale))
            self._asked[packet_id or 0] = subscriptions.stale

    @contained
    def _on_subscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        for name, reason in zip(self._asked.pop(packet_id, ()), reasons, strict=False):
            if reason.is_failure and name == self._topic and self._no_ping(str(reason)):
                continue
            if reason.is_failure:
                self._link.limp(f"subscription refused: {name}")
                self._subscriptions.refuse(name)
            elif reason.value == 0:  # the quality of service that was granted
                self._link.limp(f"no acknowledged delivery: {name}")

    def _no_ping(self, reason: str) -> bool:
        """Goes on without our own messages, where the broker need not take them."""
        if not self.ping.refuse():
            return False
        log.info("the broker does not take our own messages", topic=self._topic, reason=reason)
        return True

    @contained
    def _on_publish(
        self, _c: object, _u: object, _mid: int, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure:
            self._no_ping(str(reason))

    @contained
    def _on_unsubscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        asked = self._asked.pop(packet_id, ())
        refused_ones = [reason.is_failure for reason in reasons] or [False] * len(asked)
        answered = zip(asked, refused_ones, strict=False)  # MQTT 3.1.1 refuses none
        self._subscriptions.given_up(name for name, refused in answered if not refused)

    @contained
    def _on_disconnect(
        self, _c: object, _u: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        if not (self._refused or self._stopping.is_set()):  # why, is known
            self._link.fail(plain(str(reason)))
