"""Least, greatest, deviation and quantiles of the samples in each of many spans."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Exact, Floats, Ints, quotient, two_sum
from telemetry.fault import Fault
from telemetry.samples import Ranges, Samples

Mask = NDArray[np.bool_]
Spread = tuple[Floats, Exact, Floats]
"""How many, their sum, and the sum of their squared deviations from their own mean."""


class NoReadings(Fault, ValueError):
    """What was asked needs single readings, and there are buckets alone."""


def least(samples: Samples, ranges: Ranges) -> Floats:
    """The least number in each range; NaN in an empty one."""
    return _extreme(np.minimum, samples.numbers("min"), ranges)


def greatest(samples: Samples, ranges: Ranges) -> Floats:
    """The greatest number in each range; NaN in an empty one."""
    return _extreme(np.maximum, samples.numbers("max"), ranges)


def _extreme(which: np.ufunc, values: Floats, ranges: Ranges) -> Floats:
    """Each range is covered by two blocks of one width, a power of two, that may overlap.

    Source: Bender and Farach-Colton, The LCA problem revisited, 2000 (the sparse table).
    """
    found = np.full(len(ranges.first), np.nan)
    levels = np.frexp(ranges.last - ranges.first)[1] - 1
    width = 1
    for level in range(int(levels.max(initial=-1)) + 1):
        here = np.flatnonzero(levels == level)
        found[here] = which(values[ranges.first[here]], values[ranges.last[here] - width])
        values = which(values[:-width], values[width:])
        width *= 2
    return found


def deviation(samples: Samples, ranges: Ranges) -> Floats:
    """The standard deviation of the readings in each range, with one less than their number.

    NaN with fewer than two readings. Deviations are from the mean of the range itself, however far
    that is from 0.
    """
    count, _, squares = _spread(samples, ranges)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)


def _spread(samples: Samples, ranges: Ranges) -> Spread:
    """Put together from aligned blocks that double in width from level to level."""
    numbers = samples.numbers("count")
    sums = samples.numbers("sum")
    block: Spread = (numbers, (sums, np.zeros(len(sums))), samples.numbers("m2"))
    first, last = ranges.first, ranges.last
    total = _nothing(len(first))
    while np.any(first < last):
        odd = (first < last) & (first % 2 == 1)
        _put(total, odd, _merged(_taken(total, odd), _taken(block, first[odd])))
        first = first + odd
        odd = (first < last) & (last % 2 == 1)
        last = last - odd
        _put(total, odd, _merged(_taken(total, odd), _taken(block, last[odd])))
        first, last, block = first // 2, last // 2, _paired(block)
    return total


def _nothing(length: int) -> Spread:
    return np.zeros(length), (np.zeros(length), np.zeros(length)), np.zeros(length)


def _taken(some: Spread, which: Ints | Mask) -> Spread:
    return some[0][which], (some[1][0][which], some[1][1][which]), some[2][which]


def _put(some: Spread, which: Mask, found: Spread) -> None:
    some[0][which], some[2][which] = found[0], found[2]
    some[1][0][which], some[1][1][which] = found[1]


def _paired(block: Spread) -> Spread:
    """Blocks of twice the width; an odd last one is dropped, for no range needs it any more."""
    even = len(block[0]) // 2 * 2
    halves = (np.arange(start, even, 2) for start in (0, 1))
    one, other = (_taken(block, half) for half in halves)
    return _merged(one, other)


def _merged(one: Spread, other: Spread) -> Spread:
    """Two as one. Source: Chan, Golub and LeVeque, Updating formulae, 1979."""
    count = one[0] + other[0]
    total, rest = two_sum(one[1][0], other[1][0])
    rest += one[1][1] + other[1][1]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = _difference(one, other)
        between = np.where(one[0] * other[0] > 0, apart * apart * (one[0] * other[0] / count), 0.0)
    return count, two_sum(total, rest), one[2] + other[2] + between


def _difference(one: Spread, other: Spread) -> Floats:
    """How far two means are apart: to the last digit, even if they are large and near."""
    (low, low_rest), (high, high_rest) = (quotient(some[1], some[0]) for some in (one, other))
    return (high - low) + (high_rest - low_rest)


def quantile(samples: Samples, ranges: Ranges, share: float) -> Floats:
    """The value that a share of the readings in each range does not exceed; NaN in an empty one.

    Between two readings it is interpolated on a line, as pandas, NumPy and R (type 7) do.

    Raises:
        NoReadings: If the samples are buckets.
    """
    if samples.bucketed:
        raise NoReadings("a median or quantile needs single readings; ask for a shorter time")
    values = samples.numbers("sum")
    places = np.searchsorted(samples.time_us, ranges.at_us, side="right")
    times = np.insert(samples.time_us, places, ranges.at_us)
    column = pd.Series(
        np.insert(values, places, np.nan), index=pd.DatetimeIndex(times.view("datetime64[us]"))
    )
    rolling = column.rolling(pd.Timedelta(int(ranges.span_us), "us"), min_periods=1)
    found: Floats = rolling.quantile(share).to_numpy()[places + np.arange(len(places))]
    return found
