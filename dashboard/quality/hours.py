"""The columns of bars and map: whole hours of the ledger, or days of them in the reader's zone."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise

from telemetry.window import DAY_US, HOUR_US, Window, offset_us

_SHORTEST_US, _USUAL_US = 2 * HOUR_US, DAY_US
_HOURS_UP_TO_US = 7 * DAY_US
LONGEST_US = 92 * DAY_US


@dataclass(frozen=True, slots=True)
class Columns:
    """The hours that are shown, together in columns.

    Attributes:
        edges: Where each column begins, and where the last one ends; whole hours, ascending.
        days: Whether a column is a day; else it is an hour.
    """

    edges: Sequence[int]
    days: bool

    @property
    def window(self) -> Window:
        """All of them."""
        return Window(self.edges[0], self.edges[-1])

    @property
    def windows(self) -> list[Window]:
        """Each of them."""
        return [Window(start_us, end_us) for start_us, end_us in pairwise(self.edges)]

    def place(self, hour_us: int) -> int:
        """In which column an hour is."""
        return bisect_right(self.edges, hour_us) - 1

    def __len__(self) -> int:
        return len(self.edges) - 1


def columns_of(window: Window, zone: tzinfo) -> Columns:
    """The columns that a window is shown in.

    Hours up to a week, and days of the zone beyond, of which the last 92 days are shown. The
    ledger counts by hours: of less than two the 24 to the end are shown, for comparison.

    >>> from datetime import UTC
    >>> len(columns_of(Window(90 * HOUR_US + 1, 91 * HOUR_US), UTC))
    24
    >>> columns_of(Window(90 * HOUR_US + 1, 92 * HOUR_US + 2), UTC).edges[0] // HOUR_US
    90
    """
    end_us = -(-window.end_us // HOUR_US) * HOUR_US
    start_us = max(window.start_us, end_us - LONGEST_US)
    if window.length_us < _SHORTEST_US:
        start_us = end_us - _USUAL_US
    hours = range(start_us // HOUR_US * HOUR_US, end_us + 1, HOUR_US)
    if end_us - start_us <= _HOURS_UP_TO_US:
        return Columns(hours, days=False)
    edges = [hours[0]]
    days = [(hour_us + offset_us(hour_us, zone)) // DAY_US for hour_us in hours]
    edges += [
        hour_us
        for hour_us, day, before in zip(hours[1:], days[1:], days, strict=False)
        if day != before
    ]
    return Columns([*edges, hours[-1]] if edges[-1] < hours[-1] else edges, days=True)
