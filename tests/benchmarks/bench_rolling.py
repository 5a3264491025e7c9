"""Rolling statistics against pandas' own rolling mean."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from telemetry.exact import Ints
from telemetry.rolling import rolling, rolling_mean
from telemetry.rollup import roll
from telemetry.samples import samples_of_buckets, samples_of_readings
from telemetry.window import MINUTE_US
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

READINGS = 10_000_000
SPANS_US = (60_000_000, 300_000_000, 1_800_000_000)
INTERVAL_US = 1_000_000
MOST_OF_ONE, MOST_OF_THREE = 1.6, 4.0
MOST_OF_CHART_MS = 10.0


def irregular(count: int) -> pd.DataFrame:
    """Irregular readings, about one a second."""
    random = np.random.default_rng(7)
    times = np.cumsum(random.integers(200_000, 1_800_000, count))
    return pd.DataFrame({"time_us": times, "value": random.normal(20, 3, count)})


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    """Ten million of them."""
    return irregular(READINGS)


@pytest.fixture(scope="module")
def bare(readings: pd.DataFrame) -> Sequence[float]:
    """The baseline: pandas' bare mean over five minutes at every reading."""
    index = pd.DatetimeIndex(readings["time_us"].to_numpy().astype("datetime64[us]"))
    values = pd.Series(readings["value"].to_numpy(), index=index)
    return seconds(lambda: values.rolling("5min").mean())


def means(readings: pd.DataFrame, instants: Ints, spans_us: Sequence[int]) -> None:
    """Mean, count and coverage at every reading, from the readings on."""
    samples = samples_of_readings(readings)
    for span_us in spans_us:
        rolling_mean(samples, span_us, INTERVAL_US, instants)


@pytest.mark.parametrize(
    ("spans_us", "most"), [(SPANS_US[1:2], MOST_OF_ONE), (SPANS_US, MOST_OF_THREE)]
)
def test_bench_rolling_mean_with_coverage(
    readings: pd.DataFrame, bare: Sequence[float], spans_us: Sequence[int], most: float
) -> None:
    """Mean and coverage over five minutes, and over three spans, at every reading."""
    instants = readings["time_us"].to_numpy()
    ours = seconds(lambda: means(readings, instants, spans_us))
    name = f"rolling_mean, 10 M readings, {len(spans_us)} spans"
    compare(name, ours, "Series.rolling('5min').mean()", bare)
    assert min(ours) / min(bare) <= most


def test_bench_three_spans_of_a_chart_of_rollups() -> None:
    """1440 minutes and what they look back on; baseline: the same from the readings."""
    readings = irregular(100_000)
    times, values = readings["time_us"].to_numpy(), readings["value"].to_numpy()
    buckets = roll(np.zeros(len(times), np.int64), times, values, MINUTE_US)
    instants = buckets["time_us"].to_numpy() + MINUTE_US - 1

    def chart() -> None:
        samples = samples_of_buckets(buckets, MINUTE_US)
        for span_us in SPANS_US:
            rolling_mean(samples, span_us, INTERVAL_US, instants)

    ours = seconds(chart)
    raw = seconds(lambda: means(readings, instants, SPANS_US))
    compare(f"three spans of {len(buckets)} rollups", ours, "of 100 000 readings", raw)
    assert min(ours) * 1000 <= MOST_OF_CHART_MS


@pytest.mark.parametrize(
    "name", ["mean", "time_weighted", "median", "p95", "min", "max", "std", "rate", "increase"]
)
def test_bench_each_statistic(name: str) -> None:
    """A million readings; baseline: pandas' bare mean."""
    readings = irregular(1_000_000)
    index = pd.DatetimeIndex(readings["time_us"].to_numpy().astype("datetime64[us]"))
    values = pd.Series(readings["value"].to_numpy(), index=index)
    instants = readings["time_us"].to_numpy()
    samples = samples_of_readings(readings)
    ours = seconds(lambda: rolling(samples, SPANS_US[1], INTERVAL_US, instants, [name]))
    bare = seconds(lambda: values.rolling("5min").mean())
    compare(f"{name}, 1 M readings", ours, "Series.rolling('5min').mean()", bare)
