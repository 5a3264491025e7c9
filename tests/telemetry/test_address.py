"""Addresses: whatever a client is called, they ask for exactly what they were made of."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.address import (
    PAGE,
    absolute,
    duration_text,
    in_calendar,
    page_address,
    readings_address,
)
from telemetry.window import LATEST_US, Window, parse_duration, parse_time
from tests.telemetry.builders import NOON_US, steady

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
MOMENT = Window(NOON_US, NOON_US + 1)
HOSTILE = 'a/b #1 <b>"\n\u202e&format=json;x=%00+'


@dataclass(frozen=True)
class Question:
    """What an address is made of."""

    client: str
    metrics: tuple[str, ...] = ()
    window: Window = MOMENT
    spans: tuple[str, ...] = ()


@steady
@given(NAMES, st.lists(NAMES, max_size=3))
def test_address_of_any_names_is_ascii_and_reads_back_as_them(
    client: str, metrics: list[str]
) -> None:
    """No name breaks out of its argument, of a header or of a line."""
    asked = Question(client, tuple(metrics), spans=("1m", "5m"))
    for address in (readings_address(asked, [("tz", "UTC")]), page_address(asked, "UTC")):
        assert address is not None
        assert address.isascii()
        assert not set(address) & set('<>" \r\n\\')
        said = parse_qs(urlsplit(address).query, keep_blank_values=True, strict_parsing=True)
        assert (said.get("client") or said.get("id")) == [client]
        assert said.get("metric", []) == metrics
        assert (said["span"], said["tz"]) == (["1m", "5m"], ["UTC"])


def test_address_of_a_hostile_name_is_known_to_the_letter() -> None:
    """Times are absolute, and what follows comes last."""
    assert readings_address(Question(HOSTILE), [("format", "csv")]) == (
        "/api/v1/readings?client=a%2Fb+%231+%3Cb%3E%22%0A%E2%80%AE%26format%3Djson%3Bx%3D%2500%2B"
        "&start=2026-11-23T12%3A00%3A00.000000Z&end=2026-11-23T12%3A00%3A00.000001Z&format=csv"
    )


@steady
@given(st.integers(-(1 << 62), 1 << 62), st.integers(1, 1 << 62))
def test_absolute_times_of_any_window_can_be_read(start_us: int, length_us: int) -> None:
    """They are the window, or as much of it as the calendar has."""
    window = Window(start_us, start_us + length_us)
    start, end = (parse_time(text, now_us=0) for text in absolute(window))
    assert start == min(max(start_us, parse_time("0001-01-01", 0)), LATEST_US)
    assert end == min(max(window.end_us, parse_time("0001-01-01", 0)), LATEST_US)
    assert in_calendar(window) == (start < end)


@pytest.mark.parametrize("start_us", [0, 1])
def test_window_that_only_touches_the_calendar_is_not_in_it(start_us: int) -> None:
    """The year 1 begins with its first microsecond."""
    year_1 = parse_time("0001-01-01", 0)
    assert in_calendar(Window(year_1 - 9, year_1 + start_us)) == bool(start_us)
    assert in_calendar(Window(LATEST_US - start_us, LATEST_US + 9)) == bool(start_us)


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        (PAGE, True),
        (Window(PAGE.start_us - 1, PAGE.end_us), False),
        (Window(PAGE.start_us, PAGE.end_us + 1), False),
    ],
)
def test_address_of_the_page_goes_as_far_as_the_page(window: Window, *, shown: bool) -> None:
    """And no microsecond further."""
    assert (page_address(Question("boiler", window=window), "UTC") is not None) == shown


@steady
@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_duration_that_was_read_is_written_and_read_again(count: int, unit: str) -> None:
    """The shortest text is of the same length."""
    length_us = parse_duration(f"{count}{unit}")
    text = duration_text(length_us)
    assert parse_duration(text) == length_us
    assert len(text) <= len(f"{count}{unit}")
