"""Columns that have a type already: times, numbers, yes and no, texts."""

from datetime import tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from telemetry.reading import Flag
from telemetry.sources.flags import KNOWN_FLAGS, read_flags
from telemetry.sources.piece import SourceError, Why
from telemetry.sources.times import Times, read_times, scale, scale_floats, to_utc, within
from telemetry.sources.values import Values, read_values

_PER_US = {"s": (1_000_000, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}
_EXACT = 2**53
_NONE = -1


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds texts."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_readable(kind: pa.DataType) -> bool:
    """Whether a column of that type can hold values."""
    return bool(
        is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def typed_values(cells: pa.Array, *, nan_is_none: bool = False) -> Values:
    """The values of a readable column; null is a fault, `empty`.

    An integer that no double holds is rounded and flagged.
    """
    missing = cells.is_null()
    if is_text(cells.type):
        return read_values(cells.cast(pa.string()))
    numbers = cells.cast(pa.float64(), safe=False)
    faults = np.zeros(len(cells), np.uint8)
    flags = np.zeros(len(cells), np.int32)
    plain = numbers.fill_null(0.0).to_numpy()
    faults[~np.isfinite(plain)] = Why.NON_FINITE
    if nan_is_none:
        faults[np.isnan(plain)] = Why.EMPTY
    faults[missing.to_numpy(zero_copy_only=False)] = Why.EMPTY
    if pa.types.is_integer(cells.type):
        for row in np.flatnonzero(np.abs(plain) >= _EXACT):
            flags[row] = Flag.INEXACT if cells[int(row)].as_py() != int(plain[row]) else 0
    text = pa.nulls(len(cells), pa.string())
    booleans = np.ones(len(cells), np.bool_) if pa.types.is_boolean(cells.type) else None
    return Values(numbers, text, faults, flags, booleans)


def typed_times(cells: pa.Array, zone: tzinfo, latest_us: int) -> Times:
    """The times of a column; what has no offset is read in `zone` and flagged.

    Raises:
        SourceError: If the column is of a type that holds no times.
    """
    kind, flags = cells.type, np.zeros(len(cells), np.int32)
    if is_text(kind):
        return read_times(cells.cast(pa.string()), zone, latest_us)
    missing = cells.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_date(kind):
        cells, kind = cells.cast(pa.timestamp("us")), pa.timestamp("us")
    if pa.types.is_timestamp(kind):
        time_us = _microseconds(cells.cast(pa.int64()).fill_null(0).to_numpy(), kind.unit)
        if kind.tz is None:
            time_us = to_utc(time_us, zone)
            flags[:] = Flag.ZONE_ASSUMED.value
    elif pa.types.is_integer(kind):
        time_us = scale(cells.cast(pa.int64(), safe=False).fill_null(0).to_numpy())
    elif pa.types.is_floating(kind):
        time_us = scale_floats(cells.cast(pa.float64()).fill_null(0.0).to_numpy())
    else:
        raise SourceError(f"its times are of type {kind}; use timestamps")
    return within(np.where(missing, _NONE, time_us), flags, latest_us)


def _microseconds(numbers: npt.NDArray[np.int64], unit: str) -> npt.NDArray[np.int64]:
    factor, divisor = _PER_US[unit]
    limit = 2**62 // factor
    return np.clip(numbers, -limit, limit) * factor // divisor


def typed_flags(cells: pa.Array) -> npt.NDArray[np.int32] | None:
    """The flags in a column of words or of their sums; None if it is neither."""
    if pa.types.is_integer(cells.type):
        numbers: npt.NDArray[np.int32] = (
            cells.fill_null(0).cast(pa.int64(), safe=False).to_numpy() & KNOWN_FLAGS
        ).astype(np.int32)
        return numbers
    if not is_text(cells.type):
        return None
    encoded = cells.cast(pa.string()).fill_null("").dictionary_encode()
    known = pa.array([read_flags(text) for text in encoded.dictionary.to_pylist()], pa.int32())
    flags: npt.NDArray[np.int32] = known.take(encoded.indices).to_numpy()
    return flags
