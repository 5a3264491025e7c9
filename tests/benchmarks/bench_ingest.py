"""From a publisher to the disk: how fast, at what cost, how soon, and in how much memory.

Everything is a process of its own, as it is in use: broker, publisher, subscriber, collector. The
ceiling is Mosquitto's own client, which throws everything away.
"""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from collector.endpoint import LOOPBACK
from mosquitto.broker import end_orphan
from mosquitto.provision import add_client, initialise
from telemetry.interface import Querier, StoreError
from telemetry.login import Login, load_login, save_login
from telemetry.settings import Settings
from telemetry.store import open_querier
from tests.benchmarks.children import PATIENCE_S, Child, peak_mb, processor_s
from tests.benchmarks.publisher import CLIENT, LOGIN, NUMBER, log_in, message
from tests.support import Process, make_settings, start_broker, wait_until

pytestmark = pytest.mark.bench

PUBLISHER, SUBSCRIBERS = "tests.benchmarks.publisher", "tests.benchmarks.subscribers"
MESSAGES, METRICS = 300_000, 3
LARGE, LARGE_READINGS = 20_000, 100
QUEUED = 500_000
PACED, PACE_S = 1000, 0.01
_TICK = threading.Event()  # never set: waiting on it passes time


class Run(NamedTuple):
    """What a run took.

    Attributes:
        seconds: From the first publish to the last message received, or committed.
        processor_s: Processor seconds of the one who received; 0 where that is not known.
        peak_mb: The most memory that it had; 0 where that is not known.
    """

    seconds: float
    processor_s: float = 0.0
    peak_mb: float = 0.0


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A broker with one client, and the limits that there are by default."""
    settings = make_settings(tmp_path)
    initialise(settings)
    broker = start_broker(settings)
    password = add_client(settings, CLIENT).password
    save_login(settings.secrets_dir / LOGIN, Login(CLIENT, password, CLIENT))
    yield settings
    broker.stop()
    end_orphan(settings)


class Collecting(NamedTuple):
    """A collector at work, and somebody who reads what it stores."""

    pid: int
    querier: Querier

    def newest(self) -> int:
        """The number of the newest message that is committed, or -1."""
        with self.querier.snapshot() as snapshot:
            newest = [one for one in snapshot.latest(CLIENT) if one.series.metric == NUMBER]
        return int(newest[0].value) if newest else -1

    def wait_for(self, number: int) -> None:
        """Returns when the message of that number is committed."""
        wait_until(lambda: self.newest() >= number, PATIENCE_S)


@contextmanager
def collector(settings: Settings) -> Iterator[Collecting]:
    """The real collector, connected."""
    process = Process(settings, "collector", "run").start()
    try:
        wait_until(lambda: is_up(settings), 30)
        with closing(open_querier(settings.store_path)) as querier:
            yield Collecting(process.pid, querier)
    finally:
        process.stop()


def is_up(settings: Settings) -> bool:
    """Whether a collector says that it is connected."""
    try:
        with (
            closing(open_querier(settings.store_path)) as querier,
            querier.snapshot() as snapshot,
        ):
            return snapshot.writer().broker_up
    except StoreError:
        return False


def into_nothing(settings: Settings) -> Run:
    """Mosquitto's own subscriber, to /dev/null."""
    login = load_login(settings.secrets_dir / "collector.json")
    at = ["-h", LOOPBACK, "-p", str(settings.mqtt_port), "-i", "ceiling"]
    who = ["-u", login.username, "-P", login.password]
    ask = ["mosquitto_sub", *at, *who, "-q", "1", "-t", "clients/+"]
    subprocess.run([*ask, "-c", "-E"], check=True, timeout=30)  # subscribed, and kept so
    with Child(settings, PUBLISHER, MESSAGES, METRICS, "object") as publisher:
        publisher.go()
        count = str(MESSAGES)
        subprocess.run([*ask, "-c", "-C", count], stdout=subprocess.DEVNULL, check=True)
        seconds = time.time() - publisher.wait_for("began")[0]
    subprocess.run([*ask, "-E"], check=True, timeout=30)  # its session is gone
    return Run(seconds)


