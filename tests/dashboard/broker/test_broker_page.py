"""The Broker page as a whole: what a tick answers, and what it leaves as it is."""

from pathlib import Path

from dashboard.broker.page import PAGE, answer, layout
from dashboard.page import Json
from dashboard.view import View
from telemetry.presence import Ending, Event, EventKind
from tests.dashboard.broker.looks import OPEN, ended, figure, looking_at, refused, store
from tests.dashboard.pictures import texts
from tests.telemetry.builders import NOON_US, SECOND_US


def looked(path: Path, drawn: Json | None = None, **changes: object) -> Json:
    """What the page answers."""
    with looking_at(path, drawn=drawn, **changes) as look:  # type: ignore[arg-type]  # by name
        return answer(look)


def said(answered: Json, part: str) -> str:
    """All words of a part of it."""
    return " ".join(texts(answered[part]))


def test_first_answer_has_every_output(tmp_path: Path) -> None:
    """Nothing stays empty, and there is nothing that no output takes."""
    path = store(tmp_path / "culex.db", connections=[OPEN], events=[refused("not authorised")])
    assert set(looked(path)) == {*PAGE.outputs, "drawn"}


def test_quiet_second_leaves_charts_and_lists(tmp_path: Path) -> None:
    """The next look at the same moment reads the tiles alone."""
    path = store(tmp_path / "culex.db", connections=[OPEN])
    first = looked(path)
    assert set(looked(path, first["drawn"])) == {"facts", "missing", "drawn"}


def test_lists_of_many_are_held_for_longer(tmp_path: Path) -> None:
    """Thousands of rows are not read at each tick; another search reads them at once."""
    many = [
        ended(Ending.GOODBYE, 100, client_id=f"id-{number}", username=f"user-{number}")
        for number in range(3000)
    ]
    path = store(tmp_path / "culex.db", connections=many)
    drawn = looked(path)["drawn"]
    assert "rows" not in looked(path, drawn, now_us=NOON_US + 2 * SECOND_US)
    assert "rows" in looked(path, drawn, now_us=NOON_US + 4 * SECOND_US)
    assert "rows" in looked(path, drawn, view=View(options={"q": "id-7"}))


def test_refused_login_says_from_where_why_and_what_to_do(tmp_path: Path) -> None:
    """Tries of the same cause are one entry with their number."""
    events = [
        refused("not authorised, as boiler", ago_s=700),
        refused("not authorised, as boiler (12 more)"),
    ]
    words = said(looked(store(tmp_path / "culex.db", events=events)), "refusals")
    assert "13 times since 2026-11-23 11:48:20," in words
    assert "2026-11-23 11:59:30" in words
    assert "from 192.0.2.9  as boiler" in words
    assert "client add" in words


def test_connections_are_counted_in_words(tmp_path: Path) -> None:
    """How many there are, are open, and are counted by the broker itself."""
    readings = [figure("broker", "clients.connected", 8.0)]
    path = store(tmp_path / "culex.db", readings, [OPEN, ended(Ending.CLOSED)])
    words = looked(path, view=View(options={"q": "goodbye"}))["counted"]
    assert words == (
        "2 connections in this time. 1 of them matches. 0 are open. "
        "The broker counts 6 clients beside Culex's own."
    )


def test_broker_counts_nothing_else_than_the_connections_that_are_open(tmp_path: Path) -> None:
    """One number stands there once, and one is singular."""
    readings = [figure("broker", "clients.connected", 3.0)]
    path = store(tmp_path / "culex.db", readings, [OPEN, ended(Ending.CLOSED)])
    assert looked(path)["counted"] == "2 connections in this time. 1 is open."


def test_filter_of_events_is_part_of_the_view(tmp_path: Path) -> None:
    """A kind that does not exist shows all of them."""
    events = [refused("not authorised"), Event(NOON_US - SECOND_US, EventKind.WATCH_LOST)]
    path = store(tmp_path / "culex.db", events=events)
    only = looked(path, view=View(options={"kind": "refused"}))
    assert "login refused" in said(only, "log")
    assert "not seen any more" not in said(only, "log")
    assert "not seen any more" in said(looked(path, view=View(options={"kind": "<b>"})), "log")


def test_broker_that_tells_nothing_of_itself_is_explained(tmp_path: Path) -> None:
    """First with patience, then with what is missing and what to do; not while it is down."""
    path = store(tmp_path / "culex.db", broker_since_us=NOON_US - 5 * SECOND_US)
    assert "in a moment" in said(looked(path), "missing")
    store(path)
    assert "$SYS/broker/#" in said(looked(path), "missing")
    store(path, broker_up=0)
    assert looked(path)["missing"] is None
    store(path, [figure("broker", "uptime", 5.0)])
    assert looked(path)["missing"] is None


def test_broker_whose_log_is_not_seen_is_explained(tmp_path: Path) -> None:
    """It counts clients of which no line was ever heard."""
    path = store(tmp_path / "culex.db", [figure("broker", "clients.connected", 8.0)])
    assert "log_dest topic" in looked(path)["counted"]
    store(path, connections=[OPEN])
    assert "log_dest topic" not in looked(path)["counted"]


def test_page_begins_with_what_its_address_says(tmp_path: Path) -> None:
    """Search and filter stand in their controls before any data."""
    view = View(options={"q": "boiler", "kind": "refused"})
    with looking_at(store(tmp_path / "culex.db")) as look:
        made = str(layout(view, look.engine))
    assert "value='boiler'" in made
    assert "value='refused'" in made or "EventKind.REFUSED" in made
