"""Sealing a million readings of the head, and what it costs the commits that go on meanwhile."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from telemetry.batch import Batch
from telemetry.job import Seal
from telemetry.reading import Reading, Series
from telemetry.store import open_appender, sealing
from telemetry.store.appender import StoreAppender
from telemetry.store.head import open_reader
from telemetry.store.layout import Site, blocks_folder
from tests.benchmarks.readings import START_US
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

ROWS, SERIES = 1_000_000, 100
STEP_US = 8_000_000
END_US = START_US + ROWS // SERIES * STEP_US
ROUNDS = 3
COMMITS = 300
LIVE = Series("live", "temperature")
READ = "SELECT * FROM reading ORDER BY series, time_us"


def filled(store: Path, series: int = SERIES) -> Path:
    """A store with a million readings of so many series, all in the head."""
    appender = open_appender(store)
    names = [Series(f"client-{one // 4:04}", f"metric-{one % 4}") for one in range(series)]
    appender.append(Batch([Reading(one, START_US, 20.0, delay_us=5000) for one in names]))
    appender.close()
    random = np.random.default_rng(7)
    count = ROWS // series - 1
    with sqlite3.connect(store) as connection:
        for (number,) in connection.execute("SELECT id FROM series").fetchall():
            beats = START_US + np.arange(1, count + 1) * STEP_US
            times = beats + random.integers(-20_000, 20_000, count)
            values = np.round(20 + np.cumsum(random.normal(0, 0.1, count)), 1)
            rows = zip(times.tolist(), values.tolist(), strict=True)
            connection.executemany(
                "INSERT INTO reading VALUES (?, ?, ?, 5000, 0)", [(number, *row) for row in rows]
            )
        connection.execute("UPDATE series SET newest_us = ?", (END_US,))
    connection.close()
    return store


def moved(store: Path) -> None:
    """What sealing does at the least: read everything, write one Parquet file, delete it all."""
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        frame = pd.read_sql_query(READ, connection)
        frame.to_parquet(store.with_name("moved.parquet"))
        connection.execute("DELETE FROM reading")
    connection.close()


def sealed(store: Path) -> None:
    """Everything in blocks, here and now."""
    appender = open_appender(store)
    assert appender.do(Seal(END_US)) == {"sealed": ROWS}
    appender.close()


def test_bench_sealing(tmp_path: Path) -> None:
    """A million readings from head to blocks; baseline: pandas reads, writes, SQLite deletes."""

    def times(work: Callable[[Path], None]) -> list[float]:
        stores = iter([filled(tmp_path / f"{work.__name__}-{n}.db") for n in range(ROUNDS + 1)])
        return seconds(lambda: work(next(stores)), ROUNDS)

    ours, plain = times(sealed), times(moved)
    compare("seal 1 M readings", ours, "pandas to Parquet and DELETE", plain)
    built = min(building(filled(tmp_path / "built.db")))
    each = [ROWS / one / 1e6 for one in (min(ours), built, min(ours) - built)]
    many = min(building(filled(tmp_path / "many.db", 4000)))
    print(f"{each[0]:.2f} million readings/s in one process; the collector builds in another one: "  # noqa: T201  # what it is for
          f"{each[1]:.2f} alone, of 4000 series {ROWS / many / 1e6:.2f}; the rest, letting them "
          f"leave the head, is {each[2]:.2f} million/s")  # fmt: skip


def building(store: Path) -> list[float]:
    """How long the process that builds takes, alone."""
    with closing(open_reader(store)) as connection:
        site = Site(blocks_folder(store), "bench")
        return seconds(lambda: [*sealing.Seal(END_US).build(connection, site)], ROUNDS)


def commits(appender: StoreAppender, tend: Callable[[], object]) -> list[float]:
    """How long each of many commits of 50 readings takes, with other work between them."""
    found = []
    for number in range(COMMITS):
        start_us = END_US + number * 50 * 1000
        some = [Reading(LIVE, start_us + 1000 * n, 20.0 + n % 7) for n in range(50)]
        before = time.perf_counter()
        appender.append(Batch(some))
        found.append(time.perf_counter() - before)
        tend()
    return found


def test_bench_commit_while_sealing(tmp_path: Path) -> None:
    """Commits of 50 readings while a million are sealed; baseline: the same on a store at rest."""
    appender = StoreAppender(filled(tmp_path / "culex.db"))
    rest = commits(appender, lambda: None)
    job, busy = Seal(END_US), []
    while appender.step(job) is None:
        busy += commits(appender, lambda: appender.tend(END_US))
    appender.close()
    p99 = [float(np.quantile(times, 0.99)) for times in (busy, rest)]
    compare("p99 of a commit while sealing", p99[:1], "at rest", p99[1:])
