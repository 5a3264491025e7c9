"""What the collector says of itself, as readings of the client `collector`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil

from collector.message import Message
from telemetry.reading import Kind, Reading, Series

CLIENT = "collector"
PERIOD_US = 10_000_000

_LAGS_OF_LOAD = 20


@dataclass(slots=True)
class Statistics:
    """Counts since the start, and what took how long in the current period.

    Attributes:
        messages: Taken from the broker and settled: committed, rejected or a duplicate.
        stored: Readings that are new in the store.
        duplicates: Readings and messages that were stored before.
        maybe_repeated: Messages that may have been stored before; their readings are flagged.
        limited: Messages beyond what one client may send.
        rejected: Messages, or fields of one, that are no reading.
        faults: Commits that the store could not do.
    """

    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    maybe_repeated: int = 0
    limited: int = 0
    rejected: int = 0
    faults: int = 0
    _commits_us: list[int] = field(default_factory=list)
    _lags_us: list[int] = field(default_factory=list)
    _lags_stand_for: list[float] = field(default_factory=list)  # so many messages
    _period_us: int = 0
    _before: tuple[int, int] = (0, 0)

    def committed(self, duration_us: int) -> None:
        """Notes how long a commit took."""
        self._commits_us.append(duration_us)

    def settled(self, messages: Sequence[Message], now_us: int) -> None:
        """Notes that these are committed now; a few of them tell how long after their receipt."""
        if not messages:
            return
        self.messages += len(messages)
        told = messages[:: -(-len(messages) // _LAGS_OF_LOAD)]
        self._lags_us += [max(0, now_us - one.received_us) for one in told]  # clocks are set back
        self._lags_stand_for += [len(messages) / len(told)] * len(told)

    def due(self, now_us: int) -> bool:
        """Whether a period is over; the clock may have been set back."""
        if not self._period_us:
            self._period_us = now_us
        return abs(now_us - self._period_us) >= PERIOD_US

    def readings(self, now_us: int, waiting: int, round_trip_us: int = 0) -> list[Reading]:
        """The statistics of the period that ends now; the next one begins.

        Args:
            now_us: The time they are kept under.
            waiting: Messages in the intake.
            round_trip_us: How long our own last message took through the broker, or 0.
        """
        values = list(self._values(now_us, waiting))
        if round_trip_us:
            values.append(("round_trip", "ms", round_trip_us / 1000))
        self._period_us = now_us
        self._before = (self.messages, self.stored)
        for gathered in (self._commits_us, self._lags_us, self._lags_stand_for):
            gathered.clear()
        return [
            Reading(Series(CLIENT, metric), now_us, value, Kind.NUMBER, unit)
            for metric, unit, value in values
        ]

    def _values(self, now_us: int, waiting: int) -> Iterator[tuple[str, str, float]]:
        seconds = max(now_us - self._period_us, 1) / 1e6
        messages, stored = self._before
        yield "messages_rate", "1/s", (self.messages - messages) / seconds
        yield "readings_rate", "1/s", (self.stored - stored) / seconds
        yield "stored", "", float(self.stored)
        yield "duplicates", "", float(self.duplicates)
        yield "maybe_repeated", "", float(self.maybe_repeated)
        yield "limited", "", float(self.limited)
        yield "rejected", "", float(self.rejected)
        yield "store_faults", "", float(self.faults)
        yield "intake", "messages", float(waiting)
        yield "memory", "MB", psutil.Process().memory_info().rss / 1e6
        yield from self._durations()

    def _durations(self) -> Iterator[tuple[str, str, float]]:
        """None where nothing was committed."""
        if self._commits_us:
            commits_us = np.percentile(self._commits_us, (50, 95, 99))
            for share, took_us in zip((50, 95, 99), commits_us, strict=True):
                yield f"commit_p{share}", "ms", float(took_us) / 1000
        if self._lags_us:
            weights = self._lags_stand_for
            lags_us = np.quantile(
                self._lags_us, (0.5, 0.95), weights=weights, method="inverted_cdf"
            )
            for share, lag_us in zip((50, 95), lags_us, strict=True):
                yield f"lag_p{share}", "ms", float(lag_us) / 1000
