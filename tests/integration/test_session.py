"""The session alone with a real Mosquitto: bounds, generations, subscriptions, faults."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from collector import session as session_module
from collector.endpoint import LOOPBACK
from collector.intake import Bounds, Intake
from collector.link import Endpoint, LinkWatch
from collector.liveness import STORE_LAGS
from collector.message import Message
from collector.session import Session
from collector.subscriptions import Subscriptions
from mosquitto.provision import Credentials, add_client
from telemetry.clock import now_us
from telemetry.login import Login, SecretError, load_login
from telemetry.settings import Settings
from tests.collector.packets import CONNACK
from tests.mqtt import Peer
from tests.support import Process, free_port, wait_until
from tests.torture.packets import connect

pytestmark = pytest.mark.broker

ROOM = 5
KEEP_ALIVE_S = 1


class Bench:
    """A session whose intake has little room, and nobody but the test to empty it."""

    def __init__(self, settings: Settings, *filters: str, room: int = ROOM) -> None:
        path = settings.secrets_dir / "collector.json"
        self.load: Callable[[], Login] = lambda: load_login(path)
        self.intake = Intake(Bounds(room, 1_000_000, 0))
        self.subscriptions = Subscriptions(settings.data_dir / "subscriptions.json", filters)
        endpoint = Endpoint(LOOPBACK, settings.mqtt_port, lambda: self.load())
        self.session = Session(endpoint, self.intake, self.subscriptions, now_us)

    def __enter__(self) -> "Bench":
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.intake.close()
        self.session.stop()

    @property
    def reason(self) -> str:
        """What is wrong with the link."""
        return self.session.state.reason

    def take(self, at_most: int = 100) -> list[Message]:
        """What is in the intake, acknowledged."""
        messages = self.intake.take(at_most, 0.05).messages
        self.session.acknowledge(messages)
        return messages

    def collect(self, count: int) -> list[bytes]:
        """So many different payloads, in the order in which each was first seen."""
        seen: dict[bytes, None] = {}

        def collected() -> bool:
            seen.update(dict.fromkeys(message.payload for message in self.take()))
            return len(seen) >= count

        wait_until(collected)
        return list(seen)


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def bench(settings: Settings, tank: Credentials) -> Iterator[Bench]:
    """A session that is connected."""
    assert tank.client
    with Bench(settings, "clients/+/+") as bench:
        wait_until(lambda: bench.session.state.up)
        yield bench


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions have a keep-alive that a test can wait for."""
    monkeypatch.setattr(session_module, "KEEP_ALIVE_S", KEEP_ALIVE_S)


def publish(settings: Settings, tank: Credentials, *payloads: str, topic: str = "n") -> None:
    """The client publishes these, one after the other."""
    with Peer(settings, (tank.client, tank.password)) as peer:
        for payload in payloads:
            peer.publish(f"clients/tank/{topic}", payload)


def texts(*payloads: bytes) -> list[str]:
    """Payloads as text."""
    return [payload.decode() for payload in payloads]


def be_dropped_for_silence(settings: Settings, tank: Credentials) -> None:
    """A client with our keep-alive says nothing until the broker has ended its connection.

    Mosquitto 2.0 looks after silent clients every five seconds.
    """
    login = (tank.client, tank.password)
    with socket.create_connection((LOOPBACK, settings.mqtt_port), 10) as silent:
        silent.sendall(connect(tank.client, *login, keep_alive_s=KEEP_ALIVE_S))
        while silent.recv(1000):
            pass


@pytest.mark.usefixtures("impatient")
def test_session_without_room_stops_reading_and_stays_connected(
    settings: Settings, tank: Credentials
) -> None:
    """Through many keep-alives with a full intake nothing is read, and then all is there."""
    numbers = [str(number) for number in range(20)]
    with Bench(settings, "clients/+/+") as bench:
        wait_until(lambda: bench.session.state.up)
        since_us = bench.session.state.since_us
        publish(settings, tank, *numbers)
        for _ in range(2):
            be_dropped_for_silence(settings, tank)
        assert len(bench.intake) == ROOM
        assert bench.reason == STORE_LAGS
        assert texts(*bench.collect(20)) == numbers
        wait_until(lambda: not bench.reason)
        assert (bench.session.state.up, bench.session.state.since_us) == (True, since_us)
        assert bench.session.received == 20, "nothing came twice"


