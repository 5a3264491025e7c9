"""Retention: what is over goes, its rollups stay, and every answer and the ledger say so."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Arrival, Batch
from telemetry.interface import Snapshot
from telemetry.job import Compact, Erase, Retain, Seal
from telemetry.ledger import Account
from telemetry.reading import Kind, Reading, Series
from telemetry.retention import Keep, Policy, Retention, Rule
from telemetry.store import open_querier, part
from telemetry.store.appender import StoreAppender
from telemetry.store.head import open_reader
from telemetry.store.layout import Block, Tier, blocks_folder, day_of
from telemetry.store.manifest import every_block
from telemetry.store.usage import _weight
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, MINUTE_US, Window
from tests.support import wait_until
from tests.telemetry.builders import NOON_US, SECOND_US, looking, steady, values

ATTIC, MODE, POWER = SERIES = [
    Series("attic", "temperature"), Series("boiler", "mode"), Series("boiler", "power")
]  # fmt: skip
TODAY_US = day_of(NOON_US)
RETENTION = Retention(
    (
        Rule("attic", "*", Keep(DAY_US, DAY_US, None)),
        Rule("*", "mode", Keep(DAY_US, DAY_US, 40 * DAY_US)),
    ),
    Keep(3 * DAY_US, 3 * DAY_US, None),
)

Value = float | str
Identity = tuple[int, Value]
Buckets = dict[int, tuple[float, float, float, int]]


@dataclass
class Model:
    """A store, and what it must say.

    Attributes:
        appender: Writes it.
        path: The SQLite file.
        head: What is not sealed yet, of each series.
        blocks: What is sealed and not over.
        hours: What hours were made of, by where they begin.
        from_us: What was measured before is over.
        expired: How many are.
    """

    appender: StoreAppender
    path: Path
    head: defaultdict[Series, set[Identity]] = field(default_factory=lambda: defaultdict(set))
    blocks: defaultdict[Series, set[Identity]] = field(default_factory=lambda: defaultdict(set))
    hours: defaultdict[Series, dict[int, list[Identity]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    from_us: defaultdict[Series, int] = field(
        default_factory=lambda: defaultdict(lambda: -(1 << 62))
    )
    expired: int = 0

    def arrive(self, some: Sequence[tuple[Series, int, Value]]) -> None:
        """One message for each series, time and value."""
        arrivals = []
        for series, time_us, value in some:
            self.head[series].add((time_us, value))
            kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
            reading = Reading(series, time_us, value, kind, "", 1_234_567)
            received_us = time_us + reading.delay_us
            account = Account(series.client, received_us - received_us % HOUR_US)
            arrivals.append(Arrival(account, [reading]))
        self.appender.append(Batch(arrivals=arrivals))

    def seal(self, end_us: int) -> None:
        """Those before leave the head; of a closed hour nothing comes into a block."""
        self.appender.do(Seal(end_us))
        for series, some in self.head.items():
            old = {one for one in some if one[0] < end_us}
            self.head[series] = some - old
            new = self.in_time(series, old)
            for one in new - self.blocks[series]:
                self.hours[series].setdefault(hour_of(one), []).append(one)
            self.blocks[series] |= new

    def in_time(self, series: Series, some: set[Identity]) -> set[Identity]:
        """Without those of hours whose readings are over."""
        there = {hour_of(one) for one in self.blocks[series]}
        closed = {hour for hour in self.hours[series] if hour < self.from_us[series]} - there
        return {one for one in some if hour_of(one) not in closed}

    def retain(self, now_us: int) -> dict[str, object]:
        """What is over is gone."""
        done = self.appender.do(Retain(now_us, RETENTION))
        for series, some in self.blocks.items():
            keep = RETENTION.every[RETENTION.place(series)].keep
            assert keep.readings_us is not None
            bound_us = day_of(now_us - keep.readings_us)
            over = {one for one in some if one[0] < bound_us}
            self.blocks[series] = some - over
            self.expired += len(over)
            days = [day_of(time_us) + DAY_US for time_us, _ in over]
            self.from_us[series] = max([self.from_us[series], *days])
            if keep.hours_us is not None:
                begin_us = month_begin(now_us - keep.hours_us)
                self.hours[series] = {
                    hour: made for hour, made in self.hours[series].items() if hour >= begin_us
                }
        return dict(done)

    def check(self) -> None:
        """Every answer says what is left, at every width, and the ledger adds up."""
        with looking(self.path) as snapshot:
            assert snapshot.recount() == []
            assert sum(row.expired for row in snapshot.ledger(None, ALL_TIME)) == self.expired
            assert snapshot.damage() == []
            for latest in snapshot.latest():
                self.check_series(snapshot, latest.series)

    def check_series(self, snapshot: Snapshot, series: Series) -> None:
        """Every answer about one series."""
        fresh = self.in_time(series, self.head[series]) - self.blocks[series]
        left = sorted(fresh | self.blocks[series], key=by_time)
        assert sorted(values(snapshot.read(series, ALL_TIME)), key=by_time) == left
        assert snapshot.count(series, ALL_TIME, 1 << 60) == len(left)
        for width_us in (HOUR_US, 6 * HOUR_US, MINUTE_US, 7 * SECOND_US):
            found = snapshot.buckets(series, ALL_TIME, width_us).frame
            rows = found.itertuples(index=False, name=None)
            assert {row[0]: row[1:] for row in rows} == self.buckets(series, width_us, fresh)

    def buckets(self, series: Series, width_us: int, fresh: set[Identity]) -> Buckets:
        """Buckets by their definition: before `from_us` each hour counts where it begins."""
        from_us, groups = self.from_us[series], defaultdict[int, list[float]](list)
        whole = width_us % HOUR_US == 0
        kept = [(time_us, one) for time_us, one in self.blocks[series] if time_us >= from_us]
        over = [
            (time_us if whole else hour, value)
            for hour, made in self.hours[series].items()
            for time_us, value in made
            if hour < from_us
        ]
        for time_us, value in [*kept, *over, *fresh]:
            if not isinstance(value, str):
                groups[time_us - time_us % width_us].append(value)
        return {at: (sum(some), min(some), max(some), len(some)) for at, some in groups.items()}


def by_time(one: Identity) -> tuple[int, bool, Value]:
    """Numbers before texts, each in order."""
    return one[0], isinstance(one[1], str), one[1]


def hour_of(one: Identity) -> int:
    """Where its hour begins."""
    return one[0] - one[0] % HOUR_US


def month_begin(time_us: int) -> int:
    """Where the month begins, for times of October to December 2026."""
    begins = [TODAY_US - days * DAY_US for days in (-8, 22, 53, 83)]
    return next(one for one in begins if one <= time_us)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    """An empty store."""
    path = tmp_path / "culex.db"
    with closing(StoreAppender(path)) as appender:
        yield Model(appender, path)


operations = st.lists(
    st.one_of(
        st.tuples(
            st.just("arrive"),
            st.lists(
                st.tuples(
                    st.sampled_from(SERIES),
                    st.integers(-70, 10).map(
                        lambda n: NOON_US + n * 5 * HOUR_US + n % 3 * 700 * SECOND_US
                    ),
                    st.sampled_from([1.5, -2.0, 0.25, "on"]),
                ),
                min_size=1,
                max_size=25,
            ),
        ),
        st.tuples(st.just("seal"), st.integers(-10, 2)),
        st.tuples(st.just("compact"), st.integers(-10, 2)),
        st.tuples(st.just("retain"), st.integers(-8, 9)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)


@steady
@given(operations)
def test_any_order_of_arriving_sealing_compacting_and_retaining_keeps_what_the_rules_say(
    todo: list[tuple[str, object]],
) -> None:
    """Hours stay as they were made, whatever else goes; nothing is counted twice or missed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "culex.db"
        model = Model(StoreAppender(path), path)
        for verb, what in [*todo, ("check", None), ("seal", 9), ("retain", 12), ("compact", 12)]:
            do(model, verb, what)
        model.check()
        model.appender.close()


