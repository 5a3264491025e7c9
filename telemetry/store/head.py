"""The head: recent readings in SQLite, written by one thread of one process.

The only module that imports sqlite3, and the one place that decides how a connection is opened.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from telemetry.interface import (
    DELIVERIES_KEPT,
    Batch,
    Committed,
    Delivery,
    StoreError,
    StoreMissing,
    StoreUnavailable,
)
from telemetry.reading import Reading, Series

Connection = sqlite3.Connection
Result = TypeVar("Result")

_MIGRATIONS = (Path(__file__).with_name("schema.sql"),)
_BUSY_MS = 5000
_DEADLINE_STEPS = 20_000

_SERIES = """INSERT INTO series
    (client, metric, kind, unit, newest_us, newest_value, newest_received_us, newest_flags)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_CLIMB = """UPDATE series SET kind = ?1 WHERE id = ?2
    AND (kind = 'boolean' AND ?1 <> 'boolean' OR kind = 'state' AND ?1 = 'number')"""
_NEWEST = """UPDATE series SET unit = CASE WHEN ? = '' THEN unit ELSE ? END,
    newest_us = ?, newest_value = ?, newest_received_us = ?, newest_flags = ?
    WHERE id = ? AND (newest_us < ? OR newest_us = ? AND NOT EXISTS
        (SELECT 1 FROM reading WHERE series = id AND time_us = ? AND value = ?))"""
_READING = "INSERT INTO reading VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_DELIVERY = "INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?)"
_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?)"
_BUMP = "UPDATE state SET value = value + 1 WHERE key = 'sequence'"


def open_reader(path: Path) -> Connection:
    """A read-only connection that never checkpoints.

    Raises:
        StoreMissing: If no collector has made it yet.
        StoreError: If the file is no store or of a later version of Culex.
    """
    if not path.exists():
        raise StoreMissing(f"{path} does not exist yet; start the collector: make collector")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with faults(path), _opened(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        if _version(connection, path) == 0:
            raise StoreMissing(f"{path} is empty yet; start the collector: make collector")
        return connection


def open_writer(path: Path) -> Connection:
    """The one connection that writes and checkpoints, its schema up to date.

    Raises:
        StoreError: If the file is no store or of a later version of Culex.
        StoreUnavailable: If it cannot be opened or migrated now.
    """
    _make_private(path)
    with faults(path), _opened(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
        return connection


def _make_private(path: Path) -> None:
    """Readings are behind a login, so other accounts of the machine do not read the file either."""
    with suppress(OSError):  # there already, or SQLite will say why it cannot be made
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o640))


@contextmanager
def _opened(connection: Connection) -> Iterator[Connection]:
    """Closes the connection if the block fails."""
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _version(connection: Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise StoreError(f"{path} was written by a later version of Culex; update Culex")
    return int(version)


def _migrate(connection: Connection, path: Path) -> None:
    version = _version(connection, path)
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script.read_text('utf-8')} PRAGMA user_version = {number}; COMMIT;"
        )


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into the store's own; a value it refuses is no fault of the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{path}: {_explain(error)}") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise StoreError(f"{path} is damaged ({error}); restore it from a backup") from error


def _explain(error: sqlite3.OperationalError) -> str:
    advice = {
        "SQLITE_FULL": "the disk is full; free some space, it goes on by itself",
        "SQLITE_BUSY": "another process holds it; stop that one",
        "SQLITE_READONLY": "it cannot be written; make its folder yours",
        "SQLITE_CANTOPEN": "it cannot be opened; check the owner of its folder",
        "SQLITE_INTERRUPT": "the question took too long; ask for a shorter time",
    }
    return advice.get(getattr(error, "sqlite_errorname", ""), str(error))


