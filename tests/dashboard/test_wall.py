"""The time axis in nights in which clocks change: forward always, and true to the clocks."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.wall import TimeAxis, axis_of
from telemetry.window import SECOND_US, Window, parse_time, to_us
from tests.telemetry.builders import steady

HOUR_US = 3600 * SECOND_US
NIGHTS = {
    "Berlin back": ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    "Berlin forward": ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    "New York back": ("America/New_York", "2026-11-01T06:00:00Z"),
    "New York forward": ("America/New_York", "2026-03-08T07:00:00Z"),
    "Lord Howe back by half an hour": ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
}


def around(zone: str, change: str, before: int = 3, after: int = 3) -> TimeAxis:
    """The axis so many hours around a change."""
    at = parse_time(change, 0)
    return axis_of(Window(at - before * HOUR_US, at + after * HOUR_US), ZoneInfo(zone))


def clock(time_us: int, zone: str) -> datetime:
    """What clocks show, by Python's own arithmetic."""
    return datetime.fromtimestamp(time_us / SECOND_US, UTC).astimezone(ZoneInfo(zone))


@pytest.mark.parametrize(("zone", "change"), NIGHTS.values(), ids=NIGHTS)
def test_change_of_clocks_is_found_to_the_second(zone: str, change: str) -> None:
    """In windows of hours, weeks and years."""
    at = parse_time(change, 0)
    assert around(zone, change).changes == (at,)
    assert around(zone, change, 24 * 20, 24 * 20).marked == [at]
    long = around(zone, change, 24 * 400, 24 * 400)
    assert at in long.changes
    assert not long.marked


@pytest.mark.parametrize(("zone", "change"), NIGHTS.values(), ids=NIGHTS)
def test_places_run_forward_as_time_does(zone: str, change: str) -> None:
    """No two instants share a place, and a minute is as wide before the change as after it."""
    axis = around(zone, change)
    times = range(axis.window.start_us, axis.window.end_us, 60 * SECOND_US)
    places = [np.datetime64(place) for place in axis.places(list(times))]
    assert {after - before for before, after in pairwise(places)} == {np.timedelta64(60_000, "ms")}
    first = datetime.fromisoformat(axis.places([axis.window.start_us])[0])
    assert first == clock(axis.window.start_us, zone).replace(tzinfo=None)


@pytest.mark.parametrize(("zone", "change"), NIGHTS.values(), ids=NIGHTS)
def test_place_read_in_the_axis_is_the_instant(zone: str, change: str) -> None:
    """What a reader drags on the axis is the time that stood there."""
    axis = around(zone, change)
    times = list(range(axis.window.start_us, axis.window.end_us, 7 * 60 * SECOND_US))
    assert [parse_time(place, 0, axis.fixed) for place in axis.places(times)] == times


@pytest.mark.parametrize(("zone", "change"), NIGHTS.values(), ids=NIGHTS)
def test_clocks_say_what_clocks_show_with_the_name_of_the_offset(zone: str, change: str) -> None:
    """Each instant has a text of its own, also in the hour that comes twice."""
    axis = around(zone, change)
    times = np.arange(axis.window.start_us, axis.window.end_us, 60 * SECOND_US)
    texts = axis.clocks(times)
    assert texts == [f"{clock(at, zone):%Y-%m-%d %H:%M:%S %Z}" for at in times.tolist()]
    assert len(set(texts)) == len(texts)


def test_ticks_of_the_night_clocks_go_back_show_the_hour_twice() -> None:
    """02:00 is there as CEST and as CET, an hour apart like all others."""
    places, texts = around(*NIGHTS["Berlin back"]).ticks(10)
    assert texts == [
        "00:00<br>Oct 25, 2026", "01:00", "02:00 CEST", "02:00 CET", "03:00", "04:00",
    ]  # fmt: skip
    assert [place[11:16] for place in places] == [f"0{hour}:00" for hour in range(6)]


def test_ticks_of_the_night_clocks_go_forward_leave_the_hour_out() -> None:
    """02:00 is not there, and 01:00 and 03:00 are an hour apart."""
    places, texts = around(*NIGHTS["New York forward"]).ticks(10)
    assert texts == [
        "23:00<br>Mar 7, 2026", "00:00<br>Mar 8, 2026", "01:00 EST", "03:00 EDT", "04:00", "05:00",
    ]  # fmt: skip
    assert places[3] == "2026-03-08T02:00:00.000"


@steady
@given(
    st.sampled_from(list(NIGHTS.values())), st.integers(1, 400), st.integers(1, 400),
    st.integers(3, 12),
)  # fmt: skip
def test_ticks_are_few_in_order_and_at_round_times(
    night: tuple[str, str], before: int, after: int, at_most: int
) -> None:
    """Each says the hour or the day that clocks show at its place."""
    axis = around(*night, before, after)
    places, texts = axis.ticks(at_most)
    times = [parse_time(place, 0, axis.fixed) for place in places]
    assert times == sorted(set(times))
    assert 1 <= len(times) <= at_most + 2
    for time_us, text in zip(times, texts, strict=True):
        shown = clock(time_us, night[0])
        assert text.startswith((f"{shown:%H:%M}", f"{shown:%b} {shown.day}"))
        assert shown.minute == shown.second == 0 or before + after < at_most


def test_axis_without_a_change_is_the_wall_clock() -> None:
    """Plotly's own ticks do there."""
    window = Window(
        to_us(datetime(2026, 7, 1, tzinfo=UTC)), to_us(datetime(2026, 7, 2, tzinfo=UTC))
    )
    for zone, hour in (("Europe/Berlin", 2), ("UTC", 0)):
        axis = axis_of(window, ZoneInfo(zone))
        assert axis.changes == ()
        assert axis.places([window.start_us]) == [f"2026-07-01T0{hour}:00:00.000"]
