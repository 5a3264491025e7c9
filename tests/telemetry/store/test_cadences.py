"""Cadences: whatever changes in the store, what is kept of it says what the store says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.interface import Querier
from telemetry.interval import GAPS, IntervalRule, SetBy, cadence_of
from telemetry.job import Compact, Erase, Seal
from telemetry.reading import Series
from telemetry.store import cadences
from telemetry.store.appender import StoreAppender
from telemetry.store.layout import blocks_folder
from telemetry.store.snapshot import StoreQuerier
from telemetry.window import HOUR_US
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading, steady

ATTIC, BOILER = EVERY = [Series("attic", "temperature"), Series("boiler", "temperature")]
DAY_US = 24 * HOUR_US
TEN_S = 10 * SECOND_US

ONE = st.sampled_from(EVERY)
STEPS = st.one_of(
    st.tuples(st.just("report"), ONE, st.sampled_from([1, 10, 600]), st.integers(1, 70)),
    st.tuples(st.just("repeat"), ONE, st.integers(0, 9)),
    st.tuples(st.just("late"), ONE, st.integers(1, 40_000), st.integers(1, 5)),
    st.tuples(st.just("erase"), ONE),
    st.tuples(st.just("seal"), st.integers(0, 6)),
    st.tuples(st.just("compact")),
)


@dataclass
class Model:
    """A store, one that goes on asking it, and what it must say.

    Attributes:
        appender: Writes it.
        querier: Asks after each step.
        now_us: The present.
        times: When readings were measured.
    """

    appender: StoreAppender
    querier: Querier
    now_us: int = NOON_US
    times: defaultdict[Series, set[int]] = field(default_factory=lambda: defaultdict(set))

    def report(self, series: Series, seconds: int, count: int) -> None:
        """So many new readings, so far apart."""
        times = [self.now_us + n * seconds * SECOND_US for n in range(1, count + 1)]
        self.store(series, times, 1.0)
        self.now_us = times[-1]

    def repeat(self, series: Series, number: int) -> None:
        """Another value at the time of a reading."""
        known = sorted(self.times[series])[-10:]
        if known:
            self.store(series, [known[number % len(known)]], 2.0)

    def late(self, series: Series, seconds: int, count: int) -> None:
        """Readings from before."""
        start_us = self.now_us - seconds * SECOND_US
        self.store(series, [start_us + n * 7 * SECOND_US for n in range(count)], 3.0)

    def store(self, series: Series, times: Sequence[int], value: float) -> None:
        """Adds readings."""
        self.appender.append(Batch([reading(one, value, series=series) for one in times]))
        self.times[series].update(times)

    def erase(self, series: Series) -> None:
        """Nothing is left of it."""
        self.appender.do(Erase(client=series.client))
        self.times.pop(series, None)

    def seal(self, hours: int) -> None:
        """What is older lies in blocks."""
        hour_us = self.now_us - self.now_us % HOUR_US
        self.appender.do(Seal(hour_us - hours * HOUR_US))

    def compact(self) -> None:
        """The blocks of a day are one."""
        self.appender.do(Compact(self.now_us))

    def check(self) -> None:
        """At any time it says what the newest times before say, as one that asks anew does."""
        for before_us in (self.now_us + 1, self.now_us - HOUR_US, NOON_US + 2 * HOUR_US):
            expected = {}
            for series in EVERY:
                older = sorted(one for one in self.times[series] if one < before_us)
                cadence = cadence_of(older[-GAPS - 1 :])
                if cadence is not None:
                    expected[series] = cadence
            with self.querier.snapshot() as snapshot:
                assert snapshot.cadences(EVERY, before_us) == expected


@steady
@given(st.lists(STEPS, max_size=12))
def test_cadences_after_any_change_are_those_from_scratch(steps: list[tuple[str, ...]]) -> None:
    """New, late, double and erased readings, sealed and compacted or not."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "culex.db"
        appender = stack.enter_context(closing(StoreAppender(path)))
        model = Model(appender, stack.enter_context(closing(StoreQuerier(path))))
        for name, *arguments in steps:
            getattr(model, name)(*arguments)
            model.check()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store with a reading each ten minutes, all but the newest hour of them in blocks."""
    path = tmp_path / "culex.db"
    times = range(NOON_US - 20 * HOUR_US, NOON_US, 600 * SECOND_US)
    fill(path, [reading(time_us, series=BOILER) for time_us in times])
    with closing(StoreAppender(path)) as appender:
        appender.do(Seal(NOON_US - HOUR_US))
    return path


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Notes whenever something is learned, or times are looked for in blocks."""
    seen: list[str] = []
    for name in ("cadence_of", "_newest"):
        there = getattr(cadences, name)

        def noted(*arguments: object, name: str = name, there: object = there) -> object:
            seen.append(name)
            return there(*arguments)  # type: ignore[operator]  # one of the two

        monkeypatch.setattr(cadences, name, noted)
    return seen


