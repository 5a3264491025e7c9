"""Windows of time and the words people give for them: `now-6h`, ISO 8601, `5m`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from telemetry.fault import Fault

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
_UNITS_US = {
    "s": SECOND_US,
    "m": 60 * SECOND_US,
    "h": 3600 * SECOND_US,
    "d": 86_400 * SECOND_US,
    "w": 7 * 86_400 * SECOND_US,
}
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d|w)", re.ASCII)
_RELATIVE = re.compile(r"now(?:-(\d{1,6}[smhdw]))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_US = 253_402_300_799_999_999  # the last microsecond of the year 9999


class TimeError(Fault, ValueError):
    """A text that names no time, duration or zone; its message says what would."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval `[start_us, end_us)` of microseconds since 1970 UTC.

    Raises:
        TimeError: If the end is not after the start.
    """

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if self.end_us <= self.start_us:
            raise TimeError("start must be before end")

    @property
    def length_us(self) -> int:
        """The width of the window in microseconds."""
        return self.end_us - self.start_us

    def widened(self, lookback_us: int) -> "Window":
        """The window with `lookback_us` more in front, for what a rolling mean looks back on."""
        return Window(self.start_us - lookback_us, self.end_us)


ALL_TIME = Window(-(1 << 62), 1 << 62)


def parse_duration(text: str) -> int:
    """The microseconds that a number with a unit (`s m h d w`) means.

    >>> parse_duration("5m")
    300000000

    Raises:
        TimeError: If the text is no such duration, or is zero.
    """
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise TimeError(f"{text!r} is not a duration; write for example 90s, 5m, 6h or 7d")
    return int(match[1]) * _UNITS_US[match[2]]


def parse_time(text: str, now_us: int, zone: tzinfo = UTC) -> int:
    """Microseconds since 1970 UTC for `now`, `now-6h` or an ISO 8601 time.

    A time without an offset is read in `zone`; a date alone is its midnight. In the night clocks
    go back, a time that comes twice is the first of the two. In the night they go forward, one
    that is skipped is read by the clocks before the change: 02:30 is what they then call 03:30.
    Source: RFC 5545, section 3.3.5.

    >>> parse_time("1970-01-01T00:01:00Z", now_us=0)
    60000000
    >>> parse_time("now-1m", now_us=90_000_000)
    30000000

    Raises:
        TimeError: If the text is none of these.
    """
    match = _RELATIVE.fullmatch(text)
    if match is not None:
        return now_us - (parse_duration(match[1]) if match[1] else 0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TimeError(
            f"{text!r} is not a time; write ISO 8601 such as 2026-11-23T08:00:00Z, or now-6h"
        ) from None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def parse_zone(name: str) -> tzinfo:
    """The time zone of that IANA name; `datetime.UTC` itself for `UTC`.

    Raises:
        TimeError: If there is none.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise TimeError(f"{name!r} is not a time zone; write for example Europe/Berlin") from None


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly, of an aware time."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND_US + delta.microseconds


def offset_us(time_us: int, zone: tzinfo) -> int:
    """How far the clocks of a zone are ahead of UTC at a time.

    >>> offset_us(0, ZoneInfo("Europe/Berlin")) // SECOND_US
    3600
    """
    ahead = datetime.fromtimestamp(time_us // SECOND_US, zone).utcoffset() or timedelta()
    return ahead // timedelta(microseconds=1)


def to_iso(time_us: int, zone: tzinfo = UTC) -> str:
    """ISO 8601 with microseconds; `Z` for UTC, an offset for any other zone.

    >>> to_iso(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    >>> to_iso(1_500_000, ZoneInfo("Europe/Berlin"))
    '1970-01-01T01:00:01.500000+01:00'
    """
    seconds, micros = divmod(time_us, SECOND_US)
    moment = datetime.fromtimestamp(seconds, zone).replace(microsecond=micros)
    text = moment.isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z") if zone is UTC else text
