"""The addresses of the dashboard that others keep: of the client page, and of its readings.

Both are relative, have absolute times, and escape every name.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlencode

from telemetry.window import LATEST_US, Window, parse_duration, to_iso

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


def page_address(asked: Asked, zone: str) -> str:
    """Where the charts of the same stand still."""
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


def duration_text(length_us: int) -> str:
    """The shortest text that `parse_duration` reads as that length, which it once read.

    >>> duration_text(90_000_000), duration_text(7_200_000_000)
    ('90s', '2h')
    """
    widths_us = {unit: parse_duration(f"1{unit}") for unit in _UNITS}
    unit = next(unit for unit in _UNITS if length_us % widths_us[unit] == 0)
    return f"{length_us // widths_us[unit]}{unit}"
