"""Buckets: aggregates of numbers over aligned intervals, out of as many parts as one likes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Floats, Ints, mean_of, sums_of_runs

Buckets = Mapping[str, NDArray[np.int64] | NDArray[np.float64]]
"""Columns of equal length: `time_us` (where an interval starts), `sum`, `min`, `max`, `count`."""

_NOTHING: Buckets = {
    "time_us": np.zeros(0, np.int64),
    "sum": np.zeros(0),
    "min": np.zeros(0),
    "max": np.zeros(0),
    "count": np.zeros(0, np.int64),
}
_REDUCE = {"min": np.minimum, "max": np.maximum, "count": np.add}


def bucketed(time_us: Ints, value: Floats, width_us: int) -> Buckets:
    """Numbers as buckets of `width_us`, some of them for the same interval.

    >>> found = bucketed(np.array([5, 12, 17]), np.array([1.0, 2.0, 4.0]), 10)
    >>> {name: column.tolist() for name, column in found.items()}
    {'time_us': [0, 10], 'sum': [1.0, 6.0], 'min': [1.0, 2.0], 'max': [1.0, 4.0], 'count': [1, 2]}
    """
    starts = time_us - time_us % width_us
    ones = np.ones(len(value), np.int64)
    return _reduced(starts, {"sum": value, "min": value, "max": value, "count": ones})


def joined(parts: Sequence[Buckets]) -> Buckets:
    """One part after the other, as one."""
    return {name: np.concatenate([part[name] for part in (_NOTHING, *parts)]) for name in _NOTHING}


def merged(parts: Sequence[Buckets], width_us: int) -> pd.DataFrame:
    """Buckets of any narrower widths that divide `width_us` as one frame, sorted by `time_us`."""
    every = joined(parts)
    time_us = np.asarray(every["time_us"], dtype=np.int64)
    starts = time_us - time_us % width_us
    order = np.argsort(starts, kind="stable")
    ordered = {name: every[name][order] for name in every if name != "time_us"}
    return pd.DataFrame(_reduced(starts[order], ordered))


def bucket_means(buckets: pd.DataFrame | Buckets) -> Floats:
    """The mean of each bucket, which lies between its least and its greatest number."""
    sums = np.asarray(buckets["sum"], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        means = mean_of((sums, np.zeros(len(sums))), np.asarray(buckets["count"]))
    return np.clip(means, np.asarray(buckets["min"]), np.asarray(buckets["max"]))


def _reduced(starts: Ints, columns: Buckets) -> Buckets:
    """Neighbours of one start as one."""
    begins = np.ones(len(starts), dtype=bool)
    begins[1:] = starts[1:] != starts[:-1]
    firsts = np.flatnonzero(begins)
    found: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"time_us": starts[firsts]}
    for name, column in columns.items():
        if name == "sum":
            found[name] = sums_of_runs(np.asarray(column, dtype=np.float64), firsts)
        else:
            found[name] = _REDUCE[name].reduceat(column, firsts) if len(firsts) else column
    return found


def choose_bucket_us(
    length_us: int, max_buckets: int, spans_us: Sequence[int], grain_us: int = 0
) -> int:
    """The narrowest round width that covers a window in at most `max_buckets` buckets.

    Among those, widths that divide every span that is not narrower come first: only they give
    exact rolling means. There is always one, for a width wider than all spans qualifies.

    Args:
        length_us: Of the window.
        max_buckets: How many.
        spans_us: The widths of the rolling means.
        grain_us: If not 0, what every width must be a multiple of: a minute or an hour.

    >>> choose_bucket_us(86_400_000_000, 1500, [60_000_000, 300_000_000]) // 1_000_000
    60
    """
    wide_enough = [
        width
        for width in _WIDTHS_US
        if width * max_buckets >= length_us and width % (grain_us or 1) == 0
    ]
    exact = (w for w in wide_enough if all(span < w or span % w == 0 for span in spans_us))
    return next(exact, _WIDTHS_US[-1])


_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800)
_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 336, 720, 2400, 8760, 87600)
_WIDTHS_US = (
    *(width * 1_000 for width in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(width * 1_000_000 for width in _SECONDS),
    *(width * 3_600_000_000 for width in _HOURS),
)
