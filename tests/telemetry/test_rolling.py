"""The rolling mean against exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.rolling import rolling_mean
from telemetry.samples import samples_of_buckets, samples_of_readings
from tests.telemetry.builders import frame, steady

Pairs = list[tuple[int, float]]

VALUES = st.one_of(
    st.floats(-1e12, 1e12),
    st.integers(0, 1000).map(lambda small: 1e9 + small / 1000),
    st.sampled_from([0.0, 1.0, 21.5, 1e16, -1e16, 3.4e38]),
)
READINGS = st.lists(st.tuples(st.integers(-200, 200), VALUES), max_size=60)
SPANS = st.integers(1, 150)
# The mean itself is rounded once; readings of one instant are summed in plain floats before.
TOLERANCE = 2 * np.finfo(np.float64).eps


def oracle(pairs: Pairs, span_us: int, at_us: int) -> tuple[Fraction | None, int, Fraction]:
    """Exact mean, count and sum of magnitudes over `(at - span, at]`, by definition."""
    inside = [Fraction(value) for time_us, value in pairs if at_us - span_us < time_us <= at_us]
    mean = sum(inside, Fraction(0)) / len(inside) if inside else None
    return mean, len(inside), sum(map(abs, inside), Fraction(0))


def means(pairs: Pairs, span_us: int, instants: list[int]) -> pd.DataFrame:
    """What the code under test says, with an expected interval of 10 µs."""
    return rolling_mean(samples_of_readings(frame(pairs)), span_us, 10, instants)


@steady
@given(READINGS, SPANS, st.lists(st.integers(-250, 400), max_size=20))
def test_mean_of_any_readings_is_the_exact_mean_of_its_span(
    pairs: Pairs, span_us: int, instants: list[int]
) -> None:
    """Mean, count and coverage at any instant are those of the readings in `(t - s, t]`."""
    instants = sorted(instants + [time_us for time_us, _ in pairs])
    found = means(pairs, span_us, instants)
    assert list(found["time_us"]) == instants
    for at_us, row in zip(instants, found.to_dict("records"), strict=True):
        mean, count, magnitude = oracle(pairs, span_us, at_us)
        assert row["count"] == count
        assert row["coverage"] == min(count / max(1.0, span_us / 10), 1.0)
        if mean is None:
            assert math.isnan(row["mean"])
        else:
            assert abs(Fraction(row["mean"]) - mean) <= Fraction(TOLERANCE) * magnitude / count


@steady
@given(READINGS, READINGS, SPANS)
def test_mean_of_a_span_is_the_same_number_whatever_surrounds_it(
    pairs: Pairs, older: Pairs, span_us: int
) -> None:
    """Chart, tile and export agree to the last bit, however far back each of them reads."""
    shifted = [(time_us - 10_000, value) for time_us, value in older]
    instants = sorted({time_us for time_us, _ in pairs})
    alone, among = means(pairs, span_us, instants), means(pairs + shifted, span_us, instants)
    pd.testing.assert_frame_equal(alone, among, check_exact=True)


def test_mean_after_an_outlier_left_the_span_has_no_trace_of_it() -> None:
    """An error value of a sensor spoils its own span and no other."""
    found = means([(0, 1e16), (10, 1.0), (20, 2.0), (30, 3.0)], 15, [0, 10, 20, 30])
    assert list(found["mean"])[2:] == [1.5, 2.5]


def test_mean_of_a_constant_is_that_constant() -> None:
    """A constant with no short binary form comes back unchanged."""
    found = means([(time_us, 0.1) for time_us in range(1000)], 300, list(range(1000)))
    assert set(found["mean"]) == {0.1}


def test_mean_of_small_changes_of_a_large_value_keeps_them() -> None:
    """1e9 + 0.001, 1e9 + 0.003: the mean is their middle, to the last bit."""
    found = means([(0, 1e9 + 0.001), (1, 1e9 + 0.003)], 10, [1])
    assert found["mean"][0] == float((Fraction(1e9 + 0.001) + Fraction(1e9 + 0.003)) / 2)


@steady
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40, unique=True))
def test_mean_of_one_reading_per_instant_is_correctly_rounded(numbers: list[float]) -> None:
    """No digit of the mean is wrong: it is the float nearest to the exact mean."""
    pairs = list(enumerate(numbers))
    exact, count, magnitude = oracle(pairs, 100, len(pairs))
    found = means(pairs, 100, [len(pairs)])["mean"][0]
    assert exact is not None
    lost = magnitude / count / Fraction(2) ** 100
    assert abs(Fraction(found) - exact) <= Fraction(math.ulp(found)) / 2 + lost


@pytest.mark.parametrize(("at_us", "count"), [(99, 0), (100, 1), (109, 1), (110, 0)])
def test_mean_at_the_edges_of_its_span_is_closed_on_the_right_alone(at_us: int, count: int) -> None:
    """A reading counts from its own instant until just before one span later."""
    found = means([(100, 5.0)], 10, [at_us])
    assert found["count"][0] == count
    assert found["mean"].isna()[0] == (count == 0)


def test_mean_without_readings_is_nan_and_covers_nothing() -> None:
    """No data is NaN with coverage 0, never the number 0."""
    found = means([], 10, [5])
    assert math.isnan(found["mean"][0])
    assert (found["count"][0], found["coverage"][0]) == (0, 0.0)


def test_mean_without_instants_is_an_empty_frame() -> None:
    """No question, no answer."""
    assert list(means([(0, 1.0)], 10, []).columns) == ["time_us", "mean", "count", "coverage"]


def test_mean_of_values_whose_sum_is_no_float_is_right() -> None:
    """Two values whose sum overflows have a mean all the same."""
    found = means([(0, 1.7e308), (1, 1.5e308), (20, 3.0)], 10, [1, 20])
    assert list(found["mean"]) == [1.6e308, 3.0]


def test_mean_of_buckets_whose_sum_is_no_float_is_nan_there_alone() -> None:
    """Where a bucket's own sum overflowed nobody knows the mean; the next span has one."""
    buckets = pd.DataFrame(
        {
            "time_us": [0, 10, 20],
            "sum": [3.0, math.inf, 5.0],
            "count": [1, 2, 1],
            "min": [3.0, 1e308, 5.0],
            "max": [3.0, 1.7e308, 5.0],
        }
    )
    found = rolling_mean(samples_of_buckets(buckets, 10), 10, 10, [9, 19, 29])
    assert found["mean"].isna().tolist() == [False, True, False]
    assert found["mean"][2] == 5.0


