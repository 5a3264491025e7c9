"""The rolling mean against pandas' own."""

import numpy as np
import pandas as pd
import pytest

from telemetry.rolling import rolling_mean, samples_of_readings
from tests.benchmarks.report import compare, seconds

pytestmark = pytest.mark.bench

READINGS = 1_000_000
SPAN_US = 300_000_000


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    """A million irregular readings, about one a second."""
    random = np.random.default_rng(7)
    times = np.cumsum(random.integers(200_000, 1_800_000, READINGS))
    return pd.DataFrame({"time_us": times, "value": random.normal(20, 3, READINGS)})


def test_bench_rolling_mean_with_coverage(readings: pd.DataFrame) -> None:
    """Mean and coverage over five minutes at every reading; baseline: pandas' bare mean."""
    samples = samples_of_readings(readings)
    instants = readings["time_us"].to_numpy()
    index = pd.DatetimeIndex(readings["time_us"].to_numpy().astype("datetime64[us]"))
    values = pd.Series(readings["value"].to_numpy(), index=index)
    ours = seconds(lambda: rolling_mean(samples, SPAN_US, 1_000_000, instants))
    bare = seconds(lambda: values.rolling("5min").mean())
    compare("rolling_mean, 1 M readings", ours, "Series.rolling('5min').mean()", bare)
