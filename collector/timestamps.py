"""When a client says that it measured: seconds, ms, µs or ns since 1970, or ISO 8601."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from telemetry.window import LATEST_US, to_us

EARLIEST_US = 946_684_800_000_000
"""The year 2000: an earlier time comes from a clock that was never set."""

_WORDS = ("time", "timestamp", "ts", "t", "datetime", "date", "_time", "time_s", "time_ms")
_MORE_WORDS = ("time_us", "time_ns", "ts_ms", "timestamp_ms", "timestamp_us", "timestamp_ns")
TIME_KEYS = frozenset(
    spelling
    for word in (*_WORDS, *_MORE_WORDS)
    for spelling in (word, word.upper(), word.capitalize())
) | {"dateTime", "DateTime", "timeStamp", "TimeStamp"}
"""Keys that hold a time. Case counts only for what nobody would write."""

_SHORT = frozenset({"t", "T"})
_PER_UNIT = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (1e20, 1e-3))
_NUMERAL = re.compile(r"[0-9]{9,20}(\.[0-9]+)?")
_DATE_CHARACTERS = 10


def is_time(key: str, value: object) -> bool:
    """Whether that member of an object is its time and not a metric.

    A `t` is as often a temperature: it is a time only if its value can be one.

    >>> is_time("ts", "soon"), is_time("t", 21.5), is_time("t", 1_700_000_000)
    (True, False, True)
    """
    return key in TIME_KEYS and (key not in _SHORT or read_time(value) is not None)


def find_time(fields: Mapping[str, object]) -> int | None:
    """The time that an object carries, in microseconds since 1970 UTC, or None.

    >>> find_time({"temperature": 21.5, "ts": 1_700_000_000})
    1700000000000000
    >>> find_time({"date": "2026-11-23", "time": "08:00:00"})
    1795420800000000
    """
    together = _date_and_time(fields)
    if together is not None:
        return together
    for key in fields:
        if key in TIME_KEYS:
            time_us = read_time(fields[key])
            if time_us is not None:
                return time_us
    return None


def find_bad_time(fields: Mapping[str, object]) -> str | None:
    """Why an object carries no time: the key whose value should be one, or None.

    >>> find_bad_time({"temperature": 21.5, "ts": 12}), find_bad_time({"ts": None, "t": 21.5})
    ('ts', None)
    """
    meant = (key for key, value in fields.items() if value is not None and is_time(key, value))
    return next(meant, None)


def _date_and_time(fields: Mapping[str, object]) -> int | None:
    date, time = fields.get("date"), fields.get("time")
    if isinstance(date, str) and isinstance(time, str):
        return read_time(f"{date}T{time}")
    return None


def read_time(value: object) -> int | None:
    """Microseconds since 1970 UTC, or None if the value is no time after the year 2000.

    A number's unit follows from its size. A text without an offset is UTC. A date without a
    time of day is none: all readings of that day would be the same moment.

    >>> read_time(1_700_000_000.25), read_time(1_700_000_000_250)
    (1700000000250000, 1700000000250000)
    >>> read_time("2023-11-14T22:13:20.25Z"), read_time("2023-11-14"), read_time(12)
    (1700000000250000, None, None)
    """
    if isinstance(value, str):
        time_us = _read_text(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        time_us = _scale(value)
    else:
        return None
    return time_us if time_us is not None and EARLIEST_US <= time_us <= LATEST_US else None


def _scale(value: float) -> int | None:
    if not math.isfinite(value):
        return None
    for below, factor in _PER_UNIT:
        if 0 <= value < below:
            return _exact(value, factor)
    return None


def _exact(value: float, factor: float) -> int:
    if isinstance(value, int):
        return value * int(factor) if factor >= 1 else value // round(1 / factor)
    return round(value * factor)


def _read_text(text: str) -> int | None:
    if _NUMERAL.fullmatch(text):
        return _scale(float(text) if "." in text else int(text))
    if len(text) <= _DATE_CHARACTERS:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
