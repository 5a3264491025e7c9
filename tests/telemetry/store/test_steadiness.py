"""Nothing goes for its age by a clock that was just set."""

import pytest

from telemetry.store.steadiness import TRUST_US, Steadiness
from tests.telemetry.builders import NOON_US, SECOND_US

DAY_US = 86_400 * SECOND_US


class Clocks:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.gone_s, self.wall_us = 1000.0, NOON_US

    def pass_time(self, seconds: float) -> None:
        """Both go on."""
        self.gone_s += seconds
        self.wall_us += int(seconds * SECOND_US)


def steadiness(clocks: Clocks, known_us: int) -> Steadiness:
    """Of these clocks, for a store that was last written then."""
    return Steadiness(known_us, lambda: clocks.gone_s)


@pytest.mark.parametrize("known_us", [0, NOON_US - 3600 * SECOND_US])
def test_clock_that_goes_on_where_the_store_was_left_is_believed_at_once(known_us: int) -> None:
    """As after a restart, and in a new store, of which no other time is known."""
    clocks = Clocks()
    steady = steadiness(clocks, known_us)
    assert steady.holds(clocks.wall_us)
    clocks.pass_time(90_000)
    assert steady.holds(clocks.wall_us)


@pytest.mark.parametrize("jump_us", [100 * DAY_US, -2 * DAY_US, 3600 * SECOND_US])
def test_clock_that_was_set_is_believed_after_a_day(jump_us: int) -> None:
    """However short the time was for which it was wrong."""
    clocks = Clocks()
    steady = steadiness(clocks, NOON_US)
    assert steady.holds(clocks.wall_us)
    clocks.wall_us += jump_us
    assert not steady.holds(clocks.wall_us)
    clocks.pass_time(20)
    clocks.wall_us -= jump_us
    assert not steady.holds(clocks.wall_us)
    for _ in range(23):
        clocks.pass_time(3600)
        assert not steady.holds(clocks.wall_us)
    clocks.pass_time(3700)
    assert steady.holds(clocks.wall_us)


@pytest.mark.parametrize("known_us", [NOON_US - 100 * DAY_US, NOON_US + DAY_US])
def test_clock_that_starts_elsewhere_is_believed_after_a_day(known_us: int) -> None:
    """A machine that was away for months, or whose battery is empty."""
    clocks = Clocks()
    steady = steadiness(clocks, known_us)
    assert not steady.holds(clocks.wall_us)
    clocks.pass_time(TRUST_US / SECOND_US)
    assert steady.holds(clocks.wall_us)


def test_clock_that_is_adjusted_a_little_is_still_believed() -> None:
    """A time server corrects seconds again and again."""
    clocks = Clocks()
    steady = steadiness(clocks, NOON_US)
    for _ in range(100):
        clocks.pass_time(600)
        clocks.wall_us += 2 * SECOND_US
        assert steady.holds(clocks.wall_us)
