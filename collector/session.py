"""The session with the broker; the only module of the collector that knows paho.

MQTT 5, one fixed client identifier, a session that never expires, QoS 1, acknowledged by hand.
Nothing that arrives can end the network thread, and no callback raises.
"""

import random
import select
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector import message as arrived
from collector.containment import contained
from collector.intake import Intake
from collector.link import LOST, LinkState, LinkWatch
from collector.message import Message
from collector.receipt import ReceiptClock
from collector.subscriptions import Subscriptions
from telemetry.clock import Clock
from telemetry.login import Login

KEEP_ALIVE_S = 60
PATIENCE_S = 20.0
"""How long the network thread may wait for room: well below the keep-alive."""

_NEVER_EXPIRES = 0xFFFFFFFF
_RECEIVE_MAXIMUM = 2000  # in flight at once: a batch; 2.0.11 exceeds it, so the intake is bounded
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.25, 5.0
_BURST = 200  # packets read before acknowledgements get their turn
_BARRIER = "clients/collector/barrier"

log = structlog.get_logger("collector.session")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker listens and who we are there."""

    host: str
    port: int
    login: Login


class Session:
    """A persistent session that feeds the intake and acknowledges what was committed.

    Attributes:
        received: Messages that arrived, repetitions included.
    """

    def __init__(
        self, endpoint: Endpoint, intake: Intake, subscriptions: Subscriptions, clock: Clock
    ) -> None:
        self.received = 0
        self._endpoint = endpoint
        self._intake = intake
        self._subscriptions = subscriptions
        self._receipts = ReceiptClock(clock)
        self._link = LinkWatch(clock)
        self._generation = 0
        self._overrun = False
        self._retry_s = _FIRST_RETRY_S
        self._asked: dict[int, Sequence[str]] = {}
        self._finishing = False
        self._barrier = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def state(self) -> LinkState:
        """Whether the link is up, since when, and why not."""
        return self._link.state

    @property
    def catching_up(self) -> bool:
        """Whether what arrives now was held by the broker, so that its rate says nothing."""
        return False

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the link is lost."""
        self._thread.start()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Lets the broker forget these messages, in order of arrival.

        Those of an earlier connection are left alone: they come again, and on a new session
        their identifiers may belong to others (MQTT 5, 4.4).
        """
        with self._lock:
            for message in messages:
                if message.packet_id and message.generation == self._generation:
                    self._client.ack(message.packet_id, 1)

    def finish(self) -> None:
        """Takes no more messages; what arrives from now on stays with the broker."""
        self._finishing = True

    def stop(self, wait_s: float = 1.0) -> None:
        """Lets the acknowledgements leave, then disconnects; safe at any moment.

        The broker answers in order, so its answer to one more request says that it has seen
        every acknowledgement before it.
        """
        if self._link.state.up and self._thread.is_alive():
            self._ask_for_barrier()
            self._barrier.wait(wait_s)
        self._link.lose("the collector stopped")
        self._stopping.set()
        self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _ask_for_barrier(self) -> None:
        with self._lock:
            _, packet_id = self._client.unsubscribe(_BARRIER)
            if packet_id is not None:
                self._asked[packet_id] = (_BARRIER,)

    def _make_client(self) -> mqtt.Client:
        login = self._endpoint.login
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, login.client_id, protocol=mqtt.MQTTv5, manual_ack=True
        )
        client.username_pw_set(login.username, login.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        # Any handler here makes paho leave all writing to the network thread.
        client.on_socket_register_write = _leave_to_network_thread
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
        properties.SessionExpiryInterval = _NEVER_EXPIRES
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        client.connect_async(
            self._endpoint.host,
            self._endpoint.port,
            KEEP_ALIVE_S,
            clean_start=False,
            properties=properties,
        )
        return client

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._live()
            except OSError as error:
                self._link.fail(_explain(error))
            except Exception as error:
                log.exception("network thread", error=str(error))
                self._link.fail("an error of our own, see the log")
            self._pause()

    def _live(self) -> None:
        """Connects and serves one connection until it ends."""
        with self._lock:
            self._generation += 1  # before reconnect(): it drops acknowledgements not yet sent
        self._overrun = False
        self._client.reconnect()
        while self._client.loop(1.0) == mqtt.MQTT_ERR_SUCCESS:
            if self._stopping.is_set() and not self._client.want_write():
                return
            self._read_burst()

    def _read_burst(self) -> None:
        """Reads on while packets come: paho reads one for each select()."""
        socket = self._client.socket()
        for _ in range(_BURST):
            if socket is None or not select.select([socket], [], [], 0)[0]:
                return
            if self._client.loop_read() != mqtt.MQTT_ERR_SUCCESS:
                return
            socket = self._client.socket()

    def _pause(self) -> None:
        """Waits before the next attempt, longer each time, never the same for two collectors."""
        self._link.lose(LOST)
        while self._overrun and not self._stopping.is_set():
            self._overrun = not self._intake.wait_until_half_empty(1.0)
        jitter = random.uniform(0.5, 1.0)  # noqa: S311  # spreads attempts, hides nothing
        self._stopping.wait(self._retry_s * jitter)
        self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)

    @contained
    def _on_connect(
        self, _c: object, _u: object, flags: mqtt.ConnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure:
            self._link.fail(f"login refused: {reason}")
            return
        self._retry_s = _FIRST_RETRY_S
        self._link.up()
        if not flags.session_present:
            self._intake.put_new_session()
            if self._subscriptions.known:
                log.warning("the broker lost our session: what it held for us is gone")
        self._subscribe()

    def _subscribe(self) -> None:
        """Asks for what is configured on every connection, and gives up what no longer is."""
        subscriptions = self._subscriptions
        subscriptions.asking()
        if subscriptions.stale:
            _, packet_id = self._client.unsubscribe(list(subscriptions.stale))
            self._asked[packet_id or 0] = subscriptions.stale
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        _, packet_id = self._client.subscribe([(name, options) for name in subscriptions.wanted])
        self._asked[packet_id or 0] = subscriptions.wanted

    @contained
    def _on_subscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        filters = self._asked.pop(packet_id, ())
        refused = [
            name for name, reason in zip(filters, reasons, strict=False) if reason.is_failure
        ]
        if refused:
            self._link.limp(f"subscription refused: {', '.join(refused)}")

    @contained
    def _on_unsubscribe(
        self, _c: object, _u: object, packet_id: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        with self._lock:  # the barrier is noted under it
            filters = self._asked.pop(packet_id, ())
        if _BARRIER in filters:
            self._barrier.set()
            return
        answered = zip(filters, reasons, strict=False)
        gone = [name for name, reason in answered if not reason.is_failure]
        self._subscriptions.given_up(gone)

    @contained
    def _on_disconnect(
        self, _c: object, _u: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        self._link.lose("the store does not keep up" if self._overrun else _plain(reason))

    @contained
    def _on_message(self, client: mqtt.Client, _u: object, message: mqtt.MQTTMessage) -> None:
        self.received += 1
        if self._overrun or self._finishing:
            return  # nothing may overtake a message that was not taken
        taken = self._intake.put(
            Message(
                _topic(message),
                bytes(message.payload),
                self._receipts.now_us(),
                message.mid,
                self._generation,
                message.retain,
                message.dup,
                _properties(message.properties),
            )
        )
        if not taken and not self._finishing:
            self._overrun = True
            client.disconnect()


def _leave_to_network_thread(_client: mqtt.Client, _userdata: object, _socket: object) -> None:
    """Paho calls this instead of writing from the thread that asked."""


def _topic(message: mqtt.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "surrogateescape")


def _properties(properties: Properties | None) -> arrived.Properties:
    return arrived.Properties(
        getattr(properties, "ContentType", ""), tuple(getattr(properties, "UserProperty", ()))
    )


def _plain(reason: ReasonCode) -> str:
    """What paho calls a reason, in words for people."""
    said = str(reason)
    return LOST if said in ("Unspecified error", "Normal disconnection") else said


def _explain(error: OSError) -> str:
    """Why there is no connection: `connection refused`, `timed out`."""
    return (error.strerror or str(error) or LOST).lower()
