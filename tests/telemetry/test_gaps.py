"""Gaps of a series: where it was silent for longer than it should be."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.gaps import (
    Gap,
    LateRun,
    gaps,
    gaps_of_changes,
    late_runs,
    pieces_of_readings,
    pieces_of_rollups,
)
from telemetry.interval import Cadence, SetBy
from telemetry.reading import Flag
from telemetry.rollup import roll

REGULAR = Cadence(10, 0, 1.0, 60, SetBy.SETTING)
IRREGULAR = Cadence(10, 0, 0.2, 60)


def readings(*times_us: int) -> pd.DataFrame:
    """Readings at times, as a store answers them."""
    return pd.DataFrame({"time_us": np.array(times_us, dtype=np.int64)})


def found(*times_us: int, start_us: int = 0, end_us: int = 100) -> list[Gap]:
    """The gaps of readings each 10 µs at these times."""
    return list(gaps(pieces_of_readings(readings(*times_us)), REGULAR, start_us, end_us))


def test_series_without_a_gap_has_none() -> None:
    """Three intervals are no gap: that much is chance."""
    assert found(10, 20, 50, 80) == []


def test_gap_tells_how_many_readings_are_missing() -> None:
    """It reaches from the last reading before to the first after."""
    assert found(10, 20, 70, 80, 90) == [Gap(20, 70, 4)]


def test_gap_at_the_start_begins_with_the_reading_before() -> None:
    """What was measured before the window tells how long it really was."""
    assert found(70, 80, start_us=-10) == [Gap(-10, 70, 7)]


def test_gap_that_lasts_says_so() -> None:
    """Nothing came until the end: everything expected since is missing."""
    assert found(10, 20) == [Gap(20, 100, 8, lasts=True)]
    assert found() == [Gap(0, 100, 10, lasts=True)]


def test_gap_of_an_irregular_series_counts_nothing() -> None:
    """Ten of its middle gaps are a gap, but nobody can say what is missing."""
    pieces = pieces_of_readings(readings(10, 200, 290))
    assert list(gaps(pieces, IRREGULAR, 0, 300)) == [Gap(10, 200, None)]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=80, unique=True), st.integers(1, 400))
def test_gaps_of_rollups_are_those_of_readings_but_for_their_inside(
    times: list[int], width_us: int
) -> None:
    """Each gap that is wider than a rollup is found with its exact ends; no other is invented."""
    times = sorted(times)
    one = np.array(times, dtype=np.int64)
    rolled = roll(np.zeros(len(one), np.int64), one, np.zeros(len(one)), width_us)
    exact = list(gaps(pieces_of_readings(readings(*times)), REGULAR, 0, 3000))
    rough = list(gaps(pieces_of_rollups(rolled), REGULAR, 0, 3000))
    assert set(rough) <= set(exact)
    assert {gap for gap in exact if gap.length_us > width_us} <= set(rough)
    assert all(early.end_us <= late.start_us for early, late in pairwise(exact))


def test_gaps_of_a_state_are_where_its_changes_say_so() -> None:
    """The last reading of a state stands among its changes, so a gap begins there."""
    frame = readings(0, 30, 90, 120)
    frame["after_gap"] = [False, False, True, False]
    assert list(gaps_of_changes(frame, REGULAR, 130)) == [Gap(30, 90, 5)]
    assert list(gaps_of_changes(frame, REGULAR, 200))[1:] == [Gap(120, 200, 8, lasts=True)]
    assert list(gaps_of_changes(frame[:0], REGULAR, 200)) == []


def test_first_change_after_a_gap_is_not_counted_twice() -> None:
    """Of what was before the first change nothing is known."""
    frame = readings(50, 60)
    frame["after_gap"] = [True, False]
    assert list(gaps_of_changes(frame, REGULAR, 70)) == []


@pytest.mark.parametrize(
    ("late", "runs"),
    [
        ([], []),
        ([0, 0], []),
        ([0, 5, 9, 0, 7], [LateRun(10, 20, 2, 9), LateRun(40, 40, 1, 7)]),
        ([3, 4], [LateRun(0, 10, 2, 4)]),
    ],
)
def test_late_readings_are_told_by_runs(late: list[int], runs: list[LateRun]) -> None:
    """With how late the last of a run came; a run at either end counts too."""
    frame = readings(*(10 * number for number in range(len(late))))
    frame["delay_us"] = np.array(late, dtype=np.int64)
    frame["flags"] = [int(Flag.LATE | Flag.SIMULATED) if delay else 8 for delay in late]
    assert list(late_runs(frame.astype({"flags": np.int64}))) == runs
