"""Travelling: dragging, double-clicking and picking times end in the right UTC window."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from dashboard.travel import pinned, zoomed
from dashboard.view import View, ViewError
from telemetry.window import Window, parse_time
from tests.telemetry.builders import NOON_US

BERLIN = "Europe/Berlin"


def dragged(start: object, end: object) -> dict[str, object]:
    """What plotly says after a drag."""
    return {"xaxis.range[0]": start, "xaxis.range[1]": end}


def utc(start: str, end: str) -> Window:
    """The window between two times in UTC."""
    return Window(parse_time(start, 0), parse_time(end, 0))


NIGHTS = {
    # around each change: 02:00 becomes 03:00 in spring, 03:00 becomes 02:00 in autumn
    "spring": View(start="2026-03-28T22:00:00Z", end="2026-03-29T04:00:00Z"),
    "autumn": View(start="2026-10-24T22:00:00Z", end="2026-10-25T04:00:00Z"),
    "summer": View(start="2026-07-01T09:00:00Z", end="2026-07-01T12:00:00Z"),
}


@pytest.mark.parametrize(
    ("night", "places", "expected"),
    [
        (
            "spring",
            ("2026-03-29 01:30", "2026-03-29 02:30"),
            utc("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ),
        (
            "autumn",
            ("2026-10-25 02:30", "2026-10-25 03:30"),
            utc("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        ),
        (
            "summer",
            ("2026-07-01 12:00:00.5", "2026-07-01 13:00"),
            utc("2026-07-01T10:00:00.5Z", "2026-07-01T11:00:00Z"),
        ),
    ],
)
def test_zoom_in_berlin_is_the_utc_window_that_stood_there(
    night: str, places: tuple[str, str], expected: Window
) -> None:
    """The axis has the offset of its start: an hour dragged is an hour, on nights of change too."""
    view = zoomed(NIGHTS[night], dragged(*places), NOON_US, BERLIN)
    assert not view.follows
    assert view.window(NOON_US, UTC) == expected


def test_zoom_of_a_utc_view_on_a_berlin_browser_is_read_as_utc() -> None:
    """The view's zone says what its axis shows, not the browser's."""
    view = zoomed(
        View(zone="UTC"), dragged("2026-10-25 01:30", "2026-10-25 03:30"), NOON_US, BERLIN
    )
    assert view.window(NOON_US, UTC) == utc("2026-10-25T01:30:00Z", "2026-10-25T03:30:00Z")
    assert view.zone == "UTC"


def test_zoom_in_milliseconds_is_the_wall_clock() -> None:
    """Numbers that plotly sends stand for the same wall clock as its texts."""
    start_ms = parse_time("2026-07-01T12:00:00", 0) // 1000
    by_number = zoomed(NIGHTS["summer"], dragged(start_ms, start_ms + 1500.5), NOON_US, BERLIN)
    window = utc("2026-07-01T10:00:00Z", "2026-07-01T10:00:01.5005Z")
    assert by_number.window(NOON_US, UTC) == window


@pytest.mark.parametrize(
    "relayout",
    [
        {},
        {"autosize": True},
        {"yaxis.range[0]": 1},
        dragged("2026-07-01", None),
        dragged(None, "2026-07-01"),
        dragged([], {}),
    ],
)
def test_relayout_that_moves_no_time_leaves_the_view(relayout: dict[str, object]) -> None:
    """Whatever else plotly reports changes nothing."""
    view = View(start="now-6h")
    assert zoomed(view, relayout, NOON_US, BERLIN) is view


def test_double_click_follows_the_clock_again() -> None:
    """A fixed view follows; one that follows keeps its width."""
    again = {"xaxis.autorange": True}
    fixed = View(clients=("boiler",), start="2026-01-01", end="2026-01-02")
    assert zoomed(fixed, again, NOON_US, BERLIN) == View(clients=("boiler",))
    following = View(start="now-6h")
    assert zoomed(following, again, NOON_US, BERLIN) is following


def test_picked_times_are_read_in_the_views_zone() -> None:
    """The picker's times are the wall clock shown."""
    ends = ("2026-07-01T12:00", "2026-07-01T13:00")
    for zone, hour in ((BERLIN, 10), ("UTC", 12)):
        view = pinned(View(zone=zone), ends, NOON_US, "Asia/Tokyo")
        window = utc(f"2026-07-01T{hour}:00:00Z", f"2026-07-01T{hour + 1}:00:00Z")
        assert view.window(NOON_US, ZoneInfo("Asia/Tokyo")) == window


def test_picked_start_alone_keeps_the_end() -> None:
    """An empty end stays what it was: the present."""
    view = pinned(View(), ("2026-11-23T11:00", ""), NOON_US, "UTC")
    assert view.window(NOON_US, UTC) == utc("2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z")


def test_picked_times_in_the_wrong_order_are_kept_for_the_page_to_refuse() -> None:
    """The view is what was picked, and asking for its window says what is wrong."""
    view = pinned(View(), ("2026-07-02T00:00", "2026-07-01T00:00"), NOON_US, "UTC")
    assert (view.start, view.end) == ("2026-07-02T00:00", "2026-07-01T00:00")
    with pytest.raises(ViewError, match="start must be before end"):
        view.window(NOON_US, UTC)