def test_session_without_room_acknowledges_what_is_committed(
    settings: Settings, tank: Credentials, broker: Process, bench: Bench
) -> None:
    """While nothing is read, acknowledgements reach the broker: it does not repeat those."""
    publish(settings, tank, *(str(number) for number in range(20)))
    wait_until(lambda: not bench.intake.room)
    first, second = bench.take(2)
    assert not bench.intake.wait_until_half_empty(0)
    with Peer(settings, (tank.client, tank.password)):
        pass  # whoever is let in now comes after what was acknowledged
    broker.stop()
    wait_until(lambda: not bench.session.state.up)
    broker.start()
    wait_until(lambda: bench.session.state.up)
    found = texts(*bench.collect(18))
    assert texts(first.payload, second.payload) == ["0", "1"]
    assert found == [str(number) for number in range(2, 20)]


def test_session_acknowledgement_of_an_earlier_connection_is_withheld(
    settings: Settings, broker: Process, tank: Credentials, bench: Bench
) -> None:
    """A message taken before the link was lost comes again, until its own acknowledgement."""
    publish(settings, tank, "1")
    (first,) = bench.intake.take(1, 5).messages
    restart(broker, bench)
    (again,) = bench.intake.take(1, 5).messages
    bench.session.acknowledge([first])
    restart(broker, bench)
    (again,) = bench.intake.take(1, 5).messages
    assert (again.payload, again.packet_id, again.dup) == (first.payload, first.packet_id, True)
    assert again.generation > first.generation


def restart(broker: Process, bench: Bench) -> None:
    """Restarts the broker; the session has noticed and is back."""
    broker.stop()
    wait_until(lambda: not bench.session.state.up)
    broker.start()
    wait_until(lambda: bench.session.state.up)


def test_session_refused_filter_is_told(settings: Settings, broker: Process) -> None:
    """A filter the broker does not allow is named while the link is up, and each one is."""
    assert broker.running
    with Bench(settings, "elsewhere/+", "clients/+", "nowhere/#") as bench:
        told = "subscription refused: elsewhere/+; subscription refused: nowhere/#"
        wait_until(lambda: bench.reason == told)
        assert bench.session.state.up


