"""What rolling statistics are made of: readings, or the buckets and rollups they come down to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Floats, Ints, RangeSums

Columns = Mapping[str, NDArray[Any]]  # Any: counts and times are integers, the rest is not


_FEW = 64  # instants are searched for one by one: that takes 2 µs, and a forward fill 100

_TOLD = 1e-6  # of the squares: what rounding took from them is a billionth of that


class Samples:
    """Readings or buckets of one series, oldest first; a reading is a bucket of one.

    Attributes:
        time_us: From when on each counts; ascending.
        bucketed: Whether they are buckets; single readings are then unknown.
    """

    def __init__(self, time_us: Ints, columns: Columns, *, bucketed: bool) -> None:
        self.time_us = time_us
        self.bucketed = bucketed
        self._columns = columns

    def __len__(self) -> int:
        return len(self.time_us)

    def numbers(self, name: str) -> Floats:
        """A column of numbers of `telemetry.rollup.COLUMNS`, or what readings have of it.

        Beside those `m2`, the sum of squared deviations from the mean, and `increase`, of a
        counter: NaN in buckets that do not tell.

        Raises:
            KeyError: If the buckets were read without what it needs.
        """
        if not self.bucketed:
            if name in {"m2", "integral", "increase"}:
                return np.zeros(len(self))
            return np.ones(len(self)) if name == "count" else self._columns["value"]
        if name == "m2":
            return _deviations(self._columns)
        if name == "increase":
            return _increases(self._columns)
        return self._columns[name].astype(np.float64, copy=False)

    def times(self, name: str) -> Ints:
        """A column of times, in the same way."""
        return self._columns[name] if self.bucketed else self.time_us

    @cached_property
    def sums(self) -> RangeSums:
        """Sums of numbers over any range of them."""
        return RangeSums(self.numbers("sum"))

    def counts(self, first: Ints, last: Ints) -> Ints:
        """How many numbers there are in each of the ranges `[first, last)`."""
        return self._counted[last] - self._counted[first] if self.bucketed else last - first

    @cached_property
    def _counted(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self._columns["count"], dtype=np.int64)])

    def upto(self, instants_us: Ints) -> Ints:
        """How many of them are not after each instant.

        pandas' forward fill merges two sorted runs, in a third of the time of a search for each.
        """
        if len(instants_us) < _FEW:
            return self.time_us.searchsorted(instants_us, side="right")
        edges = [instants_us.min(), instants_us.max()]
        low, high = np.searchsorted(self._instants, edges, side="right")
        some = self._instants[low:high]
        if self._ends is None and np.array_equal(some, instants_us[1:]):
            return np.arange(low, low + len(instants_us))
        index = pd.Index(some, copy=False)
        found = index.get_indexer(pd.Index(instants_us, copy=False), method="pad")
        found += low + 1
        return found if self._ends is None else self._ends[found]

    @cached_property
    def _ends(self) -> Ints | None:
        """Where the samples of each instant end, with a 0 before; `None` if each has but one."""
        after = self.time_us[1:] != self.time_us[:-1]
        if after.all():
            return None
        return np.concatenate([[0], np.flatnonzero(after) + 1, [len(self)]])

    @cached_property
    def _instants(self) -> Ints:
        """Each instant once."""
        return self.time_us if self._ends is None else self.time_us[self._ends[:-1]]

    def between(self, after_us: int, until_us: int) -> "Samples":
        """Those after one instant, up to another."""
        first, last = self.time_us.searchsorted([after_us, until_us], side="right")
        columns = {name: column[first:last] for name, column in self._columns.items()}
        return Samples(self.time_us[first:last], columns, bucketed=self.bucketed)

    def ending_by(self, end_us: int) -> "Samples":
        """The same, none of them counting later than from then on."""
        times = np.minimum(self.time_us, end_us)
        return Samples(times, self._columns, bucketed=self.bucketed)


def _deviations(columns: Columns) -> Floats:
    """NaN where the mean is so far from 0 that less than nine digits of a deviation are left."""
    least, most, squares = columns["min"], columns["max"], columns["sumsq"]
    found = squares - columns["sum"] * (columns["sum"] / columns["count"])
    return np.where(least == most, 0.0, np.where(found > _TOLD * squares, found, np.nan))


def _increases(columns: Columns) -> Floats:
    """NaN where a counter began anew, or is none: only its readings tell then."""
    first, last = columns["first"], columns["last"]
    rose = (first == columns["min"]) & (last == columns["max"])
    return np.where(rose, last - first, np.nan)


@dataclass(frozen=True, slots=True)
class Ranges:
    """Which samples lie in the span `(t - span, t]` of each instant `t`: `[first, last)`."""

    at_us: Ints
    span_us: int | Ints
    first: Ints
    last: Ints


def ranges(samples: Samples, span_us: int | Ints, at_us: Ints) -> Ranges:
    """The samples in the span of each instant."""
    return Ranges(at_us, span_us, samples.upto(at_us - span_us), samples.upto(at_us))


def samples_of_readings(frame: pd.DataFrame | Columns) -> Samples:
    """Readings as samples; states, which have no number, are left out.

    Args:
        frame: `time_us` (int64, sorted) and `value` (float64, NaN in a state); at one instant the
            least value comes first.
    """
    times = np.asarray(frame["time_us"], dtype=np.int64)
    values = np.asarray(frame["value"], dtype=np.float64)
    states = np.isnan(values)
    if states.any():
        times, values = times[~states], values[~states]
    return Samples(times, {"value": values}, bucketed=False)


def samples_of_buckets(frame: pd.DataFrame | Columns, bucket_us: int) -> Samples:
    """Buckets as samples, each counting from the last microsecond that it covers.

    There, for a span that the bucket's width divides, a rolling mean is exactly that of the
    readings.

    Args:
        frame: Columns `time_us` (int64, a bucket's start, sorted), `count` (int64, not 0), `sum`,
            `min` and `max`; for other statistics than these more of `telemetry.rollup.COLUMNS`.
        bucket_us: The width of a bucket.
    """
    times = np.asarray(frame["time_us"], dtype=np.int64) + (bucket_us - 1)
    names = [str(name) for name in frame if name != "time_us"]
    columns = {name: np.asarray(frame[name]) for name in names}
    return Samples(times, columns, bucketed=True)


def joined(parts: Sequence[Samples]) -> Samples:
    """Buckets that follow each other as one."""
    names = parts[0]._columns
    columns = {name: np.concatenate([part._columns[name] for part in parts]) for name in names}
    return Samples(np.concatenate([one.time_us for one in parts]), columns, bucketed=True)
