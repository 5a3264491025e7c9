"""Times in a column: ISO 8601 with an offset or without, or numbers since 1970 in any unit."""

import re
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.literals import EARLIEST_US, parse_moment
from telemetry.reading import Flag
from telemetry.sources.names import Faults
from telemetry.sources.piece import Why
from telemetry.window import SECOND_US, to_us

_PROBED = 16

_UNIT_ENDS = (10**11, 10**14, 10**17)
_DAY = r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_OFFSET = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
_PATTERNS = (rf"^{_DAY}{_CLOCK}{_OFFSET}$", rf"^{_DAY}(?:{_CLOCK})?$", r"^[0-9]{1,18}$")
_BEYOND_MICROSECONDS = r"(\.[0-9]{6})[0-9]+"
_NUMERAL = re.compile(r"[0-9]{1,20}(\.[0-9]+)?")
_QUARTER_US = 900 * SECOND_US
_NONE = -1
_UTC = pa.timestamp("us", tz="UTC")
_LOCAL = pa.timestamp("us")

Integers = npt.NDArray[np.int64]


class Times(NamedTuple):
    """The times of rows.

    Attributes:
        time_us: Microseconds since 1970 UTC.
        flags: `ZONE_ASSUMED` for texts without an offset.
        faults: Why a row has no time.
    """

    time_us: Integers
    flags: npt.NDArray[np.int32]
    faults: Faults


def read_time(text: str, zone: tzinfo) -> tuple[int, int]:
    """Microseconds since 1970 UTC that a text means, and flags; -1 if it means none.

    A number's unit follows from its size. A date alone is its midnight. A leap second is the last
    microsecond before it.

    >>> from datetime import UTC
    >>> read_time("1700000000.25", UTC), read_time("soon", UTC)
    ((1700000000250000, 0), (-1, 0))
    >>> read_time("2023-11-14t24:00Z", UTC)[0] == read_time("2023-11-15", UTC)[0]
    True
    """
    text = text.strip()
    if _NUMERAL.fullmatch(text):
        return _scale_one(text), 0
    try:
        moment = parse_moment(text)
        if moment.tzinfo is None:
            return to_us(moment.replace(tzinfo=zone)), Flag.ZONE_ASSUMED.value
        return to_us(moment), 0
    except (ValueError, OverflowError):
        return _NONE, 0