def test_cadences_of_a_series_without_news_are_not_learned_again(
    old: Path, learned: list[str]
) -> None:
    """A tick later no block is read and nothing is computed; after a reading no block is."""
    with closing(StoreQuerier(old)) as querier:
        for later_us in (0, SECOND_US):
            with querier.snapshot() as snapshot:
                (found,) = snapshot.cadences([BOILER], NOON_US + later_us).values()
        assert (found.interval_us, found.gaps) == (600 * SECOND_US, GAPS)
        assert learned == ["_newest", "cadence_of"]
        fill(old, [reading(NOON_US, series=BOILER)])
        with querier.snapshot() as snapshot:
            snapshot.cadences([BOILER], NOON_US + 1)
        assert learned == ["_newest", "cadence_of", "cadence_of"]


def test_cadences_of_a_damaged_block_are_whole_again_with_its_file(old: Path) -> None:
    """What could not be read is no lasting part of what is known."""
    blocks = sorted((blocks_folder(old) / "readings").rglob("*.parquet"))
    content = {block: block.read_bytes() for block in blocks}
    with closing(StoreQuerier(old)) as querier:
        gaps = []
        for whole in (False, True):
            for block in blocks:
                block.write_bytes(content[block] if whole else b"no block")
            with querier.snapshot() as snapshot:
                gaps.append(snapshot.cadences([BOILER], NOON_US)[BOILER].gaps)
    assert gaps == [5, GAPS]


def test_cadences_that_are_set_are_those_of_the_settings(old: Path) -> None:
    """Also of a series that has one reading; what was learned says how even it is."""
    fill(old, [reading(NOON_US, series=ATTIC)])
    rules = [IntervalRule("*", "*", TEN_S)]
    with closing(StoreQuerier(old, rules)) as querier, querier.snapshot() as snapshot:
        found = snapshot.cadences([*EVERY, Series("no", "body")], NOON_US + 1)
    assert {one: (of.interval_us, of.set_by) for one, of in found.items()} == {
        one: (TEN_S, SetBy.SETTING) for one in [*EVERY, Series("no", "body")]
    }
    assert (found[BOILER].gaps, found[ATTIC].gaps) == (GAPS, 0)


def test_cadences_of_more_series_than_are_kept_are_right(tmp_path: Path) -> None:
    """What is known of some is forgotten, and learned again."""
    series = [Series("boiler", f"m{number}") for number in range(300)]
    readings = [
        reading(NOON_US + n * (number + 1), series=one)
        for number, one in enumerate(series)
        for n in range(4)
    ]
    path = fill(tmp_path / "culex.db", readings)
    with closing(StoreQuerier(path)) as querier:
        for _ in range(2):
            with querier.snapshot() as snapshot:
                found = snapshot.cadences(series, NOON_US + DAY_US)
            assert [found[one].interval_us for one in series] == [*range(1, 301)]
