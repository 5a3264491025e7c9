"""A client's own time is recognised by key and size, and never guessed beyond that."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.timestamps import (
    NO_TIME,
    TIME_KEYS,
    Stamp,
    find_time,
    is_time,
    read_time,
    stamp_us,
)
from telemetry.literals import EARLIEST_US
from telemetry.reading import Flag
from telemetry.window import LATEST_US, to_us
from tests.collector.formats.decoding import steady

BERLIN = ZoneInfo("Europe/Berlin")
SECOND_US = 1_000_000
TIME_US = 1_700_000_000_000_000
UNSET = Stamp(None, Flag.CLOCK_UNSET)


@pytest.mark.parametrize(
    "value",
    [
        1_700_000_000,
        1_700_000_000.0,
        1_700_000_000_000,
        1_700_000_000_000_000,
        1_700_000_000_000_000_000,
        1_700_000_000_000_000_999,
        1.7e18,
        "1700000000",
        " 1700000000.0 ",
        "1700000000000",
        "1700000000000000000",
    ],
)
def test_read_time_number_is_scaled_by_its_size(value: object) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds since 1970 tell themselves apart."""
    assert read_time(value) == Stamp(TIME_US)


@pytest.mark.parametrize(
    ("value", "time_us"),
    [
        (1_700_000_000.25, TIME_US + 250_000),
        (1_700_000_000_250, TIME_US + 250_000),
        (1_700_000_000_000_001, TIME_US + 1),
        ("1700000000.000001", TIME_US + 1),
        (946_684_800, EARLIEST_US),
        ("9999-12-31T23:59:59.999999Z", LATEST_US),
    ],
)
def test_read_time_keeps_every_microsecond(value: object, time_us: int) -> None:
    """Fractions count to the microsecond, from the year 2000 to the year 9999."""
    assert read_time(value) == Stamp(time_us)


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("2023-11-14T22:13:20Z", TIME_US),
        ("2023-11-14T22:13:20.25Z", TIME_US + 250_000),
        ("2023-11-14T22:13:20,25Z", TIME_US + 250_000),
        ("2023-11-14T22:13:20.250000999Z", TIME_US + 250_000),
        ("2023-11-14t22:13:20z", TIME_US),
        ("20231114T221320Z", TIME_US),
        ("2023-11-14 23:13:20+01:00", TIME_US),
        ("2023-11-14 23:13:20 +0100", TIME_US),
        ("2023-11-14T16:43:20-05:30", TIME_US),
    ],
)
def test_read_time_iso_with_an_offset_is_that_moment(text: str, time_us: int) -> None:
    """An offset is honoured, and nothing is assumed."""
    assert read_time(text, BERLIN) == Stamp(time_us)


def test_read_time_iso_without_an_offset_is_flagged() -> None:
    """It is read in the zone of the topic, UTC if it has none, and says that this was assumed."""
    text = "2023-11-14T22:13:20"
    assert read_time(text) == Stamp(TIME_US, Flag.ZONE_ASSUMED)
    assert read_time(text, BERLIN) == Stamp(TIME_US - 3600 * SECOND_US, Flag.ZONE_ASSUMED)


@pytest.mark.parametrize(
    ("text", "clamped"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999999+00:00"),
        ("20161231T235960Z", "2016-12-31T23:59:59.999999+00:00"),
        ("2017-01-01T00:59:60+01:00", "2016-12-31T23:59:59.999999+00:00"),
        ("2023-11-14T24:00Z", "2023-11-15T00:00:00+00:00"),
        ("2023-11-14T24:00:00Z", "2023-11-15T00:00:00+00:00"),
        ("2023-11-14T24:00:00.000+01:00", "2023-11-14T23:00:00+00:00"),
        ("20231114T240000Z", "2023-11-15T00:00:00+00:00"),
        ("2023-12-31 24:00:00Z", "2024-01-01T00:00:00+00:00"),
    ],
)
def test_read_time_leap_second_and_end_of_day_are_clamped(text: str, clamped: str) -> None:
    """A leap second is the last microsecond before it, 24:00 the next day's midnight."""
    assert read_time(text) == Stamp(to_us(datetime.fromisoformat(clamped)))


def test_read_time_clamped_without_an_offset_is_flagged_too() -> None:
    """The clamp changes nothing about the zone."""
    assert read_time("2016-12-31T23:59:60").flags == Flag.ZONE_ASSUMED
    assert read_time("2023-11-14T24:00").flags == Flag.ZONE_ASSUMED


@pytest.mark.parametrize(
    "value",
    [0, 0.0, 12, 12.5, "0", "12", 946_684_799, "1970-01-01T00:00:00Z", "1999-12-31T23:59:59",
     "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", stamp_us(0)],
)  # fmt: skip  # one value for each way of having no clock
def test_read_time_before_2000_is_a_clock_that_was_never_set(value: object) -> None:
    """There is no time then, and a flag says why."""
    assert read_time(value) == UNSET


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "soon",
        "2023-11-14",
        "22:13:20",
        "1.7e9",
        "0x6553f100",
        "\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660",
        -1,
        -1_700_000_000,
        1.7e21,
        10**400,
        math.nan,
        math.inf,
        -math.inf,
        "99999999999999999999999",
        "2023-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-11-14T25:00:00Z",
        "2023-11-14T24:00:01Z",
        "2023-11-14T23:59:600Z",
        "9999-12-31T24:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "2023-11-14T22:13:20+24:00",
        [1_700_000_000],
        {"sec": 1_700_000_000},
    ],
)
def test_read_time_that_is_none_gives_none(value: object) -> None:
    """Nothing is made a time that is not one, and nothing raises."""
    assert read_time(value) == NO_TIME


