"""The session alone with a real Mosquitto: bounds, generations, refused filters."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from collector.daemon import LOOPBACK
from collector.intake import Bounds, Intake
from collector.link import LinkWatch
from collector.message import Message
from collector.session import Endpoint, Session
from collector.subscriptions import Subscriptions
from mosquitto.provision import Credentials, add_client
from telemetry.clock import now_us
from telemetry.login import load_login
from telemetry.settings import Settings
from tests.mqtt import Peer
from tests.support import Process, wait_until

pytestmark = pytest.mark.broker

ROOM = 5


class Bench:
    """A session whose intake has little room, and nobody but the test to empty it."""

    def __init__(self, settings: Settings, *filters: str) -> None:
        login = load_login(settings.secrets_dir / "collector.json")
        self.intake = Intake(Bounds(ROOM, 1_000_000, 0, 0.05))
        subscriptions = Subscriptions(settings.data_dir / "subscriptions.json", filters)
        endpoint = Endpoint(LOOPBACK, settings.mqtt_port, login)
        self.session = Session(endpoint, self.intake, subscriptions, now_us)

    def take(self) -> list[Message]:
        """What is in the intake, acknowledged."""
        messages = self.intake.take(100, 0.05).messages
        self.session.acknowledge(messages)
        return messages


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def bench(settings: Settings, tank: Credentials) -> Iterator[Bench]:
    """A session that is connected."""
    assert tank.client
    bench = Bench(settings, "clients/+/+")
    bench.session.start()
    wait_until(lambda: bench.session.state.up)
    yield bench
    bench.intake.close()
    bench.session.stop()


def test_session_without_room_disconnects_and_fetches_the_rest_later(
    settings: Settings, tank: Credentials, bench: Bench
) -> None:
    """Nothing is lost or overtaken when the intake stays full: the broker keeps the rest."""
    with Peer(settings, (tank.client, tank.password)) as peer:
        for number in range(20):
            peer.publish("clients/tank/n", str(number))
    wait_until(lambda: bench.session.state.reason == "the store does not keep up")
    assert len(bench.intake) == ROOM
    first_seen: list[bytes] = []

    def collected() -> bool:
        for message in bench.take():
            if message.payload not in first_seen:
                first_seen.append(message.payload)
        return len(first_seen) == 20

    wait_until(collected)
    assert first_seen == [str(number).encode() for number in range(20)]


def test_session_acknowledgement_of_an_earlier_connection_is_withheld(
    settings: Settings, broker: Process, tank: Credentials, bench: Bench
) -> None:
    """A message taken before the link was lost comes again, until its own acknowledgement."""
    with Peer(settings, (tank.client, tank.password)) as peer:
        peer.publish("clients/tank/n", "1")
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
    """A filter the broker does not allow is named while the link is up."""
    assert broker.running
    bench = Bench(settings, "elsewhere/+")
    bench.session.start()
    try:
        wait_until(lambda: bench.session.state.reason == "subscription refused: elsewhere/+")
        assert bench.session.state.up
    finally:
        bench.session.stop()


def test_session_callback_that_raises_is_logged_and_collecting_goes_on(
    settings: Settings, tank: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours on the answer to a subscription is no silence: it stands in the log."""

    def fail(_watch: LinkWatch, _reason: str) -> None:
        raise RuntimeError("an error of ours")

    monkeypatch.setattr(LinkWatch, "limp", fail)
    bench = Bench(settings, "clients/+/+", "elsewhere/+")
    with capture_logs() as lines:
        bench.session.start()
        try:
            wait_until(lambda: any(line.get("callback") == "_on_subscribe" for line in lines))
            with Peer(settings, (tank.client, tank.password)) as peer:
                peer.publish("clients/tank/n", "1")
            assert len(bench.intake.take(1, 5).messages) == 1
            assert bench.session.state.up
        finally:
            bench.session.stop()


def test_session_filter_no_longer_configured_is_given_up(
    settings: Settings, tank: Credentials, bench: Bench
) -> None:
    """After a change of templates the broker no longer sends what nobody wants."""
    bench.intake.close()
    bench.session.stop()
    after = Bench(settings, "clients/+")
    after.session.start()
    try:
        wait_until(lambda: after.session.state.up)
        wait_until(
            lambda: (
                Subscriptions(settings.data_dir / "subscriptions.json", ["clients/+"]).stale == ()
            )
        )
        with Peer(settings, (tank.client, tank.password)) as peer:
            peer.publish("clients/tank/n", "1")
            peer.publish("clients/tank", "2")
        assert [message.payload for message in after.intake.take(5, 5).messages] == [b"2"]
    finally:
        after.session.stop()