def limit_time(connection: Connection, seconds: float) -> None:
    """Lets every statement from now on end within `seconds`, with `StoreUnavailable` if need be."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _DEADLINE_STEPS)


class HeadAppender:
    """The write side of the head; implements `telemetry.interface.Appender`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_writer(path)
        self._ids: dict[Series, int] = {}
        self._position = self._load_position()

    def append(self, batch: Batch) -> Committed:
        """Stores the batch durably, each reading once, or nothing of it."""
        committed = self._transaction(lambda: self._append(batch))
        self._position += len(batch.deliveries)
        return committed

    def deliveries(self) -> Sequence[Delivery]:
        """The deliveries remembered from before, oldest first."""
        with faults(self._path):
            rows = self._connection.execute(
                "SELECT packet_id, digest FROM delivery ORDER BY position"
            )
            return [Delivery(*row) for row in rows]

    def report(self, state: Mapping[str, int | str]) -> None:
        """Leaves the writer's own state for readers, beside what was reported before."""
        self._transaction(lambda: self._connection.executemany(_STATE, state.items()))

    def erase(self, *, client: str | None = None, flags: int = 0) -> int:
        """Removes the readings of `client`, or all that carry one of `flags`; returns how many."""
        return self._transaction(lambda: self._erase(client, flags))

    def close(self) -> None:
        """Checkpoints and releases the file; safe to call twice."""
        self._connection.close()

    def _transaction(self, work: Callable[[], Result]) -> Result:
        with faults(self._path):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                result = work()
                self._connection.execute("COMMIT")
            except BaseException:
                self._ids.clear()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return result

    def _append(self, batch: Batch) -> Committed:
        rows = [(self._id(r), r.time_us, r.value, r.delay_us, r.flags) for r in batch.readings]
        kinds = {(reading.kind, self._ids[reading.series]) for reading in batch.readings}
        self._connection.executemany(_CLIMB, kinds)
        self._update_newest(batch.readings)
        before = self._connection.total_changes
        self._connection.executemany(_READING, rows)
        stored = self._connection.total_changes - before
        self._remember(batch)
        if stored:
            self._connection.execute(_BUMP)
        return Committed(stored, len(rows) - stored)

    def _id(self, reading: Reading) -> int:
        known = self._ids.get(reading.series)
        if known is None:
            known = self._ids[reading.series] = self._find(reading) or self._add(reading)
        return known

    def _find(self, reading: Reading) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM series WHERE client = ? AND metric = ?",
            (reading.series.client, reading.series.metric),
        ).fetchone()
        return int(row[0]) if row else None

    def _add(self, reading: Reading) -> int:
        names = (reading.series.client, reading.series.metric, reading.kind, reading.unit)
        cursor = self._connection.execute(_SERIES, (*names, *_newest(reading)))
        return int(cursor.lastrowid or 0)

    def _update_newest(self, readings: Sequence[Reading]) -> None:
        """Must come before the readings are stored: what is there already is no news."""
        newest_us: dict[Series, int] = {}
        for r in readings:
            newest_us[r.series] = max(r.time_us, newest_us.get(r.series, r.time_us))
        newest: dict[tuple[Series, float | str], Reading] = {}
        for r in readings:
            if r.time_us == newest_us[r.series]:
                newest.setdefault((r.series, r.value), r)
        rows = (
            (r.unit, r.unit, *_newest(r), self._ids[r.series], *(r.time_us,) * 3, r.value)
            for r in newest.values()
        )
        self._connection.executemany(_NEWEST, rows)

    def _remember(self, batch: Batch) -> None:
        if batch.forget_deliveries:
            self._connection.execute("DELETE FROM delivery")
        rows = [
            (position % DELIVERIES_KEPT, position, delivery.packet_id, delivery.digest)
            for position, delivery in enumerate(batch.deliveries, self._position)
        ]
        self._connection.executemany(_DELIVERY, rows)

    def _load_position(self) -> int:
        with faults(self._path):
            (last,) = self._connection.execute("SELECT max(position) FROM delivery").fetchone()
        return 0 if last is None else int(last) + 1

    def _erase(self, client: str | None, flags: int) -> int:
        ids = [
            series_id
            for series_id, name in self._connection.execute("SELECT id, client FROM series")
            if client is None or name == client
        ]
        every = client is not None and not flags
        erased = sum(self._erase_series(series_id, flags, every=every) for series_id in ids)
        self._ids.clear()
        if erased:
            self._connection.execute(_BUMP)
        return erased

    def _erase_series(self, series_id: int, flags: int, *, every: bool) -> int:
        cursor = self._connection.execute(
            "DELETE FROM reading WHERE series = ? AND (? OR flags & ?)", (series_id, every, flags)
        )
        if cursor.rowcount:
            self._renew_newest(series_id)
        return cursor.rowcount

    def _renew_newest(self, series_id: int) -> None:
        row = self._connection.execute(
            "SELECT time_us, value, time_us + delay_us, flags FROM reading "
            "WHERE series = ? ORDER BY time_us DESC LIMIT 1",
            (series_id,),
        ).fetchone()
        if row is None:
            self._connection.execute("DELETE FROM series WHERE id = ?", (series_id,))
        else:
            self._connection.execute(
                "UPDATE series SET newest_us = ?, newest_value = ?, newest_received_us = ?, "
                "newest_flags = ? WHERE id = ?",
                (*row, series_id),
            )


def _newest(reading: Reading) -> tuple[int, float | str, int, int]:
    received_us = reading.time_us + reading.delay_us
    return reading.time_us, reading.value, received_us, int(reading.flags)
