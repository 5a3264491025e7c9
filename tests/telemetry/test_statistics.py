"""Every rolling statistic against its definition in exact arithmetic."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.rolling import StatisticError, check_statistic, rolling, rolling_mean
from telemetry.rollup import roll
from telemetry.samples import samples_of_buckets, samples_of_readings
from telemetry.spread import NoReadings
from telemetry.window import HOUR_US, MINUTE_US
from tests.telemetry import oracle
from tests.telemetry.builders import NOON_US, SECOND_US, frame, steady
from tests.telemetry.oracle import Pairs

EPS = Fraction(np.finfo(np.float64).eps)

EVERY = [
    "mean", "time_weighted", "median", "p5", "p97.5", "min", "max", "std", "rate", "increase",
]  # fmt: skip

VALUES = {
    "constant": st.just(23.4),
    "large with small noise": st.integers(0, 40).map(lambda small: 1e15 + small / 8),
    "both signs": st.floats(-1e6, 1e6),
    "many magnitudes": st.sampled_from([0.0, 1.0, -21.5, 1e-12, 1e16, -1e16, 3.4e38, 7e-140]),
    "a counter": st.integers(0, 5).map(float),
}
TIMES = {
    "gappy": st.integers(-500, 500),
    "duplicated": st.integers(-5, 5).map(lambda few: few * 30),
    "at boundaries": st.integers(-10, 10).map(lambda few: few * 10),
}


def drawn(values: str, times: str) -> st.SearchStrategy[list[tuple[int, float]]]:
    """Readings of such values at such times, as the store sorts them."""
    return st.lists(st.tuples(TIMES[times], VALUES[values]), max_size=16).map(sorted)


def close(found: float, exact: Fraction | None, within: Fraction) -> None:
    """Equal but for that much; NaN where there is nothing."""
    if exact is None:
        assert math.isnan(found)
    else:
        assert abs(Fraction(found) - exact) <= within, (found, float(exact))


@settings(steady, max_examples=20)
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("times", TIMES)
@given(data=st.data(), span_us=st.sampled_from([1, 10, 35, 100, 2000]))
def test_statistics_of_any_readings_are_those_of_their_definition(
    values: str, times: str, data: st.DataObject, span_us: int
) -> None:
    """At any instant, on the readings and between them, with and without a known interval."""
    pairs = data.draw(drawn(values, times))
    interval_us = data.draw(st.sampled_from([None, 1, 10, 40]))
    extra = data.draw(st.lists(st.integers(-600, 800), max_size=3))
    instants = sorted({*extra, *(time_us for time_us, _ in pairs)})
    found = rolling(samples_of_readings(frame(pairs)), span_us, interval_us, instants, EVERY)
    for at_us, row in zip(instants, found.to_dict("records"), strict=True):
        some = oracle.inside(pairs, span_us, at_us)
        assert row["count"] == len(some)
        check(row, pairs, (span_us, at_us, interval_us))


def check(row: dict[str, float], pairs: Pairs, where: tuple[int, int, int | None]) -> None:
    """One row against the definitions; rounding is relative to the magnitudes that are summed."""
    span_us, at_us, interval_us = where
    largest = max((abs(Fraction(value)) for _, value in pairs), default=Fraction(0))
    mean = oracle.mean(pairs, span_us, at_us)
    close(row["mean"], mean, Fraction(math.ulp(float(mean or 0))) / 2 + largest / 2**100)
    close(row["min"], oracle.least(pairs, span_us, at_us), Fraction(0))
    close(row["max"], oracle.greatest(pairs, span_us, at_us), Fraction(0))
    for name, share in [("median", 500), ("p5", 50), ("p97.5", 975)]:
        exact = oracle.quantile(pairs, span_us, at_us, Fraction(share, 1000))
        close(row[name], exact, 4 * EPS * largest * max(1, len(pairs)))
    variance = oracle.variance(pairs, span_us, at_us)
    squared = Fraction(row["std"]) ** 2 if variance is not None else math.nan
    close(squared, variance, Fraction(1, 10**12) * (variance or 0) + Fraction(1, 10**300))  # type: ignore[arg-type]  # exact
    slope = oracle.rate(pairs, span_us, at_us)
    close(row["rate"], slope, 4 * EPS * abs(slope or 0))
    risen = oracle.increase(pairs, span_us, at_us, interval_us)
    close(row["increase"], risen, 80 * EPS * largest)
    weighted = oracle.time_weighted(pairs, span_us, at_us, interval_us)
    close(row["time_weighted"], weighted, 4 * EPS * largest)


@steady
@given(drawn("both signs", "duplicated"), drawn("many magnitudes", "gappy"), st.integers(1, 200))
def test_statistics_of_a_span_are_the_same_numbers_whatever_lies_before(
    pairs: list[tuple[int, float]], older: list[tuple[int, float]], span_us: int
) -> None:
    """Chart, tile and export agree to the last bit, however far back each of them reads.

    The standard deviation, which is put together from blocks, agrees to all but its last digits.
    """
    among = sorted([*pairs, *((time_us - 100_000, value) for time_us, value in older)])
    instants = sorted({time_us for time_us, _ in pairs})
    one, other = (
        rolling(samples_of_readings(frame(some)), span_us, 10, instants, EVERY)
        for some in (pairs, among)
    )
    pd.testing.assert_series_equal(one.pop("std"), other.pop("std"), rtol=1e-13)
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@steady
@given(drawn("both signs", "gappy"), st.integers(1, 300))
def test_mean_is_the_same_number_from_both_functions(
    pairs: list[tuple[int, float]], span_us: int
) -> None:
    """`rolling_mean` is `rolling` for the mean."""
    samples, instants = samples_of_readings(frame(pairs)), list(range(-600, 600, 7))
    pd.testing.assert_frame_equal(
        rolling(samples, span_us, 10, instants, ["mean"]),
        rolling_mean(samples, span_us, 10, instants),
        check_exact=True,
    )


@steady
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9).map(float)), max_size=40))
def test_increases_of_neighbouring_spans_add_up(some: list[tuple[int, float]]) -> None:
    """Nothing that a counter counts falls between two spans, unless it paused between them."""
    pairs = sorted(some)
    samples = samples_of_readings(frame(pairs))
    whole = rolling(samples, 200, 100, [250], ["increase"])["increase"][0]
    halves = rolling(samples, 100, 100, [150, 250], ["increase"])["increase"]
    assert halves.sum() == (0.0 if math.isnan(whole) else whole)


def test_increase_of_a_counter_that_began_anew_counts_from_zero() -> None:
    """7, 9, then 2 after a restart: two more, then two more."""
    found = rolling(
        samples_of_readings(frame([(0, 7.0), (10, 9.0), (20, 2.0)])), 30, 10, [20], ["increase"]
    )
    assert found["increase"][0] == 4.0


def test_time_weighted_mean_holds_each_value_until_the_next_but_for_three_intervals_at_most() -> (
    None
):
    """By hand: 1 for 10 µs, 5 for 30 of the 60 that follow, nothing for the rest."""
    samples = samples_of_readings(frame([(0, 1.0), (10, 5.0), (70, 9.0)]))
    found = rolling(samples, 70, 10, [70], ["time_weighted"])
    assert found["time_weighted"][0] == (1.0 * 10 + 5.0 * 30) / 40


ROLLED = ["mean", "time_weighted", "min", "max", "std", "rate", "increase"]


@settings(steady, max_examples=15)
@pytest.mark.parametrize("values", ["temperatures", "a counter that never stops", "huge"])
@given(data=st.data())
def test_statistics_of_readings_minutes_and_hours_are_the_same_numbers(
    values: str, data: st.DataObject
) -> None:
    """At the end of each bucket: counts and extremes to the bit, sums to twelve digits.

    Readings come every 30 s: a value holds 90 s, and no gap inside a bucket is longer.
    """
    steps = data.draw(st.lists(st.integers(1, 90_000_000), min_size=1, max_size=300))
    times = NOON_US + np.cumsum(np.array(steps))
    random = np.random.default_rng(len(steps))
    drawn = {
        "temperatures": random.normal(20, 3, len(times)),
        "a counter that never stops": np.cumsum(random.integers(0, 5, len(times))) * 0.1,
        "huge": 1e15 + random.integers(0, 9, len(times)),
    }[values]
    readings = samples_of_readings(pd.DataFrame({"time_us": times, "value": drawn}))
    for width_us in (MINUTE_US, HOUR_US):
        rolled = roll(np.zeros(len(times), np.int64), times, drawn, width_us)
        buckets = samples_of_buckets(rolled, width_us)
        for span_us in (width_us, 5 * width_us):
            instants = buckets.time_us
            exact = rolling(readings, span_us, 30_000_000, instants, ROLLED)
            found = rolling(buckets, span_us, 30_000_000, instants, ROLLED)
            agree(found, exact, counter=values.startswith("a counter"))


def agree(found: pd.DataFrame, exact: pd.DataFrame, *, counter: bool) -> None:
    """The same numbers; a deviation is NaN where rollups do not tell it."""
    for name in ("count", "min", "max", "coverage"):
        pd.testing.assert_series_equal(found[name], exact[name], check_exact=True)
    for name in ("mean", "time_weighted", "rate"):
        pd.testing.assert_series_equal(found[name], exact[name], rtol=1e-12, atol=1e-9)
    told = found["std"].notna()
    pd.testing.assert_series_equal(found["std"][told], exact["std"][told], rtol=1e-8)
    if counter:
        pd.testing.assert_series_equal(found["increase"], exact["increase"], rtol=1e-12, atol=1e-9)


def test_deviation_from_rollups_is_told_where_it_can_be_and_nan_where_not() -> None:
    """Degrees have their deviation; noise on 1e15 has none left in a sum of squares."""
    times = np.arange(100) * SECOND_US
    for offset, known in ((20.0, True), (1e15, False)):
        rolled = roll(np.zeros(100, np.int64), times, offset + np.arange(100) % 7, MINUTE_US)
        found = rolling(samples_of_buckets(rolled, MINUTE_US), MINUTE_US, 1, [59_999_999], ["std"])
        assert found["std"].notna()[0] == known


def test_increase_from_rollups_of_a_counter_that_began_anew_is_nan() -> None:
    """Only its readings tell where in the minute that was."""
    values = np.array([5.0, 9.0, 1.0, 2.0])
    rolled = roll(np.zeros(4, np.int64), np.arange(4) * SECOND_US, values, MINUTE_US)
    samples = samples_of_buckets(rolled, MINUTE_US)
    assert rolling(samples, MINUTE_US, 1, [59_999_999], ["increase"])["increase"].isna()[0]


@pytest.mark.parametrize("name", ["", "avg", "p", "p101", "p1.23456", "P50", "p-1"])
def test_statistic_of_an_unknown_name_is_refused_with_the_names_there_are(name: str) -> None:
    """The sentence says what to ask for instead."""
    with pytest.raises(StatisticError, match="time_weighted"):
        check_statistic(name)


def test_quantile_of_buckets_is_refused() -> None:
    """What a bucket holds cannot be put in order any more."""
    buckets = samples_of_buckets(
        pd.DataFrame({"time_us": [0], "sum": [3.0], "count": [2], "min": [1.0], "max": [2.0]}), 10
    )
    with pytest.raises(NoReadings, match="shorter time"):
        rolling(buckets, 10, 10, [9], ["median"])


Definition = Callable[[Pairs, int, int], Fraction | None]


def test_oracle_itself_says_what_is_known_by_hand() -> None:
    """1, 2, 6 within 20 µs of 20: the first is out, for the span is open there."""
    pairs = [(0, 1.0), (10, 2.0), (20, 6.0)]
    said: list[tuple[Definition, int]] = [
        (oracle.mean, 4), (oracle.least, 2), (oracle.greatest, 6), (oracle.variance, 8),
        (oracle.rate, 400_000),
    ]  # fmt: skip
    assert [definition(pairs, 20, 20) for definition, _ in said] == [right for _, right in said]
    assert oracle.increase(pairs, 20, 20, 10) == 5
    assert oracle.increase(pairs, 20, 20, None) == 4
    assert oracle.time_weighted(pairs, 20, 20, 10) == Fraction(1 * 10 + 2 * 10, 20)
