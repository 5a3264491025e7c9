"""The session with the broker, which brings the readings.

MQTT 5, one fixed client identifier, a session that never expires, QoS 1, acknowledged by hand.
Paho connects, subscribes and publishes; messages and their acknowledgements pass it by
(docs/adr/0009). Nothing that arrives can end the network thread, and no callback raises.
"""

import secrets
import socket
import threading
import time
from collections.abc import Sequence
from typing import cast

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.backoff import Backoff
from collector.containment import contained, leave_to_network_thread
from collector.intake import Intake
from collector.link import LOST, Endpoint, LinkState, LinkWatch, explain, plain
from collector.liveness import Liveness
from collector.message import Message
from collector.ping import SelfPing, ping_topic
from collector.pipe import Pipe
from collector.properties import Malformed
from collector.stream import TICK_S, Stream
from collector.subscriptions import Subscriptions
from collector.tally import Tally
from collector.terms import NEVER_EXPIRES, Terms, terms_of
from collector.wire import PACKET_BYTES, Wire
from telemetry.clock import Clock
from telemetry.login import Login, SecretError

KEEP_ALIVE_S = 20
"""A broker that is silent for so long is gone; it is asked for a sign of life twice as often."""

_RECEIVE_MAXIMUM = 10_000  # several batches in flight; 2.0.11 exceeds it: the intake is the bound
_RETRY_S = (0.25, 5.0)
_CONNECT_S = 5.0
_BARRIER = "clients/collector/barrier"
_STOPPED = "the collector stopped"

log = structlog.get_logger("collector.session")


class _Client(mqtt.Client):
    """Paho on a socket of ours, put under it the way it puts its own for WebSockets.

    Attributes:
        pipe: That socket, once it is connected.
    """

    pipe: Pipe

    def __init__(self, login: Login, generation: int) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2, login.client_id, protocol=mqtt.MQTTv5, manual_ack=True
        )
        self.username_pw_set(login.username, login.password)
        self.connect_timeout = _CONNECT_S
        self.max_inflight_messages = 1  # what every broker can take (MQTT 5, 3.3.4)
        # Any handler here makes paho leave all writing to us.
        self.on_socket_register_write = leave_to_network_thread
        self._generation = generation

    def _create_socket(self) -> Pipe:
        self.pipe = Pipe(cast("socket.socket", super()._create_socket()), self._generation)
        return self.pipe


class Session:
    """A persistent session that feeds the intake and acknowledges what was committed.

    Attributes:
        ping: What our own messages say of the way through the broker.
    """

    def __init__(
        self, endpoint: Endpoint, intake: Intake, subscriptions: Subscriptions, clock: Clock
    ) -> None:
        self.ping = SelfPing(secrets.token_hex(4))
        self._endpoint = endpoint
        self._intake = intake
        self._subscriptions = subscriptions
        self._link = LinkWatch(clock)
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
            except (SecretError, Malformed, OSError) as error:
                log.debug("no connection", error=str(error))
                self._link.fail(explain(error))
            except Exception as error:
                log.exception("network thread", error=str(error))
                self._link.fail("an error of our own, see the log")
            self._link.lose(LOST)
            self._stopping.wait(self._backoff.next_s(time.monotonic() - self._began_s))

    def _live(self) -> None:
        """Connects and serves one connection until it ends."""
        self._began_s, self._refused = time.monotonic(), False
        self._generation += 1
        login = self._endpoint.login
        self._topic = ping_topic(login.client_id)
        client = self._make_client(login)
        client.reconnect()
        wire = Wire(self._generation, self._topic, self._subscriptions.places)
        stream = Stream(client.pipe, wire, self._intake, self._tally)
        stream.keep_alive_s = KEEP_ALIVE_S
        self._stream, self._asked = stream, {}
        try:
            self._serve(client, stream)
        finally:
            client.pipe.close()

    def _make_client(self, login: Login) -> _Client:
        client = _Client(login, self._generation)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
        properties.SessionExpiryInterval = NEVER_EXPIRES
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        properties.MaximumPacketSize = PACKET_BYTES
        at = self._endpoint
        client.connect_async(
            at.host, at.port, KEEP_ALIVE_S, clean_start=False, properties=properties
        )
        return client

    def _serve(self, client: _Client, stream: Stream) -> None:
        while client.socket() is not None and not self._stopping.is_set():
            if self._link.state.up and stream.is_full:
                self._liveness.resumed(stream.hold(self._liveness.halted, self._stopping))
            stream.turn(client, self.ping)
            self._look_after(client, stream)
        if self._stopping.is_set():
            self._say_goodbye(client, stream)

    def _look_after(self, client: _Client, stream: Stream) -> None:
        """What a connection needs beside reading and writing."""
        now_ns = time.monotonic_ns()
        stream.expect_life()
        if not self._link.state.up:
            if now_ns / 1e9 - self._began_s > _CONNECT_S:
                raise TimeoutError("the broker does not answer")
            return
        stream.keep_alive()
        if self.ping.is_due(now_ns):
            client.publish(self._topic, self.ping.payload(now_ns), qos=1)
        self._liveness.look(now_ns)

    def _say_goodbye(self, client: _Client, stream: Stream) -> None:
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
            self._link.fail(f"login refused: {reason}")
            self._refused = True
            return
        self._link.up()
        terms = terms_of(properties, KEEP_ALIVE_S)
        for trouble in terms.troubles():
            self._link.limp(trouble)
        if self._stream is not None:
            self._stream.keep_alive_s = terms.keep_alive_s
        if not flags.session_present:
            self._intake.put_new_session()
            if self._subscriptions.known:
                log.warning("the broker lost our session: what it held for us is gone")
        self._subscribe(client, terms)
        self.ping.begin(time.monotonic_ns())

    def _subscribe(self, client: mqtt.Client, terms: Terms) -> None:
        """Asks for what is configured on every connection, and gives up what no longer is."""
        subscriptions = self._subscriptions
        subscriptions.asking()
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        for name in (*subscriptions.wanted, self._topic):
            properties = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]  # paho's own
            if name in subscriptions.identifiers and terms.identifiers:
                properties.SubscriptionIdentifier = subscriptions.identifiers[name]
            _, packet_id = client.subscribe(name, options=options, properties=properties)
            self._asked[packet_id or 0] = (name,)
        if subscriptions.stale:  # last, so that no message falls between old and new
            _, packet_id = client.unsubscribe(list(subscriptions.stale))
            self._asked[packet_id or 0] = subscriptions.stale

    @contained
    def _on_subscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        for name, reason in zip(self._asked.pop(packet_id, ()), reasons, strict=False):
            if reason.is_failure:
                self._link.limp(f"subscription refused: {name}")
                self._subscriptions.refuse(name)

    @contained
    def _on_unsubscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        answered = zip(self._asked.pop(packet_id, ()), reasons, strict=False)
        self._subscriptions.given_up(name for name, reason in answered if not reason.is_failure)

    @contained
    def _on_disconnect(
        self, _c: object, _u: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        if not (self._refused or self._stopping.is_set()):  # why, is known
            self._link.fail(plain(str(reason)))
