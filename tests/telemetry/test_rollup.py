"""Rollups: what an interval comes down to, and that parts add up to the whole."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.rollup import COLUMNS, combine, merge, roll
from telemetry.window import HOUR_US, MINUTE_US
from tests.telemetry.builders import steady

Row = tuple[int, int, float]

values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))
rows = st.lists(st.tuples(st.integers(0, 2), st.integers(-7200, 7200), values), max_size=40)


def rolled(some: list[Row], width_us: int = MINUTE_US) -> pd.DataFrame:
    """The rollups of rows of series, second and value, in any order."""
    columns = [*zip(*sorted(some, key=order), strict=True)] or [(), (), ()]
    series, seconds = (np.array(one, dtype=np.int64) for one in columns[:2])
    return roll(series, seconds * 1_000_000, np.array(columns[2], dtype=np.float64), width_us)


def order(row: Row) -> tuple[int, int, bool, float]:
    """As a block is sorted: texts, which are NaN here, after the numbers of their time."""
    series, second, value = row
    return series, second, value != value, 0.0 if value != value else value  # noqa: PLR0124  # NaN


def test_rollup_says_what_is_in_its_interval() -> None:
    """By hand: three numbers and a text in one minute, one number in the next."""
    nan = float("nan")
    found = rolled([(0, 0, 4.0), (0, 10, 1.0), (0, 20, nan), (0, 40, 3.0), (0, 60, 9.0)])
    assert found.to_dict("records") == [
        {"series": 0, "time_us": 0, "count": 3, "sum": 8.0, "sumsq": 26.0, "min": 1.0, "max": 4.0,
         "first": 4.0, "last": 3.0, "first_us": 0, "last_us": 40_000_000,
         "integral": 4.0 * 10 + 1.0 * 30, "states": 1},
        {"series": 0, "time_us": 60_000_000, "count": 1, "sum": 9.0, "sumsq": 81.0, "min": 9.0,
         "max": 9.0, "first": 9.0, "last": 9.0, "first_us": 60_000_000, "last_us": 60_000_000,
         "integral": 0.0, "states": 0},
    ]  # fmt: skip


def test_interval_of_states_alone_has_no_numbers() -> None:
    """It is there, so that one knows of them, and has neither least nor greatest."""
    (found,) = rolled([(0, 5, float("nan"))]).to_dict("records")
    assert (found["count"], found["states"], found["sum"], found["first_us"]) == (0, 1, 0.0, 0)
    assert np.isnan(found["min"])
    assert np.isnan(found["last"])


def test_nothing_comes_down_to_nothing() -> None:
    """The empty frame has all columns."""
    found = rolled([])
    assert found.empty
    assert [*found.columns] == ["series", "time_us", *COLUMNS]


@steady
@given(rows)
def test_hours_of_minutes_are_the_hours_of_the_readings(some: list[Row]) -> None:
    """Merging minutes gives what the readings give, the integral over their gaps included."""
    same(merge([rolled(some)], HOUR_US), rolled(some, HOUR_US))


@steady
@given(rows, st.data())
def test_rollup_of_the_whole_is_the_same_in_any_order(some: list[Row], data: st.DataObject) -> None:
    """What is sorted before it is rolled does not depend on the order of arrival."""
    same(rolled(data.draw(st.permutations(some))), rolled(some))


@steady
@given(rows, st.integers(-7200, 7200))
def test_parts_one_after_the_other_merge_to_the_whole(some: list[Row], cut: int) -> None:
    """A cut at the edge of an interval is invisible afterwards."""
    edge = cut // 60 * 60
    parts = [rolled([row for row in some if (row[1] < edge) is early]) for early in (True, False)]
    same(merge(parts, HOUR_US), rolled(some, HOUR_US))


@steady
@given(rows, st.data())
def test_counts_and_extremes_of_parts_add_up_however_they_overlap(
    some: list[Row], data: st.DataObject
) -> None:
    """All but the integral, whose late parts are made to add up where they are made."""
    late = data.draw(st.lists(st.booleans(), min_size=len(some), max_size=len(some)))
    parts = [
        rolled([row for row, one in zip(some, late, strict=True) if one is which])
        for which in (False, True)
    ]
    same(
        combine(pd.concat(parts, ignore_index=True)).drop(columns="integral"),
        rolled(some).drop(columns="integral"),
    )


def test_sum_of_huge_numbers_keeps_twelve_digits() -> None:
    """A large offset with small noise is added up in pairs, not one by one."""
    some = [(0, second, 1e15 + second % 7) for second in range(3600)]
    (found,) = rolled(some, HOUR_US).to_dict("records")
    assert found["sum"] == pytest.approx(sum(int(value) for _, _, value in some), rel=1e-14)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Counts and extremes are equal, sums but for rounding."""
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-3)
