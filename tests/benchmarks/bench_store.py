"""The head's clustered table against a plain heap with an index, both durable."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.batch import Batch
from telemetry.reading import Reading, Series
from telemetry.store import open_appender, open_querier
from telemetry.window import Window
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

SERIES = [Series(f"client-{number:02}", "temperature") for number in range(50)]
BATCHES, BATCH = 100, 1500
START_US = 1_700_000_000_000_000


def _batches() -> list[list[Reading]]:
    numbers = range(BATCHES * BATCH)
    readings = [
        Reading(SERIES[n % 50], START_US + n // 50 * 1_000_000, 20 + n % 97 / 10) for n in numbers
    ]
    return [readings[start : start + BATCH] for start in range(0, len(readings), BATCH)]


def _clustered(path: Path, batches: list[list[Reading]]) -> None:
    appender = open_appender(path)
    for batch in batches:
        appender.append(Batch(batch))
    appender.close()


def _heap(path: Path, batches: list[list[Reading]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE r (series INT, time_us INT, value REAL, delay INT, flags INT)")
    connection.execute("CREATE INDEX by_time ON r (series, time_us)")
    ids = {series: number for number, series in enumerate(SERIES)}
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        rows = [(ids[r.series], r.time_us, r.value, r.delay_us, r.flags) for r in batch]
        connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    connection.close()


def _fresh(folder: Path, write: Callable[[Path, list[list[Reading]]], None]) -> Callable[[], None]:
    batches, numbers = _batches(), iter(range(100))
    return lambda: write(folder / f"{write.__name__}-{next(numbers)}.db", batches)


def test_bench_store_append(tmp_path: Path) -> None:
    """150 000 readings in 100 durable commits; baseline: a heap with an index, no identity."""
    ours = seconds(_fresh(tmp_path, _clustered))
    heap = seconds(_fresh(tmp_path, _heap))
    compare("append 150 k readings, each once", ours, "heap and index, no identity", heap)


def test_bench_store_read_hour(tmp_path: Path) -> None:
    """One series over its whole time (3 000 readings); baseline: the heap and its index."""
    _clustered(tmp_path / "ours.db", _batches())
    _heap(tmp_path / "heap.db", _batches())
    querier, window = open_querier(tmp_path / "ours.db"), Window(START_US, START_US * 2)
    heap = sqlite3.connect(tmp_path / "heap.db")

    def read() -> object:
        with querier.snapshot() as snapshot:
            return snapshot.buckets(SERIES[7], window, 10_000_000)

    def scan() -> object:
        return heap.execute(
            "SELECT time_us / 10000000, sum(value), min(value), max(value), count(*) FROM r "
            "WHERE series = 7 AND time_us >= ? GROUP BY 1",
            (START_US,),
        ).fetchall()

    compare("300 buckets of one series", seconds(read, 20), "heap and index", seconds(scan, 20))
    heap.close()
    querier.close()
