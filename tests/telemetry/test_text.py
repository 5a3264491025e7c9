"""Exports as text: guarded, shortest round-trip, in any zone."""

import csv
import io
import json
import math
from datetime import UTC, tzinfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.store.csv_text import csv_long
from telemetry.text import LONG_COLUMNS, csv_wide, guard, json_array, number
from telemetry.window import parse_time, parse_zone
from tests.telemetry.builders import NOON_US, steady

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def part(
    rows: list[tuple[int, str, float | str]], client: str = "boiler", unit: str = "°C"
) -> pd.DataFrame:
    """An export part of (time, metric, value) rows without means."""
    texts = [value if isinstance(value, str) else None for _, _, value in rows]
    numbers = [math.nan if isinstance(value, str) else value for _, _, value in rows]
    frame = pd.DataFrame({"time_us": [row[0] for row in rows]}, dtype="int64")
    frame["client"], frame["metric"], frame["unit"] = client, [row[1] for row in rows], unit
    frame["value"] = pd.Series(numbers, dtype="float64")
    frame["text"] = pd.Series(texts, dtype=object)
    frame["received_us"], frame["flags"] = frame["time_us"], 0
    return frame


def long_rows(parts: list[pd.DataFrame], zone: tzinfo = UTC) -> list[dict[str, str]]:
    """The long CSV as Python's csv module reads it."""
    return list(csv.DictReader(io.StringIO("".join(csv_long(parts, (), zone)), newline="")))


def wide_rows(parts: list[pd.DataFrame], units: dict[str, str]) -> list[list[str]]:
    """The wide CSV, header first, as Python's csv module reads it."""
    return list(csv.reader(io.StringIO("".join(csv_wide(parts, units, (), UTC)), newline="")))


@steady
@given(ANY_TEXT)
def test_guard_of_any_text_leaves_no_formula_and_loses_nothing(text: str) -> None:
    """No guarded text begins like a formula, and what was added is one quote at most."""
    guarded = guard(text)
    assert not guarded.startswith(("=", "+", "-", "@"))
    assert not guarded or guarded[0] >= " "
    assert guarded in (text, f"'{text}")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n", "\0"])
def test_guard_of_what_a_spreadsheet_would_run_puts_a_quote_before_it(text: str) -> None:
    """Formulas and control characters are made text."""
    assert guard(text) == f"'{text}"


@steady
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_read_back_is_the_same_float(value: float) -> None:
    """The text of a number is the number, to the last bit, and never has a useless `.0`."""
    text = number(value)
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    assert float(text) == value
    assert not text.endswith(".0")


@steady
@given(
    st.lists(
        st.tuples(st.integers(NOON_US, NOON_US + 10**9), ANY_TEXT, st.floats(-1e300, 1e300)),
        min_size=1,
        max_size=10,
    ),
    ANY_TEXT,
)
def test_long_csv_parsed_again_has_every_field(
    rows: list[tuple[int, str, float | str]], client: str
) -> None:
    """Whatever letters a client and its metrics have, a CSV parser gets them back, guarded."""
    parsed = long_rows([part(rows, client)])
    assert [row["client"] for row in parsed] == [guard(client)] * len(rows)
    assert [row["metric"] for row in parsed] == [guard(metric) for _, metric, _ in rows]
    assert [float(row["value"]) for row in parsed] == [value for _, _, value in rows]


def test_long_csv_without_rows_is_its_header() -> None:
    """An empty export still says what its columns are, with RFC 4180 line ends."""
    assert "".join(csv_long([], ("mean_5m",), UTC)) == ",".join(LONG_COLUMNS) + ",mean_5m\r\n"


def test_long_csv_of_a_state_is_guarded_and_of_a_negative_number_is_not() -> None:
    """A number stays a number, a text that looks like one does not."""
    parsed = long_rows([part([(1, "a", -5.5), (2, "a", "-5.5")])])
    assert [row["value"] for row in parsed] == ["-5.5", "'-5.5"]


def test_long_csv_of_an_interval_has_no_time_of_receipt() -> None:
    """A mean over an interval was never received; a reading at the epoch has its time."""
    frame = part([(0, "a", 1.0)])
    parsed = long_rows([frame])
    assert (parsed[0]["time"], parsed[0]["received"]) == ("1970-01-01T00:00:00.000000Z", "")


