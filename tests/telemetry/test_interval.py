"""The expected reporting interval."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.interval import expected_interval_us
from tests.telemetry.builders import steady


@steady
@given(st.integers(1, 10**9), st.integers(2, 60), st.randoms(use_true_random=False))
def test_interval_of_a_regular_series_is_its_period(period_us: int, count: int, random) -> None:  # type: ignore[no-untyped-def]  # Hypothesis' own Random
    """A regular series has its period, in whatever order its instants come."""
    times = [period_us * number for number in range(count)]
    random.shuffle(times)
    assert expected_interval_us(times) == period_us


def test_interval_after_an_outage_and_a_burst_is_unchanged() -> None:
    """Fewer outages and bursts than half of the gaps do not move it."""
    times = [*range(0, 100, 10), 5000, 5001, 5002, *range(5012, 5062, 10)]
    assert expected_interval_us(times) == 10


def test_interval_of_fewer_than_two_instants_is_unknown() -> None:
    """One reading, none, or several at one instant say nothing about the next."""
    assert [expected_interval_us(times) for times in ([], [7], [7, 7, 7])] == [None] * 3
