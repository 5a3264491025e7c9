"""Topics through kill -9: each message counts once on its topic, as it does in the ledger."""

import signal
from collections.abc import Iterator

import pytest

from mosquitto.provision import add_client
from telemetry.interface import StoreError
from telemetry.ledger import total
from telemetry.settings import Settings
from telemetry.window import ALL_TIME
from tests.collector.crashing import Failpoint
from tests.mqtt import Peer
from tests.support import Process, culex, wait_until
from tests.telemetry.builders import looking

pytestmark = pytest.mark.broker

ROUNDS, TOPICS = 40, 5


@pytest.fixture
def collector(settings: Settings) -> Iterator[Process]:
    """A collector, not started; stopped at the end of the test if it runs."""
    process = Process(settings, "collector", "run")
    yield process
    process.stop()


def is_up(settings: Settings) -> bool:
    """Whether a collector is connected."""
    try:
        with looking(settings.store_path) as snapshot:
            return snapshot.writer().broker_up and not snapshot.writer().stopped
    except StoreError:
        return False


def counted(settings: Settings) -> dict[str, int]:
    """How many messages there were on each topic; as many as the ledger has in all."""
    with looking(settings.store_path) as snapshot:
        found = snapshot.topics(snapshot.topic_names())
        messages = total(row.messages for row in snapshot.ledger(None, ALL_TIME)).received
    assert sum(one.messages for one in found) == messages
    return {one.name: one.messages for one in found}


@pytest.mark.parametrize(
    ("point", "passes"),
    [(Failpoint.TRANSACTION, ("60", "250")), (Failpoint.COMMITTED, ("0", "0"))],
    ids=["in a transaction", "committed"],
)
def test_topics_add_up_to_the_ledger_when_the_collector_is_killed(
    settings: Settings,
    broker: Process,
    collector: Process,
    point: Failpoint,
    passes: tuple[str, str],
) -> None:
    """In the middle of a transaction, and between its commit and the acknowledgement."""
    assert broker.running
    login = add_client(settings, "tank")
    collector.start()
    wait_until(lambda: is_up(settings))
    collector.stop()
    with Peer(settings, (login.client, login.password)) as tank:
        for number in range(ROUNDS):
            for topic in range(TOPICS):
                payload = "{" if topic == 0 else f'{{"n": {number}}}'
                tank.publish(f"clients/tank/t{topic}", payload)
    for one in passes:
        crashing = Process(settings, "tests.collector.crashing", point, one).start()
        assert crashing.wait() == -signal.SIGKILL, crashing.output
        counted(settings)
    collector.start()
    expected = {f"clients/tank/t{topic}" for topic in range(TOPICS)}
    wait_until(lambda: expected <= {*counted(settings)})
    wait_until(lambda: min(counted(settings)[topic] for topic in expected) >= ROUNDS)
    collector.stop()
    assert counted(settings)
    assert culex(settings, "telemetry", "verify").returncode == 0
