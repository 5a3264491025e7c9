"""What is kept from tick to tick changes no number: whatever happens, it is as if asked anew."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.asking import ask
from dashboard.question import Picture, Question
from telemetry.interface import Querier
from telemetry.kept import Columns
from telemetry.store import open_appender
from telemetry.store.recent import StoredRecent
from telemetry.window import Window
from tests.dashboard.pictures import HOUR_US, MINUTE_US, QUESTION, every
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, reading, steady
from tests.telemetry.deeds import DEEDS, done

FEW = 12
"""So many readings are drawn one by one here, so that a few of them make buckets."""


def shown(querier: Querier, question: Question) -> Picture:
    """What a querier answers."""
    with querier.snapshot() as snapshot:
        return ask(snapshot, question)


def assert_same(found: Picture, expected: Picture) -> None:
    """Every number is the same to the last bit."""
    assert [one.latest for one in found.pictures] == [one.latest for one in expected.pictures]
    for one, other in zip(found.pictures, expected.pictures, strict=True):
        assert one.answer.bucket_us == other.answer.bucket_us
        assert_columns(one.columns, other.columns)
        assert one.notation == other.notation
        for mean, same in zip(one.means, other.means, strict=True):
            assert mean.exact == same.exact
            assert_columns(mean.columns, same.columns)


def assert_columns(found: Columns, expected: Columns) -> None:
    """The same, where a value is missing too."""
    assert {*found} == {*expected}
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        assert np.array_equal(found[name], column, equal_nan=column.dtype == np.float64), name


@settings(steady, max_examples=25)
@given(
    st.lists(st.tuples(done, st.integers(0, 90)), min_size=3, max_size=9),
    st.sampled_from([1, 5, 15]),
    st.sampled_from([2, 100, 20_000]),
    st.booleans(),
)
def test_what_is_kept_changes_no_number(
    tmp_path_factory: pytest.TempPathFactory,
    deeds: Sequence[tuple[tuple[str, int], int]],
    minutes: int,
    most: int,
    standing: bool,
) -> None:
    """A page that looks on while a store changes sees at each moment what a new one sees."""
    path = fill(tmp_path_factory.mktemp("store") / "culex.db", every(20 * SECOND_US, 40))
    now_us = NOON_US
    question = replace(QUESTION, spans=("30s", "1m", "5m"), max_buckets=20)
    with (
        pytest.MonkeyPatch.context() as patch,
        closing(open_appender(path)) as appender,
        asking(path) as querier,
    ):
        patch.setattr("dashboard.numbers.RAW_READINGS", FEW)
        patch.setattr("dashboard.numbers._TILE_READINGS", most)
        for (deed, n), seconds in deeds:
            DEEDS[deed](appender, n)
            now_us += seconds * SECOND_US
            end_us = NOON_US + 30 * SECOND_US if standing else now_us
            window = Window(end_us - minutes * MINUTE_US, end_us)
            asked = replace(question, window=window, now_us=now_us)
            found = shown(querier, asked)
            with asking(path) as other:
                assert_same(found, shown(other, asked))


def counted(read: list[int], name: str) -> Callable[..., Columns]:
    """A method of `StoredRecent` that notes how many rows it read."""
    real = getattr(StoredRecent, name)

    def method(recent: StoredRecent, window: Window, rest: int) -> Columns:
        found: Columns = real(recent, window, rest)
        read.append(len(found["time_us"]))
        return found

    return method


@pytest.mark.parametrize(("rows", "at_most", "found"), [
    (0, 0, 0), (1, 0, None), (100, 100, 100), (101, 100, None), (101, 101, 101), (250, 250, 250),
    (250, 249, None), (250, 9999, 250), (5, 9999, 5),
])  # fmt: skip
def test_columns_are_all_of_a_window_or_none(
    tmp_path: Path, rows: int, at_most: int, found: int | None
) -> None:
    """Few are read at once and many counted first; either way none is left out."""
    path = fill(tmp_path / "culex.db", [*every(SECOND_US, 300)])
    window = Window(NOON_US + 1 - rows * SECOND_US, NOON_US + 2)
    with asking(path) as querier, querier.snapshot() as snapshot:
        (latest,) = snapshot.latest("boiler")
        whole = snapshot.read(latest.series, window).frame["time_us"].tolist()
        columns = snapshot.kept.of(latest.series).columns(window, at_most)
    assert len(whole) == rows
    assert (None if columns is None else columns["time_us"].tolist()) == (
        None if found is None else whole
    )


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an hour and its means the second question reads a few seconds."""
    path = fill(tmp_path / "culex.db", every(SECOND_US, 5400))
    window = Window(NOON_US - HOUR_US, NOON_US)
    later = Window(window.start_us + 2 * SECOND_US, window.end_us + 2 * SECOND_US)
    read: list[int] = []
    with asking(path) as querier:
        shown(querier, replace(QUESTION, window=window))
        fill(path, [reading(NOON_US + SECOND_US, 7.0)])
        for name in ("columns", "bucket_columns"):
            monkeypatch.setattr(StoredRecent, name, counted(read, name))
        picture = shown(querier, replace(QUESTION, window=later, now_us=later.end_us))
    assert picture.pictures[0].latest.value == 7.0
    assert 0 < sum(read) <= 5


def test_older_snapshot_is_served_what_a_newer_one_kept_and_takes_nothing_from_it(
    tmp_path: Path,
) -> None:
    """Threads share what is kept: one that looks at the store of a moment ago reads nothing anew.

    What arrived between the two is there, and still is for whoever asks next.
    """
    path = fill(tmp_path / "culex.db", every(SECOND_US, 30))
    later_us = NOON_US + MINUTE_US
    asked = replace(QUESTION, window=Window(later_us - HOUR_US, later_us), now_us=later_us)
    with ThreadPoolExecutor(1) as thread, asking(path) as querier, querier.snapshot() as old:
        fill(path, [reading(NOON_US - SECOND_US, 7.0), reading(NOON_US + SECOND_US, 8.0)])
        newer = thread.submit(shown, querier, asked).result()
        moment_us = later_us + SECOND_US
        window = Window(moment_us - HOUR_US, moment_us)
        behind = ask(old, replace(asked, window=window, now_us=moment_us))
        fill(path, [reading(NOON_US + 2 * SECOND_US, 9.0)])
        last = thread.submit(shown, querier, asked).result()
        thread.submit(querier.close).result()
    assert newer.pictures[0].latest.value == 8.0
    assert [len(one.pictures[0].columns["time_us"]) for one in (newer, behind, last)] == [
        32,
        32,
        33,
    ]
