"""What could not be read is decoded again with better templates, with a collector or without."""

import json
import signal
from collections.abc import Iterator

import pytest

from mosquitto.provision import Credentials, add_client
from telemetry.ledger import Tally, total
from telemetry.reading import Flag, Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.topic_settings import Topic
from telemetry.window import ALL_TIME
from tests.mqtt import Peer
from tests.support import Process, culex, wait_until

pytestmark = pytest.mark.broker

START_S = 1_790_000_000
LINES = [f"{START_S + number},{number}.5" for number in range(20)]
NOBODY_HEARS = 0x10  # MQTT 5, 3.4.2.1: no matching subscribers
TANK_LOG = Series("tank", "flow")


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def collector(settings: Settings) -> Iterator[Process]:
    """A collector, not started; stopped at the end of the test if it runs."""
    process = Process(settings, "collector", "run")
    yield process
    process.stop()


def messages(settings: Settings) -> Tally:
    """What became of all messages."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return total(row.messages for row in snapshot.ledger(None, ALL_TIME))


def wait_until_heard(peer: Peer) -> None:
    """Returns once the collector has subscribed; one reading of `ready` is stored by then."""
    wait_until(lambda: peer.publish("clients/tank/ready", "1").value != NOBODY_HEARS)


def with_template(settings: Settings) -> Settings:
    """The settings of somebody who has found out that these are CSV."""
    known = Topic(template="clients/{client}/log", format="csv", columns=("time", "flow"))  # type: ignore[arg-type]  # pydantic converts it
    return settings.model_copy(update={"topics": (known, *settings.topics)})


@pytest.mark.parametrize("running", [True, False])
def test_replay_stores_what_a_new_template_reads_once_at_its_time(
    settings: Settings, tank: Credentials, collector: Process, *, running: bool
) -> None:
    """A dry run changes nothing; a replay moves everything; another one finds nothing to do."""
    collector.start()
    with Peer(settings, (tank.client, tank.password)) as peer:
        wait_until_heard(peer)
        for line in LINES:
            peer.publish("clients/tank/log", line)
        peer.publish("clients/tank/level", "21 %")
    wait_until(lambda: messages(settings).quarantined == len(LINES) + 1)
    collector.stop(signal.SIGKILL)
    changed = with_template(settings)
    collector.settings = changed
    if running:
        collector.start()
        wait_until(lambda: collector.output.count("connected to the broker") == 2)
    said = [
        json.loads(culex(changed, "collector", "replay", "--json", *options).stdout)
        for options in (["--dry-run"], [], [])
    ]
    assert [(one["released"], one["readings"], one["stored"], one["stay"]) for one in said] == [
        (20, 20, 0, 1),
        (20, 20, 20, 1),
        (0, 0, 0, 1),
    ]
    with open_querier(settings.store_path).snapshot() as snapshot:
        frame = snapshot.read(TANK_LOG, ALL_TIME).frame
        (left,) = snapshot.quarantine()
    assert frame["time_us"].tolist() == [(START_S + number) * 1_000_000 for number in range(20)]
    assert {int(flags) & Flag.REPLAYED for flags in frame["flags"]} == {Flag.REPLAYED}
    assert (left.topic, left.messages) == ("clients/tank/level", 1)
    assert messages(settings) == Tally(22, stored=21, quarantined=1)
    verified = culex(settings, "telemetry", "verify")
    assert (verified.returncode, "is accounted for" in verified.stdout) == (0, True)


def test_replay_of_a_reason_leaves_the_others(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """What is chosen is what is replayed; people are told in a sentence."""
    collector.start()
    with Peer(settings, (tank.client, tank.password)) as peer:
        wait_until_heard(peer)
        peer.publish("clients/tank/log", LINES[0])
        peer.publish("clients/tank/log", b"\xff\xfe")
    wait_until(lambda: messages(settings).quarantined == 2)
    collector.stop()
    chosen = ["--reason", "not-utf8", "--topic", "clients/tank/log"]
    done = culex(with_template(settings), "collector", "replay", *chosen)
    assert done.stdout == (
        "of 1 messages 0 left quarantine with 0 new readings, 1 stay, 0 are not kept whole\n"
    )
