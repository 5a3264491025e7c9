"""An existing broker instead of Culex's own, over MQTT 5 and 3.1.1, whatever it lets us do."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.endpoint import check_endpoint, endpoint_of
from collector.figures import Figures
from collector.intake import Bounds, Intake
from collector.link import LinkState
from collector.message import Message
from collector.reasons import UNANSWERED
from collector.session import Session
from collector.subscriptions import Subscriptions
from collector.watch import Watch
from mosquitto.provision import Credentials
from telemetry.clock import now_us
from telemetry.login import BROKER_PASSWORD
from telemetry.reading import Series
from telemetry.settings import Settings
from tests.foreign import PASSWORDS, READS_CLIENTS, ForeignBroker, OldDoor
from tests.integration.test_collector import (
    Publisher,
    assert_each_once,
    start,
    stored,
    writer,
)
from tests.mqtt import Listener, Peer
from tests.support import Process, culex, make_settings, wait_until

pytestmark = pytest.mark.broker

TANK = Credentials("tank", PASSWORDS["tank"], "tank", [], [])
TALKATIVE = "log_dest topic\nlog_dest stderr\nlog_type all"


def attached(folder: Path, url: str, **changes: object) -> Settings:
    """Settings for an existing broker, whose password is where it belongs."""
    settings = make_settings(folder, broker_url=url, **changes)
    settings.secrets_dir.mkdir(parents=True)
    write_password(settings, PASSWORDS["culex"])
    return settings


def write_password(settings: Settings, password: str) -> None:
    """Our password at the existing broker is that from now on."""
    path = settings.secrets_dir / BROKER_PASSWORD
    path.touch(mode=0o600)
    path.write_text(f"{password}\n")


def theirs(broker: ForeignBroker) -> Settings:
    """Settings by which the clients of a test find that broker."""
    ports = {"mqtt_port": broker.port, "mqtt_tls_port": broker.tls_port}
    return Settings(data_dir=broker.ca_file.parent, **ports)


class Bench:
    """Session and watch on the broker in force, and nobody but the test to take what comes."""

    def __init__(self, settings: Settings, *filters: str) -> None:
        endpoint = endpoint_of(settings)
        check_endpoint(endpoint)
        self.intake = Intake(Bounds(100, 1_000_000, 0))
        chosen = filters or ("clients/+/+",)
        self.subscriptions = Subscriptions(settings.data_dir / "held.json", chosen)
        self.session = Session(endpoint, self.intake, self.subscriptions, now_us)
        self.heard: list[Message] = []
        self.watch = Watch(endpoint, self._hear, now_us)

    def __enter__(self) -> "Bench":
        self.session.start()
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.intake.close()
        self.watch.stop()
        self.session.stop()

    @property
    def reason(self) -> str:
        """What is wrong with the link."""
        return self.session.state.reason

    def take(self) -> list[bytes]:
        """The payloads in the intake, acknowledged."""
        messages = self.intake.take(100, 0.05).messages
        self.session.acknowledge(messages)
        return [one.payload for one in messages]

    def _hear(self, message: Message) -> bool:
        self.heard.append(message)
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the foreign broker keeps its files."""
    return tmp_path / "theirs"


@pytest.fixture
def broker(folder: Path) -> Iterator[ForeignBroker]:
    """A broker that lets us do all we ask for."""
    with ForeignBroker(folder, options=TALKATIVE) as broker:
        yield broker


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_collector_killed_at_an_existing_broker_loses_and_doubles_nothing(
    tmp_path: Path, broker: ForeignBroker, version: str
) -> None:
    """Through kill -9 each number is stored once; what the broker retains is no new reading."""
    with ExitStack() as stack:
        door = stack.enter_context(OldDoor(broker.port))
        url = f"mqtts://culex@localhost:{broker.tls_port}"
        if version == "3.1.1":
            url = f"mqtt://culex@127.0.0.1:{door.port}"
        settings = attached(tmp_path, url, broker_ca=str(broker.ca_file))
        collector = Process(settings, "collector", "run")
        stack.callback(collector.stop)
        with Peer(theirs(broker), ("tank", "tank")) as peer:
            peer.publish("clients/tank/m", "7", retain=True)
        start(collector)
        publisher = Publisher(theirs(broker), TANK)
        stack.callback(publisher.stop)
        publisher.start()
        for _ in range(2):
            publisher.wait_for_more(150)
            collector.stop(signal.SIGKILL)
            publisher.wait_for_more(100)
            start(collector)
        assert_each_once(settings, publisher.stop())
        assert stored(settings, Series("tank", "m")) == Counter()
        assert door.refused >= 3 * (version == "3.1.1")
        place = endpoint_of(settings).place
        assert f"broker     {place} up, since" in culex(settings, "collector", "status").stdout
        assert writer(settings).broker_reason == ""
    assert not (settings.data_dir / "broker").exists(), "nothing of a broker of ours"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_broker_that_lets_us_only_read_brings_every_message(
    tmp_path: Path, folder: Path, version: str
) -> None:
    """No own message and nothing below $SYS is no fault of the link, and nobody is seen."""
    told = "the broker does not take our own messages"
    with (
        ForeignBroker(folder, READS_CLIENTS, TALKATIVE) as broker,
        OldDoor(broker.port) as door,
        capture_logs() as lines,
    ):
        port = door.port if version == "3.1.1" else broker.port
        with Bench(attached(tmp_path, f"mqtt://culex@127.0.0.1:{port}")) as bench:
            # Mosquitto 2.0.11 ends a connection on which it does not allow a message.
            wait_until(lambda: told in [line["event"] for line in lines])
            lasting = []
            for payload in (b"1", b"2"):
                with Peer(theirs(broker), ("tank", "tank"), Listener.PLAIN) as peer:
                    peer.publish("clients/tank/n", payload)
                wait_until(lambda payload=payload: payload in bench.take())  # type: ignore[misc]  # bound now
                lasting.append(bench.session.state)
            since_us = lasting[0].since_us
            assert lasting == [LinkState(up=True, since_us=since_us, reason="")] * 2
            assert bench.session.ping.round_trip_us == 0
            assert (bench.watch.up, bench.heard) == (False, [])
            assert [one.end_us for one in bench.watch.take_outages()] == [None]


