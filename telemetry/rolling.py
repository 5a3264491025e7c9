"""The rolling mean, and how sure it is.

The mean at an instant `t` with span `s` is over the readings in `(t - s, t]`. No readings: no
mean, NaN, never 0. Coverage is the share of expected readings that arrived.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Instants = NDArray[np.int64]
Floats = NDArray[np.float64]
Exact = tuple[Floats, Floats]
"""Sums, and what rounding took from them."""
_COARSE = ~((1 << 27) - 1)  # clears so many bits that a product with a count is exact


def samples_of_readings(frame: pd.DataFrame) -> pd.DataFrame:
    """Readings as `rolling_mean` takes them: one row per instant, states left out.

    Args:
        frame: `time_us` (int64, sorted) and `value` (float64, NaN in a state).

    Returns:
        Index `time_us`, sorted and unique; columns `sum` (float64) and `count` (int64).
    """
    numbers = frame.loc[frame["value"].notna(), ["time_us", "value"]]
    return numbers.groupby("time_us")["value"].agg(["sum", "count"])


def samples_of_buckets(frame: pd.DataFrame, bucket_us: int) -> pd.DataFrame:
    """Buckets as `rolling_mean` takes them, each at the last microsecond that it covers.

    There, for a span that the bucket's width divides, the mean is exactly that of the readings.

    Args:
        frame: `time_us` (int64, a bucket's start, sorted), `sum` and `count`.
        bucket_us: The width of a bucket.

    Returns:
        Index `time_us`, sorted and unique; columns `sum` (float64) and `count` (int64).
    """
    return frame.set_index(frame["time_us"] + bucket_us - 1)[["sum", "count"]]


def rolling_mean(
    samples: pd.DataFrame, span_us: int, interval_us: int | None, instants: Sequence[int] | Instants
) -> pd.DataFrame:
    """The mean over `(t - span, t]` at each instant, with its coverage.

    Each sum is taken over its own samples alone, in twice the precision of a float: small changes
    of a large value survive, an outlier leaves no trace outside its span, and the same readings
    give the same mean whatever surrounds them.

    Args:
        samples: From `samples_of_readings` or `samples_of_buckets`; must reach a span further
            back than the first instant.
        span_us: The width of the mean, in µs.
        interval_us: The expected reporting interval in µs; `None` if unknown: coverage is NaN.
        instants: In µs.

    Returns:
        One row per instant, in order: `time_us` (int64), `mean` (float64, NaN without readings
        and where their sum is no float64), `count` (int64) and `coverage` (float64, 0 to 1, NaN if
        the interval is unknown).

    >>> frame = pd.DataFrame({"time_us": [0, 10, 20], "value": [1.0, 2.0, 6.0]})
    >>> rolling_mean(samples_of_readings(frame), 20, 10, [20, 60])
       time_us  mean  count  coverage
    0       20   4.0      2       1.0
    1       60   NaN      0       0.0
    """
    at = np.asarray(instants, dtype=np.int64)
    times = samples.index.to_numpy(dtype=np.int64)
    first = np.searchsorted(times, at - span_us, side="right")
    last = np.searchsorted(times, at, side="right")
    counted = np.concatenate([[0], np.cumsum(samples["count"].to_numpy(dtype=np.int64))])
    count = counted[last] - counted[first]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = _mean(_sums(samples["sum"].to_numpy(dtype=np.float64), first, last), count)
    return pd.DataFrame(
        {
            "time_us": at,
            "mean": np.where(np.isfinite(mean), mean, np.nan),
            "count": count,
            "coverage": _coverage(count, span_us, interval_us),
        }
    )


def _mean(total: Exact, count: Instants) -> Floats:
    """The quotient, corrected by its remainder: the mean of a constant is that constant."""
    mean = total[0] / count
    coarse = (mean.view(np.int64) & _COARSE).view(np.float64)
    remainder = (total[0] - coarse * count) - (mean - coarse) * count + total[1]
    return mean + remainder / count


def _sums(values: Floats, first: Instants, last: Instants) -> Exact:
    """The sum of `values[first:last]` for each pair, put together from aligned blocks.

    Blocks double in width from level to level, so that n values take log n steps for all pairs
    at once. A value and what rounding took from it travel together.
    """
    block = (values, np.zeros(len(values)))
    total = (np.zeros(len(first)), np.zeros(len(first)))
    while np.any(first < last):
        start = (first < last) & (first % 2 == 1)
        total = _add_blocks(total, block, start, first)
        first = first + start
        end = (first < last) & (last % 2 == 1)
        last = last - end
        total = _add_blocks(total, block, end, last)
        first, last, block = first // 2, last // 2, _paired(block)
    return total


def _add_blocks(total: Exact, block: Exact, chosen: NDArray[np.bool_], index: Instants) -> Exact:
    sums, rests = total
    at = index[chosen]
    sums[chosen], rests[chosen] = _added(
        (sums[chosen], rests[chosen]), (block[0][at], block[1][at])
    )
    return sums, rests


def _paired(block: Exact) -> Exact:
    sums, rests = (np.append(part, np.zeros(len(part) % 2)) for part in block)
    return _added((sums[::2], rests[::2]), (sums[1::2], rests[1::2]))


def _added(one: Exact, other: Exact) -> Exact:
    """Two sums as one. Source: Knuth, TAOCP 2, 4.2.2, theorem B; Dekker 1971."""
    total, rest = _two_sum(one[0], other[0])
    return _two_sum(total, rest + (one[1] + other[1]))


def _two_sum(one: Floats, other: Floats) -> Exact:
    total = one + other
    part = total - one
    return total, (one - (total - part)) + (other - part)


def _coverage(
    count: NDArray[np.int64], span_us: int, interval_us: int | None
) -> NDArray[np.float64]:
    if not interval_us:
        return np.full(len(count), np.nan)
    return np.minimum(count / max(1.0, span_us / interval_us), 1.0)


def choose_bucket_us(length_us: int, max_buckets: int, spans_us: Sequence[int]) -> int:
    """The narrowest round width that covers a window in at most `max_buckets` buckets.

    Among those, widths that divide every span that is not narrower come first: only they give
    exact rolling means. There is always one, for a width wider than all spans qualifies.

    >>> choose_bucket_us(86_400_000_000, 1500, [60_000_000, 300_000_000]) // 1_000_000
    60
    """
    wide_enough = [width for width in _WIDTHS_US if width * max_buckets >= length_us]
    exact = (w for w in wide_enough if all(span < w or span % w == 0 for span in spans_us))
    return next(exact, _WIDTHS_US[-1])


_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800)
_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 336, 720, 2400, 8760, 87600)
_WIDTHS_US = (
    *(width * 1_000 for width in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(width * 1_000_000 for width in _SECONDS),
    *(width * 3_600_000_000 for width in _HOURS),
)
