"""The watch with a real Mosquitto: who comes, who goes and why, and what nobody saw."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Full, Queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from structlog.testing import capture_logs

from collector.endpoint import LOOPBACK
from collector.figures import Figures
from collector.intake import Bounds, Intake
from collector.link import Endpoint
from collector.message import Message
from collector.presence import Roster
from collector.session import Session
from collector.subscriptions import Subscriptions
from collector.watch import Watch
from mosquitto.broker import end_orphan
from mosquitto.provision import Credentials, Permit, add_client, initialise, remove_client
from telemetry.clock import now_us
from telemetry.login import load_login
from telemetry.presence import Connection, Ending, Event, EventKind
from telemetry.reading import Reading
from telemetry.settings import Settings
from tests.mqtt import V5, V311, Listener, Peer
from tests.support import Process, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

FORGED = "x (p5, c1, k60, u'admin')."


class Lookout:
    """A watch with somebody who draws conclusions, when asked."""

    def __init__(self, settings: Settings, room: int = 10_000) -> None:
        self.login = load_login(settings.secrets_dir / "collector.json")
        self.endpoint = Endpoint(LOOPBACK, settings.mqtt_port, lambda: self.login)
        self.waiting: Queue[Message] = Queue(room)
        self.watch = Watch(self.endpoint, self._offer, now_us)
        self.roster, self.figures = Roster(), Figures()
        self.connections: dict[tuple[str, int], Connection] = {}
        self.events: list[Event] = []
        self.readings: list[Reading] = []

    def of(self, client_id: str) -> list[Connection]:
        """The connections of a client identifier as they are known now, the oldest first."""
        self.look()
        return [one for (each, _), one in sorted(self.connections.items()) if each == client_id]

    def look(self) -> None:
        """Takes what has come in, as the writer does."""
        for outage in self.watch.take_outages():
            self.roster.miss(outage)
            self.figures.miss(outage)
        while not self.waiting.empty():
            message = self.waiting.get()
            self.roster.hear(message)
            self.readings += self.figures.take(message)
        changes = self.roster.take_changes()
        self.connections |= {(one.client_id, one.since_us): one for one in changes.connections}
        self.events += changes.events

    def told(self, *kinds: EventKind) -> list[Event]:
        """The events of those kinds."""
        self.look()
        return [event for event in self.events if event.kind in kinds]

    def _offer(self, message: Message) -> bool:
        try:
            self.waiting.put_nowait(message)
        except Full:
            return False
        return True


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings for the broker that all tests here share: each has its own client identifiers."""
    return make_settings(tmp_path_factory.mktemp("watch"))


@pytest.fixture(scope="module")
def broker(settings: Settings) -> Iterator[Process]:
    """A real broker on those settings."""
    initialise(settings)
    process = start_broker(settings)
    yield process
    process.stop()
    end_orphan(settings)


@pytest.fixture(scope="module")
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank", Permit(bound=False))


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A client identifier of this test alone."""
    return f"id {request.node.name}"


@pytest.fixture
def lookout(settings: Settings, tank: Credentials) -> Iterator[Lookout]:
    """A watch that is up."""
    assert tank.client
    lookout = Lookout(settings)
    lookout.watch.start()
    wait_until(lambda: lookout.watch.up)
    yield lookout
    lookout.watch.stop()


Connect = Callable[..., Peer]


@pytest.fixture
def connect(settings: Settings, tank: Credentials) -> Connect:
    """Makes a connection of the tank, for a `with` block."""

    def make(
        client_id: str, listener: Listener = Listener.TLS, version: MQTTProtocolVersion = V5
    ) -> Peer:
        return Peer(settings, (tank.client, tank.password), listener, version, client_id=client_id)

    return make


def bare(settings: Settings, tank: Credentials, client_id: str, keep_alive_s: int) -> paho.Client:
    """A connection that nobody serves: it sends nothing more by itself."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
    client.username_pw_set(tank.client, tank.password)
    client.connect("127.0.0.1", settings.mqtt_port, keep_alive_s)
    wait_until(lambda: client.loop(0.05) == paho.MQTT_ERR_SUCCESS and client.is_connected())
    return client


def ended(lookout: Lookout, client_id: str) -> Connection:
    """The one connection of a client identifier, once it has ended."""
    wait_until(lambda: [one for one in lookout.of(client_id) if one.until_us is not None])
    (one,) = lookout.of(client_id)
    return one