def test_session_callback_that_raises_is_logged_and_collecting_goes_on(
    settings: Settings, tank: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours on the answer to a subscription is no silence: it stands in the log."""

    def fail(_watch: LinkWatch, _reason: str) -> None:
        raise RuntimeError("an error of ours")

    monkeypatch.setattr(LinkWatch, "limp", fail)
    with capture_logs() as lines, Bench(settings, "clients/+/+", "elsewhere/+") as bench:
        wait_until(lambda: any(line.get("callback") == "_on_subscribe" for line in lines))
        publish(settings, tank, "1")
        assert len(bench.intake.take(1, 5).messages) == 1
        assert bench.session.state.up


def test_session_filter_no_longer_configured_is_given_up(
    settings: Settings, tank: Credentials, bench: Bench
) -> None:
    """After a change of templates the broker no longer sends what nobody wants."""
    bench.intake.close()
    bench.session.stop()
    path = settings.data_dir / "subscriptions.json"
    with Bench(settings, "clients/+") as after:
        wait_until(lambda: after.session.state.up)
        wait_until(lambda: Subscriptions(path, ["clients/+"]).stale == ())
        with Peer(settings, (tank.client, tank.password)) as peer:
            peer.publish("clients/tank/n", "1")
            peer.publish("clients/tank", "2")
        assert [message.payload for message in after.intake.take(5, 5).messages] == [b"2"]


def test_session_filters_that_overlap_are_told_apart(settings: Settings, tank: Credentials) -> None:
    """Each copy of a message says which filter it came for, before and after a change of them."""
    with Bench(settings, "clients/+/+", "clients/tank/#", room=100) as bench:
        wait_until(lambda: bench.session.state.up)
        publish(settings, tank, "1")
        assert filters_of(bench, 2) == {("clients/+/+", b"1"), ("clients/tank/#", b"1")}
    publish(settings, tank, "2")
    with Bench(settings, "clients/tank/#", "clients/+", room=100) as bench:
        assert filters_of(bench, 2) == {("", b"2"), ("clients/tank/#", b"2")}


def filters_of(bench: Bench, count: int) -> set[tuple[str, bytes]]:
    """Which filter each of the next messages came for, or an empty string, and its payload."""
    found: list[Message] = []
    wait_until(lambda: found.extend(bench.take()) or len(found) >= count)
    assert len(found) == count
    wanted = ("", *bench.subscriptions.wanted)
    return {
        (wanted[(*one.properties.subscriptions, 0)[0]], one.payload)
        for one in found
        if len(one.properties.subscriptions) < 2
    }


def test_session_own_message_comes_back_and_ends_the_catching_up(
    settings: Settings, tank: Credentials, bench: Bench
) -> None:
    """What was held is known to be through when our message is, and all before is committed."""
    wait_until(lambda: not bench.session.catching_up)
    bench.session.stop()
    publish(settings, tank, "1", "2")
    with Bench(settings, "clients/+/+") as after:
        wait_until(lambda: after.session.ping.returned_ns)
        assert after.session.catching_up
        assert 0 < after.session.ping.round_trip_us < 10_000_000
        assert abs(after.session.heard_us - now_us()) < 10_000_000
        assert texts(*(message.payload for message in after.take())) == ["1", "2"]
        wait_until(lambda: not after.session.catching_up)
        assert after.session.received == 2, "our own message is none"


def test_session_large_message_with_properties_arrives_whole(
    settings: Settings, tank: Credentials, bench: Bench
) -> None:
    """A message of many pieces is one message, and what follows is not disturbed."""
    large = "x" * 900_000
    publish(settings, tank, large, "2")
    wait_until(lambda: len(bench.intake) == 2)
    assert texts(*(message.payload for message in bench.take())) == [large, "2"]


def test_session_password_that_was_replaced_is_taken_up(
    settings: Settings, broker: Process
) -> None:
    """A refused login is told and tried again with what the file holds by then."""
    assert broker.running
    bench = Bench(settings, "clients/+/+")
    right = bench.load

    def missing() -> Login:
        raise SecretError(f"{settings.secrets_dir} is missing")

    bench.load = lambda: Login("collector", "wrong", "collector")
    with bench:
        wait_until(lambda: bench.reason == "login refused: Not authorized")
        bench.load = missing
        wait_until(lambda: bench.reason == "our login cannot be read, see the log")
        bench.load = right
        wait_until(lambda: bench.session.state.up)


def test_session_that_is_stopped_says_so_and_nothing_else(bench: Bench) -> None:
    """The end that was asked for is no lost connection, and nothing is tried again."""
    wait_until(lambda: bench.session.ping.returned_ns)
    with capture_logs() as lines:
        bench.session.stop()
    assert (bench.session.state.up, bench.reason) == (False, "the collector stopped")
    assert [line["event"] for line in lines] == ["lost the broker"]


class FalseBroker:
    """Answers each connection with the same bytes, and then says nothing.

    Attributes:
        accepted: Connections so far.
    """

    def __init__(self, answer: bytes) -> None:
        self.accepted = 0
        self.port = free_port()
        self._answer = answer
        self._listener = socket.create_server((LOOPBACK, self.port))
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "FalseBroker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in (self._listener, *self._kept):
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            self._kept.append(one)
            self.accepted += 1
            one.sendall(self._answer)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CONNACK, "the broker does not answer"),
        (CONNACK + b"\x34\x06\x00\x01a\x00\x01\x00", "the broker sends what is no MQTT"),
        (CONNACK + b"\x90\x01\x00", "Protocol error"),
        (b"\x20\x01", "the broker does not answer"),
        (b"\xf0\x00", "Protocol error"),
    ],
)
def test_session_with_what_is_no_broker_goes_on_trying(
    settings: Settings, answer: bytes, reason: str
) -> None:
    """Silence and nonsense end a connection, are told, and never end the network thread."""
    settings.data_dir.mkdir(parents=True)
    with FalseBroker(answer) as broker:
        changed = settings.model_copy(update={"mqtt_port": broker.port})
        bench = Bench(changed, "clients/+/+")
        bench.load = lambda: Login("collector", "secret", "collector")
        with bench:
            wait_until(lambda: broker.accepted >= 3, 15)
            said = set[str]()
            wait_until(lambda: said.add(bench.reason) or matching(said, reason))


def matching(said: set[str], reasons: str) -> bool:
    """Whether one of the reasons was said."""
    return any(said_one.startswith(one) for said_one in said for one in reasons.split("|"))
