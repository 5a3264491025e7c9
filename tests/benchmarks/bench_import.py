"""How fast a CSV file becomes part of the history, against reading and writing it with pandas."""

import resource
import statistics
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from telemetry.job import Import
from telemetry.store import open_appender
from tests.benchmarks.readings import DAY_S, JITTERED, START_US, regular
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

LATEST_US = START_US + 365 * DAY_S * 1_000_000
LEAST_PER_S = 500_000
ROUNDS = 3
MOST_MB = 1_500


def write_csv(path: Path, count_: int, days: int) -> int:
    """A file of 100 series, a row for each reading, by time; how many rows it has."""
    seconds_ = days * DAY_S
    table = regular(100, seconds_, 100 * seconds_ // count_, JITTERED)
    table = table.select(["client", "metric", "time", "value"]).sort_by("time")
    times = pc.strftime(table["time"], format="%Y-%m-%dT%H:%M:%SZ")
    plain = [table[name].cast(pa.string()) for name in ("client", "metric")]
    columns = [*plain, times, table["value"]]
    pyarrow.csv.write_csv(pa.table(columns, names=["client", "metric", "time", "value"]), path)
    return len(table)


def _importing(path: Path, folder: Path) -> Callable[[], None]:
    numbers = count()

    def work() -> None:
        store = folder / f"{next(numbers)}" / "culex.db"
        store.parent.mkdir()
        with closing(open_appender(store)) as appender:
            result = appender.do(Import((str(path),), LATEST_US, LATEST_US))
        assert result["bad"] == 0

    return work


def _pandas(path: Path, folder: Path) -> Callable[[], None]:
    def work() -> None:
        frame = pd.read_csv(path, parse_dates=["time"])
        frame.to_parquet(folder / "pandas.parquet")

    return work


def test_bench_import_of_csv(tmp_path: Path) -> None:
    """Two million rows of two days; baseline: pandas' read_csv and to_parquet."""
    path = tmp_path / "a.csv"
    rows = write_csv(path, 2_000_000, 2)
    ours = seconds(_importing(path, tmp_path), ROUNDS)
    theirs = seconds(_pandas(path, tmp_path), ROUNDS)
    compare(f"{rows / 1e6:.1f} M rows imported", ours, "pandas to one Parquet file", theirs)
    rate = rows / statistics.median(ours)
    print(f"imported: {rate / 1e3:.0f} k rows/s")  # noqa: T201  # what a benchmark is for
    assert rate >= LEAST_PER_S


def test_bench_import_of_duplicates(tmp_path: Path) -> None:
    """The same file again, all of which is there; baseline: the first time."""
    path = tmp_path / "a.csv"
    write_csv(path, 1_000_000, 1)
    store = tmp_path / "culex.db"
    asked = Import((str(path),), LATEST_US, LATEST_US)
    with closing(open_appender(store)) as appender:
        appender.do(asked)
        again = seconds(lambda: appender.do(asked), ROUNDS)
    first = seconds(_importing(path, tmp_path), ROUNDS)
    compare("1 M rows that are there", again, "1 M rows that are new", first)


def test_bench_import_takes_bounded_memory(tmp_path: Path) -> None:
    """Twenty million rows of one day, in an order that no day and no series has."""
    path = tmp_path / "a.csv"
    random = np.random.default_rng(7)
    schema = pa.schema([("client", pa.int64()), ("metric", pa.int64()), ("time", pa.int64()),
                        ("value", pa.float64())])  # fmt: skip
    with pyarrow.csv.CSVWriter(path, schema) as writer:
        for _ in range(20):
            place = random.integers(0, 200, 1_000_000)
            times_ms = START_US // 1000 + random.integers(0, DAY_S * 1000, 1_000_000)
            numbers = random.integers(0, 1000, 1_000_000) / 10
            arrays = [place // 4, place % 4, times_ms, numbers]
            writer.write_table(pa.table(arrays, schema=schema))
    _importing(path, tmp_path)()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"\n20 M rows of one day, shuffled: {peak_mb:.0f} MB at most")  # noqa: T201  # what a benchmark is for
    assert peak_mb < MOST_MB
