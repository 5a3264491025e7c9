"""Backups with a real broker and collector: made amid the stream, restored on another machine."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import Credentials, add_client, initialise
from telemetry.clock import now_us
from telemetry.interface import StoreMissing
from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.mqtt import Peer
from tests.support import Process, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

SERIES = Series("tank", "level")
PER_MESSAGE = 20
PAUSE_S = 0.05  # leaves the machine to others
DEADLINE_S = 120


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@contextmanager
def collecting(settings: Settings) -> Iterator[Process]:
    """A collector that listens."""
    process = Process(settings, "collector", "run").start()
    try:
        wait_until(lambda: "collecting" in process.output and is_connected(settings), DEADLINE_S)
        yield process
    finally:
        process.stop()


def is_connected(settings: Settings) -> bool:
    """Whether the collector's link is up."""
    try:
        with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
            return snapshot.writer().broker_up
    except StoreMissing:
        return False


class Stream:
    """Tells the broker a level each second of days ago, one message after the other."""

    def __init__(self, settings: Settings, tank: Credentials) -> None:
        self._settings = settings
        self._tank = tank
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.start_s = now_us() // 1_000_000 - 5 * 24 * 3600
        self.told = 0

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with Peer(self._settings, (self._tank.client, self._tank.password)) as peer:
            while not self._stopping.wait(PAUSE_S):
                first = self.start_s + self.told
                rows = [{"time": at, "level": at % 97} for at in range(first, first + PER_MESSAGE)]
                assert not peer.publish("clients/tank", json.dumps(rows)).is_failure
                self.told += PER_MESSAGE


def stored(settings: Settings) -> Counter[int]:
    """How often each second of the level is in the store."""
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        if not snapshot.latest():
            return Counter()
        times = snapshot.read(SERIES, ALL_TIME).frame["time_us"]
    return Counter((times // 1_000_000).tolist())


def answer(settings: Settings, *command: str) -> dict[str, object]:
    """What a command says as JSON, when it succeeds; amid a stream it takes its time."""
    process = Process(settings, "telemetry", *command, "--json").start()
    try:
        assert process.wait(DEADLINE_S) == 0, process.output
    finally:
        process.stop()
    said: dict[str, object] = json.loads(process.output.splitlines()[-1])
    return said


def test_backup_amid_the_stream_restored_elsewhere_has_all_that_was_committed(
    settings: Settings, broker: Process, tank: Credentials, tmp_path: Path
) -> None:
    """Each reading committed before it began is there once, and the machine works as before.

    Meanwhile readings are sealed and compacted. What the restored machine is told with the old
    password is stored there, and what it had already is known again.
    """
    folder, elsewhere = tmp_path / "backups", make_settings(tmp_path / "elsewhere")
    with collecting(settings) as collector, Stream(settings, tank) as stream:
        for _ in range(2):
            seen = len(stored(settings))
            wait_until(lambda seen=seen: len(stored(settings)) > seen + PER_MESSAGE, DEADLINE_S)
            answer(settings, "seal", "--before", "now-4h")
            committed = stored(settings)
            answer(settings, "backup", str(folder))
        answer(settings, "compact")
        assert collector.running
    assert broker.running
    refused = culex(settings, "telemetry", "restore", str(folder), "--replace")
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    answer(elsewhere, "restore", str(folder))
    found = stored(elsewhere)
    assert set(found.values()) == {1}
    assert committed.keys() <= found.keys()
    assert found.keys() <= set(range(stream.start_s, stream.start_s + stream.told))
    answer(elsewhere, "verify")
    initialise(elsewhere)
    other = start_broker(elsewhere)
    try:
        with collecting(elsewhere), Peer(elsewhere, (tank.client, tank.password)) as peer:
            rows = [{"time": stream.start_s + n, "level": (stream.start_s + n) % 97}
                    for n in range(-10, 10)]  # fmt: skip
            assert not peer.publish("clients/tank", json.dumps(rows)).is_failure
            wait_until(lambda: len(stored(elsewhere)) == len(found) + 10, DEADLINE_S)
            assert set(stored(elsewhere).values()) == {1}
    finally:
        other.stop()
        end_orphan(elsewhere)
    answer(elsewhere, "verify")


def test_store_put_back_on_its_machine_goes_on_where_the_broker_is(
    settings: Settings, broker: Process, tank: Credentials, tmp_path: Path
) -> None:
    """What came after the backup is gone, what the broker still holds comes, and nothing twice."""
    folder = tmp_path / "backups"
    with Peer(settings, (tank.client, tank.password)) as peer:
        start_s = now_us() // 1_000_000 - 60

        def tell(seconds: range) -> None:
            rows = [{"time": start_s + n, "level": float(n)} for n in seconds]
            assert not peer.publish("clients/tank", json.dumps(rows)).is_failure

        with collecting(settings):
            tell(range(10))
            wait_until(lambda: len(stored(settings)) == 10, DEADLINE_S)
            answer(settings, "backup", str(folder))
            tell(range(10, 20))
            wait_until(lambda: len(stored(settings)) == 20, DEADLINE_S)
        tell(range(20, 30))
    broker.stop()
    said = answer(settings, "restore", str(folder), "--replace")
    assert said["replaced"] == str(settings.data_dir / "replaced-1")
    broker.start()
    with collecting(settings):
        wait_until(lambda: len(stored(settings)) == 20, DEADLINE_S)
        found = stored(settings)
    assert found == Counter(start_s + n for n in [*range(10), *range(20, 30)])
    answer(settings, "verify")
