"""What a simulated client still has to tell about the past, at the pace at which it is stored."""

from collections.abc import Sequence

from collector.fleet import Simulated
from telemetry.condition import WriterState
from telemetry.interface import Snapshot
from telemetry.reading import Series
from telemetry.window import SECOND_US, Window

ON_THEIR_WAY = 1200
"""Instants of all clients that are published and not yet stored: what others wait behind."""

AT_ONCE = 100
"""Instants in one message."""

PATIENCE_US = 3 * SECOND_US
ATTEMPTS = 5
_BEAT_US = 5 * SECOND_US


def is_collecting(writer: WriterState, now_us: int) -> bool:
    """Whether a collector runs that would store what is published now."""
    beat_us = writer.beat_us
    return (
        writer.broker_up
        and not writer.stopped
        and beat_us is not None
        and now_us - beat_us < _BEAT_US
    )


class Backfill:
    """The instants of one client that the store has not, oldest first.

    The store itself says how far it is. So the broker's queue never holds more than
    `ON_THEIR_WAY` of these instants, a foreign reading is stored soon after it comes, and what
    was lost on the way (a restart of anybody, a broker without the collector's subscription) is
    published again, which stores nothing twice. Belongs to one thread.

    Attributes:
        given_up: Whether the store took nothing for `ATTEMPTS` times `PATIENCE_US`.
    """

    def __init__(self, client: Simulated, span_us: int) -> None:
        self.given_up = False
        self._series = Series(client.name, client.probe)
        self._client = client
        self._span_us = span_us
        self._until_us = 0
        self._missing: Sequence[int] | None = ()
        self._sent = 0
        self._stored = 0
        self._attempts = 0
        self._moved_us = 0

    @property
    def done(self) -> bool:
        """Whether there is nothing to tell."""
        return self._missing is not None and self._stored >= len(self._missing)

    def begin(self, now_us: int) -> None:
        """From now on tells what the store lacks of the time up to `now_us`."""
        self._until_us = now_us
        self._missing = None
        self.given_up = False

    def take(self, snapshot: Snapshot, now_us: int, at_most: int) -> Sequence[int]:
        """The instants to publish now, so that `at_most` are on their way; in whole messages."""
        if self._missing is None:
            self._look(snapshot, now_us)
        self._confirm(snapshot, now_us)
        missing = self._missing or ()
        end = min(self._stored + at_most, len(missing))
        if end < len(missing):
            end -= (end - self._sent) % max(min(AT_ONCE, at_most), 1)
        taken = missing[self._sent : end]
        self._sent = max(self._sent, end)
        return taken

    def _look(self, snapshot: Snapshot, now_us: int) -> None:
        window = Window(self._until_us - self._span_us, self._until_us)
        known = self._known(snapshot, window)
        self._missing = [one for one in self._client.instants(window) if one not in known]
        self._sent = self._stored = self._attempts = 0
        self._moved_us = now_us

    def _confirm(self, snapshot: Snapshot, now_us: int) -> None:
        waiting = (self._missing or ())[self._stored : self._sent]
        arrived = 0
        if waiting:
            known = self._known(snapshot, Window(waiting[0], waiting[-1] + 1))
            arrived = next((n for n, one in enumerate(waiting) if one not in known), len(waiting))
        if arrived:
            self._stored += arrived
            self._attempts = 0
        if arrived or not waiting:
            self._moved_us = now_us
        elif now_us - self._moved_us >= PATIENCE_US:
            self._try_again(now_us)

    def _try_again(self, now_us: int) -> None:
        self._attempts += 1
        self._sent, self._moved_us = self._stored, now_us
        if self._attempts >= ATTEMPTS:
            self._missing, self.given_up = (), True

    def _known(self, snapshot: Snapshot, window: Window) -> frozenset[int]:
        return frozenset(snapshot.read(self._series, window).frame["time_us"].tolist())
