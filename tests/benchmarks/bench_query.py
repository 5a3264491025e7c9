"""How long a chart waits, whatever lies behind it; ceilings are in processor time of one thread."""

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from dashboard.asking import ask
from dashboard.question import Question
from telemetry.batch import Batch
from telemetry.buckets import choose_bucket_us
from telemetry.interface import Querier
from telemetry.reading import Reading, Series
from telemetry.store import open_appender, open_querier
from telemetry.window import Window
from tests.benchmarks.histories import write_history
from tests.benchmarks.readings import DAY_S, JITTERED, METRICS, QUANTISED, START_US, days

pytestmark = pytest.mark.bench

SCALE = float(os.environ.get("CULEX_BENCH_SCALE", "1"))
"""1 is 104 million readings and ten years; 0.02 tries the benchmarks in seconds."""

SECOND_US, HOUR_US, DAY_US = 1_000_000, 3_600_000_000, 86_400_000_000
SERIES, DAYS, POINTS, ASKED = 200, 6, 1500, 12
ALIKE = 2
SPARSE_S = 100
WINDOWS_S = {
    "10 min": 600, "1 h": 3600, "6 h": 21_600, "1 day": DAY_S, "3 days": 3 * DAY_S,
    "6 days": 6 * DAY_S,
}  # fmt: skip
KEPT_DAYS = 90
NAMES = [Series(f"client-{n // 4:05}", METRICS[n % 4]) for n in range(SERIES)]

Asked = tuple[Series, Window, int]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """104 million readings of 200 series over six days."""
    path = tmp_path_factory.mktemp("large") / "culex.db"
    return write_history(path, days(SERIES, DAYS, max(1, round(1 / SCALE)), JITTERED))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million over the same six days: one in a hundred, too few for minutes."""
    path = tmp_path_factory.mktemp("small") / "culex.db"
    return write_history(path, days(SERIES, DAYS, SPARSE_S, JITTERED), dense=False)


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million of them: two of the 200 series, all else as it is among the others."""
    path = tmp_path_factory.mktemp("alike") / "culex.db"
    return write_history(path, days(ALIKE, DAYS, max(1, round(1 / SCALE)), JITTERED))


def questions(seconds: int, series: int = SERIES) -> list[Asked]:
    """Windows of that length anywhere in the six days, of one series after the other; seeded."""
    random = np.random.default_rng(seconds)
    width_us = choose_bucket_us(seconds * SECOND_US, POINTS, [])
    found = []
    for number in np.resize(random.permutation(series), ASKED):
        last_us = (DAYS * DAY_S - seconds) * SECOND_US
        start_us = START_US + int(random.integers(0, last_us + 1))
        found.append((NAMES[number], Window(start_us, start_us + seconds * SECOND_US), width_us))
    return found


def cost(ask_one: Callable[[Asked], object], asked: list[Asked]) -> tuple[float, float]:
    """Milliseconds of processor and of wall, each the median over questions."""
    spent, waited = [], []
    for one in asked:
        start, begun = time.process_time(), time.perf_counter()
        ask_one(one)
        spent.append(time.process_time() - start)
        waited.append(time.perf_counter() - begun)
    return statistics.median(spent) * 1e3, statistics.median(waited) * 1e3


def through(querier: Querier) -> Callable[[Asked], object]:
    """Asks our store."""

    def ask_one(one: Asked) -> object:
        with querier.snapshot() as snapshot:
            return snapshot.buckets(*one)

    return ask_one


def duck(files: str) -> Callable[[Asked], object]:
    """Asks DuckDB for the same buckets of the readings in the same files."""
    connection = duckdb.connect()

    def ask_one(one: Asked) -> object:
        series, window, width_us = one
        return connection.execute(
            f"""SELECT epoch_us(time) // {width_us} AS bucket, sum(value), min(value), max(value),
            count(*) FROM '{files}' WHERE client = ? AND metric = ?
            AND time >= make_timestamptz(?) AND time < make_timestamptz(?)
            GROUP BY 1 ORDER BY 1""",  # noqa: S608  # the benchmark's own names
            [*series, window.start_us, window.end_us],
        ).fetchnumpy()

    return ask_one


