"""Noise that repeats itself."""

from hypothesis import given
from hypothesis import strategies as st

from collector.noise import chance, drift

seeds = st.text(max_size=8)


@given(seeds, st.integers())
def test_chance_asked_twice_is_the_same_and_in_range(seed: str, index: int) -> None:
    """Chance depends on its arguments alone and lies in [0, 1)."""
    first = chance(seed, index)
    chance.cache_clear()
    assert chance(seed, index) == first
    assert 0 <= first < 1


def test_chance_over_many_indices_spreads_evenly() -> None:
    """Every tenth of [0, 1) gets its share within a third."""
    tenths = [int(chance("spread", index) * 10) for index in range(5000)]
    assert all(330 < tenths.count(tenth) < 670 for tenth in range(10))


@given(seeds, st.floats(0, 4e9), st.floats(1, 86_400), st.floats(0, 1))
def test_drift_moves_within_its_slope(
    seed: str, time_s: float, period_s: float, step_s: float
) -> None:
    """Drift stays in [-1, 1], and changes by no more than 3 per period."""
    before, after = drift(seed, time_s, period_s), drift(seed, time_s + step_s, period_s)
    assert -1 <= before <= 1
    assert abs(after - before) <= 3 * step_s / period_s + 1e-5
