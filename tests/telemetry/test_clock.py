"""The time of day."""

import time

from telemetry.clock import now_us


def test_clock_tells_microseconds_since_1970() -> None:
    """The clock lies between two looks at the system's."""
    before = time.time_ns()
    assert before // 1000 <= now_us() <= time.time_ns() // 1000
