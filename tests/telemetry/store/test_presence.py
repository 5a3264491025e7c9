"""Connections and events in the store: brought up to date, bounded, found by client and time."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.presence import Changes, Connection, Ending, Event, EventKind
from telemetry.store import presence
from telemetry.store.presence import (
    apply,
    read_connections,
    read_events,
    read_events_of,
    read_open,
)
from telemetry.window import ALL_TIME, Window

SCHEMA = Path(presence.__file__).with_suffix(".sql")


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """A database with the tables of presence alone."""
    database = make_database()
    yield database
    database.close()


def make_database() -> sqlite3.Connection:
    """The same, for a test that needs several."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(SCHEMA.read_text("utf-8"))
    return database


def connection(since_us: int, until_us: int | None = None, client: str = "tank") -> Connection:
    """A connection of a client, with an identifier of its own."""
    reason = "" if until_us is None else Ending.GOODBYE
    address = "192.0.2.7:4157"
    return Connection(
        f"{client}-id", client, address, "5", 60, True, since_us, until_us, str(reason)
    )


def test_connection_is_read_as_it_was_written(database: sqlite3.Connection) -> None:
    """Open or ended, every field comes back."""
    ended, opened = connection(1, 5), replace(connection(7), clean_start=False, protocol="3.1.1")
    apply(database, Changes([ended, opened]))
    assert read_connections(database, None, ALL_TIME) == [ended, opened]
    assert read_open(database) == [opened]


def test_connection_that_ends_is_brought_up_to_date(database: sqlite3.Connection) -> None:
    """The same connection is one row, however often it is written."""
    apply(database, Changes([connection(1)]))
    for _ in range(2):
        apply(database, Changes([connection(1, 5)]))
    assert read_connections(database, "tank", ALL_TIME) == [connection(1, 5)]
    assert read_open(database) == []


@pytest.mark.parametrize(
    ("since_us", "until_us", "inside"),
    [
        (0, 9, False),
        (0, 10, False),
        (0, 11, True),
        (0, None, True),
        (10, 10, True),
        (19, 25, True),
        (20, 25, False),
    ],
)
def test_connection_is_in_a_window_that_it_meets(
    database: sqlite3.Connection, since_us: int, until_us: int | None, inside: bool
) -> None:
    """Windows and connections include their start and not their end."""
    one = connection(since_us, until_us)
    apply(database, Changes([one]))
    for client in ("tank", None):
        assert read_connections(database, client, Window(10, 20)) == ([one] if inside else [])
    assert read_connections(database, "other", Window(10, 20)) == []


def test_events_are_found_by_client_and_window(database: sqlite3.Connection) -> None:
    """Oldest first, in the order in which they were written where times are the same."""
    events = [
        Event(5, EventKind.REFUSED, "", "not authorised", "192.0.2.7:1"),
        Event(5, EventKind.ONLINE, "tank"),
        Event(7, EventKind.SESSION_LOST, "collector", "x"),
    ]
    apply(database, Changes(events=events))
    assert read_events(database, None, Window(5, 8)) == events
    assert read_events(database, None, Window(5, 7)) == events[:2]
    assert read_events(database, "tank", ALL_TIME) == [events[1]]
    assert read_events(database, None, ALL_TIME, 1) == events[2:]


def test_events_of_a_kind_are_found_in_a_flood_of_others(database: sqlite3.Connection) -> None:
    """However many logins are refused, the lost session is seen, and no other row is looked at."""
    flood = [Event(number, EventKind.REFUSED) for number in range(20_000)]
    lost = [Event(number, EventKind.SESSION_LOST) for number in (5, 7, 9)]
    apply(database, Changes((), [*lost, *flood]))
    assert read_events_of(database, EventKind.SESSION_LOST, ALL_TIME, 2) == lost[1:]
    asked = (ALL_TIME.end_us, ALL_TIME.start_us, 2, EventKind.SESSION_LOST)
    plan = database.execute(f"EXPLAIN QUERY PLAN {presence._EVENTS_OF_KIND}", asked).fetchall()
    assert "event_by_kind (kind=? AND time_us>? AND time_us<?)" in plan[0][3]


