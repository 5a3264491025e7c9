"""The history with a real broker and collector: hours move into files, and nothing is lost."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from mosquitto.provision import Credentials, add_client
from telemetry.clock import now_us
from telemetry.interface import StoreMissing
from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.mqtt import Peer
from tests.support import Process, culex, wait_until

pytestmark = pytest.mark.broker

SERIES = Series("tank", "level")
HOUR_S = 3600
PER_MESSAGE = 60


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def collector(settings: Settings, tank: Credentials) -> Iterator[Process]:
    """A collector that listens; stopped at the end of the test."""
    assert tank.client == "tank"
    process = Process(settings, "collector", "run").start()
    wait_until(lambda: "collecting" in process.output and connected(settings))
    yield process
    process.stop()


def connected(settings: Settings) -> bool:
    """Whether the collector's link is up."""
    with (
        suppress(StoreMissing),
        closing(open_querier(settings.store_path)) as querier,
        querier.snapshot() as snapshot,
    ):
        return snapshot.writer().broker_up
    return False


def tell(settings: Settings, tank: Credentials, start_s: int, end_s: int) -> None:
    """Tells the broker of the past: a level each second, with its own time."""
    with Peer(settings, (tank.client, tank.password)) as peer:
        for second in range(start_s, end_s, PER_MESSAGE):
            rows = [{"time": at, "level": at % 1000} for at in range(second, second + PER_MESSAGE)]
            assert not peer.publish("clients/tank", json.dumps(rows)).is_failure


def stored(settings: Settings) -> Counter[int]:
    """How often each second of the level is in the store."""
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        times = snapshot.read(SERIES, ALL_TIME).frame["time_us"]
    return Counter((times // 1_000_000).tolist())


def files(settings: Settings) -> int:
    """How many files the history has."""
    return len([*settings.data_dir.glob("blocks/readings/*/*.parquet")])


def test_collector_killed_while_it_seals_loses_and_doubles_nothing(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """Hours of the past are sealed at each start, and meanwhile the collector is killed.

    What the broker acknowledged is there once, the ledger adds up, and no file is left over.
    """
    end_s = now_us() // 1_000_000 // HOUR_S * HOUR_S - 4 * HOUR_S
    for attempt in range(3):
        start_s = end_s + attempt * PER_MESSAGE * 10 - 2 * HOUR_S
        tell(settings, tank, start_s, start_s + PER_MESSAGE * 20)  # half of it once more
        wait_until(lambda seen=attempt: len(stored(settings)) == PER_MESSAGE * 10 * (seen + 2))
        collector.stop(signal.SIGKILL)
        collector.start()
        time.sleep(0.8 * attempt)  # the moment of the kill, not a wait for anything
        collector.stop(signal.SIGKILL)
        collector.start()
    wait_until(lambda: files(settings) > 0)
    wait_until(lambda: head_rows(settings) == 0)
    assert set(stored(settings).values()) == {1}
    assert len(stored(settings)) == PER_MESSAGE * 10 * 4
    verified = culex(settings, "telemetry", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["damaged"] == []


def head_rows(settings: Settings) -> int:
    """How many levels are in the SQLite file yet: sealing them now finds so many."""
    ran = culex(settings, "telemetry", "seal", "--before", "now-4h", "--json")
    assert ran.returncode == 0, ran.stderr
    return int(json.loads(ran.stdout)["sealed"])


def test_commands_work_on_a_history_while_the_collector_runs(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """Sealed twice, compacted to one file, exported whole, erased for good."""
    day_s = now_us() // 1_000_000 // (24 * HOUR_S) * 24 * HOUR_S - 24 * HOUR_S
    for number in range(2):
        tell(settings, tank, day_s + number * 600, day_s + (number + 1) * 600)
        wait_until(lambda told=number: len(stored(settings)) == 600 * (told + 1))
        wait_until(lambda: head_rows(settings) == 0)
    ran = culex(settings, "telemetry", "compact", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["compacted"] <= 1  # 0 if the collector's own upkeep was first
    assert files(settings) == 1  # and there were two: each half was sealed before the next came
    exported = culex(settings, "telemetry", "export", "tank", "--start", "now-3d")
    assert exported.returncode == 0
    assert len(exported.stdout.splitlines()) == 1 + 1200
    erased = culex(settings, "telemetry", "erase", "--client", "tank", "--json")
    assert json.loads(erased.stdout) == {"erased": 1200}
    assert files(settings) == 0
    verified = culex(settings, "telemetry", "verify", "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["readings"]["erased"] == 1200
    assert collector.running