def _scale_one(text: str) -> int:
    value: float = float(text) if "." in text else int(text)
    place = sum(value >= end for end in _UNIT_ENDS)
    if isinstance(value, int):
        return min((value * SECOND_US, value * 1000, value, value // 1000)[place], 2**62)
    return round((value * SECOND_US, value * 1000.0, value, value / 1000)[place])


def read_times(cells: pa.Array, zone: tzinfo, latest_us: int) -> Times:
    """The times that texts mean; null means none."""
    if cells.null_count:
        cells = cells.fill_null("")
    whole = _whole_column(cells, zone)
    time_us, flags = whole if whole is not None else _mixed(cells, zone)
    return within(time_us, flags, latest_us)


def within(time_us: Integers, flags: npt.NDArray[np.int32], latest_us: int) -> Times:
    """The times, those that cannot be told as faults; a negative one is no time at all."""
    faults = np.zeros(len(time_us), np.uint8)
    early = time_us < EARLIEST_US
    if early.any():
        faults[early] = Why.CLOCK_UNSET
        faults[time_us == _NONE] = Why.BAD_TIME
    faults[time_us > latest_us] = Why.FUTURE
    return Times(time_us, flags, faults)


def _whole_column(cells: pa.Array, zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]] | None:
    """What one way of reading makes of all of them, if one does.

    Each is tried on a few first: a cast fails in 1 µs for each cell that does not fit (measured).
    """
    for read in (_with_offset, _without_offset, _whole_numbers, _numbers):
        if read(cells.slice(0, _PROBED), zone) is None:
            continue
        found = read(cells, zone)
        if found is not None:
            return found
    return None


def _mixed(cells: pa.Array, zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Each kind on its own; what is of none, or almost, one by one."""
    cells = pc.utf8_trim_whitespace(cells)
    if _has_nanoseconds(cells):
        cells = pc.replace_substring_regex(cells, _BEYOND_MICROSECONDS, r"\1")
    time_us = np.full(len(cells), _NONE, np.int64)
    flags = np.zeros(len(cells), np.int32)
    left = np.ones(len(cells), np.bool_)
    readers = (_with_offset, _without_offset, _whole_numbers)
    for pattern, read in zip(_PATTERNS, readers, strict=True):
        rows = np.flatnonzero(
            pc.match_substring_regex(cells, pattern).to_numpy(zero_copy_only=False) & left
        )
        found = read(cells.take(pa.array(rows)), zone) if len(rows) else None
        if found is not None:
            time_us[rows], flags[rows] = found
            left[rows] = False
    rows = np.flatnonzero(left)
    each = [read_time(text, zone) for text in cells.take(pa.array(rows)).to_pylist()]
    if each:
        time_us[rows], flags[rows] = np.array(each, np.int64).T
    return time_us, flags


def _has_nanoseconds(cells: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, _BEYOND_MICROSECONDS)).as_py())


def _with_offset(cells: pa.Array, _zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]] | None:
    try:
        return _integers(cells.cast(_UTC)), np.zeros(len(cells), np.int32)
    except pa.ArrowInvalid:
        return None


def _without_offset(cells: pa.Array, zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]] | None:
    try:
        local_us = _integers(cells.cast(_LOCAL))
    except pa.ArrowInvalid:
        return None
    return to_utc(local_us, zone), np.full(len(cells), Flag.ZONE_ASSUMED.value, np.int32)


def _whole_numbers(cells: pa.Array, _zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]] | None:
    try:
        numbers = cells.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return scale(numbers), np.zeros(len(cells), np.int32)


def _numbers(cells: pa.Array, _zone: tzinfo) -> tuple[Integers, npt.NDArray[np.int32]] | None:
    try:
        numbers = cells.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return scale_floats(numbers), np.zeros(len(cells), np.int32)


def scale(numbers: Integers) -> Integers:
    """Microseconds of whole numbers in s, ms, µs or ns, by the size of each.

    >>> [int(us) for us in scale(np.array([1_700_000_000, 1_700_000_000_250]))]
    [1700000000000000, 1700000000250000]
    """
    if not len(numbers):
        return numbers
    place = np.digitize(numbers, _UNIT_ENDS)
    factors, divisors = np.array([SECOND_US, 1000, 1, 1]), np.array([1, 1, 1, 1000])
    scaled: Integers = numbers * factors[place] // divisors[place]
    return np.where(numbers < 0, _NONE, scaled)


def scale_floats(numbers: npt.NDArray[np.float64]) -> Integers:
    """The same of numbers with fractions, rounded; -1 for what is none."""
    usable = np.isfinite(numbers) & (numbers >= 0) & (numbers < 1e20)  # noqa: PLR2004  # 2**63 ns is 9.2e18
    safe = np.where(usable, numbers, 0.0)
    place = np.digitize(safe, _UNIT_ENDS)
    scaled = safe * np.array([1e6, 1e3, 1.0, 1.0])[place] / np.array([1.0, 1.0, 1.0, 1e3])[place]
    rounded: Integers = np.where(usable, np.rint(scaled), _NONE).astype(np.int64)
    return rounded


def to_utc(local_us: Integers, zone: tzinfo) -> Integers:
    """What a clock on a wall in that zone means: of an hour that comes twice, the first.

    One that never was, because the clock went forward, counts on from before. Zones change on
    full quarters of an hour, so one answer goes for a quarter.
    """
    quarters, places = np.unique(local_us // _QUARTER_US, return_inverse=True)
    return local_us - np.array([_offset_us(int(one), zone) for one in quarters], np.int64)[places]


def _offset_us(quarter: int, zone: tzinfo) -> int:
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=quarter * 900)  # noqa: DTZ001  # a wall clock
        offset = moment.replace(tzinfo=zone).utcoffset()
    except (OverflowError, ValueError):
        return 0
    return 0 if offset is None else round(offset.total_seconds() * SECOND_US)


def _integers(times: pa.Array) -> Integers:
    numbers: Integers = times.cast(pa.int64()).to_numpy()
    return numbers
