"""The skew of a clock is a median: one late message does not move it, a set clock does."""

from collector.skew import WINDOW, SkewWatch
from telemetry.batch import Skew


def test_skew_is_not_moved_by_a_few_late_messages() -> None:
    """What was buffered for an hour says nothing of the clock."""
    watch = SkewWatch({})
    for delay_us in (5, 3_600_000_000, 7, 6, 3_600_000_000):
        watch.note("a", delay_us)
    assert watch.take_changed() == {"a": Skew(7, 5)}


def test_skew_follows_a_clock_that_was_set() -> None:
    """After as many messages as count, only the new time does."""
    watch = SkewWatch({})
    for _ in range(WINDOW):
        watch.note("a", -60_000_000)
    for _ in range(WINDOW):
        watch.note("a", 4)
    assert watch.take_changed() == {"a": Skew(4, 2 * WINDOW)}


def test_skew_is_told_once_for_each_change_and_survives_a_restart() -> None:
    """What was known before counts as one message; unchanged clients are left out."""
    watch = SkewWatch({"a": Skew(9, 100), "b": Skew(1, 1)})
    watch.note("a", 9)
    assert watch.take_changed() == {"a": Skew(9, 101)}
    assert watch.take_changed() == {}
