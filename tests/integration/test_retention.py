"""Retention with a real broker and collector: by itself, by a command, and when room is short."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import add_client, initialise
from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME, HOUR_US
from tests.mqtt import Peer
from tests.support import Process, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

SERIES = Series("tank", "level")
NOBODY_HEARS = 0x10  # MQTT 5, 3.4.2.1: no matching subscribers
DAY_S, AGES = 86_400, (20, 3, 2)
ROWS = 50


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """With what the test asks for."""
    return make_settings(tmp_path, **request.param)


@pytest.fixture
def collector(settings: Settings) -> Iterator[Process]:
    """A running collector, and the broker it listens to."""
    initialise(settings)
    broker = start_broker(settings)
    process = Process(settings, "collector", "run").start()
    yield process
    process.stop()
    broker.stop()
    end_orphan(settings)


def tell(settings: Settings) -> None:
    """A client tells of the past: as much of each of three days."""
    tank = add_client(settings, "tank")
    now_s = int(time.time())
    with Peer(settings, (tank.client, tank.password)) as peer:
        wait_until(lambda: peer.publish("clients/tank/ready", "1").value != NOBODY_HEARS)
        for age in AGES:
            start_s = now_s - age * DAY_S
            rows = [{"time": start_s + second, "level": second} for second in range(ROWS)]
            assert not peer.publish("clients/tank", json.dumps(rows)).is_failure


def there(settings: Settings) -> tuple[int, int]:
    """How many readings there are, and of how many hours say something."""
    with (
        closing(open_querier(settings.store_path)) as querier,
        querier.snapshot() as snapshot,
    ):
        hours = snapshot.buckets(SERIES, ALL_TIME, HOUR_US).frame["count"].sum()
        return snapshot.count(SERIES, ALL_TIME, 1 << 40), int(hours)


def assert_accounted_for(settings: Settings, expired: int) -> None:
    """The ledger adds up, and knows what became of the rest."""
    verified = culex(settings, "telemetry", "verify", "--json")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert json.loads(verified.stdout)["readings"]["expired"] == expired


@pytest.mark.parametrize("settings", [{"keep_readings": "15d"}], indirect=True)
def test_collector_lets_go_of_what_is_over_by_itself(
    settings: Settings, collector: Process
) -> None:
    """After it has sealed what came late; a command finds nothing more to do."""
    tell(settings)
    seal_at_start(collector)
    wait_until(lambda: there(settings) == (2 * ROWS, 3 * ROWS), 120)
    assert_accounted_for(settings, ROWS)
    assert asked(settings, "retain", "--dry-run") == {"expired": 0, "over": []}
    assert asked(settings, "retain") == {"expired": 0, "files": 0, "bytes": 0}
    assert "Traceback" not in collector.output


def seal_at_start(collector: Process) -> None:
    """The hours of the past are sealed when it starts again, whatever the time of day."""
    wait_until(lambda: there(collector.settings)[1] == 3 * ROWS, 60)
    collector.stop()
    collector.start()


def asked(settings: Settings, *command: str) -> dict[str, object]:
    """What a command answers."""
    done = culex(settings, "telemetry", *command, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("settings", [{"low_disk_mb": 1_000_000}], indirect=True)
def test_collector_that_is_short_of_room_lets_the_oldest_days_go(
    settings: Settings, collector: Process
) -> None:
    """It says so, and stops at what is younger than a week."""
    tell(settings)
    seal_at_start(collector)
    wait_until(lambda: there(settings) == (2 * ROWS, 3 * ROWS), 120)
    assert "short of room" in collector.output
    assert_accounted_for(settings, ROWS)
    assert "what was over is gone" in collector.output
    assert "Traceback" not in collector.output