def test_broker_that_says_who_connects_is_watched_from_the_first_line_on(
    tmp_path: Path, broker: ForeignBroker
) -> None:
    """Presence is what its log tells; how many are connected is what it counts."""
    with Bench(attached(tmp_path, f"mqtt://culex@127.0.0.1:{broker.port}")) as bench:
        wait_until(lambda: bench.session.ping.returned_ns)
        with Peer(theirs(broker), ("tank", "tank"), Listener.PLAIN):
            wait_until(lambda: bench.watch.up)
        assert bench.watch.take_outages()[-1].end_us is not None
        figures = Figures()
        wait_until(lambda: "clients.connected" in told_by(figures, bench.heard))


def told_by(figures: Figures, heard: list[Message]) -> set[str]:
    """The metrics of which the broker has told a figure."""
    taken, heard[:] = [*heard], []
    return {one.series.metric for message in taken for one in figures.take(message)}


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_password_that_was_wrong_is_corrected_without_a_restart(
    tmp_path: Path, broker: ForeignBroker, version: str
) -> None:
    """One sentence says which file to correct, and what it holds by then is tried."""
    with OldDoor(broker.port) as door:
        port = door.port if version == "3.1.1" else broker.port
        settings = attached(tmp_path, f"mqtt://culex@127.0.0.1:{port}")
        write_password(settings, "wrong")
        with capture_logs() as lines, Bench(settings) as bench:
            wait_until(lambda: "the file secrets/broker-password" in bench.reason)
            assert bench.reason.startswith("login refused: ")
            write_password(settings, PASSWORDS["culex"])
            wait_until(lambda: bench.session.state.up)
        (told,) = [line for line in lines if line["event"].startswith("cannot connect")]
        assert told["at"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("url", "trusted", "reason"),
    [
        ("mqtts://culex@localhost:{tls}", False, "signed by nobody whom this machine trusts"),
        ("mqtts://culex@localhost:{tls}", True, "is for another name"),
        ("mqtts://culex@localhost:{plain}", True, "does not speak TLS on that port"),
        ("mqtt://culex@localhost:{tls}", True, UNANSWERED),
        ("mqtt://culex@localhost:1", True, "connection refused"),
    ],
)
def test_broker_that_cannot_be_reached_is_told_in_one_sentence(
    tmp_path: Path, folder: Path, url: str, trusted: bool, reason: str
) -> None:
    """Whatever is wrong, the state of the link says what to correct."""
    with ForeignBroker(folder, name="elsewhere.example") as broker:
        settings = attached(tmp_path, url.format(tls=broker.tls_port, plain=broker.port))
        if trusted:
            settings = settings.model_copy(update={"broker_ca": str(broker.ca_file)})
        with Bench(settings) as bench:
            wait_until(lambda: reason in bench.reason)


def test_filter_no_longer_configured_is_given_up_over_mqtt_3_1_1(
    tmp_path: Path, broker: ForeignBroker
) -> None:
    """Its answer has no reasons, and what it answers is done all the same."""
    with OldDoor(broker.port) as door:
        settings = attached(tmp_path, f"mqtt://culex@127.0.0.1:{door.port}")
        with Bench(settings, "clients/+", "clients/+/+") as before:
            wait_until(lambda: before.session.ping.returned_ns)
        with Bench(settings, "clients/+") as after:
            assert after.subscriptions.stale == ("clients/+/+",)
            wait_until(lambda: after.subscriptions.stale == ())
            with Peer(theirs(broker), ("tank", "tank"), Listener.PLAIN) as peer:
                peer.publish("clients/tank/n", "1")
                peer.publish("clients/tank", "2")
            wait_until(lambda: after.take() == [b"2"])


def test_two_installations_have_two_sessions(tmp_path: Path, broker: ForeignBroker) -> None:
    """Both get every message: neither takes the other's place."""
    url = f"mqtt://culex@127.0.0.1:{broker.port}"
    with (
        Bench(attached(tmp_path / "one", url)) as one,
        Bench(attached(tmp_path / "two", url)) as two,
    ):
        for bench in (one, two):
            wait_until(lambda bench=bench: bench.session.ping.returned_ns)  # type: ignore[misc]  # bound now
        with Peer(theirs(broker), ("tank", "tank"), Listener.PLAIN) as peer:
            peer.publish("clients/tank/n", "1")
        assert [one.take(), two.take()] == [[b"1"], [b"1"]]