def plain_sqlite(files: Path, path: Path) -> sqlite3.Connection:
    """The readings of all files in one table with an index, as people do without Culex."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE r (client TEXT, metric TEXT, time_us INT, value REAL)")
    for file in sorted(files.glob("**/*.parquet")):
        table = pq.read_table(
            file, columns=["client", "metric", "time", "value"], partitioning=None
        )
        columns = [table[n].to_pylist() for n in ("client", "metric")]
        columns += [table["time"].cast("int64").to_pylist(), table["value"].to_pylist()]
        connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", zip(*columns, strict=True))
    connection.execute("CREATE INDEX by_series ON r (client, metric, time_us)")
    connection.commit()
    return connection


def in_sqlite(connection: sqlite3.Connection) -> Callable[[Asked], object]:
    """Asks SQLite for the same buckets."""

    def ask_one(one: Asked) -> object:
        series, window, width_us = one
        return connection.execute(
            """SELECT time_us / ?, sum(value), min(value), max(value), count(*) FROM r WHERE
            client = ? AND metric = ? AND time_us >= ? AND time_us < ? GROUP BY 1 ORDER BY 1""",
            (width_us, *series, window.start_us, window.end_us),
        ).fetchall()

    return ask_one


def tell(row: str) -> None:
    """Prints one row."""
    print(f"\n{row}")  # noqa: T201  # what a benchmark is for


def test_bench_query_buckets(large: Path, small: Path, tmp_path: Path) -> None:
    """1500 buckets of any window, beside a hundredth of the readings and beside other tools."""
    table = plain_sqlite(small.with_name("blocks") / "readings", tmp_path / "plain.db")
    with closing(open_querier(large)) as ours, closing(open_querier(small)) as ours_small:
        theirs = duck(f"{large.with_name('blocks')}/readings/*/*.parquet")
        ways = [through(ours), through(ours_small), theirs, in_sqlite(table)]
        for way in ways:
            way(questions(60)[0])
        every: list[list[float]] = [[], []]
        for name, seconds in WINDOWS_S.items():
            costs = [cost(way, questions(seconds)) for way in ways]
            for spent, one in zip(every, costs, strict=False):
                spent.append(one[0])
            row = "; ".join(f"{one[0]:.1f} ({one[1]:.1f})" for one in costs)
            ratio = costs[0][1] / costs[2][1]
            tell(f"{name}, ms of processor (and wall), ours | of 1 M | DuckDB | SQLite of 1 M: "
                 f"{row}; ratio to DuckDB {ratio:.2f}")  # fmt: skip
    table.close()
    medians = [statistics.median(one) for one in every]
    tell(f"median of all windows: {medians[0]:.1f} ms (at most 30); of a hundredth of their "
         f"readings: {medians[1]:.1f}, ratio {medians[0] / medians[1]:.2f}")  # fmt: skip
    assert medians[0] <= 30


def test_bench_query_is_flat(large: Path, alike: Path) -> None:
    """The same questions take as long whether 104 million readings are there or one million."""
    every: list[list[float]] = [[], []]
    with closing(open_querier(large)) as ours, closing(open_querier(alike)) as ours_alike:
        for querier in (ours, ours_alike):
            through(querier)(questions(60, ALIKE)[0])
        for seconds in WINDOWS_S.values():
            for spent, querier in zip(every, (ours, ours_alike), strict=True):
                spent.append(cost(through(querier), questions(seconds, ALIKE))[0])
    medians = [statistics.median(one) for one in every]
    tell(f"median of all windows of two series: {medians[0]:.1f} ms; where there is nothing else, "
         f"1 M: {medians[1]:.1f}, ratio {medians[0] / medians[1]:.2f} (at most 1.5)")  # fmt: skip
    assert medians[0] <= 1.5 * medians[1]


def test_bench_query_ten_years(tmp_path: Path) -> None:
    """One series, one reading a second for ten years, its readings kept for 90 days."""
    count = max(60, round(3652 * SCALE))
    kept_us = START_US + max(0, count - KEPT_DAYS) * DAY_US
    path = write_history(tmp_path / "culex.db", days(1, count, 1, QUANTISED), kept_us=kept_us)
    window = Window(START_US, START_US + count * DAY_US)
    asked = [(NAMES[0], window, choose_bucket_us(window.length_us, POINTS, []))]

    def first(one: Asked) -> object:
        with closing(open_querier(path)) as querier:
            return through(querier)(one)

    cold = cost(first, asked * 9)
    with closing(open_querier(path)) as querier:
        warm = cost(through(querier), asked * 9)
    theirs = cost(duck_hours(f"{path.with_name('blocks')}/rollup_1h/*/*.parquet"), asked * 3)
    tell(f"ten years ({count} days), ms of processor (and wall): of a new "
         f"reader {cold[0]:.1f} ({cold[1]:.1f}), again {warm[0]:.1f} ({warm[1]:.1f}), at most 60; "
         f"DuckDB over the same "
         f"hours {theirs[0]:.1f} ({theirs[1]:.1f}), ratio {cold[1] / theirs[1]:.2f}")  # fmt: skip
    assert warm[0] <= 60


def duck_hours(files: str) -> Callable[[Asked], object]:
    """Asks DuckDB for the same buckets of the hours in the same files."""
    connection = duckdb.connect()

    def ask_one(one: Asked) -> object:
        return connection.execute(
            f"""SELECT epoch_us(time) // {one[2]} AS bucket, sum(sum), min(min), max(max),
            sum(count) FROM '{files}' WHERE client = ? AND metric = ?
            GROUP BY 1 ORDER BY 1""",  # noqa: S608  # the benchmark's own names
            [*one[0]],
        ).fetchnumpy()

    return ask_one


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Querier]:
    """10 000 series, four of which have reported each second for an hour; none is sealed."""
    readings = [Reading(Series(f"c{n // 10:04}", f"m{n % 10}"), START_US, 1.0) for n in range(9996)]
    readings += [
        Reading(Series("boiler", name), START_US + second * SECOND_US, second % 97 / 10)
        for second in range(3600)
        for name in METRICS
    ]
    path = tmp_path / "culex.db"
    with closing(open_appender(path)) as appender:
        appender.append(Batch(readings))
    with closing(open_querier(path)) as querier:
        yield querier


def rounds(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of processor and of wall, medians after one round to warm up."""
    work()
    return cost(lambda _: work(), [questions(60)[0]] * 15)


