"""Steadiness: whether the clock can be believed when something is removed because it is old."""

import time
from collections.abc import Callable

from telemetry.window import SECOND_US

TRUST_US = 24 * 3600 * SECOND_US
"""So long the clock must have gone on by itself after it was set, or before anybody knows it."""

_SET_US = 300 * SECOND_US
_AWAY_US = 24 * 3600 * SECOND_US


class Steadiness:
    """Compares the wall clock with one that nobody sets.

    A clock that jumps ahead by months for a moment, or that starts wrong, would otherwise make
    everything old at once.

    Args:
        known_us: When the store was last written, by the clock of then; 0 if it never was.
        elapsed: Seconds that go on whatever the wall clock does.
    """

    def __init__(self, known_us: int, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._known_us = known_us
        self._elapsed = elapsed
        self._offset_us: int | None = None
        self._steady_us = 0

    def holds(self, now_us: int) -> bool:
        """Whether it has not been set since long ago; to be asked again and again."""
        gone_us = int(self._elapsed() * SECOND_US)
        offset_us = now_us - gone_us
        if self._offset_us is None:
            away_us = now_us - self._known_us if self._known_us else 0
            goes_on = -_SET_US <= away_us <= _AWAY_US
            self._steady_us = gone_us - (TRUST_US if goes_on else 0)
        elif abs(offset_us - self._offset_us) > _SET_US:
            self._steady_us = gone_us
        else:
            offset_us = self._offset_us  # one that drifts is still the same
        self._offset_us = offset_us
        return gone_us - self._steady_us >= TRUST_US
