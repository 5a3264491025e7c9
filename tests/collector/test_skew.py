"""The skew of a clock: neither late messages nor early ones move it, a set clock does."""

from collector.skew import TURN_US, TURNS, SkewWatch
from telemetry.batch import Skew

HOUR_US = 3_600_000_000


def test_skew_is_not_moved_by_what_was_buffered() -> None:
    """A day of the past, told at once beside what is measured now, says nothing of the clock."""
    watch = SkewWatch({})
    for turn in range(TURNS):
        for hours in range(24, 0, -1):
            watch.note("a", hours * HOUR_US, turn * TURN_US)
        watch.note("a", 5, turn * TURN_US + 1)
    assert watch.take_changed() == {"a": Skew(5, TURNS * 25)}


def test_skew_is_not_moved_by_turns_in_which_only_the_past_was_told() -> None:
    """The client reports seldom: in most turns nothing of the present came."""
    watch = SkewWatch({})
    for turn, delay_us in enumerate((20 * HOUR_US, 9 * HOUR_US, 7, HOUR_US, 6)):
        watch.note("a", delay_us, turn * TURN_US)
    assert watch.take_changed() == {"a": Skew(7, 5)}


def test_skew_is_not_moved_by_messages_with_a_time_to_come() -> None:
    """Some messages were of a clock that was not set yet."""
    watch = SkewWatch({})
    for turn in range(TURNS):
        watch.note("a", -HOUR_US if turn % 8 == 0 else 5, turn * TURN_US)
    assert watch.take_changed() == {"a": Skew(5, TURNS)}


def test_skew_follows_a_clock_that_was_set() -> None:
    """After as many turns as count, only the new time does."""
    watch = SkewWatch({})
    for turn in range(TURNS):
        watch.note("a", -60_000_000, turn * TURN_US)
    for turn in range(TURNS, 2 * TURNS):
        watch.note("a", 4, turn * TURN_US)
    assert watch.take_changed() == {"a": Skew(4, 2 * TURNS)}


def test_skew_is_told_once_for_each_change_and_survives_a_restart() -> None:
    """What was known before counts as one turn; unchanged clients are left out."""
    watch = SkewWatch({"a": Skew(9, 100), "b": Skew(1, 1)})
    watch.note("a", 9, 0)
    assert watch.take_changed() == {"a": Skew(9, 101)}
    assert watch.take_changed() == {}
