"""The addresses of the dashboard that others keep: of the client page, and of its readings.

Both are relative, have absolute times, and escape every name.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlencode

from telemetry.window import LATEST_US, Window, parse_duration, to_iso

MOST_SPANS = MOST_STATISTICS = 6
"""So many of each has an export at most, and so many spans the client page."""

PAGE = Window(-2_208_988_800_000_000, 221_845_392_000_000_000)
"""The times that the client page shows: from 1900 until 9000."""

_EARLIEST_US = -62_135_596_800_000_000  # the first microsecond of the year 1
_UNITS = "wdhms"


class Asked(Protocol):
    """Whose readings, which, from when to when, and with which rolling means."""

    @property
    def client(self) -> str:
        """The client."""
        ...

    @property
    def metrics(self) -> Sequence[str]:
        """The metrics; none means all."""
        ...

    @property
    def window(self) -> Window:
        """From when to when."""
        ...

    @property
    def spans(self) -> Sequence[str]:
        """The rolling means, as durations."""
        ...


def readings_address(asked: Asked, details: Iterable[tuple[str, str]]) -> str:
    """Where the API answers with the readings; the details follow what they are about."""
    start, end = absolute(asked.window)
    pairs = [("client", asked.client), *(("metric", metric) for metric in asked.metrics)]
    pairs += [("start", start), ("end", end), *(("span", span) for span in asked.spans)]
    return f"/api/v1/readings?{urlencode([*pairs, *details])}"


def page_address(asked: Asked, zone: str) -> str | None:
    """Where the charts of the same stand still; `None` if the page does not go so far in time."""
    if asked.window.start_us < PAGE.start_us or asked.window.end_us > PAGE.end_us:
        return None
    start, end = absolute(asked.window)
    pairs = [("id", asked.client), *(("metric", metric) for metric in asked.metrics)]
    pairs += [("from", start), ("to", end), *(("span", span) for span in asked.spans)]
    return f"/client?{urlencode([*pairs, ('tz', zone)])}"


def absolute(window: Window) -> tuple[str, str]:
    """Start and end in UTC; what is before the year 1 or after 9999 has no text of its own.

    >>> absolute(Window(-(1 << 62), 0))
    ('0001-01-01T00:00:00.000000Z', '1970-01-01T00:00:00.000000Z')
    """
    start_us, end_us = (
        min(max(time_us, _EARLIEST_US), LATEST_US) for time_us in (window.start_us, window.end_us)
    )
    return to_iso(start_us), to_iso(end_us)


def in_calendar(window: Window) -> bool:
    """Whether `absolute` leaves anything of it, so that its texts are a window again.

    >>> in_calendar(Window(0, 1)), in_calendar(Window(-(1 << 62), 1 - (1 << 62)))
    (True, False)
    """
    return window.start_us < LATEST_US and window.end_us > _EARLIEST_US


def duration_text(length_us: int) -> str:
    """The shortest text that `parse_duration` reads as that length, which it once read.

    >>> duration_text(90_000_000), duration_text(7_200_000_000)
    ('90s', '2h')
    """
    widths_us = {unit: parse_duration(f"1{unit}") for unit in _UNITS}
    unit = next(unit for unit in _UNITS if length_us % widths_us[unit] == 0)
    return f"{length_us // widths_us[unit]}{unit}"