@pytest.mark.parametrize(
    ("door", "protocol"),
    [
        ((Listener.TLS, V5), "5"),
        ((Listener.TLS, V311), "3.1.1"),
        ((Listener.PLAIN, V5), "5"),
        ((Listener.WS, V311), "3.1.1"),
    ],
)
def test_client_that_says_goodbye_is_a_whole_connection(
    lookout: Lookout,
    connect: Connect,
    door: tuple[Listener, MQTTProtocolVersion],
    protocol: str,
    name: str,
) -> None:
    """It is open while it is connected; afterwards everything about it is known."""
    before_us = now_us()
    with connect(name, *door):
        wait_until(lambda: lookout.of(name))
        (one,) = lookout.of(name)
        assert (one.until_us, one.reason) == (None, "")
    one = ended(lookout, name)
    assert (one.username, one.protocol, one.keep_alive_s) == ("tank", protocol, 60)
    assert one.address.startswith("127.0.0.1:")
    assert one.clean_start
    assert before_us < one.since_us < (one.until_us or 0) < now_us()
    assert one.reason == Ending.GOODBYE
    assert lookout.told(EventKind.REFUSED) == []


def test_client_whose_connection_breaks_has_closed_it(
    settings: Settings, tank: Credentials, lookout: Lookout, name: str
) -> None:
    """A connection that ends without goodbye says so."""
    client = bare(settings, tank, name, 60)
    socket = client.socket()
    assert socket is not None
    socket.close()
    assert ended(lookout, name).reason == Ending.CLOSED


def test_client_that_falls_silent_has_exceeded_its_keep_alive(
    settings: Settings, tank: Credentials, lookout: Lookout, name: str
) -> None:
    """A client that is there and says nothing ends by the keep-alive it asked for."""
    client = bare(settings, tank, name, 1)
    one = ended(lookout, name)
    assert (one.reason, one.keep_alive_s) == (Ending.TIMED_OUT, 1)
    client.disconnect()


@pytest.mark.parametrize("version", [V5, V311])
def test_wrong_password_is_an_event_with_its_address(
    settings: Settings, lookout: Lookout, version: MQTTProtocolVersion
) -> None:
    """Who is refused is no connection; from where it came is known."""
    with Peer(settings, ("tank", "wrong"), version=version, client_id="eve") as peer:
        assert not peer.accepted
    wait_until(lambda: lookout.told(EventKind.REFUSED))
    (refused,) = lookout.told(EventKind.REFUSED)
    assert (refused.client, refused.detail) == ("", "not authorised")
    assert refused.address.startswith("127.0.0.1:")
    assert lookout.of("eve") == []


@pytest.mark.parametrize("first", [Listener.TLS, Listener.WS])
@pytest.mark.parametrize("second", [Listener.TLS, Listener.WS])
def test_take_over_ends_one_connection_and_opens_another(
    lookout: Lookout, connect: Connect, first: Listener, second: Listener, name: str
) -> None:
    """Two clients with one identifier are two connections, one after the other."""
    with connect(name, first) as older:
        with connect(name, second):
            assert older.ended.wait(5)
            with connect(f"{name}, later"):  # its lines come after all about the take-over
                wait_until(lambda: lookout.of(f"{name}, later"))
            one, two = lookout.of(name)
            assert one.reason == Ending.TAKEN_OVER
            assert (one.until_us or 0) <= two.since_us
            assert two.until_us is None
        wait_until(lambda: lookout.of(name)[1].until_us)
    assert lookout.of(name)[1].reason == Ending.GOODBYE


def test_client_that_is_removed_is_disconnected_by_the_administrator(
    settings: Settings, lookout: Lookout, name: str
) -> None:
    """Taking its login away ends a connection, and the connection says so."""
    barrel = add_client(settings, "barrel", Permit(bound=False))
    with Peer(settings, (barrel.client, barrel.password), client_id=name):
        remove_client(settings, "barrel")
        assert ended(lookout, name).reason == Ending.REMOVED


def test_client_identifier_that_forges_a_login_is_shown_as_who_it_is(
    lookout: Lookout, connect: Connect
) -> None:
    """The broker's word counts, not the client's."""
    with connect(FORGED):
        pass
    one = ended(lookout, FORGED)
    assert (one.username, one.reason) == ("tank", Ending.GOODBYE)


def test_client_identifier_longer_than_a_log_line_is_said_not_to_be_followed(
    lookout: Lookout, connect: Connect
) -> None:
    """The broker cuts the line; what remains of it is not taken for the whole."""
    with connect("z" * 5000) as peer:
        assert peer.accepted
        wait_until(lambda: lookout.told(EventKind.OVERFLOW))
    assert not [one for one, _ in lookout.connections if one.startswith("z")]