def test_hostile_text_is_kept_readable(database: sqlite3.Connection) -> None:
    """Lone surrogates, which SQLite refuses, stand as escapes; quotes are nothing special."""
    one = replace(connection(1), client_id="a'; DROP TABLE event; --\udcff")
    apply(database, Changes([one], [Event(1, EventKind.REFUSED, "", "as \ud800")]))
    assert read_open(database)[0].client_id == "a'; DROP TABLE event; --\\udcff"
    assert read_events(database, None, ALL_TIME)[0].detail == "as \\ud800"


def test_kinds_of_events_fit_the_table(database: sqlite3.Connection) -> None:
    """Every kind there is comes back as itself."""
    apply(database, Changes(events=[Event(1, kind) for kind in EventKind]))
    assert [one.kind for one in read_events(database, None, ALL_TIME)] == list(EventKind)


def test_oldest_go_and_what_is_open_stays(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are kept; a connection that is still open is never let go."""
    monkeypatch.setattr(presence, "CONNECTIONS_KEPT", 10)
    monkeypatch.setattr(presence, "KEPT_OF_KIND", 10)
    steady = connection(0, client="steady")
    apply(database, Changes([steady]))
    for number in range(1, 40):
        many = connection(number, number + 1, f"c{number}")
        apply(database, Changes([many], [Event(number, EventKind.ONLINE)]))
    kept = read_connections(database, None, ALL_TIME)
    assert [one.since_us for one in kept] == [0, *range(30, 40)]
    assert [one.time_us for one in read_events(database, None, ALL_TIME)] == [*range(30, 40)]
    apply(database, Changes([replace(steady, until_us=99, reason=Ending.CLOSED)]))
    assert read_open(database) == []


def test_flood_of_events_displaces_only_those_of_its_kind_and_client(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One client's gaps, at the same moment even, leave others' and what happened to us."""
    monkeypatch.setattr(presence, "KEPT_OF_KIND", 9)
    monkeypatch.setattr(presence, "KEPT_OF_CLIENT", 5)
    others = [Event(1, EventKind.SESSION_LOST), Event(1, EventKind.GAP, "quiet")]
    apply(database, Changes(events=others))
    for number in range(40):
        apply(database, Changes(events=[Event(7, EventKind.GAP, "noisy", str(number))]))
    *rest, last = read_events(database, None, ALL_TIME)
    assert rest[:2] == others
    assert len(rest) == 2 + 4
    assert last.detail == "39"


def test_client_that_comes_and_goes_displaces_only_its_own_past(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One client's connections are bounded by themselves."""
    monkeypatch.setattr(presence, "KEPT_OF_CLIENT", 5)
    quiet = connection(0, 1, "quiet")
    apply(database, Changes([quiet]))
    for number in range(2, 40):
        apply(database, Changes([connection(number, number + 1, "restless")]))
    assert read_connections(database, "quiet", ALL_TIME) == [quiet]
    restless = read_connections(database, "restless", ALL_TIME)
    assert [one.since_us for one in restless] == [*range(35, 40)]


spans = st.tuples(st.integers(0, 30), st.none() | st.integers(0, 10), st.sampled_from("ab"))


@given(st.lists(spans, max_size=20), st.integers(0, 40), st.integers(1, 20))
def test_window_holds_exactly_the_connections_that_meet_it(
    written: list[tuple[int, int | None, str]], start_us: int, length_us: int
) -> None:
    """Whatever was written, the last state of each connection is found if it meets the window."""
    database, window = make_database(), Window(start_us, start_us + length_us)
    latest: dict[tuple[str, int], Connection] = {}
    for since_us, length, client in written:
        one = connection(since_us, None if length is None else since_us + length, client)
        latest[client, since_us] = one
        apply(database, Changes([one]))
    found = read_connections(database, "a", window)
    database.close()
    assert {one.since_us for one in found} == {
        one.since_us for (client, _), one in latest.items() if client == "a" and meets(one, window)
    }


def meets(one: Connection, window: Window) -> bool:
    """Whether some moment of the connection, if only its first, is in the window."""
    end_us = window.end_us if one.until_us is None else max(one.until_us, one.since_us + 1)
    return one.since_us < window.end_us and end_us > window.start_us
