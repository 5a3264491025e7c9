"""Connections and events: written with everything else, the oldest of them let go."""

from collections.abc import Sequence
from typing import Any

from telemetry.presence import Changes, Connection, Event, EventKind
from telemetry.store.head import Connection as Database
from telemetry.window import Window

CONNECTIONS_KEPT = 100_000
KEPT_OF_CLIENT = 2000
"""Connections of one client, and events: one that comes and goes displaces only its own past."""

KEPT_OF_KIND = 20_000
"""Events of one kind: floods of one, such as refused logins, displace no other."""

READ_AT_ONCE = 10_000

_NAMES = (
    "client_id, client, address, protocol, keep_alive_s, clean_start, since_us, until_us, reason"
)
_PUT = (
    f"INSERT INTO connection ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608  # our own column names
    "ON CONFLICT (client_id, since_us) DO UPDATE SET "
    "until_us = excluded.until_us, reason = excluded.reason"
)
_TRIM = """DELETE FROM connection WHERE until_us IS NOT NULL
    AND id <= (SELECT max(id) FROM connection) - ?"""
_TRIM_CLIENT = """DELETE FROM connection WHERE client = ?1 AND until_us IS NOT NULL
    AND since_us <= (SELECT since_us FROM connection WHERE client = ?1
        ORDER BY since_us DESC LIMIT 1 OFFSET ?2)"""
_CONNECTIONS = (
    f"SELECT {_NAMES} FROM connection WHERE since_us < ?1 "  # noqa: S608  # our own column names
    "AND (until_us IS NULL OR until_us > ?2 OR since_us >= ?2) "
)
_NEWEST = "ORDER BY since_us DESC LIMIT ?3"
_OF_ALL = _CONNECTIONS + _NEWEST
_OF_CLIENT = f"{_CONNECTIONS}AND client = ?4 {_NEWEST}"
_OPEN = f"SELECT {_NAMES} FROM connection WHERE until_us IS NULL ORDER BY since_us"  # noqa: S608  # our own column names
_NOTE = "INSERT INTO event (time_us, kind, client, detail, address) VALUES (?, ?, ?, ?, ?)"
_TRIM_EVENTS_OF_KIND = """DELETE FROM event WHERE kind = ?1
    AND (time_us, id) <= (SELECT time_us, id FROM event WHERE kind = ?1
        ORDER BY time_us DESC, id DESC LIMIT 1 OFFSET ?2)"""
_TRIM_EVENTS_OF_CLIENT = """DELETE FROM event WHERE client = ?1
    AND (time_us, id) <= (SELECT time_us, id FROM event WHERE client = ?1
        ORDER BY time_us DESC, id DESC LIMIT 1 OFFSET ?2)"""
_EVENTS = """SELECT time_us, kind, client, detail, address FROM event
    WHERE time_us < ?1 AND time_us >= ?2 """
_NEWEST_EVENTS = "ORDER BY time_us DESC, id DESC LIMIT ?3"
_EVENTS_OF_ALL = _EVENTS + _NEWEST_EVENTS
_EVENTS_OF_CLIENT = f"{_EVENTS}AND client = ?4 {_NEWEST_EVENTS}"
_EVENTS_OF_KIND = f"{_EVENTS}AND kind = ?4 {_NEWEST_EVENTS}"


def apply(database: Database, changes: Changes) -> None:
    """Writes what is news, inside the transaction that is open.

    A connection that is there already is brought up to date; an event is added each time.
    """
    if changes.connections:
        database.executemany(_PUT, map(_row, changes.connections))
        for client in {one.username for one in changes.connections}:
            database.execute(_TRIM_CLIENT, (_text(client), KEPT_OF_CLIENT))
        database.execute(_TRIM, (CONNECTIONS_KEPT,))
    if changes.events:
        database.executemany(_NOTE, map(_event_row, changes.events))
        _trim_events(database, changes.events)


def _trim_events(database: Database, news: Sequence[Event]) -> None:
    for kind in {one.kind for one in news}:
        database.execute(_TRIM_EVENTS_OF_KIND, (kind, KEPT_OF_KIND))
    for client in {one.client for one in news if one.client}:
        database.execute(_TRIM_EVENTS_OF_CLIENT, (_text(client), KEPT_OF_CLIENT))


def read_connections(
    database: Database, client: str | None, window: Window, at_most: int = READ_AT_ONCE
) -> list[Connection]:
    """Connections of a client, or of all, that were open in the window, oldest first.

    If there are more than `at_most`, those that began last.
    """
    rows = _ask(database, (_OF_ALL, _OF_CLIENT), client, (window.end_us, window.start_us, at_most))
    return [_connection(row) for row in rows[::-1]]


def read_open(database: Database) -> list[Connection]:
    """Every connection that was open when the last change was written, oldest first."""
    return [_connection(row) for row in database.execute(_OPEN)]


def read_events(
    database: Database, client: str | None, window: Window, at_most: int = READ_AT_ONCE
) -> list[Event]:
    """Events of a client, or of all and of none, in the window, oldest first.

    If there are more than `at_most`, the last of them.
    """
    bounds = (window.end_us, window.start_us, at_most)
    rows = _ask(database, (_EVENTS_OF_ALL, _EVENTS_OF_CLIENT), client, bounds)
    return [_event(row) for row in rows[::-1]]


def read_events_of(
    database: Database, kind: EventKind, window: Window, at_most: int = READ_AT_ONCE
) -> list[Event]:
    """Events of one kind in the window, oldest first; of more than `at_most` the last.

    However many others there are, it costs nothing: refused logins come in floods.
    """
    rows = database.execute(
        _EVENTS_OF_KIND, (window.end_us, window.start_us, at_most, kind)
    ).fetchall()
    return [_event(row) for row in rows[::-1]]


def _row(one: Connection) -> tuple[object, ...]:
    return (
        _text(one.client_id),
        _text(one.username),
        one.address,
        one.protocol,
        one.keep_alive_s,
        int(one.clean_start),
        one.since_us,
        one.until_us,
        _text(one.reason),
    )


def _event_row(event: Event) -> tuple[object, ...]:
    return (event.time_us, event.kind, _text(event.client), _text(event.detail), event.address)


def _event(row: tuple[Any, ...]) -> Event:  # Any: the columns of a row
    time_us, kind, *rest = row
    return Event(time_us, EventKind(kind), *rest)


def _text(text: str) -> str:
    """The text, for SQLite: it takes no lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def _ask(
    database: Database, queries: tuple[str, str], client: str | None, bounds: tuple[int, ...]
) -> list[tuple[Any, ...]]:  # Any: the columns of a row
    """The rows for all clients or for one; a query that fits both would use no index."""
    if client is None:
        return database.execute(queries[0], bounds).fetchall()
    return database.execute(queries[1], (*bounds, client)).fetchall()


def _connection(row: tuple[Any, ...]) -> Connection:  # Any: the columns of a row
    client_id, client, address, protocol, keep_alive_s, clean_start, *rest = row
    return Connection(client_id, client, address, protocol, keep_alive_s, bool(clean_start), *rest)
