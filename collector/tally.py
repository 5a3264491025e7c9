"""What arrived from the broker since the start."""

import time

from collector.receipt import ReceiptClock
from telemetry.clock import Clock


class Tally:
    """Counts what arrives, over all connections. One thread notes, any may read.

    Attributes:
        messages: Messages, repetitions included.
        message_ns: When the last of them came, on the monotonic clock.
        heard_us: When the broker was last heard, in microseconds since 1970 UTC, or 0.
        receipts: Times of receipt.
        finished: Whether messages are passed over from now on.
    """

    def __init__(self, clock: Clock) -> None:
        self.messages = 0
        self.message_ns = 0
        self.heard_us = 0
        self.receipts = ReceiptClock(clock)
        self.finished = False
        self._clock = clock

    def heard(self) -> None:
        """Notes that something came from the broker."""
        self.heard_us = self._clock()

    def note(self, count: int) -> None:
        """Notes so many messages, received at the time given last and just after it."""
        self.receipts.gave(count)
        if count:
            self.messages += count
            self.message_ns = time.monotonic_ns()
