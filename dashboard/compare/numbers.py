"""What a comparison is reckoned from: figures of a period, and differences to a median. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from telemetry.exact import Floats, Ints
from telemetry.rolling import rolling
from telemetry.samples import Samples
from telemetry.window import Window

_P95 = 0.95
_FEWEST = 2
"""The median of one client is that client: nothing differs from it."""


@dataclass(frozen=True, slots=True)
class Points:
    """Some numbers of a client.

    Attributes:
        times_us: Where each stands, ascending.
        values: Finite.
        coverage: Of each, 0 to 1; NaN where nobody knows what to expect.
    """

    times_us: Ints
    values: Floats
    coverage: Floats

    def __len__(self) -> int:
        return len(self.times_us)


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of one client in a period; NaN without readings.

    Attributes:
        count: Of its readings.
        least: The least of them.
        mean: Their mean.
        p95: What 95 % of them do not exceed: from and to, for buckets tell it only nearly.
        greatest: The greatest of them.
        gaps: How often it was silent for longer than it may be; None if nobody can tell.
        coverage: The share of the expected readings that arrived; NaN if nobody knows how many.
    """

    count: int
    least: float
    mean: float
    p95: tuple[float, float]
    greatest: float
    gaps: int | None
    coverage: float


def totals(
    samples: Samples, period: Window, interval_us: int | None, gap_us: float | None, width_us: int
) -> Totals:
    """The figures of all samples of a period.

    Args:
        samples: Of that period alone.
        period: From when to when.
        interval_us: The expected reporting interval, if it is known.
        gap_us: A longer silence is a gap; None if nobody can tell.
        width_us: Of a bucket; 0 if samples are readings.
    """
    names = ["min", "mean", "max", *([] if samples.bucketed else ["p95"])]
    at_us = [period.end_us - 1]
    found = rolling(samples, period.length_us, interval_us, at_us, names).iloc[0]
    exact = (found["p95"], found["p95"]) if "p95" in names else _bounds(samples)
    return Totals(
        count=int(found["count"]),
        least=float(found["min"]),
        mean=float(found["mean"]),
        p95=(float(exact[0]), float(exact[1])),
        greatest=float(found["max"]),
        gaps=None if gap_us is None else gaps(samples.time_us, period, gap_us, width_us),
        coverage=float(found["coverage"]),
    )


def gaps(times_us: Ints, period: Window, gap_us: float, width_us: int) -> int:
    """How many stretches of a period have nothing in them for longer than `gap_us`.

    Args:
        times_us: When each reading was measured, or each bucket ends, ascending.
        period: From when to when.
        gap_us: How long is too long.
        width_us: Of a bucket; 0 of readings.

    >>> gaps(np.array([20, 30, 90]), Window(0, 100), 15, 0)
    2
    """
    begins = period.start_us + width_us
    inside = np.clip(times_us, begins, period.end_us)
    return int(np.count_nonzero(np.diff([begins, *inside, period.end_us]) > gap_us))


def _bounds(samples: Samples) -> tuple[float, float]:
    """Between which numbers the quantile of the readings in buckets lies.

    None is less than the least of its bucket, so their quantile is not less than that of these.
    """
    if not len(samples):
        return float("nan"), float("nan")
    counts = samples.numbers("count").astype(np.int64)
    low, high = (quantile_of_runs(samples.numbers(name), counts, _P95) for name in ("min", "max"))
    return low, high


def quantile_of_runs(values: Floats, counts: Ints, share: float) -> float:
    """The quantile of numbers of which each stands so often, interpolated on a line (R's type 7).

    >>> quantile_of_runs(np.array([4.0, 1.0]), np.array([1, 3]), 0.5)
    1.0
    >>> quantile_of_runs(np.array([4.0, 1.0]), np.array([1, 1]), 0.5)
    2.5
    """
    order = np.argsort(values)
    ends = np.cumsum(counts[order])
    place = (int(ends[-1]) - 1) * share
    before = int(place)
    after = min(before + 1, int(ends[-1]) - 1)
    low, high = values[order][np.searchsorted(ends, [before, after], side="right")]
    return float(low + (high - low) * (place - before))


def differences(every: Sequence[Points]) -> Sequence[Points]:
    """How far each is from the median of all, where at least two have a number.

    Args:
        every: Of each client, on one grid of times.
    """
    grid = np.unique(np.concatenate([one.times_us for one in every])) if every else np.zeros(0)
    table = np.full((len(every), len(grid)), np.nan)
    for row, one in enumerate(every):
        table[row, np.searchsorted(grid, one.times_us)] = one.values
    known = np.count_nonzero(np.isfinite(table), axis=0) >= _FEWEST
    median = np.full(len(grid), np.nan)
    median[known] = np.nanmedian(table[:, known], axis=0)
    return [_apart(one, median[np.searchsorted(grid, one.times_us)]) for one in every]


def _apart(one: Points, median: Floats) -> Points:
    known = np.isfinite(median)
    values = one.values[known] - median[known]
    return Points(one.times_us[known], values, one.coverage[known])


def broken(points: Points, gap_us: float) -> Points:
    """The same with a missing number in each gap, so that no line is drawn across it."""
    times = points.times_us
    after = np.flatnonzero(np.diff(times) > gap_us) + 1
    return Points(
        np.insert(times, after, times[after - 1]),
        np.insert(points.values, after, np.nan),
        np.insert(points.coverage, after, np.nan),
    )