def test_stamp_us_beyond_the_year_9999_is_no_time() -> None:
    """Nothing later can be written as a date."""
    assert stamp_us(LATEST_US) == Stamp(LATEST_US)
    assert stamp_us(LATEST_US + 1) == NO_TIME


@pytest.mark.parametrize(
    "key", ["ts", "TS", "Ts", "time", "Time", "timestamp", "dateTime", "_time"]
)
def test_find_time_usual_keys_are_known(key: str) -> None:
    """A time is known by its key."""
    assert find_time({"a": 1, key: 1_700_000_000}) == Stamp(TIME_US)


@pytest.mark.parametrize("key", ["tS", "uptime", "timer", "lasttime", ""])
def test_find_time_other_keys_are_not(key: str) -> None:
    """Nothing else is one, however much its value looks like it."""
    assert find_time({key: 1_700_000_000}) == NO_TIME


@pytest.mark.parametrize(
    ("fields", "stamp"),
    [
        ({}, NO_TIME),
        ({"a": 1}, NO_TIME),
        ({"ts": None}, NO_TIME),
        ({"ts": 1_700_000_000, "time": "soon"}, Stamp(TIME_US)),
        ({"time": "soon", "ts": 1_700_000_000}, Stamp(TIME_US)),
        ({"ts": 0, "time": 1_700_000_000}, Stamp(TIME_US)),
        ({"ts": 0}, UNSET),
        ({"ts": 0, "time": "soon"}, UNSET),
        ({"ts": "soon", "time": 0}, Stamp(None, 0, "ts")),
        ({"ts": True}, Stamp(None, 0, "ts")),
        ({"date": "2023-11-14"}, Stamp(None, 0, "date")),
        ({"t": 21.5}, NO_TIME),
        ({"t": 21.5, "ts": "soon"}, Stamp(None, 0, "ts")),
        ({"t": 1_700_000_000}, Stamp(TIME_US)),
        ({"date": "2023-11-14", "time": "22:13:20Z"}, Stamp(TIME_US)),
        ({"date": "2023-11-14", "time": "22:13:20"}, Stamp(TIME_US, Flag.ZONE_ASSUMED)),
        ({"date": "1970-01-01", "time": "00:00:07"}, UNSET),
        ({"date": "2023-11-14", "time": 1_700_000_000}, Stamp(TIME_US)),
        ({"date": "14.11.2023", "time": "22:13:20"}, Stamp(None, 0, "date")),
        ({"ts": Stamp(TIME_US)}, Stamp(TIME_US)),
    ],
)
def test_find_time_takes_the_first_that_is_usable(fields: dict[str, object], stamp: Stamp) -> None:
    """Of several times the first usable one counts; of none, the first complaint."""
    assert find_time(fields) == stamp


def test_is_time_of_a_short_key_depends_on_its_value() -> None:
    """A `t` is as often a temperature."""
    assert is_time("ts", "soon")
    assert not is_time("t", 21.5)
    assert not is_time("T", 0)
    assert is_time("t", 1_700_000_000)
    assert not is_time("temperature", 1_700_000_000)


@steady
@given(time_us=st.integers(EARLIEST_US, LATEST_US), hours=st.integers(-23, 23))
def test_read_time_reads_what_isoformat_writes(time_us: int, hours: int) -> None:
    """Every microsecond of every year in every offset comes back as it was."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    try:
        there = moment + timedelta(hours=hours)
    except OverflowError:
        return
    text = f"{there.replace(tzinfo=None).isoformat()}{hours:+03d}:00"
    assert read_time(text) == Stamp(time_us)


@steady
@given(time_us=st.integers(EARLIEST_US, 10**17 - 1))
def test_read_time_in_any_unit_is_the_same_moment(time_us: int) -> None:
    """Seconds, ms, µs and ns of one moment are one time, from 2000 to 5138."""
    assert read_time(time_us // SECOND_US).time_us == time_us // SECOND_US * SECOND_US
    assert read_time(time_us).time_us == time_us
    assert read_time(time_us * 1000).time_us == time_us
    assert read_time(time_us // 1000).time_us == time_us // 1000 * 1000


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.from_regex(r"[0-9]{4}-?[01][0-9]-?[0-3][0-9][T ][0-9:.,]{0,12}([Z+-][0-9:]{0,9})?")
)


@steady
@given(
    fields=st.dictionaries(st.sampled_from(sorted(TIME_KEYS)) | st.text(max_size=3), ANYTHING),
    zone=st.sampled_from([UTC, BERLIN, ZoneInfo("Pacific/Apia"), ZoneInfo("America/St_Johns")]),
)
def test_find_time_of_anything_is_in_its_range(fields: dict[str, object], zone: ZoneInfo) -> None:
    """Whatever the values are, nothing is raised, and a time is between the years 2000 and 9999."""
    stamp = find_time(fields, zone)
    assert stamp.time_us is None or EARLIEST_US <= stamp.time_us <= LATEST_US
    assert not stamp.bad_key or (stamp.bad_key in TIME_KEYS and stamp.time_us is None)
