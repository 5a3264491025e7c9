"""Each message has a time of receipt of its own."""

from collections.abc import Sequence

import pytest

from collector.receipt import ReceiptClock

HOUR_US = 3_600_000_000
NOON_US = 1_800_000_000_000_000


@pytest.mark.parametrize(
    ("clock", "times"),
    [
        ([5, 5, 5, 5], [5, 6, 7, 8]),
        ([5, 5, 5, 6, 9], [5, 6, 7, 8, 9]),
        ([1_000_000, 500_000, 1_000_003], [1_000_000, 1_000_001, 1_000_003]),
        ([NOON_US, NOON_US - HOUR_US, NOON_US - HOUR_US], [0, -HOUR_US, 1 - HOUR_US]),
    ],
)
def test_receipts_are_all_different_and_follow_the_clock(
    clock: Sequence[int], times: Sequence[int]
) -> None:
    """Receipts count up while the clock stands or is a little back, and follow it when far back."""
    readings = iter(clock)
    receipts = ReceiptClock(lambda: next(readings))
    expected = [time + NOON_US for time in times] if clock[0] == NOON_US else list(times)
    assert [receipts.now_us() for _ in clock] == expected


def test_receipts_of_a_burst_are_all_before_the_next() -> None:
    """Messages that share one look at the clock have times of their own, one after the other."""
    receipts = ReceiptClock(lambda: NOON_US)
    assert receipts.now_us() == NOON_US
    receipts.gave(3)
    assert receipts.now_us() == NOON_US + 3


def test_receipt_that_was_given_to_nothing_is_given_again() -> None:
    """Looking for messages where there are none takes no time from those that come."""
    receipts = ReceiptClock(lambda: NOON_US)
    assert receipts.now_us() == NOON_US
    receipts.gave(0)
    assert receipts.now_us() == NOON_US
