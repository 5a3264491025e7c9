"""CSV of many readings against DuckDB's own, and what it takes of memory."""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path

import duckdb
import psutil
import pytest

from telemetry.export import ExportQuery, subject
from telemetry.interface import Querier
from telemetry.shape import Shape
from telemetry.store import open_querier
from telemetry.store.rendering import rendered
from telemetry.window import Window
from tests.benchmarks.histories import write_history
from tests.benchmarks.readings import JITTERED, START_US, days
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

SCALE = float(os.environ.get("CULEX_BENCH_SCALE", "1"))
"""1 is 10.4 million readings; 0.02 tries the benchmarks in seconds."""

SERIES, DAYS, DAY_US = 4, 30, 86_400_000_000
MEGABYTE = 1_000_000
CLIENT = "client-00000"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One client with four series, one reading a second for thirty days."""
    count = max(1, round(DAYS * SCALE))
    folder = tmp_path_factory.mktemp("export")
    return write_history(folder / "culex.db", days(SERIES, count, 1, JITTERED))


def write(querier: Querier, end_us: int, watch: Callable[[], object] = lambda: None) -> int:
    """Exports all there is before then to nowhere; returns how many bytes."""
    query = ExportQuery(CLIENT, Window(START_US, end_us))
    written = 0
    with Path(os.devnull).open("wb") as file:
        for part in rendered(querier, query, subject(querier, query), Shape("csv", "long", UTC)):
            written += file.write(part)
            watch()
    return written


def test_bench_export_csv(path: Path, tmp_path: Path) -> None:
    """Five days at most of four series, in order; baseline: DuckDB's COPY of the same rows."""
    end_us = START_US + 5 * DAY_US
    files = f"{path.with_name('blocks')}/readings/*/*.parquet"
    connection = duckdb.connect()
    statement = f"""COPY (SELECT client, metric, time, value, time + to_milliseconds(delay_ms)
        AS received, flags FROM '{files}' WHERE client = '{CLIENT}'
        AND time < make_timestamptz({end_us}) ORDER BY time, metric)
        TO '{tmp_path}/duck.csv'"""  # noqa: S608  # the benchmark's own names
    theirs = seconds(lambda: connection.execute(statement), 3)
    with closing(open_querier(path)) as querier:
        ours = seconds(lambda: write(querier, end_us), 3)
        start = time.process_time()
        size = write(querier, end_us)
        spent = time.process_time() - start
    connection.execute("SET threads = 1")
    alone = seconds(lambda: connection.execute(statement), 3)
    compare("CSV", ours, "DuckDB's COPY, all processors", theirs)
    compare("CSV", ours, "DuckDB's COPY, one thread", alone)
    rate = statistics.median(alone) / statistics.median(ours)
    print(f"{size / spent / MEGABYTE:.0f} MB/s of processor; rate {rate:.2f} of DuckDB's on "  # noqa: T201  # what a benchmark is for
          "one thread, at least 0.5")  # fmt: skip
    assert rate >= 0.5


def test_bench_export_memory(path: Path) -> None:
    """How much the process grows over ten million rows; baseline: after the first day of them."""
    process = psutil.Process()
    with closing(open_querier(path)) as querier:
        write(querier, START_US + DAY_US)
        before, most = process.memory_info().rss, 0

        def watch() -> None:
            nonlocal most
            most = max(most, process.memory_info().rss)

        write(querier, START_US + DAYS * DAY_US, watch)
    grown = (most - before) / MEGABYTE
    print(f"\ngrown by {grown:.0f} MB, at most 64, from {before / MEGABYTE:.0f}")  # noqa: T201  # what a benchmark is for
    assert grown <= 64
