"""Times in which what the broker says of itself did not reach us."""

import threading
from typing import NamedTuple

_MOST = 100


class Outage(NamedTuple):
    """A time in which nothing was heard.

    Attributes:
        start_us: When the last was heard, or when we began to listen.
        end_us: When the next was heard, or None while nothing is.
    """

    start_us: int
    end_us: int | None = None


class Outages:
    """Hands outages from the thread that notices them to the one that draws conclusions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start_us: int | None = None
        self._untaken: list[Outage] = []

    def begin(self, start_us: int) -> None:
        """Notes that nothing is heard from then on, unless that is known."""
        with self._lock:
            if self._start_us is not None:
                return
            if len(self._untaken) >= _MOST:  # nobody takes them: the last goes on instead
                start_us = self._untaken.pop().start_us
            self._start_us = start_us
            self._untaken.append(Outage(start_us))

    def end(self, end_us: int) -> None:
        """Notes that something is heard again, if nothing was."""
        with self._lock:
            if self._start_us is None:
                return
            if self._untaken and self._untaken[-1].end_us is None:
                self._untaken.pop()
            self._untaken.append(Outage(self._start_us, end_us))
            self._start_us = None

    def take(self) -> list[Outage]:
        """What is news: each outage once while it lasts, if there is time, and once it is over."""
        with self._lock:
            taken, self._untaken = self._untaken, []
        return taken
