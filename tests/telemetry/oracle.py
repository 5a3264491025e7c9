"""Rolling statistics by their definition (docs/mean.md), in exact arithmetic and plain loops."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

Pairs = Sequence[tuple[int, float]]
"""When each number was measured, in µs, and what it is; sorted by both."""

HOLD = 3


def inside(pairs: Pairs, span_us: int, at_us: int) -> list[tuple[int, Fraction]]:
    """The readings in `(at - span, at]`."""
    return [(t, Fraction(v)) for t, v in pairs if at_us - span_us < t <= at_us]


def mean(pairs: Pairs, span_us: int, at_us: int) -> Fraction | None:
    """Their sum over their number."""
    values = [v for _, v in inside(pairs, span_us, at_us)]
    return sum(values, Fraction(0)) / len(values) if values else None


def least(pairs: Pairs, span_us: int, at_us: int) -> Fraction | None:
    """The least of them."""
    return min((v for _, v in inside(pairs, span_us, at_us)), default=None)


def greatest(pairs: Pairs, span_us: int, at_us: int) -> Fraction | None:
    """The greatest of them."""
    return max((v for _, v in inside(pairs, span_us, at_us)), default=None)


def variance(pairs: Pairs, span_us: int, at_us: int) -> Fraction | None:
    """Squared deviations from their mean over one less than their number."""
    values = [v for _, v in inside(pairs, span_us, at_us)]
    if len(values) < 2:
        return None
    middle = sum(values, Fraction(0)) / len(values)
    return sum(((v - middle) ** 2 for v in values), Fraction(0)) / (len(values) - 1)


def quantile(pairs: Pairs, span_us: int, at_us: int, share: Fraction) -> Fraction | None:
    """Between the two nearest in order, on a line."""
    values = sorted(v for _, v in inside(pairs, span_us, at_us))
    if not values:
        return None
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def rate(pairs: Pairs, span_us: int, at_us: int) -> Fraction | None:
    """From the first to the last, per second."""
    some = inside(pairs, span_us, at_us)
    if not some or some[0][0] == some[-1][0]:
        return None
    return (some[-1][1] - some[0][1]) * 1_000_000 / (some[-1][0] - some[0][0])


def increase(pairs: Pairs, span_us: int, at_us: int, interval_us: int | None) -> Fraction | None:
    """Steps into each reading of the span; a step down began at 0."""
    start_us = at_us - span_us
    some = inside(pairs, span_us, at_us)
    if not some:
        return None
    before = [(t, Fraction(v)) for t, v in pairs if t <= start_us]
    if interval_us and before and start_us - before[-1][0] <= HOLD * interval_us:
        some = [before[-1], *some]
    total = Fraction(0)
    for (_, one), (_, other) in pairwise(some):
        total += other - one if other >= one else max(other, Fraction(0))
    return total


def time_weighted(
    pairs: Pairs, span_us: int, at_us: int, interval_us: int | None
) -> Fraction | None:
    """Each value by how long it held in the span."""
    start_us, area, known_us = at_us - span_us, Fraction(0), 0
    ends = [*(t for t, _ in pairs), math.inf][1:]
    for (begun_us, value), next_us in zip(pairs, ends, strict=True):
        if begun_us > at_us or (begun_us <= start_us and not interval_us):
            continue
        held_us = HOLD * interval_us if interval_us else math.inf
        until_us = min(next_us, begun_us + held_us, at_us)
        for_us = max(0, int(until_us) - max(begun_us, start_us))
        area += Fraction(value) * for_us
        known_us += for_us
    if known_us:
        return area / known_us
    some = inside(pairs, span_us, at_us)
    return some[-1][1] if some else None