def do(model: Model, verb: str, what: object) -> None:
    """One operation."""
    match verb, what:
        case "arrive", list(some):
            model.arrive(some)
        case "seal", int(day):
            model.seal(NOON_US + day * DAY_US)
        case "compact", int(day):
            model.appender.do(Compact(NOON_US + day * DAY_US))
        case "retain", int(day):
            model.retain(NOON_US + day * DAY_US)
        case "check", _:
            model.check()
        case _:
            model.appender.close()
            model.appender = StoreAppender(model.path)


def measured(*days: int, every_s: int = 600, hours: int = 3) -> list[tuple[Series, int, Value]]:
    """Readings of all series on these days, from noon on, in eighths."""
    return [
        (series, NOON_US + day * DAY_US + second * SECOND_US, second // every_s % 89 / 8)
        for day in days
        for second in range(0, hours * 3600, every_s)
        for series in SERIES
    ]


def blocks_of(model: Model, tier: Tier) -> list[Block]:
    """The blocks of a tier."""
    with closing(open_reader(model.path)) as connection:
        return [one for one in every_block(connection) if one.tier is tier]


def test_day_of_which_everything_is_over_goes_without_being_made_anew(model: Model) -> None:
    """Its files go, and no other is touched; the hours stay as they are."""
    model.arrive(measured(-5, -4, 0))
    model.seal(NOON_US + DAY_US)
    before = {one.path for tier in Tier for one in blocks_of(model, tier)}
    done = model.retain(NOON_US + DAY_US)
    after = {one.path for tier in Tier for one in blocks_of(model, tier)}
    assert (done["expired"], done["files"]) == (2 * 3 * 18, 2)
    assert after < before
    assert len(before - after) == 2
    assert not any("rollup" in path for path in before - after)
    assert model.retain(NOON_US + DAY_US)["files"] == 0
    model.check()


def test_day_of_which_some_series_are_over_is_made_anew_without_them(model: Model) -> None:
    """The rules tell its series apart: two of three go."""
    model.arrive(measured(-2))
    model.seal(NOON_US + DAY_US)
    done = model.retain(NOON_US)
    (block,) = blocks_of(model, Tier.READINGS)
    assert (done["expired"], block.rows) == (2 * 18, 18)
    model.check()


def test_head_is_not_touched_and_its_readings_go_once_they_are_sealed(model: Model) -> None:
    """A late reading of long ago is there until the next time; its rollup stays."""
    model.arrive(measured(-9))
    assert model.retain(NOON_US)["expired"] == 0
    model.check()
    model.seal(NOON_US)
    assert model.retain(NOON_US)["expired"] == 3 * 18
    model.check()


def test_reading_that_comes_again_when_its_hour_is_over_changes_nothing(model: Model) -> None:
    """As when an old file is imported once more: it is a duplicate, and no hour grows."""
    model.arrive(measured(-9))
    model.seal(NOON_US)
    model.retain(NOON_US)
    model.arrive(measured(-9))
    model.check()
    model.seal(NOON_US)
    model.check()
    with looking(model.path) as snapshot:
        rows = snapshot.ledger(None, ALL_TIME)
    assert sum(row.readings.duplicate for row in rows) == 3 * 18


def test_compaction_leaves_rollups_of_what_is_over_alone(model: Model) -> None:
    """Late readings of a new hour make two parts of a day whose other hours are rollups only."""
    model.arrive(measured(-9))
    model.seal(NOON_US)
    model.retain(NOON_US)
    for hour in (5, 7):
        late = [(one, time_us + hour * HOUR_US, value) for one, time_us, value in measured(-9)]
        model.arrive(late[: 3 * 6])
        model.seal(NOON_US)
    model.appender.do(Compact(NOON_US))
    model.check()
    model.retain(NOON_US)
    model.check()


def test_extent_reaches_back_to_what_rollups_say(model: Model) -> None:
    """The oldest number is known to the microsecond still; how coarse it is now, too."""
    model.arrive(measured(-9, 0))
    model.seal(NOON_US + DAY_US)
    model.retain(NOON_US)
    with looking(model.path) as snapshot:
        extent = snapshot.extent(POWER)
        assert extent is not None
        assert extent.start_us == NOON_US - 9 * DAY_US
        day = Window(NOON_US - DAY_US, NOON_US)
        assert [snapshot.grain_us(POWER, one) for one in (extent, day)] == [HOUR_US, 0]
        (latest, *_) = snapshot.latest("boiler")
    assert latest.time_us == NOON_US + 3 * HOUR_US - 600 * SECOND_US


@pytest.fixture
def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readings a minute are dense here, so that few make minutes."""
    monkeypatch.setattr(part, "DENSE_PER_MINUTE", 2)


def wanted(series: Series, width_us: int, grain_us: int) -> dict[int, list[float]]:
    """Buckets of `dense_history`, each number where its rollup of that width begins."""
    groups: dict[int, list[float]] = {}
    for one, time_us, value in dense_history():
        if one == series and isinstance(value, float):
            begin_us = time_us - time_us % grain_us
            groups.setdefault(begin_us - begin_us % width_us, []).append(value)
    return groups


def dense_history() -> list[tuple[Series, int, Value]]:
    """A day long ago with readings every ten seconds."""
    return measured(-9, every_s=10)


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize("width_us", [7 * SECOND_US, MINUTE_US, HOUR_US])
def test_minutes_answer_for_readings_that_are_over(model: Model, width_us: int) -> None:
    """Whatever the width: each minute counts in the bucket where it begins."""
    model.arrive(dense_history())
    model.seal(NOON_US)
    model.appender.do(Retain(NOON_US, Retention((), Keep(DAY_US, None, None))))
    with looking(model.path) as snapshot:
        assert snapshot.grain_us(POWER, ALL_TIME) == HOUR_US  # most of all time has no minutes
        begin_us = NOON_US - 9 * DAY_US
        assert snapshot.grain_us(POWER, Window(begin_us, begin_us + HOUR_US)) == MINUTE_US
        found = snapshot.buckets(POWER, ALL_TIME, width_us).frame
    expected = wanted(POWER, width_us, MINUTE_US)
    assert dict(zip(found["time_us"], found["count"], strict=True)) == {
        at: len(some) for at, some in expected.items()
    }
    assert found["sum"].tolist() == [sum(some) for some in expected.values()]
    assert found["max"].tolist() == [max(some) for some in expected.values()]


@pytest.mark.usefixtures("dense")
def test_window_that_begins_within_an_hour_has_what_begins_in_it(model: Model) -> None:
    """Of the cut hour its minutes are left, and then whole hours."""
    model.arrive(dense_history())
    model.seal(NOON_US)
    model.appender.do(Retain(NOON_US, Retention((), Keep(DAY_US, None, None))))
    begin_us = NOON_US - 9 * DAY_US
    with looking(model.path) as snapshot:
        window = Window(begin_us + 30 * MINUTE_US, begin_us + 2 * HOUR_US)
        found = snapshot.buckets(POWER, window, HOUR_US).frame
    assert found["count"].tolist() == [30 * 6, 60 * 6]


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize("tier", [Tier.MINUTES, Tier.HOURS])
@pytest.mark.parametrize("over", [False, True])
def test_damaged_rollups_give_way_to_what_is_left(model: Model, tier: Tier, over: bool) -> None:
    """To readings while there are any, else to each other; nothing fails, and count is right."""
    model.arrive(dense_history())
    model.seal(NOON_US)
    if over:
        model.appender.do(Retain(NOON_US, Retention((), Keep(DAY_US, None, None))))
    (block,) = blocks_of(model, tier)
    (blocks_folder(model.path) / block.path).write_bytes(b"PAR1, or is it?")
    width_us = MINUTE_US if tier is Tier.MINUTES else HOUR_US
    with looking(model.path) as snapshot:
        found = snapshot.buckets(POWER, ALL_TIME, width_us).frame["count"].sum()
        count = snapshot.count(POWER, ALL_TIME, 1 << 60)
        assert [one.path for one in snapshot.damage()] == [block.path]
    readings = len(dense_history()) // 3
    assert (found, count) == (readings, 0 if over else readings)


@pytest.mark.usefixtures("dense")
def test_minutes_that_are_over_give_way_to_readings(model: Model) -> None:
    """A rule may keep them for less long than the readings they were made of."""
    model.arrive(dense_history())
    model.seal(NOON_US)
    model.appender.do(Retain(NOON_US, Retention((), Keep(None, DAY_US, None))))
    assert blocks_of(model, Tier.MINUTES) == []
    with looking(model.path) as snapshot:
        found = snapshot.buckets(POWER, ALL_TIME, MINUTE_US).frame
    assert found["count"].tolist() == [6] * 180


def test_hours_go_by_months(model: Model) -> None:
    """Of the month in which the time to keep them begins, all stay."""
    retention = Retention((), Keep(DAY_US, DAY_US, 30 * DAY_US))
    model.arrive(measured(-60, -25, 0))
    model.seal(NOON_US + DAY_US)
    model.appender.do(Retain(NOON_US, retention))
    assert len(blocks_of(model, Tier.HOURS)) == 2
    model.appender.do(Retain(NOON_US + 8 * DAY_US, retention))  # November 1 has just been
    assert [one.first_us for one in blocks_of(model, Tier.HOURS)] == [NOON_US]


def test_dry_run_says_what_the_run_does(model: Model) -> None:
    """The same readings, files and bytes, by rule and tier."""
    model.arrive(measured(-5, -2, 0))
    model.seal(NOON_US + DAY_US)
    before = sum(one.size for one in blocks_of(model, Tier.READINGS))
    with closing(open_querier(model.path)) as querier:
        said = querier.expiring(RETENTION, NOON_US)
    assert {(one.rule.client, one.tier) for one in said} == {
        ("attic", "readings"), ("*", "readings")
    }  # fmt: skip
    assert {name for one in said for name in one.clients} == {"attic", "boiler"}
    done = model.retain(NOON_US)
    assert sum(one.rows for one in said) == done["expired"] == 3 * 18 + 2 * 18
    assert done["bytes"] == before - sum(one.size for one in blocks_of(model, Tier.READINGS))
    with closing(open_querier(model.path)) as querier:
        assert querier.expiring(RETENTION, NOON_US) == []


def test_usage_adds_up_to_the_sizes_of_all_files(model: Model) -> None:
    """By client and tier; what cannot be read is weighed apart."""
    model.arrive(measured(-5, -2, 0))
    model.seal(NOON_US)
    with closing(open_querier(model.path)) as querier:
        found = querier.usage(RETENTION, NOON_US + DAY_US)
    for place, tier in enumerate(Tier):
        sizes = [one.sizes[place] for one in found.shares]
        assert sum(sizes) == sum(one.size for one in blocks_of(model, tier))
    assert [(one.client, one.readings) for one in found.shares] == [
        ("attic", 3 * 18), ("boiler", 2 * 3 * 18)
    ]  # fmt: skip
    path = blocks_folder(model.path) / blocks_of(model, Tier.HOURS)[0].path
    pq.write_table(pa.table({"something": ["else"]}), path)
    _weight.cache_clear()
    with closing(open_querier(model.path)) as querier:
        again = querier.usage(RETENTION, NOON_US + DAY_US)
    assert again.unread_bytes == blocks_of(model, Tier.HOURS)[0].size


def test_forecast_weighs_a_day_and_the_balance(model: Model) -> None:
    """Three days in which as much came: with three to keep, it is in balance but for hours."""
    model.arrive(measured(-3, -2, -1, hours=24))
    model.seal(NOON_US)
    with closing(open_querier(model.path)) as querier:
        found = querier.usage(Retention((), Keep(3 * DAY_US, 3 * DAY_US, None)), NOON_US).forecast
    size = {tier: sum(one.size for one in blocks_of(model, tier)) for tier in Tier}
    assert found.day_bytes == pytest.approx(sum(size.values()) / 3, rel=0.02)
    assert found.forever_bytes == pytest.approx(size[Tier.HOURS] / 3, rel=0.02)
    assert found.balance_bytes == sum(size.values())


def test_tending_lets_go_once_a_day(tmp_path: Path) -> None:
    """By itself, in another process, after sealing."""
    path = tmp_path / "culex.db"
    with closing(StoreAppender(path, policy=Policy(RETENTION))) as appender:
        model = Model(appender, path)
        model.arrive(measured(-9, 0))

        def over() -> bool:
            appender.tend(NOON_US + 4 * HOUR_US)
            with looking(path) as snapshot:
                return snapshot.count(POWER, ALL_TIME, 1 << 60) == 18

        wait_until(over)
        with looking(path) as snapshot:
            assert snapshot.recount() == []
            assert sum(row.expired for row in snapshot.ledger(None, ALL_TIME)) == 3 * 18


def test_client_is_erased_but_for_what_cannot_be_read(model: Model) -> None:
    """All else is done, and the files are named that may hold more of it."""
    model.arrive(measured(-5, 0))
    model.seal(NOON_US + DAY_US)
    first, second = blocks_of(model, Tier.READINGS)
    (blocks_folder(model.path) / first.path).write_bytes(b"PAR1, or is it?")
    done = model.appender.do(Erase("boiler"))
    assert done["erased"] == 2 * 18
    (unread,) = done["unread"]  # type: ignore[misc]  # a list of one
    assert str(unread).startswith(first.path)
    with looking(model.path) as snapshot:
        assert {latest.series.client for latest in snapshot.latest()} == {"attic", "boiler"}
    assert second.path not in {one.path for one in blocks_of(model, Tier.READINGS)}


def test_erasing_does_not_touch_files_without_the_client(model: Model) -> None:
    """Their statistics say so: not even one that is damaged within is in the way."""
    model.arrive([one for one in measured(-5) if one[0] == ATTIC])
    model.arrive([one for one in measured(0) if one[0] != ATTIC])
    model.seal(NOON_US + DAY_US)
    first, _ = blocks_of(model, Tier.READINGS)
    path = blocks_folder(model.path) / first.path
    content = bytearray(path.read_bytes())
    content[8] ^= 0xFF
    path.write_bytes(content)
    assert model.appender.do(Erase("boiler")) == {"erased": 2 * 18}
    assert first in blocks_of(model, Tier.READINGS)
