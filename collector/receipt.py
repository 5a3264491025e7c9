"""When a message arrived, told apart from all others."""

from telemetry.clock import Clock
from telemetry.window import SECOND_US

_HELD_UP_US = SECOND_US


class ReceiptClock:
    """Gives each message a time of receipt of its own. Belongs to one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_us = 0

    def now_us(self) -> int:
        """The time, later than any given before.

        A clock that was set back by more than a second is followed at once: times that were
        given before are then given again.
        """
        now_us = self._clock()
        if 0 <= self._last_us - now_us <= _HELD_UP_US:
            now_us = self._last_us + 1
        self._last_us = now_us
        return now_us

    def gave(self, count: int) -> None:
        """Notes that so many messages have the last time given and those just behind it.

        The next time is later than all of them.
        """
        self._last_us += count - 1
