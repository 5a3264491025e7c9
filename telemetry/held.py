"""Figures for which a value holds from its reading to the next one, for at most three intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.exact import Floats, Ints, RangeSums, added
from telemetry.samples import Ranges, Samples
from telemetry.window import ALL_TIME

HOLD_INTERVALS = 3
"""A value or a state holds for at most so many expected intervals after its reading."""

FOREVER_US = ALL_TIME.end_us
"""Longer than a value holds, and later than a reading comes."""

_SECOND_US = 1e6


@dataclass(frozen=True, slots=True)
class Hold:
    """For how long a value holds.

    Attributes:
        inside_us: Within a span; if nobody knows the interval, until the next reading.
        before_us: Into a span from before it; if nobody knows the interval, not at all: else what
            a span says would depend on how far back one has read.
    """

    inside_us: int
    before_us: int


def hold(interval_us: int | None) -> Hold:
    """For how long the values of a series with such an interval hold."""
    held_us = HOLD_INTERVALS * (interval_us or 0)
    return Hold(held_us or FOREVER_US, held_us)


def rate(samples: Samples, ranges: Ranges) -> Floats:
    """The change from the first reading in each range to the last, per second.

    NaN where there are no two of different times.
    """
    if not len(samples):
        return np.full(len(ranges.at_us), np.nan)
    first, last = ranges.first.clip(max=len(samples) - 1), (ranges.last - 1).clip(min=0)
    risen = samples.numbers("last")[last] - samples.numbers("first")[first]
    took_us = samples.times("last_us")[last] - samples.times("first_us")[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = risen / (took_us / _SECOND_US)
    return np.where((ranges.first < ranges.last) & (took_us > 0), found, np.nan)


def increase(samples: Samples, ranges: Ranges, interval_us: int | None) -> Floats:
    """By how much a counter has risen in each range.

    A step down is a reset: the counter began anew from 0. The step from the reading before the
    range counts if that one still held at the range's start, so that the increases of neighbouring
    spans add up. NaN without readings.
    """
    steps = np.zeros(len(samples))
    first, last = samples.numbers("first"), samples.numbers("last")
    steps[1:] = risen(last[:-1], first[1:])
    inner = _after_first(ranges)
    own = RangeSums(samples.numbers("increase")).over(ranges.first, ranges.last)
    total = added(RangeSums(steps).over(inner, ranges.last), own[0])
    entered = _entered(samples, ranges, hold(interval_us).before_us)
    step = np.where(entered, steps.take(ranges.first, mode="clip"), 0.0) if len(steps) else 0.0
    some = ranges.first < ranges.last
    return np.where(some, added(total, step + own[1])[0], np.nan)


def risen(before: Floats, after: Floats) -> Floats:
    """By how much a counter rose from one reading to the next, which is less if it was reset."""
    return np.where(after < before, np.maximum(after, 0.0), after - before)


def time_weighted(samples: Samples, ranges: Ranges, interval_us: int | None) -> Floats:
    """The mean over the time of each range in which a value is known.

    The value that held before the range counts until the first reading in it, and each until the
    next one. NaN where no value is known; at the very instant of the first reading it is the last
    value of that instant.

    Within a bucket each value holds until the next one, however long that takes: what its
    `integral` says.
    """
    if not len(samples):
        return np.full(len(ranges.at_us), np.nan)
    held = hold(interval_us)
    values = samples.numbers("last")
    begun, ended = samples.times("first_us"), samples.times("last_us")
    held_us = np.append(np.minimum(begun[1:] - ended[:-1], held.inside_us), 0)
    inner = np.maximum(ranges.last - 1, ranges.first)
    total = RangeSums(values * held_us).over(ranges.first, inner)
    known_us = _sums(held_us, ranges.first, inner) + _sums(ended - begun, ranges.first, ranges.last)
    own = RangeSums(samples.numbers("integral") * _SECOND_US)
    total = added(total, own.over(ranges.first, ranges.last)[0])
    edges = (_before(begun, ended, ranges, held), _after(ended, ranges, held))
    for place, for_us in edges:
        total = added(total, values[place] * for_us)
        known_us = known_us + for_us
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (total[0] + total[1]) / known_us
    at_once = (known_us == 0) & (ranges.first < ranges.last)
    return np.where(at_once, values[(ranges.last - 1).clip(min=0)], found)


def _before(begun: Ints, ended: Ints, ranges: Ranges, held: Hold) -> tuple[Ints, Ints]:
    """The sample before each range, and for how long it holds inside."""
    place = (ranges.first - 1).clip(min=0)
    until = np.where(
        ranges.first < ranges.last, begun.take(ranges.first, mode="clip"), ranges.at_us
    )
    end_us = np.minimum(until, ended[place] + held.before_us)
    for_us = (end_us - (ranges.at_us - ranges.span_us)).clip(min=0)
    return place, np.where(ranges.first > 0, for_us, 0)


def _after(ended: Ints, ranges: Ranges, held: Hold) -> tuple[Ints, Ints]:
    """The last sample in each range, and for how long it holds up to the instant."""
    place = (ranges.last - 1).clip(min=0)
    for_us = np.minimum(ranges.at_us - ended[place], held.inside_us)
    return place, np.where(ranges.first < ranges.last, for_us, 0)


def _entered(samples: Samples, ranges: Ranges, limit_us: int) -> NDArray[np.bool_]:
    """Whether the sample before each range still held when the range began."""
    if not (len(samples) and limit_us):
        return np.zeros(len(ranges.at_us), dtype=bool)
    ended = samples.times("last_us")[(ranges.first - 1).clip(min=0)]
    held: NDArray[np.bool_] = ranges.at_us - ranges.span_us - ended <= limit_us
    return held & (ranges.first > 0)


def _after_first(ranges: Ranges) -> Ints:
    return np.minimum(ranges.first + 1, ranges.last)


def _sums(values: Ints, first: Ints, last: Ints) -> Ints:
    prefix = np.concatenate([[0], np.cumsum(values)])
    found: Ints = prefix[last] - prefix[first]
    return found
