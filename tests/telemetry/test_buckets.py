"""The widths of buckets."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.buckets import choose_bucket_us
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