def test_bench_query_latest(head: Querier, tmp_path: Path) -> None:
    """The newest readings of 10 000 series; baseline: SQLite alone."""
    path = tmp_path / "culex.db"

    def ours() -> object:
        with head.snapshot() as snapshot:
            return snapshot.latest()

    with closing(sqlite3.connect(path)) as connection:
        alone = rounds(lambda: connection.execute("SELECT * FROM series").fetchall())
    found = rounds(ours)
    tell(f"latest of 10 000 series: {found[0]:.1f} ms ({found[1]:.1f} wall), at most 20; SQLite's "
         f"rows alone {alone[0]:.1f}, ratio {found[0] / alone[0]:.1f}")  # fmt: skip
    assert found[0] <= 20


def test_bench_query_tick(head: Querier, tmp_path: Path) -> None:
    """What a page with four series and an hour asks each second, after new readings of each.

    As on a page 1400 pixels wide, charts are drawn anew at every third; each ten seconds the list
    of 10 000 series is read again. Baseline: SQLite alone, whose rows of the hour a page that keeps
    nothing would read at each tick.
    """
    with closing(open_appender(tmp_path / "culex.db")) as appender:

        def spent(second: int, *, resting: bool) -> float:
            end_us = START_US + HOUR_US + second * SECOND_US
            appender.append(Batch([Reading(Series("boiler", one), end_us, 1.0) for one in METRICS]))
            window, start = Window(end_us - HOUR_US, end_us + 1), time.process_time()
            tick(head, window, resting=resting)
            return (time.process_time() - start) * 1e3

        first = spent(0, resting=False)
        news = [(second % 3 == 0, spent(second, resting=second % 3 > 0)) for second in range(1, 46)]
    tiles = statistics.median(one for charts, one in news if not charts)
    charts = statistics.median(one for charts, one in news if charts)
    mean = statistics.mean(one for _, one in news)
    with closing(sqlite3.connect(tmp_path / "culex.db")) as connection:
        alone, _ = rounds(lambda: hour_of(connection))
    tell(f"tick query, four series and an hour: {mean:.1f} ms on average, at most 5; tiles "
         f"{tiles:.1f}, with charts {charts:.1f}, the first {first:.1f}; SQLite's rows of the "
         f"hour alone {alone:.1f}, ratio {mean / alone:.2f}")  # fmt: skip
    assert mean <= 5


def tick(querier: Querier, window: Window, *, resting: bool) -> object:
    """All that the page of a client asks of its readings."""
    spans, now_us = ("1m", "5m", "30m"), window.end_us
    with querier.snapshot() as snapshot:
        return ask(
            snapshot,
            Question("boiler", METRICS, window, spans, now_us, POINTS, resting=resting),
        )


def hour_of(connection: sqlite3.Connection) -> object:
    """The readings of the four series, as rows."""
    return connection.execute(
        """SELECT time_us, value FROM series JOIN reading ON series = id
        WHERE client = 'boiler' AND time_us >= ? ORDER BY series, time_us""",
        (START_US,),
    ).fetchall()
