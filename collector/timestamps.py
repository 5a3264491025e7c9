"""When a client says that it measured: seconds, ms, µs or ns since 1970, or ISO 8601."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import NamedTuple

from telemetry.literals import EARLIEST_US, parse_moment
from telemetry.reading import Flag
from telemetry.window import LATEST_US, to_us

_WORDS = ("time", "timestamp", "ts", "t", "datetime", "date", "_time", "time_s", "time_ms")
_MORE_WORDS = ("time_us", "time_ns", "ts_ms", "timestamp_ms", "timestamp_us", "timestamp_ns")
TIME_KEYS = frozenset(
    spelling
    for word in (*_WORDS, *_MORE_WORDS)
    for spelling in (word, word.upper(), word.capitalize())
) | {"dateTime", "DateTime", "timeStamp", "TimeStamp"}
"""Keys that hold a time. Case counts only for what nobody would write."""

_SHORT = frozenset({"t", "T"})
_NUMERAL = re.compile(r"[0-9]{1,20}(\.[0-9]+)?")
_DATE_CHARACTERS = 10


class _Unit(NamedTuple):
    """A unit of time: numbers below that bound are in it, and how many microseconds it has."""

    below: int
    factor: int
    divisor: int


_UNITS = (
    _Unit(10**11, 1_000_000, 1),
    _Unit(10**14, 1000, 1),
    _Unit(10**17, 1, 1),
    _Unit(10**20, 1, 1000),
)


class Stamp(NamedTuple):
    """What an object says of its time.

    Attributes:
        time_us: Microseconds since 1970 UTC, or None.
        flags: `ZONE_ASSUMED` for a text without an offset; `CLOCK_UNSET` if there is a time before
            the year 2000, which is then None.
        bad_key: The key whose value should be a time and is none, or an empty string.
    """

    time_us: int | None
    flags: int = 0
    bad_key: str = ""


NO_TIME = Stamp(None)
_UNSET = Stamp(None, Flag.CLOCK_UNSET.value)


def is_time(key: str, value: object) -> bool:
    """Whether that member of an object is its time and not a metric.

    A `t` is as often a temperature: it is a time only if its value can be one.

    >>> is_time("ts", "soon"), is_time("t", 21.5), is_time("t", 1_700_000_000)
    (True, False, True)
    """
    if key not in TIME_KEYS:
        return False
    return key not in _SHORT or read_time(value).time_us is not None


def find_time(fields: Mapping[str, object], zone: tzinfo = UTC) -> Stamp:
    """The time that an object carries; the first usable one of several.

    >>> find_time({"temperature": 21.5, "ts": 1_700_000_000}).time_us
    1700000000000000
    >>> find_time({"date": "2026-11-23", "time": "08:00:00"}).time_us
    1795420800000000
    >>> find_time({"ts": "soon"}).bad_key, find_time({"ts": 0}).flags == Flag.CLOCK_UNSET
    ('ts', True)
    """
    if TIME_KEYS.isdisjoint(fields):
        return NO_TIME
    together = _date_and_time(fields, zone)
    if together != NO_TIME:
        return together
    unusable = NO_TIME
    for key in fields:
        if key not in TIME_KEYS or fields[key] is None:
            continue
        stamp = read_time(fields[key], zone)
        if stamp.time_us is not None:
            return stamp
        if key not in _SHORT and unusable == NO_TIME:
            unusable = stamp if stamp.flags else Stamp(None, 0, key)
    return unusable


def _date_and_time(fields: Mapping[str, object], zone: tzinfo) -> Stamp:
    date, time = fields.get("date"), fields.get("time")
    if isinstance(date, str) and isinstance(time, str):
        return read_time(f"{date}T{time}", zone)
    return NO_TIME


def read_time(value: object, zone: tzinfo = UTC) -> Stamp:
    """The time that a value means; without one if it means none after the year 2000.

    A number's unit follows from its size. A text without an offset is read in `zone` and flagged.
    A date without a time of day is none: all readings of that day would be the same moment. Leap
    seconds are the last microsecond before them. A `Stamp`, as formats with a type for times make
    of one, is itself.

    >>> read_time(1_700_000_000.25).time_us, read_time(1_700_000_000_250).time_us
    (1700000000250000, 1700000000250000)
    >>> read_time("2023-11-14T22:13:20.25Z")
    Stamp(time_us=1700000000250000, flags=0, bad_key='')
    >>> read_time("2023-11-14").time_us, read_time(12).flags == Flag.CLOCK_UNSET
    (None, True)
    """
    if isinstance(value, float) or type(value) is int:  # and not bool, which is an int
        return _within(_scale(value))
    if isinstance(value, str):
        return _read_text(value.strip(), zone)
    return value if isinstance(value, Stamp) else NO_TIME


def read_times(values: Sequence[object], zone: tzinfo = UTC) -> list[tuple[int, int]]:
    """The times that values mean, each with its flags; none if one of them means none.

    Whole numbers in one unit, as most are, take 0.2 µs each, and 0.9 µs by `read_time`.

    >>> read_times([1_700_000_000, 1_700_000_001]), read_times([1_700_000_000, "soon"])
    ([(1700000000000000, 0), (1700000001000000, 0)], [])
    """
    if set(map(type, values)) == {int}:
        whole: list[int] = list(values)  # type: ignore[arg-type]  # as was asked
        ends = min(whole), max(whole)
        unit = _unit(ends[0])
        if (
            unit is not None
            and unit == _unit(ends[1])
            and None not in [read_time(end).time_us for end in ends]
        ):
            return [(value * unit.factor // unit.divisor, 0) for value in whole]
    stamps = [read_time(value, zone) for value in values]
    if any(stamp.time_us is None for stamp in stamps):
        return []
    return [stamp[:2] for stamp in stamps]  # type: ignore[misc]  # each has a time


def stamp_us(time_us: int) -> Stamp:
    """The stamp of that many microseconds since 1970 UTC, for formats that fix the unit.

    >>> stamp_us(1_700_000_000_000_000).time_us, stamp_us(0).flags == Flag.CLOCK_UNSET
    (1700000000000000, True)
    """
    return _within(time_us)


def _within(time_us: int | None, flags: int = 0) -> Stamp:
    if time_us is None or time_us > LATEST_US:
        return NO_TIME
    return _UNSET if time_us < EARLIEST_US else Stamp(time_us, flags)


def _scale(value: float) -> int | None:
    unit = _unit(value)
    if unit is None:
        return None
    if isinstance(value, int):
        return value * unit.factor // unit.divisor
    return round(value * unit.factor / unit.divisor)


def _unit(value: float) -> _Unit | None:
    return next((unit for unit in _UNITS if 0 <= value < unit.below), None)


def _read_text(text: str, zone: tzinfo) -> Stamp:
    if _NUMERAL.fullmatch(text):
        return _within(_scale(float(text) if "." in text else int(text)))
    if len(text) <= _DATE_CHARACTERS:
        return NO_TIME
    try:
        moment = parse_moment(text)
    except (ValueError, OverflowError):
        return NO_TIME
    if moment.tzinfo is not None:
        return _within(to_us(moment))
    return _within(to_us(moment.replace(tzinfo=zone)), Flag.ZONE_ASSUMED.value)