def test_long_csv_on_the_night_clocks_go_back_tells_both_hours() -> None:
    """02:30 comes twice in Berlin, and the offset tells which is which."""
    half_past_midnight_us = 1_792_888_200_000_000  # 2026-10-25T00:30:00Z
    hour_us = 3_600_000_000
    rows = [(half_past_midnight_us + hour * hour_us, "a", 1.0) for hour in (0, 1)]
    parsed = long_rows([part(rows)], parse_zone("Europe/Berlin"))  # type: ignore[arg-type]  # floats alone
    assert [row["time"] for row in parsed] == [
        "2026-10-25T02:30:00.000000+02:00",
        "2026-10-25T02:30:00.000000+01:00",
    ]


DOUBLED = {
    "Europe/Berlin": ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00.000000", "+02:00", "+01:00"),
    "America/New_York": ("2026-11-01T05:30:00Z", "2026-11-01T01:30:00.000000", "-04:00", "-05:00"),
}


@pytest.mark.parametrize("name", DOUBLED)
def test_every_form_of_the_night_clocks_go_back_tells_both_hours(name: str) -> None:
    """Long and wide CSV and JSON: a row for each instant, in order, none like another."""
    first, wall, *offsets = DOUBLED[name]
    zone, hour_us = parse_zone(name), 3_600_000_000
    frame = part([(parse_time(first, 0) + hour * hour_us, "a", 1.0 + hour) for hour in (0, 1)])
    wide = list(csv.DictReader(io.StringIO("".join(csv_wide([frame], {"a": ""}, (), zone)))))
    objects = json.loads("".join(json_array([frame], (), zone)))
    for rows, value in ((long_rows([frame], zone), "value"), (wide, "a"), (objects, "value")):
        assert [row["time"] for row in rows] == [f"{wall}{offset}" for offset in offsets]
        assert [float(row[value]) for row in rows] == [1, 2]


@pytest.mark.parametrize(
    ("name", "before"),
    [("Europe/Berlin", "2026-03-29T00:59:59Z"), ("America/New_York", "2026-03-08T06:59:59Z")],
)
def test_every_form_of_the_night_clocks_go_forward_skips_the_hour(name: str, before: str) -> None:
    """A second after 01:59:59 it is 03:00:00, with the next offset."""
    zone = parse_zone(name)
    frame = part([(parse_time(before, 0) + second * 1_000_000, "a", 1.0) for second in (0, 1)])
    objects = json.loads("".join(json_array([frame], (), zone)))
    for rows in (long_rows([frame], zone), objects):
        clocks = [row["time"][11:19] for row in rows]
        assert clocks == ["01:59:59", "03:00:00"]
        assert [parse_time(row["time"], 0) for row in rows] == frame["time_us"].tolist()


def test_wide_csv_has_a_column_per_metric_and_a_row_per_instant() -> None:
    """Metrics that were not measured at an instant are empty there; units stand in the header."""
    frame = part([(1, "a", 1.0), (1, "b", 2.5), (2, "b", "on")])
    assert wide_rows([frame], {"a": "°C", "b": ""}) == [
        ["time", "a [°C]", "b"],
        ["1970-01-01T00:00:00.000001Z", "1", "2.5"],
        ["1970-01-01T00:00:00.000002Z", "", "on"],
    ]


def test_wide_csv_with_several_values_at_one_instant_keeps_them_all() -> None:
    """The second value of a metric at an instant takes a row of its own."""
    frame = part([(1, "a", 1.0), (1, "a", 2.0), (1, "b", 3.0)])
    assert [row[1:] for row in wide_rows([frame], {"a": "", "b": ""})[1:]] == [
        ["1", "3"],
        ["2", ""],
    ]


def test_wide_csv_of_a_metric_without_readings_keeps_its_column() -> None:
    """Every part has the columns that the header promised."""
    assert wide_rows([part([(1, "a", 1.0)])], {"a": "", "never": ""})[1][1:] == ["1", ""]


def test_json_in_any_number_of_parts_is_one_array() -> None:
    """No part, one or several: one JSON array, with null where there is no number."""
    frames = [part([(1, "a", 0.1)]), part([(2, "a", "on"), (3, "a", math.inf)])]
    assert json.loads("".join(json_array([], (), UTC))) == []
    for count in (1, 2):
        parsed = json.loads("".join(json_array(frames[:count], (), UTC)))
        assert [row["value"] for row in parsed] == [0.1, "on", None][: 2 * count - 1]
    assert list(parsed[0]) == list(LONG_COLUMNS)
