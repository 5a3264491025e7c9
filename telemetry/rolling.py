"""Rolling statistics, and how sure they are.

A statistic at an instant `t` with span `s` is of the readings in `(t - s, t]`. No readings: no
number, NaN, never 0. Coverage is the share of expected readings that arrived.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from telemetry.exact import Floats, Ints, chunks
from telemetry.fault import Fault
from telemetry.held import increase, rate, time_weighted
from telemetry.samples import Ranges, Samples, ranges
from telemetry.spread import deviation, greatest, least, quantile

Statistic = Callable[[Samples, Ranges, int | None], Floats]

MEAN = "mean"
_STATISTICS: Mapping[str, Statistic] = {
    "time_weighted": time_weighted,
    "median": lambda samples, some, _: quantile(samples, some, 0.5),
    "min": lambda samples, some, _: least(samples, some),
    "max": lambda samples, some, _: greatest(samples, some),
    "std": lambda samples, some, _: deviation(samples, some),
    "rate": lambda samples, some, _: rate(samples, some),
    "increase": increase,
}
OF_STATES = ("share", "changes")
"""Those that `telemetry.states.rolling_states` has of states and booleans."""

HELD = frozenset({"time_weighted", "increase", *OF_STATES})
"""Those for which it counts what held when a span began."""

_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")


class StatisticError(Fault, ValueError):
    """No such statistic; the message names those there are."""

    exit_code = 2


def check_statistic(name: str) -> str:
    """The name of a statistic, of numbers or of states.

    Raises:
        StatisticError: If there is none of that name.

    >>> check_statistic("median"), check_statistic("p99.9")
    ('median', 'p99.9')
    """
    if name not in {MEAN, *OF_STATES}:
        _statistic(name)
    return name


def needs_readings(name: str) -> bool:
    """Whether a statistic is of single readings alone, and no buckets or rollups tell it."""
    return name in {"median", *OF_STATES} or _QUANTILE.fullmatch(name) is not None


def _statistic(name: str) -> Statistic:
    known = _STATISTICS.get(name)
    if known is not None:
        return known
    found = _QUANTILE.fullmatch(name)
    if found is None:
        names = ", ".join([MEAN, *_STATISTICS, *OF_STATES])
        raise StatisticError(f"there is no statistic {name!r}; use {names} or a quantile as p95")
    share = float(found[1]) / 100
    return lambda samples, some, _: quantile(samples, some, share)


def rolling(
    samples: Samples,
    span_us: int,
    interval_us: int | None,
    instants: Sequence[int] | Ints,
    statistics: Sequence[str],
) -> pd.DataFrame:
    """Statistics over `(t - span, t]` at each instant, with their coverage; see `docs/mean.md`.

    Args:
        samples: As in `rolling_mean`. For `time_weighted` and `increase` they must reach three
            intervals further back, for what held when a span began.
        span_us: As there.
        interval_us: As there.
        instants: As there.
        statistics: Of `mean`, `time_weighted`, `median`, `p95` (or another quantile), `min`, `max`,
            `std`, `rate` (per second) and `increase` (of a counter).

    Returns:
        One row per instant, in order: `time_us` (int64), a column (float64) for each statistic,
        NaN where there are no readings, or too few, or only a sum that is no float64; `count`
        (int64) and `coverage` (float64).

    Raises:
        StatisticError: If there is no such statistic.
        NoReadings: If the samples are buckets, and it needs single readings.

    >>> from telemetry.samples import samples_of_readings
    >>> frame = pd.DataFrame({"time_us": [0, 10, 20], "value": [1.0, 2.0, 6.0]})
    >>> rolling(samples_of_readings(frame), 20, 10, [20], ["max", "p75", "increase"])
       time_us  max  p75  increase  count  coverage
    0       20  6.0  5.0       5.0      2       1.0
    """
    base = rolling_mean(samples, span_us, interval_us, instants)
    some = ranges(samples, span_us, base["time_us"].to_numpy())
    columns: dict[str, Floats | Ints] = {"time_us": some.at_us}
    for name in statistics:
        found = (
            base[MEAN].to_numpy() if name == MEAN else _statistic(name)(samples, some, interval_us)
        )
        columns[name] = np.where(np.isfinite(found), found, np.nan)
    return pd.DataFrame(columns).assign(count=base["count"], coverage=base["coverage"])


def rolling_mean(
    samples: Samples, span_us: int, interval_us: int | None, instants: Sequence[int] | Ints
) -> pd.DataFrame:
    """The mean over `(t - span, t]` at each instant, with its coverage.

    Each sum is taken over its own samples alone, without rounding: small changes of a large value
    survive, an outlier leaves no trace outside its span, and the same readings give the same mean
    whatever surrounds them.

    Args:
        samples: From `samples_of_readings` or `samples_of_buckets`; must reach a span further
            back than the first instant.
        span_us: The width of the mean, in µs.
        interval_us: The expected reporting interval in µs; `None` if unknown: coverage is NaN.
        instants: In µs, ascending.

    Returns:
        One row per instant, in order: `time_us` (int64), `mean` (float64, NaN without readings),
        `count` (int64) and `coverage` (float64, 0 to 1, NaN if the interval is unknown).

    >>> from telemetry.samples import samples_of_readings
    >>> frame = pd.DataFrame({"time_us": [0, 10, 20], "value": [1.0, 2.0, 6.0]})
    >>> rolling_mean(samples_of_readings(frame), 20, 10, [20, 60])
       time_us  mean  count  coverage
    0       20   4.0      2       1.0
    1       60   NaN      0       0.0
    """
    at = np.asarray(instants, dtype=np.int64)
    found, count = means(samples, span_us, at)
    share = coverage(count, span_us, interval_us)
    columns = {"time_us": at, "mean": found, "count": count, "coverage": share}
    return pd.DataFrame(columns, copy=False)


def means(samples: Samples, span_us: int | Ints, at: Ints) -> tuple[Floats, Ints]:
    """The columns `mean` and `count` of `rolling_mean` alone: a frame costs more than ten means.

    Of few instants each may have a span of its own.
    """
    found, count = np.empty(len(at)), np.empty(len(at), np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        for part in chunks(len(at)):
            first, last = samples.upto(at[part] - span_us), samples.upto(at[part])
            count[part] = number = samples.counts(first, last)
            found[part] = samples.sums.means(first, last, number)
    if samples.bucketed:  # their sums were rounded, which must not take a mean beyond its readings
        some = ranges(samples, span_us, at)
        found = np.clip(found, least(samples, some), greatest(samples, some))
    return found, count


def coverage(count: Ints, span_us: int, interval_us: int | None) -> Floats:
    """The share of the readings expected in a span that are there, at most 1; NaN if unknown.

    >>> coverage(np.array([3, 7]), 60, 10).tolist()
    [0.5, 1.0]
    """
    expected = max(1.0, span_us / interval_us) if interval_us else np.nan
    share: Floats = np.minimum(count / expected, 1.0)
    return share
