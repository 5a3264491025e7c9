"""The history: head and blocks together are what arrived, whenever what is sealed or compacted."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Arrival, Batch
from telemetry.interface import Snapshot, StoreUnavailable
from telemetry.job import Compact, Erase, Result, Seal
from telemetry.ledger import Account
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.rollup import combine, roll
from telemetry.store import keeper, open_querier, part, publishing
from telemetry.store import snapshot as store_snapshot
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import Archive
from telemetry.store.head import open_reader
from telemetry.store.layout import Block, Tier, blocks_folder
from telemetry.store.manifest import every_block
from telemetry.window import ALL_TIME, HOUR_US, MINUTE_US, Window
from tests.support import wait_until
from tests.telemetry.builders import NOON_US, steady, values

DAY_US = 24 * HOUR_US
SERIES = [Series("attic", "temperature"), Series("boiler", "mode"), Series("boiler", "power")]

Value = float | str


@dataclass
class Model:
    """A store, and what it must say.

    Attributes:
        appender: Writes it.
        path: The SQLite file.
        readings: What arrived, by series and identity.
    """

    appender: StoreAppender
    path: Path
    readings: dict[Series, set[tuple[int, Value]]] = field(default_factory=dict)

    def arrive(self, some: Sequence[tuple[int, int, Value, int]]) -> None:
        """One message for each place in SERIES, second, value and flags."""
        arrivals = []
        for place, second, value, flags in some:
            series, time_us = SERIES[place], NOON_US + second * 1_000_000
            self.readings.setdefault(series, set()).add((time_us, value))
            kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
            delay_us = 1_234_567 + second % 7
            reading = Reading(series, time_us, value, kind, "", delay_us, flags)
            received_us = time_us + delay_us
            account = Account(series.client, received_us - received_us % HOUR_US)
            arrivals.append(Arrival(account, [reading]))
        self.appender.append(Batch(arrivals=arrivals))

    def forget(self, client: str) -> None:
        """Erases what that client measured."""
        gone = {series for series in self.readings if series.client == client}
        erased = self.appender.do(Erase(client=client))["erased"]
        distinct = sum(len(self.readings.pop(series)) for series in gone)
        assert erased >= distinct  # what came twice after it was sealed may be there twice yet

    def check(self) -> None:
        """The store says what arrived, at every width, and accounts for it."""
        with closing(open_querier(self.path)) as querier, querier.snapshot() as snapshot:
            known = [latest.series for latest in snapshot.latest()]
            assert known == sorted(series for series, some in self.readings.items() if some)
            for series, oldest_us in self.oldest_us().items():
                assert oldest_us == min(time_us for time_us, _ in self.readings[series])
            for series in known:
                self.check_series(snapshot, series, sorted(self.readings[series], key=by_time))
            assert snapshot.damage() == []
            assert snapshot.recount() == []

    def oldest_us(self) -> dict[Series, int]:
        """When the catalog says that series began; no reading is without one."""
        with closing(open_reader(self.path)) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            rows = connection.execute("SELECT client, metric, oldest_us FROM series")
            return {Series(*name): oldest_us for *name, oldest_us in rows}

    def check_series(
        self, snapshot: Snapshot, series: Series, expected: list[tuple[int, Value]]
    ) -> None:
        """Every question about one series has the answer that the readings give."""
        assert sorted(values(snapshot.read(series, ALL_TIME)), key=by_time) == expected
        assert snapshot.count(series, ALL_TIME, 1 << 60) == len(expected)
        assert snapshot.extent(series) == Window(expected[0][0], expected[-1][0] + 1)
        newest = [time_us for time_us, _ in expected][-3:]
        assert snapshot.tail(series, ALL_TIME, 3).frame["time_us"].tolist() == newest
        last_us = expected[-1][0]
        window = Window(min(expected[0][0] + 1_500_000, last_us), last_us + 1)
        inside = [one for one in expected if window.start_us <= one[0] < window.end_us]
        assert values(snapshot.read(series, window)) == inside
        for width_us in (HOUR_US, 2 * HOUR_US, MINUTE_US, 7_000_000):
            found = snapshot.buckets(series, window, width_us).frame
            pd.testing.assert_frame_equal(found, bucketed(inside, width_us), check_dtype=False)


def by_time(one: tuple[int, Value]) -> tuple[int, bool, Value]:
    """Numbers before texts, each in order."""
    return one[0], isinstance(one[1], str), one[1]


def bucketed(readings: Sequence[tuple[int, Value]], width_us: int) -> pd.DataFrame:
    """Buckets as they are defined, without any help of the store."""
    groups: dict[int, list[float]] = {}
    for time_us, value in readings:
        if not isinstance(value, str):
            groups.setdefault(time_us - time_us % width_us, []).append(value)
    rows = [(at, sum(some), min(some), max(some), len(some)) for at, some in groups.items()]
    return pd.DataFrame(rows, columns=["time_us", "sum", "min", "max", "count"])


@pytest.fixture(autouse=True)
def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readings a minute are dense here, so that few make minutes."""
    monkeypatch.setattr(part, "DENSE_PER_MINUTE", 2)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    """An empty store."""
    path = tmp_path / "culex.db"
    with closing(StoreAppender(path)) as appender:
        yield Model(appender, path)


