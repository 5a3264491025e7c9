"""Limits: a bucket refills with time and never beyond its size; series are bounded."""

from hypothesis import given
from hypothesis import strategies as st

from collector.limits import Caps, Cardinality, RateLimit
from telemetry.reading import Series
from tests.telemetry.builders import SECOND_US, steady

CAPS = Caps(messages_per_s=10, burst=5, series_per_client=2, series=3)


@steady
@given(gaps=st.lists(st.integers(-SECOND_US, SECOND_US), max_size=200))
def test_rate_over_any_time_is_at_most_burst_and_rate(gaps: list[int]) -> None:
    """However messages are spread, and whatever the clock does, no more get through."""
    rate = RateLimit(CAPS)
    now_us, forward_us, admitted = 0, 0, 0
    for gap_us in gaps:
        now_us += gap_us
        forward_us += max(0, gap_us)
        admitted += rate.admit("a", now_us)
    assert admitted <= CAPS.burst + forward_us * CAPS.messages_per_s / SECOND_US + 1e-6


def test_rate_of_a_quiet_client_is_its_burst_again() -> None:
    """After a pause the whole burst is there."""
    rate = RateLimit(CAPS)
    assert [rate.admit("a", 0) for _ in range(6)] == [True] * 5 + [False]
    assert [rate.admit("a", SECOND_US) for _ in range(6)] == [True] * 5 + [False]


def test_rate_of_zero_limits_nothing() -> None:
    """0 is no limit."""
    rate = RateLimit(Caps(messages_per_s=0, burst=1, series_per_client=1, series=1))
    assert all(rate.admit("a", 0) for _ in range(100))


def test_cardinality_is_bounded_for_each_client_and_for_all() -> None:
    """Known series are always admitted; what is erased makes room."""
    cardinality = Cardinality(CAPS, [Series("a", "m")])
    assert cardinality.admit(Series("a", "m"))
    assert cardinality.admit(Series("a", "n"))
    assert not cardinality.admit(Series("a", "o"))
    assert cardinality.admit(Series("b", "m"))
    assert not cardinality.admit(Series("c", "m"))
    assert (cardinality.knows("b"), cardinality.knows("c"), len(cardinality)) == (True, False, 3)
    copy = cardinality.copy()
    copy.learn([])
    assert copy.admit(Series("z", "m"))
    assert (len(copy), len(cardinality), cardinality.knows("z")) == (1, 3, False)
    cardinality.learn([Series("a", "m")])
    assert cardinality.admit(Series("c", "m"))