def test_figures_arrive_with_what_the_broker_retains(lookout: Lookout) -> None:
    """Within two rounds every figure is stored, those that never change included."""

    def metrics() -> set[str]:
        lookout.look()
        return {one.series.metric for one in lookout.readings}

    wait_until(lambda: {"uptime", "clients.connected"} <= metrics(), 25)
    wait_until(lambda: "publish.messages.dropped" in metrics(), 25)
    assert {one.series.client for one in lookout.readings} == {"broker"}


def test_watch_and_session_share_a_login(settings: Settings, lookout: Lookout) -> None:
    """Two connections with one username and two client identifiers leave each other alone."""
    subscriptions = Subscriptions(settings.data_dir / "subscriptions.json", ["clients/#"])
    intake = Intake(Bounds(10, 1000, 0))
    session = Session(lookout.endpoint, intake, subscriptions, now_us)
    client_id = lookout.endpoint.login.client_id
    session.start()
    try:
        wait_until(lambda: session.state.up)
        wait_until(lambda: lookout.of(client_id))
        assert lookout.watch.up
    finally:
        intake.close()
        session.stop()
    one = ended(lookout, client_id)
    assert (one.username, one.clean_start) == ("collector", False)


def test_broker_that_is_restarted_has_ended_what_was_open(
    settings: Settings, broker: Process, tank: Credentials, lookout: Lookout, name: str
) -> None:
    """While the broker is away all is unknown; its uptime says afterwards that it was stopped."""
    client = bare(settings, tank, name, 60)
    wait_until(lambda: lookout.of(name))
    # Its uptime, so that a lower one is noticed afterwards.
    wait_until(lambda: lookout.look() or lookout.readings, 25)
    broker.stop(signal.SIGTERM)
    wait_until(lambda: not lookout.watch.up)
    assert ended(lookout, name).reason == Ending.UNKNOWN
    broker.start()
    wait_until(lambda: lookout.watch.up)
    wait_until(lambda: lookout.of(name)[0].reason == Ending.BROKER_STOPPED, 25)
    kinds = [one.kind for one in lookout.told(EventKind.WATCH_LOST, EventKind.WATCH_BACK)]
    assert kinds == [EventKind.WATCH_LOST, EventKind.WATCH_BACK] * 2  # the start is the first
    client.disconnect()


def test_watch_without_room_drops_and_says_since_when(
    settings: Settings, connect: Connect, name: str
) -> None:
    """A full queue never holds the network thread; what was dropped is an outage."""
    lookout = Lookout(settings, room=1)
    lookout.watch.start()
    try:
        wait_until(lambda: len(lookout.told(EventKind.WATCH_BACK)) == 1)
        wait_until(lambda: lookout.watch.dropped)  # of what the broker retains
        lookout.look()
        before = lookout.watch.dropped
        with connect(name):
            wait_until(lambda: lookout.watch.dropped > before)
        assert lookout.watch.up
        assert len(lookout.told(EventKind.WATCH_LOST)) == 2
        with connect(name):
            wait_until(lambda: len(lookout.told(EventKind.WATCH_BACK)) == 2)
    finally:
        lookout.watch.stop()


def test_watch_password_that_was_replaced_is_taken_up(settings: Settings, broker: Process) -> None:
    """A refused login is told and tried again with what the file holds by then."""
    assert broker.running
    lookout = Lookout(settings)
    right = lookout.login
    lookout.login = replace(right, password="wrong")  # noqa: S106  # so that it is refused
    with capture_logs() as lines:
        lookout.watch.start()
        try:
            wait_until(lambda: [one for one in lines if "login refused" in one.get("reason", "")])
            assert not lookout.watch.up
            lookout.login = right
            wait_until(lambda: lookout.watch.up)
        finally:
            lookout.watch.stop()


def test_watch_started_before_the_broker_waits_for_it(tmp_path: Path) -> None:
    """Without a broker it goes on trying; it may be stopped at any moment, and then stays so."""
    settings = make_settings(tmp_path)
    initialise(settings)
    Lookout(settings).watch.stop()
    lookout = Lookout(settings)
    lookout.watch.start()
    wait_until(lambda: lookout.told(EventKind.WATCH_LOST))
    assert not lookout.watch.up
    broker = start_broker(settings)
    try:
        wait_until(lambda: lookout.watch.up)
        lookout.watch.stop()
        lookout.watch.stop()
        lookout.watch.start()
        assert not lookout.watch.up
    finally:
        lookout.watch.stop()
        broker.stop()
