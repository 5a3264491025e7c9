"""Export parts as long CSV, column by column: no row is an object of Python.

A cell of which there are few kinds (a name, a unit, flags) is written once for each kind. Measured:
see `tests/benchmarks/bench_export.py`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.exact import Floats, Ints
from telemetry.reading import flag_names
from telemetry.text import LONG_COLUMNS, guard, number
from telemetry.window import HOUR_US, MINUTE_US, offset_us, to_iso

_PLAIN = (1e-4, 1e10)
"""Between these Arrow writes numbers as `telemetry.text.number` does: shortest, no exponent."""

_FEW_KINDS, _SAMPLE = 0.5, 1000
"""A column of numbers whose first rows have so few different ones is written once for each."""

_ISO = "2026-11-23T12:00:00.000000"
_DIGITS = (25, 24, 23, 22, 21, 20, 18, 17)  # of microseconds and seconds, the last first
_UNTIL_SECONDS, _POINT = 17, 19


def csv_long(parts: Iterable[pd.DataFrame], names: Sequence[str], zone: tzinfo) -> Iterator[str]:
    """CSV with one row per reading.

    Args:
        parts: From `telemetry.export_rows.export_rows`.
        names: The columns of the rolling means.
        zone: Of the times.
    """
    yield ",".join(map(_quoted, (*LONG_COLUMNS, *names))) + "\r\n"
    for part in parts:
        if len(part):
            yield _text(_lines(part, names, zone))


def _lines(part: pd.DataFrame, names: Sequence[str], zone: tzinfo) -> pa.Array:
    columns = [
        _times(part["time_us"].to_numpy(), zone),
        *(_kinds(part[name], _guarded) for name in ("client", "metric")),
        _values(part),
        _kinds(part["unit"], _guarded),
        _received(part["received_us"].to_numpy(), zone),
        _kinds(part["flags"], flag_names),
        *(_numbers(part[name].to_numpy()) for name in names),
    ]
    last = pc.binary_join_element_wise(columns.pop(), "", "\r\n")
    return pc.binary_join_element_wise(*columns, last, ",")


def _text(lines: pa.Array) -> str:
    """All lines, one after the other as they lie in memory."""
    _, offsets, content = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(lines) + 1)
    return str(memoryview(content)[ends[0] : ends[-1]], "utf-8")


def _kinds(column: "pd.Series[Any]", write: Callable[[Any], str]) -> pa.Array:
    """A column of which there are few kinds."""
    codes, kinds = pd.factorize(column)
    return pa.array([write(kind) for kind in kinds.tolist()], pa.string()).take(pa.array(codes))


def _guarded(text: str) -> str:
    return _quoted(guard(text))


def _quoted(text: str) -> str:
    """The text as a cell of several, by RFC 4180."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([text, ""])
    return buffer.getvalue().removesuffix(",\r\n")


def _values(part: pd.DataFrame) -> pa.Array:
    """Numbers, and the names of states where there are any."""
    numbers = _numbers(part["value"].to_numpy())
    texts = part["text"].notna().to_numpy()
    if not texts.any():
        return numbers
    named = _kinds(part["text"].where(texts, ""), _guarded)
    return pc.if_else(pa.array(texts), named, numbers)


def _numbers(values: Floats) -> pa.Array:
    """The shortest texts that read back as the same numbers; empty for NaN."""
    sample = values[:_SAMPLE]
    if len(np.unique(sample)) > _FEW_KINDS * len(sample):
        return _shortest(values)
    codes, kinds = pd.factorize(values.view(np.int64))  # 0.0 and -0.0 are two
    return _shortest(kinds.view(np.float64)).take(pa.array(codes))


def _shortest(values: Floats) -> pa.Array:
    size = np.abs(values)
    others = ~((size >= _PLAIN[0]) & (size < _PLAIN[1]) | (size == 0))
    written = pa.array(values).cast(pa.string())
    if not others.any():
        return written
    exact = pa.array([number(value) for value in values[others].tolist()], pa.string())
    return pc.replace_with_mask(written, pa.array(others), exact)


def _received(times_us: Ints, zone: tzinfo) -> pa.Array:
    """Empty for the mean of an interval, which did not arrive."""
    written = _times(times_us, zone)
    return written if times_us.all() else pc.if_else(pa.array(times_us != 0), written, "")


def _times(times_us: Ints, zone: tzinfo) -> pa.Array:
    """As `telemetry.window.to_iso` writes each."""
    if zone is UTC:
        return _iso(times_us, "Z")
    hours, place = _distinct(times_us // HOUR_US)
    shifts_us = [offset_us(hour * HOUR_US, zone) for hour in hours.tolist()]
    if shifts_us != [offset_us((hour + 1) * HOUR_US - 1, zone) for hour in hours.tolist()]:
        return pa.array([to_iso(time_us, zone) for time_us in times_us.tolist()], pa.string())
    offsets = [to_iso(hour * HOUR_US, zone)[len(_ISO) :] for hour in hours.tolist()]
    local = _iso(times_us + np.array(shifts_us, dtype=np.int64)[place], "")
    return pc.binary_join_element_wise(local, pa.array(offsets, pa.string()).take(place), "")


def _iso(times_us: Ints, suffix: str) -> pa.Array:
    """ISO 8601 with microseconds, of any time from the year 1 to 9999, and what follows it.

    Minutes are written once for each, digits behind them for all rows at once: that takes a
    quarter of the time of Arrow's own cast.
    """
    minutes, place = _distinct(times_us // MINUTE_US)
    begins = np.datetime_as_string(minutes.astype("datetime64[m]"), unit="s").astype("S19")
    width = len(_ISO) + len(suffix)
    content = np.empty((len(times_us), width), np.uint8)
    content[:, :_UNTIL_SECONDS] = begins.view(np.uint8).reshape(-1, 19)[place, :_UNTIL_SECONDS]
    rest = (times_us % MINUTE_US).astype(np.int32)
    for digit in _DIGITS:
        rest, last = np.divmod(rest, 10)
        content[:, digit] = last + ord("0")
    content[:, _POINT] = ord(".")
    content[:, len(_ISO) :] = np.frombuffer(suffix.encode(), np.uint8)
    ends = np.arange(len(times_us) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(len(times_us), pa.py_buffer(ends), pa.py_buffer(content))


def _distinct(numbers: Ints) -> tuple[Ints, Ints]:
    """The different ones, and the place of each among them; or all between, if they are few."""
    least, most = numbers.min(), numbers.max()
    if most - least < len(numbers):
        return np.arange(least, most + 1), numbers - least
    return np.unique(numbers, return_inverse=True)
