"""Long CSV, written by columns, has the bytes that Python's csv module writes row by row."""

import csv
import io
import math
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.reading import flag_names
from telemetry.store.csv_text import csv_long
from telemetry.text import LONG_COLUMNS, guard, number
from telemetry.window import to_iso
from tests.telemetry.builders import NOON_US, steady

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.integers(-62_135_000_000_000_000, 253_402_200_000_000_000)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**17), 10**17).map(
    float
)
ROWS = st.lists(
    st.tuples(TIMES, TEXTS, FLOATS | TEXTS, TEXTS, TIMES | st.just(0), st.integers(0, 4095),
              FLOATS | st.just(math.nan)),
    min_size=1, max_size=12,
)  # fmt: skip
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")])

Row = tuple[int, str, float | str, str, int, int, float]


def part_of(rows: list[Row]) -> pd.DataFrame:
    """Rows as a part of an export, with one mean."""
    times, metrics, values, units, received, flags, means = zip(*rows, strict=True)
    texts = [value if isinstance(value, str) else None for value in values]
    numbers = [math.nan if isinstance(value, str) else value for value in values]
    return pd.DataFrame(
        {
            "time_us": pd.Series(times, dtype="int64"),
            "client": "boiler",
            "metric": pd.Series(metrics, dtype=object),
            "value": pd.Series(numbers, dtype="float64"),
            "text": pd.Series(texts, dtype=object),
            "unit": pd.Series(units, dtype=object),
            "received_us": pd.Series(received, dtype="int64"),
            "flags": pd.Series(flags, dtype="int64"),
            "mean_5m": pd.Series(means, dtype="float64"),
        }
    )


def row_by_row(rows: list[Row], zone: tzinfo) -> str:
    """The same, as DESIGN.md §8 has it, without any column."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*LONG_COLUMNS, "mean_5m"])
    for time_us, metric, value, unit, received_us, flags, mean in rows:
        cell = guard(value) if isinstance(value, str) else number(value)
        received = to_iso(received_us, zone) if received_us else ""
        cells = [to_iso(time_us, zone), "boiler", guard(metric), cell, guard(unit), received]
        writer.writerow([*cells, flag_names(flags), number(mean)])
    return buffer.getvalue()


@steady
@given(ROWS, ZONES)
def test_csv_by_columns_is_csv_by_rows(rows: list[Row], zone: tzinfo) -> None:
    """Whatever is measured, byte for byte."""
    assert "".join(csv_long([part_of(rows)], ["mean_5m"], zone)) == row_by_row(rows, zone)


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_csv_over_a_change_of_clocks_has_the_offset_of_each_time(zone: tzinfo) -> None:
    """An hour that comes twice, and many rows with few numbers."""
    start_us = NOON_US - 30 * 86_400_000_000
    rows: list[Row] = [
        (start_us + n * 600_000_123, "t", n % 7 / 10, "°C", start_us + n, 0, -0.0)
        for n in range(5000)
    ]
    assert "".join(csv_long([part_of(rows)], ["mean_5m"], zone)) == row_by_row(rows, zone)
