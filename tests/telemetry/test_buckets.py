"""Buckets: their widths, and that they keep what they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.buckets import bucket_means, bucketed, choose_bucket_us, merged
from telemetry.rolling import rolling_mean
from telemetry.samples import samples_of_buckets
from tests.telemetry.builders import steady


@steady
@given(
    st.integers(1, 3_000_000_000_000_000),
    st.integers(2, 3000),
    st.lists(st.integers(1, 1_000_000).map(lambda s: s * 1_000_000), max_size=6),
)
def test_bucket_of_any_window_is_wide_enough_and_keeps_means_exact(
    length_us: int, max_buckets: int, spans_us: list[int]
) -> None:
    """The window fits into so many buckets, and every span not narrower is a multiple of one."""
    width_us = choose_bucket_us(length_us, max_buckets, spans_us)
    assert width_us * max_buckets >= length_us
    assert all(span_us < width_us or span_us % width_us == 0 for span_us in spans_us)


@steady
@given(st.integers(1, 3_000_000_000_000_000), st.integers(2, 3000))
def test_bucket_of_a_longer_window_is_never_narrower(length_us: int, max_buckets: int) -> None:
    """Zooming out never asks for more detail."""
    assert choose_bucket_us(length_us, max_buckets, []) <= choose_bucket_us(
        2 * length_us, max_buckets, []
    )


@pytest.mark.parametrize("constant", [0.1, 21.3, 1e15 + 0.125, -7e-12, 1e300])
def test_mean_of_a_constant_in_buckets_is_that_constant(constant: float) -> None:
    """However many buckets it went through: a mean never leaves the range of its readings."""
    times = np.arange(7000) * 1_000_000
    fine = bucketed(times, np.full(len(times), constant), 60_000_000)
    buckets = merged([fine], 600_000_000)
    assert {*bucket_means(buckets)} == {constant}
    samples = samples_of_buckets(buckets, 600_000_000)
    found = rolling_mean(samples, 1_800_000_000, 1_000_000, samples.time_us)
    assert {*found["mean"]} == {constant}


@pytest.mark.parametrize("grain_us", [60_000_000, 3_600_000_000])
def test_bucket_of_what_is_left_is_a_multiple_of_it_and_divides_the_spans(grain_us: int) -> None:
    """No span is of two hours and called one of ninety minutes."""
    spans_us = [90 * 60_000_000, 3 * 3_600_000_000]
    width_us = choose_bucket_us(86_400_000_000, 1500, spans_us, grain_us)
    assert width_us % grain_us == 0
    assert all(span_us < width_us or span_us % width_us == 0 for span_us in spans_us)
