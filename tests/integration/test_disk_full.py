"""A full disk under the collector: nothing lost, everything readable, and it goes on by itself."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import add_client, initialise
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.mqtt import Peer
from tests.support import Process, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

METRICS = 100
NOBODY_HEARS = 0x10  # MQTT 5, 3.4.2.1: no matching subscribers


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings whose data folder is a small disk of its own; the broker's part lies elsewhere."""
    settings = make_settings(tmp_path)
    settings.data_dir.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", str(settings.data_dir)]
    if subprocess.run(small, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes root")
    elsewhere = tmp_path / "broker"
    elsewhere.mkdir()
    settings.broker_dir.symlink_to(elsewhere)
    yield settings
    subprocess.run(["umount", "-l", str(settings.data_dir)], check=True)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Process]:
    """A real broker on those settings."""
    initialise(settings)
    process = start_broker(settings)
    yield process
    process.stop()
    end_orphan(settings)


@pytest.fixture
def collector(broker: Process) -> Iterator[Process]:
    """A running collector."""
    process = Process(broker.settings, "collector", "run").start()
    yield process
    process.stop()


def payload(number: int) -> str:
    """A message of many readings with a time of its own."""
    fields = {f"m{metric:02}": f"state {number} of {metric}" for metric in range(METRICS)}
    return json.dumps(fields | {"ts": 1_790_000_000_000_000 + number})


def fill(folder: Path) -> Path:
    """A file that takes all the space there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(65_536)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk has no end")


def stored(settings: Settings) -> int:
    """How many messages of the client are stored."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return sum(row.messages.stored for row in snapshot.ledger("tank", ALL_TIME))


def overfill(collector: Process, peer: Peer) -> int:
    """Fills the disk and publishes more than fits; returns how many messages were acknowledged."""
    settings = collector.settings
    wait_until(lambda: peer.publish("clients/tank/ready", "1").value != NOBODY_HEARS)
    wait_until(lambda: stored(settings) == 1)
    fill(settings.data_dir)
    assert os.statvfs(settings.data_dir).f_bavail == 0
    sent = 0
    while "cannot store" not in collector.output:
        assert not peer.publish("clients/tank/telemetry", payload(sent)).is_failure
        sent += 1
        assert sent < 2000
    for _ in range(20):
        assert not peer.publish("clients/tank/telemetry", payload(sent)).is_failure
        sent += 1
    assert 1 <= stored(settings) < sent + 1
    assert collector.running
    return sent


def assert_everything_is_stored_once(settings: Settings, sent: int) -> None:
    """Each message is there with all its readings, and the books add up."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        counts = {
            one.series.metric: snapshot.count(one.series, ALL_TIME, 1 << 40)
            for one in snapshot.latest("tank")
        }
    assert counts == {f"m{metric:02}": sent for metric in range(METRICS)} | {"ready": 1}
    verified = culex(settings, "telemetry", "verify")
    assert (verified.returncode, verified.stderr) == (0, "")


def test_full_disk_loses_nothing_and_is_left_by_itself(
    settings: Settings, collector: Process
) -> None:
    """While it is full all that was stored can be read; with space again the rest is stored."""
    tank = add_client(settings, "tank")
    with Peer(settings, (tank.client, tank.password)) as peer:
        sent = overfill(collector, peer)
        (settings.data_dir / "ballast").unlink()
        wait_until(lambda: stored(settings) == sent + 1, 20)
    assert "storing again" in collector.output
    assert "Traceback" not in collector.output
    assert_everything_is_stored_once(settings, sent)


def test_collector_killed_on_a_full_disk_has_acknowledged_only_what_is_stored(
    settings: Settings, collector: Process
) -> None:
    """The broker still holds the rest: it comes again, to a collector that has space."""
    tank = add_client(settings, "tank")
    with Peer(settings, (tank.client, tank.password)) as peer:
        sent = overfill(collector, peer)
    collector.stop(signal.SIGKILL)
    (settings.data_dir / "ballast").unlink()
    collector.start()
    wait_until(lambda: stored(settings) == sent + 1, 20)
    assert_everything_is_stored_once(settings, sent)