def test_coverage_with_an_unknown_interval_is_nan() -> None:
    """Nobody claims to know how many readings were due when the interval is not known."""
    found = rolling_mean(samples_of_readings(frame([(0, 1.0)])), 10, None, [0])
    assert math.isnan(found["coverage"][0])


def test_samples_of_states_are_left_out() -> None:
    """A state has no number to average."""
    states = pd.DataFrame({"time_us": [0, 1], "value": [math.nan, 2.0]})
    assert list(samples_of_readings(states).time_us) == [1]


@steady
@given(READINGS, st.sampled_from([1, 2, 5, 10, 20]), st.integers(1, 6))
def test_mean_of_buckets_at_their_last_microsecond_is_that_of_the_readings(
    pairs: Pairs, width_us: int, buckets_per_span: int
) -> None:
    """Where the width divides the span, buckets and readings say the same at a bucket's end."""
    raw = frame(pairs)
    starts = raw["time_us"] // width_us * width_us
    grouped = raw["value"].groupby(starts).agg(["sum", "count", "min", "max"]).reset_index()
    span_us = width_us * buckets_per_span
    ends = list(grouped["time_us"] + width_us - 1)
    found = rolling_mean(samples_of_buckets(grouped, width_us), span_us, 10, ends)
    expected = means(pairs, span_us, ends)
    assert list(found["count"]) == list(expected["count"])
    for at_us, one, other in zip(ends, found["mean"], expected["mean"], strict=True):
        _, count, magnitude = oracle(pairs, span_us, at_us)
        assert abs(one - other) <= 60 * TOLERANCE * float(magnitude) / count
