"""Windows, durations, times and zones as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.window import (
    LATEST_US,
    SECOND_US,
    TimeError,
    Window,
    offset_us,
    parse_duration,
    parse_time,
    parse_zone,
    to_iso,
    to_us,
)
from tests.telemetry.builders import NOON_US, steady

BERLIN = ZoneInfo("Europe/Berlin")
YEAR_1_US = -62_135_596_800 * SECOND_US


@pytest.mark.parametrize("end_us", [4, 5])
def test_window_that_does_not_move_forward_is_refused(end_us: int) -> None:
    """A window ends after its start."""
    with pytest.raises(TimeError, match="start must be before end"):
        Window(5, end_us)


def test_window_widened_reaches_further_back_alone() -> None:
    """Look-back moves the start and leaves the end."""
    assert Window(10, 20).widened(4) == Window(6, 20)
    assert Window(10, 20).length_us == 10


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0s", "-5m", "5 m", "1.5h", "5M", "\u0665m", "1234567s"]
)
def test_duration_of_any_other_text_is_refused_with_examples(text: str) -> None:
    """A text that is no duration is named, beside durations that would do."""
    with pytest.raises(TimeError, match=r"is not a duration; write for example 90s"):
        parse_duration(text)


@steady
@given(st.integers(YEAR_1_US, LATEST_US), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]))
def test_time_written_and_parsed_again_is_the_same_microsecond(time_us: int, name: str) -> None:
    """ISO 8601 loses nothing, in any zone, on any night of the year."""
    day_us = 86_400 * SECOND_US
    time_us = min(max(time_us, YEAR_1_US + day_us), LATEST_US - day_us)
    if name == "Europe/Berlin" and time_us < 0:
        time_us = (
            -time_us % LATEST_US
        )  # its offset had odd seconds before 1893, as the next test says
    assert parse_time(to_iso(time_us, parse_zone(name)), now_us=0) == time_us


def test_time_before_zones_were_whole_minutes_survives() -> None:
    """Berlin was 53 minutes and 28 seconds ahead; the offset carries its seconds."""
    time_us = to_us(datetime(1880, 1, 1, tzinfo=UTC))
    assert parse_time(to_iso(time_us, BERLIN), now_us=0) == time_us


@pytest.mark.parametrize(
    ("text", "expected_us"),
    [
        ("now", NOON_US),
        ("now-6h", NOON_US - 6 * 3600 * SECOND_US),
        ("2026-11-23T12:00:00Z", NOON_US),
        ("2026-11-23T13:00:00+01:00", NOON_US),
        ("2026-11-23T13:00", NOON_US),
        ("2026-11-23", NOON_US - 13 * 3600 * SECOND_US),
    ],
)
def test_time_in_each_accepted_form_is_read_in_the_given_zone(text: str, expected_us: int) -> None:
    """Relative, with an offset, without one, and a date alone."""
    assert parse_time(text, NOON_US, BERLIN) == expected_us


@pytest.mark.parametrize(
    "text", ["", "yesterday", "now+1h", "now-", "now-0h", "2026-13-01", "12:00"]
)
def test_time_of_any_other_text_is_refused_with_an_example(text: str) -> None:
    """A text that is no time gets one sentence that says what would be."""
    with pytest.raises(TimeError, match="write"):
        parse_time(text, NOON_US)


def test_time_on_the_night_clocks_go_back_shows_both_hours() -> None:
    """02:30 comes twice in Berlin on 2026-10-25; the offset tells which."""
    first = to_us(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    hour_us = int(timedelta(hours=1).total_seconds()) * SECOND_US
    assert to_iso(first, BERLIN) == "2026-10-25T02:30:00.000000+02:00"
    assert to_iso(first + hour_us, BERLIN) == "2026-10-25T02:30:00.000000+01:00"


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("2026-10-25T02:00", BERLIN, "2026-10-25T00:00:00Z"),
        ("2026-10-25T02:59:59", BERLIN, "2026-10-25T00:59:59Z"),
        ("2026-10-25T03:00", BERLIN, "2026-10-25T02:00:00Z"),
        ("2026-11-01T01:30", NEW_YORK, "2026-11-01T05:30:00Z"),
        ("2026-03-29T02:30", BERLIN, "2026-03-29T01:30:00Z"),
        ("2026-03-29T03:30", BERLIN, "2026-03-29T01:30:00Z"),
        ("2026-03-08T02:30", NEW_YORK, "2026-03-08T07:30:00Z"),
    ],
)
def test_time_that_comes_twice_is_the_first_and_one_skipped_is_by_the_clocks_before(
    text: str, zone: ZoneInfo, meant: str
) -> None:
    """RFC 5545, 3.3.5: one rule for start, end and the time picker."""
    assert to_iso(parse_time(text, 0, zone)) == meant.replace("Z", ".000000Z")


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-10-25", BERLIN, 25),
        ("2026-03-29", BERLIN, 23),
        ("2026-11-01", NEW_YORK, 25),
        ("2026-03-08", NEW_YORK, 23),
    ],
)
def test_day_of_a_change_is_an_hour_longer_or_shorter(day: str, zone: ZoneInfo, hours: int) -> None:
    """A day is from midnight to midnight of the clocks, not 24 hours."""
    midnight = datetime.fromisoformat(day)
    ends = [parse_time(str(end.date()), 0, zone) for end in (midnight, midnight + timedelta(1))]
    assert ends[1] - ends[0] == hours * 3600 * SECOND_US


@steady
@given(st.integers(YEAR_1_US, LATEST_US), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]))
def test_offset_is_what_a_written_time_is_ahead(time_us: int, name: str) -> None:
    """The wall clock read as UTC is the time and the offset."""
    zone = parse_zone(name)
    wall = datetime.fromisoformat(to_iso(time_us, zone)).replace(tzinfo=UTC)
    assert to_us(wall) == time_us + offset_us(time_us, zone)


def test_zone_utc_is_written_as_z() -> None:
    """The zone called UTC is the one whose times end in Z."""
    assert to_iso(0, parse_zone("UTC")) == "1970-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "Europe", "a\0b", "x" * 5000])
def test_zone_of_any_other_name_is_refused_with_an_example(name: str) -> None:
    """A name that is no zone, however hostile, gets one sentence."""
    with pytest.raises(TimeError, match="is not a time zone; write for example Europe/Berlin"):
        parse_zone(name)