def measured(days: int = 2, every_s: int = 20) -> list[tuple[int, int, Value, int]]:
    """Readings of all series over hours around midnight."""
    seconds = range(-DAY_US // 1_000_000 // 24, 3600 * 2 * days, every_s)
    return [
        (place, second, f"m{second % 3}" if place == 1 else second % 11 / 10, 0)
        for second in seconds
        for place in range(3)
    ]


operations = st.lists(
    st.one_of(
        st.tuples(
            st.just("arrive"),
            st.lists(
                st.tuples(
                    st.integers(0, 2),
                    st.integers(-2, 50).map(lambda n: n * 1199 + n % 5),
                    st.sampled_from([1.5, -2.0, 0.1, "on"]),
                    st.just(0),
                ),
                min_size=1,
                max_size=25,
            ),
        ),
        st.tuples(st.just("seal"), st.integers(-1, 18)),
        st.tuples(st.just("compact"), st.integers(0, 2)),
        st.tuples(st.just("forget"), st.sampled_from(["attic", "boiler"])),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=9,
)


@steady
@given(operations)
def test_any_order_of_arriving_sealing_and_compacting_shows_each_reading_once(
    todo: list[tuple[str, object]],
) -> None:
    """Late ones, repetitions of what is sealed long ago, and readings of one time included."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "culex.db"
        model = Model(StoreAppender(path), path)
        for verb, what in todo:
            do(model, verb, what)
        model.check()
        model.appender.do(Seal(NOON_US + 30 * DAY_US))
        model.appender.do(Compact(NOON_US + 40 * DAY_US))
        model.check()
        check_rollups(model)
        model.appender.close()


def do(model: Model, verb: str, what: object) -> None:
    """One operation."""
    match verb, what:
        case "arrive", list(some):
            model.arrive(some)
        case "seal", int(hour):
            model.appender.do(Seal(NOON_US + hour * HOUR_US))
        case "compact", int(day):
            model.appender.do(Compact(NOON_US + day * DAY_US))
        case "forget", str(client):
            model.forget(client)
        case _:
            model.appender.close()
            model.appender = StoreAppender(model.path)


def check_rollups(model: Model) -> None:
    """The hours of all blocks add up to the hours of all readings, the integral included."""
    with closing(open_reader(model.path)) as connection:
        blocks = every_block(connection)
    archive = Archive(blocks_folder(model.path))
    for series, some in model.readings.items():
        hours = [one for one in blocks if one.tier is Tier.HOURS]
        found = combine(archive.rollups(hours, series, ALL_TIME))
        times, numbers = zip(*sorted(some, key=by_time), strict=True)
        value = [np.nan if isinstance(one, str) else one for one in numbers]
        place = np.zeros(len(times), np.int64)
        expected = roll(place, np.array(times), np.array(value, dtype=np.float64), HOUR_US)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-6)


def test_sealed_hours_have_left_the_head_and_are_read_from_blocks(model: Model) -> None:
    """Before, between and after: the same answers; the head keeps what is younger."""
    model.arrive(measured())
    model.check()
    assert model.appender.do(Seal(NOON_US + HOUR_US))["sealed"] == 3 * 180 * 2
    model.check()
    with closing(open_reader(model.path)) as connection:
        (oldest,) = connection.execute("SELECT min(time_us) FROM reading").fetchone()
        tiers = {one.tier for one in every_block(connection)}
    assert oldest == NOON_US + HOUR_US
    assert tiers == {*Tier}


def test_reading_that_came_again_after_sealing_is_counted_as_a_duplicate(model: Model) -> None:
    """It is shown once at once, and the ledger is put right when the next hour is sealed."""
    model.arrive(measured())
    model.appender.do(Seal(NOON_US + HOUR_US))
    model.arrive(measured()[:30])
    model.check()
    assert model.appender.do(Seal(NOON_US + HOUR_US))["sealed"] == 0
    model.check()
    with closing(open_querier(model.path)) as querier, querier.snapshot() as snapshot:
        (row,) = (row for row in snapshot.ledger("attic", ALL_TIME) if row.readings.duplicate)
    assert row.readings.duplicate == 10


def test_other_value_of_a_sealed_time_is_flagged(model: Model) -> None:
    """It contradicts what lies in a block, before and after it is sealed itself."""
    model.arrive([(0, 0, 1.0, 0)])
    model.appender.do(Seal(NOON_US + HOUR_US))
    model.arrive([(0, 0, 2.0, 0)])
    for _ in range(2):
        with closing(open_querier(model.path)) as querier, querier.snapshot() as snapshot:
            frame = snapshot.read(SERIES[0], ALL_TIME).frame
        assert frame[["value", "flags"]].to_numpy().tolist() == [[1.0, 0], [2.0, Flag.CONFLICT]]
        model.appender.do(Seal(NOON_US + HOUR_US))


def test_compaction_leaves_one_part_of_a_day(model: Model) -> None:
    """Hours sealed one by one become one block of each tier, with the same answers."""
    for hour in range(4):
        model.arrive(measured()[hour * 540 : (hour + 1) * 540])
        model.appender.do(Seal(NOON_US + hour * HOUR_US))
    model.appender.do(Compact(NOON_US + 2 * DAY_US))
    model.check()
    with closing(open_reader(model.path)) as connection:
        blocks = every_block(connection)
    assert sorted(one.tier for one in blocks) == sorted(Tier)
    files = {path for path in blocks_folder(model.path).glob("r*/*/*.parquet")}
    assert files == {blocks_folder(model.path) / one.path for one in blocks}


def test_readings_with_a_flag_are_forgotten_in_blocks_too(model: Model) -> None:
    """The others of the same series and hours stay, with rollups of what is left."""
    kept = [(0, second, 1.0, 0) for second in range(0, 3000, 30)]
    gone = [(0, second, 2.0, Flag.SIMULATED.value) for second in range(15, 3000, 30)]
    model.arrive(kept + gone)
    model.appender.do(Seal(NOON_US + HOUR_US))
    assert model.appender.do(Erase(flags=Flag.SIMULATED.value))["erased"] == len(gone)
    model.readings[SERIES[0]] = {(NOON_US + second * 1_000_000, 1.0) for _, second, *_ in kept}
    model.check()
    check_rollups(model)
    with closing(open_querier(model.path)) as querier, querier.snapshot() as snapshot:
        (latest,) = snapshot.latest()
    assert (latest.value, latest.time_us) == (1.0, NOON_US + 2970 * 1_000_000)


def test_damaged_block_is_named_and_the_rest_is_shown(model: Model) -> None:
    """A flipped byte is noticed, and no answer fails because of it."""
    model.arrive(measured())
    model.appender.do(Seal(NOON_US))
    model.appender.do(Seal(NOON_US + HOUR_US))
    with closing(open_reader(model.path)) as connection:
        first = next(one for one in every_block(connection) if one.tier is Tier.READINGS)
    path = blocks_folder(model.path) / first.path
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with closing(open_querier(model.path)) as querier, querier.snapshot() as snapshot:
        frame = snapshot.read(SERIES[0], ALL_TIME).frame
        (damage,) = snapshot.damage()
    assert damage.path == first.path
    assert frame["time_us"].iloc[0] == NOON_US
    path.unlink()
    with closing(open_querier(model.path)) as querier, querier.snapshot() as snapshot:
        snapshot.read(SERIES[0], ALL_TIME)
        assert [one.reason for one in snapshot.damage()] == ["it is missing"]


def test_tending_seals_hours_and_compacts_days_in_another_process(model: Model) -> None:
    """Called again and again, it moves what is old enough and then has nothing more to do."""
    late = [(0, second, 5.0, 0) for second in range(7, 3000, 40)]
    model.arrive(measured())
    model.appender.do(Seal(NOON_US + HOUR_US))
    model.arrive(late)
    now_us = NOON_US + 2 * DAY_US
    tend_until(model, now_us, lambda: in_head(model) == 0 and len(blocks_of(model)) == len(Tier))
    model.check()
    assert model.appender.tend(now_us) is False


def test_build_that_is_killed_is_tried_again_a_minute_later(model: Model) -> None:
    """Nothing is lost meanwhile."""
    model.arrive(measured())
    now_us = NOON_US + 2 * DAY_US
    model.appender.tend(now_us)
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    model.appender.tend(now_us)
    model.check()
    assert in_head(model) > 0
    model.appender.tend(now_us)
    assert multiprocessing.active_children() == []
    tend_until(model, now_us + 61_000_000, lambda: in_head(model) == 0)
    model.check()


def test_client_erased_while_it_is_being_sealed_is_gone_and_counted_once(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of its series have left the head, the next is in a block nobody sees yet."""
    monkeypatch.setattr(publishing, "STEP_ROWS", 50)
    monkeypatch.setattr(keeper, "_BUDGET_S", 0.0)
    model.arrive(measured())
    now_us = NOON_US + 2 * DAY_US

    def begun() -> bool:
        model.appender.tend(now_us)
        return bool(blocks_of(model))

    wait_until(begun)
    assert in_head(model) > 0
    model.forget("boiler")
    model.check()
    tend_until(model, now_us, lambda: in_head(model) == 0)
    model.check()


def test_late_reading_waits_in_the_head_while_the_block_of_its_hour_cannot_be_read(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came between building and publishing: what leaves the head must be told by the block."""
    monkeypatch.setattr(publishing, "STEP_ROWS", 50)
    monkeypatch.setattr(keeper, "_BUDGET_S", 0.0)
    model.arrive(measured())
    now_us = NOON_US + 2 * DAY_US

    def begun() -> bool:
        model.appender.tend(now_us)
        return bool(blocks_of(model))

    wait_until(begun)
    model.arrive([(2, second, 7.5, 0) for second in (-3001, -1, 3599)])
    path = blocks_folder(model.path) / blocks_of(model)[0].path
    aside = path.with_name("aside")
    path.rename(aside)

    def refused() -> bool:
        try:
            model.appender.tend(now_us)
        except StoreUnavailable as error:
            return "it is missing" in str(error)
        return False

    wait_until(refused)
    aside.rename(path)
    model.check()
    tend_until(model, now_us + 10 * DAY_US, lambda: in_head(model) == 0)
    model.check()


def test_question_that_takes_too_long_says_so(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does for the head: a sentence, and no answer that lacks something."""
    model.arrive(measured())
    model.appender.do(Seal(NOON_US + HOUR_US))
    monkeypatch.setattr(store_snapshot, "_ANSWER_SECONDS", -1.0)
    monkeypatch.setattr(store_snapshot, "limit_time", lambda _connection, _seconds: None)
    with (
        closing(open_querier(model.path)) as querier,
        querier.snapshot() as snapshot,
        pytest.raises(StoreUnavailable, match="ask for a shorter time"),
    ):
        snapshot.read(SERIES[0], ALL_TIME)


def test_file_of_somebody_else_in_the_folder_is_left_alone(model: Model) -> None:
    """It is no part of the history, and no sweep removes it."""
    model.arrive(measured())
    model.appender.do(Seal(NOON_US + HOUR_US))
    (block,) = (one for one in blocks_of(model) if one.tier is Tier.READINGS)
    path = blocks_folder(model.path) / block.path
    foreign = [path.with_name("mine.parquet"), path.with_name("0" * 33 + ".parquet")]
    for one in foreign:
        one.write_bytes(b"PAR1, or is it?")
    do(model, "reopen", None)
    model.appender.do(Seal(NOON_US + 2 * HOUR_US))
    model.appender.do(Compact(NOON_US + 2 * DAY_US))
    model.check()
    assert all(one.read_bytes() == b"PAR1, or is it?" for one in foreign)


def tend_until(model: Model, now_us: int, done: Callable[[], bool]) -> None:
    """Tends the history, as the collector does, until something is so."""

    def tended() -> bool:
        while model.appender.tend(now_us):
            pass
        return done()

    wait_until(tended, 60)


def in_head(model: Model) -> int:
    """How many readings the head has."""
    with closing(open_reader(model.path)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM reading").fetchone()
    return int(number)


def blocks_of(model: Model) -> list[Block]:
    """The blocks that are part of the store."""
    with closing(open_reader(model.path)) as connection:
        return every_block(connection)


def test_erasing_again_when_nobody_waited_for_the_first_erases_what_came_since(
    model: Model,
) -> None:
    """A command that was interrupted leaves a task half asked for; the next is not its answer."""
    model.arrive(measured())
    model.appender.do(Seal(NOON_US + HOUR_US))
    assert model.appender.step(Erase(client="boiler")) is None
    tend_until(model, NOON_US, lambda: len(blocks_of(model)) > 0 and no_child())
    model.appender._chores._asked_s -= 3600.0  # so long ago
    model.readings = {SERIES[0]: model.readings[SERIES[0]]}
    model.arrive([(2, 5, 1.0, 0)])
    found: list[Result | None] = []

    def erased() -> bool:
        model.appender.tend(NOON_US)
        found.append(model.appender.step(Erase(client="boiler")))
        return found[-1] is not None

    wait_until(erased)
    del model.readings[SERIES[2]]
    model.check()


def no_child() -> bool:
    """Whether no process is building."""
    return not multiprocessing.active_children()


def test_reader_holds_no_file_open(model: Model) -> None:
    """The space and the content of a removed one would stay as long as somebody has it open."""
    model.arrive(measured())
    for hour in (0, 1):
        model.appender.do(Seal(NOON_US + hour * HOUR_US))
    with closing(open_querier(model.path)) as querier:
        with querier.snapshot() as snapshot:
            snapshot.read(SERIES[0], ALL_TIME)
            assert open_blocks(model) == set()
        model.appender.do(Compact(NOON_US + 2 * DAY_US))
        with querier.snapshot() as snapshot:
            assert len(snapshot.read(SERIES[0], ALL_TIME).frame) == len(model.readings[SERIES[0]])
            assert open_blocks(model) == set()


def open_blocks(model: Model) -> set[str]:
    """The files of the history that this process has open, by name."""
    root = str(blocks_folder(model.path))
    paths = [file.path for file in psutil.Process().open_files()]
    return {Path(path).name for path in paths if path.startswith(root)}