def into_memory(settings: Settings, kind: str) -> Run:
    """A subscriber of Python that acknowledges and keeps nothing."""
    with (
        Child(settings, SUBSCRIBERS, kind, MESSAGES) as subscriber,
        Child(settings, PUBLISHER, MESSAGES, METRICS, "object") as publisher,
    ):
        publisher.go()
        end_s, processor = subscriber.wait_for("had")
        return Run(end_s - publisher.wait_for("began")[0], processor)


def onto_disk(settings: Settings, count: int, readings: int, shape: str = "object") -> Run:
    """The collector, until the last message is committed."""
    with (
        collector(settings) as ours,
        Child(settings, PUBLISHER, count, readings, shape) as publisher,
    ):
        before_s = processor_s(ours.pid)
        publisher.go()
        ours.wait_for(count - 1)
        end_s, processor = time.time(), processor_s(ours.pid) - before_s
        return Run(end_s - publisher.wait_for("began")[0], processor, peak_mb(ours.pid))


def tell(what: str, run: Run, count: int, metrics: int, ceiling: Run | None = None) -> None:
    """Prints one row: rates, cost, and the ratio to the ceiling."""
    row = f"{what}: {count / run.seconds:,.0f} messages/s"
    if ceiling is not None:
        row += f", {ceiling.seconds / run.seconds:.2f} of the ceiling"
    if run.processor_s:
        each_us = run.processor_s / count * 1e6
        row += f"; {each_us:.1f} µs of processor a message, {each_us / metrics:.2f} a reading"
    if run.peak_mb:
        row += f"; {count * metrics / run.seconds:,.0f} readings/s durable"
        row += f"; {run.peak_mb:.0f} MB at most"
    print(f"\n{row}")  # noqa: T201  # what a benchmark is for


def test_bench_ingest_live(settings: Settings) -> None:
    """300 000 messages of three metrics; baseline: `mosquitto_sub -q 1` to /dev/null."""
    ceiling = into_nothing(settings)
    tell("mosquitto_sub to /dev/null", ceiling, MESSAGES, METRICS)
    bare = into_memory(settings, "bare")
    tell("paho, acknowledging alone", bare, MESSAGES, METRICS, ceiling)
    ours = into_memory(settings, "session")
    tell("our session and intake, acknowledging alone", ours, MESSAGES, METRICS, ceiling)
    disk = onto_disk(settings, MESSAGES, METRICS)
    tell("the collector", disk, MESSAGES, METRICS, ceiling)


@pytest.mark.parametrize("shape", ["object", "rows"])
def test_bench_ingest_large(settings: Settings, shape: str) -> None:
    """20 000 messages of a hundred readings each; the bound is 200 000 readings/s."""
    run = onto_disk(settings, LARGE, LARGE_READINGS, shape)
    tell(f"the collector, 100 readings a message ({shape})", run, LARGE, LARGE_READINGS)


def test_bench_ingest_backlog(settings: Settings) -> None:
    """500 000 messages that waited in the broker; the bound is 300 MB."""
    with collector(settings):
        pass  # the session is there from now on
    with Child(settings, PUBLISHER, QUEUED, METRICS, "object") as publisher:
        publisher.go()
        publisher.wait_for("began")
    began_s = time.time()
    with collector(settings) as ours:
        ours.wait_for(QUEUED - 1)
        run = Run(time.time() - began_s, processor_s(ours.pid), peak_mb(ours.pid))
    tell("the collector, from its start, behind a backlog", run, QUEUED, METRICS)


def test_bench_ingest_latency(settings: Settings) -> None:
    """A message each 10 ms; from its publishing to a reader that sees it committed."""
    with collector(settings) as ours, log_in(settings) as connection:
        sent_s: list[float] = []
        seen_s: list[float] = []
        while len(seen_s) < PACED:
            now_s = time.monotonic()
            if len(sent_s) < PACED and now_s >= (sent_s[-1] + PACE_S if sent_s else 0):
                connection.sendall(message(len(sent_s), METRICS))
                sent_s.append(now_s)
            newest = ours.newest()
            seen_s += [time.monotonic()] * (newest + 1 - len(seen_s))
            _TICK.wait(0.001)
    waits_ms = (np.array(seen_s) - np.array(sent_s)) * 1000
    p50, p99 = np.percentile(waits_ms, (50, 99))
    print(  # noqa: T201  # what a benchmark is for
        f"\npublished to committed at 100 messages/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    )
