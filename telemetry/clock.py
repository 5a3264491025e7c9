"""The one place that reads the time of day."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns microseconds since 1970 UTC."""


def now_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000
