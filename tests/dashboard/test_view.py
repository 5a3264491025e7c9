"""Views: what a URL or a browser says is shown, and nothing else."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.view import (
    DEFAULT_START,
    View,
    ViewError,
    check_spans,
    check_zone,
    view_of_json,
    view_of_query,
    view_to_json,
)
from telemetry.address import MOST_SPANS
from telemetry.window import Window
from tests.dashboard.pictures import HOUR_US
from tests.telemetry.builders import NOON_US, steady

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = st.one_of(
    st.sampled_from(["a/b #1 <b>", "%{x}", "ä€🜂", "a&b=c;d", "a+b c", "=1+1", "'\"\\"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
TIMES = st.one_of(st.sampled_from([("now-6h", "now"), ("now-15m", "now")]), st.tuples(NAMES, NAMES))
VIEWS = st.builds(
    lambda clients, metrics, times, spans, zone, options: View(
        clients, metrics, *times, spans, zone, options
    ),
    st.lists(NAMES, max_size=3).map(tuple),
    st.lists(NAMES, max_size=4).map(tuple),
    TIMES,
    st.lists(st.sampled_from(["1m", "5m", "90s", "<b>"]), max_size=3).map(tuple),
    st.one_of(st.just(""), NAMES),
    st.dictionaries(
        st.sampled_from(["mode", "state", "tab"]), NAMES.filter(lambda t: len(t) <= 200)
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@steady
@given(VIEWS)
def test_view_through_its_query_is_the_same_view(view: View) -> None:
    """Any view survives in its URL, whatever its client is called."""
    assert view_of_query(view.query()) == view
    assert view_of_query(view.query().removeprefix("?")) == view


@steady
@given(VIEWS)
def test_view_through_the_browser_is_the_same_view(view: View) -> None:
    """Any view survives in the browser's store."""
    assert view_of_json(view_to_json(view)) == view


def test_query_of_a_default_view_is_empty() -> None:
    """Defaults are left out of the URL."""
    assert View().query() == ""
    assert View(clients=("boiler",)).query() == "?id=boiler"
    assert view_of_query("") == View(start=DEFAULT_START, end="now")


@steady
@given(JSON)
def test_view_of_any_json_is_a_view(sent: object) -> None:
    """Whatever JSON a browser sends makes a view whose fields have their types."""
    for value in (sent, {"clients": sent, "metrics": sent, "zone": sent, "options": sent}):
        view = view_of_json(value)
        assert isinstance(view.client + view.start + view.end + view.zone, str)
        assert all(isinstance(text, str) for text in (*view.clients, *view.metrics, *view.spans))
        assert all(isinstance(text, str) for pair in view.options.items() for text in pair)


@steady
@given(
    st.integers(-2 * 10**15, 8 * 10**16),
    st.integers(1, 3 * 10**15),
    st.floats(-1, 1),
    st.sampled_from(["UTC", "Europe/Berlin"]),
)
def test_view_moved_never_shows_the_future(
    start_us: int, length_us: int, share: float, zone: str
) -> None:
    """Moving keeps the length, stands still, and ends at the present at the latest."""
    view = View().fixed(Window(start_us, start_us + length_us))
    moved = view.moved(NOON_US, ZoneInfo(zone), share)
    window = moved.window(NOON_US, ZoneInfo(zone))
    assert window.end_us <= NOON_US
    assert window.length_us == length_us
    assert not moved.follows


def test_view_moved_while_following_stands_still_behind_the_clock() -> None:
    """Half a window earlier than now, and forward again ends at now."""
    back = View(start="now-1h").moved(NOON_US, BERLIN, -0.5)
    assert back.window(NOON_US, BERLIN) == Window(
        NOON_US - 3 * HOUR_US // 2, NOON_US - HOUR_US // 2
    )
    forward = back.moved(NOON_US, BERLIN, 0.5).moved(NOON_US, BERLIN, 0.5)
    assert forward.window(NOON_US, BERLIN) == Window(NOON_US - HOUR_US, NOON_US)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("now-999999w", "now"),
        ("0001-01-01T00:00:00", "now"),
        ("now-1h", "9999-12-31T23:59:59"),
        ("9999-12-31T23:59:59-14:00", "now"),
        ("now", "now-1h"),
        ("now-1h", "now-1h"),
        ("yesterday", "now"),
        ("", ""),
        ("now-0s", "now"),
    ],
)
def test_window_of_impossible_times_is_refused(start: str, end: str) -> None:
    """Times that are none, too far away or reversed are an error that says so."""
    with pytest.raises(ViewError, match=r"\w"):
        View(start=start, end=end).window(NOON_US, BERLIN)


def test_window_in_a_zone_is_its_wall_clock() -> None:
    """A time without an offset is read in the view's zone."""
    view = View(start="2026-11-23T12:00", end="2026-11-23T13:00")
    assert view.window(NOON_US, BERLIN) == Window(NOON_US - HOUR_US, NOON_US)


def test_spans_are_shown_shortest_first_each_once() -> None:
    """Two names of the same span are one; none means those of the settings."""
    assert check_spans(["30m", "1m", "60s"], ["5m"]) in (("1m", "30m"), ("60s", "30m"))
    assert check_spans([], ["5m", "1m"]) == ("1m", "5m")


@pytest.mark.parametrize("spans", [["5x"], ["0m"], [f"{n}m" for n in range(1, MOST_SPANS + 2)]])
def test_spans_that_cannot_be_shown_are_refused(spans: list[str]) -> None:
    """A text that is no duration, or too many of them, is an error."""
    with pytest.raises(ViewError):
        check_spans(spans, ["5m"])


def test_zone_of_the_view_goes_before_the_browsers() -> None:
    """The URL's zone, else the browser's, else UTC."""
    assert str(check_zone(View(zone="Asia/Tokyo"), "Europe/Berlin")) == "Asia/Tokyo"
    assert str(check_zone(View(), "Europe/Berlin")) == "Europe/Berlin"
    assert str(check_zone(View(), "")) == "UTC"


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "\0", "/", "Europe", "x" * 9000])
def test_zone_that_does_not_exist_is_refused(zone: str) -> None:
    """A name of no zone is an error, whatever it would be as a path."""
    with pytest.raises(ViewError, match="is not a time zone"):
        check_zone(View(zone=zone), "UTC")


def test_query_keeps_only_what_can_be_an_option() -> None:
    """Names and values of options are bounded, whoever wrote the address."""
    query = "?mode=delta&Bad=1&a.b=2&long=" + "x" * 201
    assert view_of_query(query).options == {"mode": "delta"}
    assert len(view_of_query("&".join(f"{chr(97 + n)}=1" for n in range(20))).options) == 12


def test_wider_view_has_twice_the_time() -> None:
    """What follows goes on following; what stands grows to both sides."""
    assert View(start="now-15m").wider(NOON_US, BERLIN).start == "now-30m"
    assert View(start="now-12h").wider(NOON_US, BERLIN).start == "now-1d"
    fixed = View(start="2026-01-01T00:00:00Z", end="2026-01-01T02:00:00Z")
    window = fixed.wider(NOON_US, BERLIN).window(NOON_US, BERLIN)
    assert window == View(start="2025-12-31T23:00:00Z", end="2026-01-01T03:00:00Z").window(
        NOON_US, BERLIN
    )
