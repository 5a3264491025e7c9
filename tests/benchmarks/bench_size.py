"""How many bytes a reading takes on the disk, against what people use who have no Culex."""

import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

import telemetry.store
from telemetry.store.encoding import row_groups, write_options
from tests.benchmarks.readings import DAY_S, JITTERED, NOISE, QUANTISED, days, regular
from tests.benchmarks.report import compare

pytestmark = pytest.mark.bench

SHAPES = {"regular tenths": QUANTISED, "jittered tenths": JITTERED, "jittered noise": NOISE}
BUDGETS = {"regular tenths": 1.7, "jittered tenths": 4.0, "jittered noise": 9.8}
HOUR_US, MINUTE_US = 3_600_000_000, 60_000_000
ROLLUP_SHARE = 0.25
SCHEMA_SQL = Path(telemetry.store.__file__).with_name("readings.sql")

shapes = pytest.mark.parametrize("name", SHAPES)
Times = NDArray[np.int64]


def write_block(table: pa.Table, groups: list[int], path: Path) -> int:
    """The size of the table as a block with such row groups."""
    start = 0
    with pq.ParquetWriter(path, table.schema, **write_options(table)) as writer:
        for rows in groups:
            writer.write_table(table.slice(start, rows), row_group_size=rows)
            start += rows
    return path.stat().st_size


def write_pandas(table: pa.Table, path: Path) -> int:
    """The size of what `DataFrame.to_parquet` makes of it."""
    _plain(table).to_pandas().to_parquet(path)
    return path.stat().st_size


def write_csv(table: pa.Table, path: Path) -> int:
    """The size as CSV through gzip."""
    with pa.CompressedOutputStream(path, "gzip") as file:
        pyarrow.csv.write_csv(_plain(table), file)
    return path.stat().st_size


def write_sqlite(table: pa.Table, path: Path) -> int:
    """The size of the head's clustered table, filled in its order and so at its densest."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(SCHEMA_SQL.read_text("utf-8"))
    connection.execute("BEGIN")
    columns = (
        _series_numbers(table),
        _times(table),
        table["value"].to_numpy(),
        table["delay_ms"].to_numpy() * 1000,
        table["flags"].to_numpy(),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    connection.executemany("INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    connection.close()
    return path.stat().st_size


def rollup(table: pa.Table, width_us: int) -> pa.Table:
    """The rollups of the table, sorted as it is."""
    times, values = _times(table), table["value"].to_numpy()
    buckets = times - times % width_us
    numbers = _series_numbers(table)
    first = np.flatnonzero(np.diff(numbers, prepend=-1) | np.diff(buckets, prepend=-1))
    last = np.append(first[1:], len(table)) - 1
    until = np.minimum(np.append(times[1:], 0), buckets + width_us)
    until[last] = buckets[last] + width_us
    held = values * (until - times) / 1e6
    return pa.table(
        {
            "client": table["client"].take(pa.array(first)),
            "metric": table["metric"].take(pa.array(first)),
            "time": pa.array(buckets[first]).cast(table["time"].type),
            "count": pa.array(last - first + 1),
            "sum": np.add.reduceat(values, first),
            "sumsq": np.add.reduceat(values * values, first),
            "min": np.minimum.reduceat(values, first),
            "max": np.maximum.reduceat(values, first),
            "first": values[first],
            "last": values[last],
            "first_time": table["time"].take(pa.array(first)),
            "last_time": table["time"].take(pa.array(last)),
            "integral": np.add.reduceat(held, first),
        }
    )


def _plain(table: pa.Table) -> pa.Table:
    plain = {"client": pa.string(), "metric": pa.string(), "text": pa.string()}
    types = [(field.name, plain.get(field.name, field.type)) for field in table.schema]
    return table.cast(pa.schema(types))


def _times(table: pa.Table) -> Times:
    return np.asarray(table["time"].cast(pa.int64()).to_numpy())


def _series_numbers(table: pa.Table) -> Times:
    """The number of each row's series, from 0."""
    codes = [
        table[name].combine_chunks().indices.to_numpy().astype(np.int64)
        for name in ("client", "metric")
    ]
    return np.cumsum((np.diff(codes[0], prepend=0) != 0) | (np.diff(codes[1], prepend=0) != 0))


def _groups(table: pa.Table) -> list[int]:
    return row_groups(np.bincount(_series_numbers(table)).tolist())


class Sizes(NamedTuple):
    """What one table takes as a block, with the rollups that belong to it, in bytes."""

    readings: int
    rollups: int

    def each(self, count: int) -> float:
        """Bytes per reading, rollups included."""
        return (self.readings + self.rollups) / count


def sizes(table: pa.Table, widths_us: tuple[int, ...], folder: Path) -> Sizes:
    """Writes the table and a rollup of each width."""
    readings = write_block(table, _groups(table), folder / "readings.parquet")
    tiers = [rollup(table, width_us) for width_us in widths_us]
    written = [write_block(tier, _groups(tier), folder / "tier.parquet") for tier in tiers]
    return Sizes(readings, sum(written))


def tell(row: str) -> None:
    """Prints one row."""
    print(f"\n{row}")  # noqa: T201  # what a benchmark is for


@shapes
def test_bench_size_of_a_day(name: str, tmp_path: Path) -> None:
    """100 series, one reading in ten seconds, with hourly rollups; three baselines without."""
    table = regular(100, DAY_S, 10, SHAPES[name])
    ours = sizes(table, (HOUR_US,), tmp_path).each(len(table))
    row = f"{name}, bytes a reading: {ours:.2f}"
    for baseline, write in (
        ("pandas' to_parquet", write_pandas),
        ("CSV through gzip", write_csv),
        ("SQLite, clustered", write_sqlite),
    ):
        theirs = write(table, tmp_path / write.__name__) / len(table)
        row += f"; {baseline} {theirs:.2f}, ratio {ours / theirs:.2f}"
    tell(row)
    assert ours <= BUDGETS[name]


@shapes
def test_bench_size_of_rollups(name: str, tmp_path: Path) -> None:
    """100 series, one reading a second, both tiers; baseline: the readings themselves."""
    table = regular(100, DAY_S, 1, SHAPES[name])
    two = sizes(table, (MINUTE_US, HOUR_US), tmp_path)
    share = two.rollups / two.readings
    row = f"{name}, one a second, bytes a reading: {two.each(len(table)):.2f} with rollups"
    tell(f"{row}; readings alone {two.readings / len(table):.2f}, rollups {share:.3f} of them")
    assert share <= ROLLUP_SHARE


def test_bench_size_speed(tmp_path: Path) -> None:
    """A day of 200 series, one reading a second, written; baseline: pyarrow's `write_table`."""
    table = next(days(200, 1, 1, JITTERED))
    groups = _groups(table)
    ours = _seconds(lambda: write_block(table, groups, tmp_path / "ours"))
    theirs = _seconds(lambda: pq.write_table(table, tmp_path / "theirs"))
    compare("17 M jittered tenths to a file, of processor", ours, "pyarrow's write_table", theirs)
    tell(f"written: {len(table) / statistics.median(ours) / 1e6:.1f} M readings/s")


def _seconds(work: Callable[[], object]) -> list[float]:
    """Processor seconds of three rounds, which other processes disturb least."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return times
