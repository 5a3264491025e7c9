"""Sums over ranges of a column that are exact: what lies around a range leaves no trace in it."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Exact = tuple[Floats, Floats]
"""Sums, and what rounding took from them."""

_CHUNK = 1 << 15  # so many values at once stay in the processor's cache
_DIGITS = 53  # of a float64, in bits
_LARGEST = 900  # larger exponents are taken down to this one
_SMALLEST = -1074  # of a float64, in which its last bit is
_ANCHOR = 1.5 * 2 ** (_DIGITS - 1)
_COARSE = ~((1 << 27) - 1)  # clears so many bits that a product with a count is exact


def chunks(length: int) -> Iterator[slice]:
    """A column in parts that fit the processor's cache."""
    return (slice(start, start + _CHUNK) for start in range(0, length, _CHUNK))


class RangeSums:
    """The sum of `values[first:last]`, for any number of ranges.

    Values are cut into slices of so few bits that no sum of all of a slice is rounded in a float64.
    So prefix sums are exact and so are their differences; where magnitudes differ, there are more
    slices. A sum with a value that is not finite is NaN.

    Source: Rump, Ogita and Oishi, Accurate floating-point summation, part I, 2008 (the slices).

    >>> sums = RangeSums(np.array([1e200, 0.1, 1e-99, -1e200]))
    >>> total, rest = sums.over(np.array([0, 1, 0]), np.array([2, 2, 4]))
    >>> total.tolist(), rest.tolist()
    ([1e+200, 0.1, 0.1], [0.1, 0.0, 1e-99])
    """

    def __init__(self, values: Floats) -> None:
        largest = float(max(values.max(), -values.min())) if len(values) else 0.0
        self._spoilt: Ints | None = None
        if not math.isfinite(largest):
            finite = np.isfinite(values)
            self._spoilt = np.concatenate([[0], np.cumsum(~finite)])
            values = np.where(finite, values, 0.0)
            largest = float(np.abs(values).max())
        exponent = math.frexp(largest)[1]
        self._scale = max(0, exponent - _LARGEST)  # so that no sum overflows
        if self._scale:
            values = np.ldexp(values, -self._scale)
        self._slices = _Slices(len(values), exponent - self._scale)
        for chunk in chunks(len(values)):
            self._slices.put(chunk.start, values[chunk])

    def over(self, first: Ints, last: Ints) -> Exact:
        """The sums of `values[first:last]`; 0 of an empty range."""
        total, rest = self._over(first, last)
        with np.errstate(over="ignore"):  # of a sum that no float64 holds
            return np.ldexp(total, self._scale), np.ldexp(rest, self._scale)

    def means(self, first: Ints, last: Ints, count: Ints) -> Floats:
        """The sums over the counts; NaN where a count is 0."""
        mean = mean_of(self._over(first, last), count)
        return np.ldexp(mean, self._scale) if self._scale else mean

    def _over(self, first: Ints, last: Ints) -> Exact:
        most, second, *others = self._slices.prefixes
        total = two_sum(_between(most, first, last), _between(second, first, last))
        for prefix in others:
            total = added(total, _between(prefix, first, last))
        if self._spoilt is not None:
            total[0][self._spoilt[last] > self._spoilt[first]] = np.nan
        return total


def _between(prefix: Floats, first: Ints, last: Ints) -> Floats:
    found = prefix.take(last, mode="clip")  # in half the time of a checked index
    found -= prefix.take(first, mode="clip")
    return found


def sums_of_runs(values: Floats, firsts: Ints) -> Floats:
    """The sum of each run of neighbours, rounded once.

    Args:
        values: Of all runs.
        firsts: Where each run begins; the first at 0.

    >>> sums_of_runs(np.array([1e16, 1.0, -1e16, 0.5]), np.array([0, 3])).tolist()
    [1.0, 0.5]
    """
    if not len(firsts):
        return values[:0]
    return RangeSums(values).over(firsts, np.append(firsts[1:], len(values)))[0]


class _Slices:
    """The prefix sums of each slice of a column, the most significant first: two or more."""

    def __init__(self, length: int, exponent: int) -> None:
        self._length = length
        self._exponent = exponent  # no value is greater than two to this power
        self._bits = _DIGITS - 1 - length.bit_length()
        self._units: list[float] = []
        self._sums: list[int] = []  # so far, in units
        self.prefixes: list[Floats] = []
        self._add()
        self._add()

    def put(self, start: int, values: Floats) -> None:
        """Takes in the values that begin at `start`, after all before them."""
        number = 0
        while number < len(self._units) or values.any():
            if number == len(self._units):
                self._add()
            values = values - self._cut(number, start, values)
            number += 1

    def _cut(self, number: int, start: int, values: Floats) -> Floats:
        """Adds what the values have in one slice, which is returned: they are rounded to it.

        Next to the anchor floats lie a unit apart, so that their bits count in units. Integers are
        summed at four times the speed of floats.
        """
        unit = self._units[number]
        anchor = np.float64(_ANCHOR * unit)
        near = values + anchor
        whole = near.view(np.int64) - anchor.view(np.int64)
        whole[0] += self._sums[number]
        np.cumsum(whole, out=whole)
        self._sums[number] = int(whole[-1])
        end = start + len(values)
        np.multiply(whole, unit, out=self.prefixes[number][start + 1 : end + 1])
        near -= anchor
        return near

    def _add(self) -> None:
        self._exponent = max(self._exponent - self._bits, _SMALLEST)
        self._units.append(math.ldexp(1.0, self._exponent))
        self._sums.append(0)
        self.prefixes.append(np.zeros(self._length + 1))


def mean_of(total: Exact, count: Ints) -> Floats:
    """The quotient, corrected by its remainder: the mean of a constant is that constant."""
    mean, rest = quotient(total, count.astype(np.float64))
    rest += mean
    return rest


def quotient(total: Exact, number: Floats) -> Exact:
    """A quotient, and what rounding took from it; the number has at most 26 bits."""
    mean = total[0] / number
    coarse = (mean.view(np.int64) & _COARSE).view(np.float64)
    fine = mean - coarse
    coarse *= number
    fine *= number
    remainder = total[0] - coarse
    remainder -= fine
    remainder += total[1]
    remainder /= number
    return mean, remainder


def added(total: Exact, value: Floats) -> Exact:
    """A sum with one more value. Source: Knuth, TAOCP 2, 4.2.2, theorem B; Dekker 1971."""
    one, rest = two_sum(total[0], value)
    rest += total[1]
    return two_sum(one, rest)


def two_sum(one: Floats, other: Floats) -> Exact:
    """The sum as it is rounded, and what rounding took from it."""
    total = one + other
    part = total - one
    rest = total - part
    np.subtract(one, rest, out=rest)
    np.subtract(other, part, out=part)
    rest += part
    return total, rest
