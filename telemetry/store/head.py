"""The head: recent readings in SQLite, written by one thread of one process.

The only module that imports sqlite3, and the one place that decides how a connection is opened.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from telemetry.interface import StoreError, StoreMissing, StoreUnavailable

Connection = sqlite3.Connection

SQLITE_VERSION = sqlite3.sqlite_version
"""The version of SQLite that reads and writes the store."""

_MIGRATIONS = tuple(
    Path(__file__).with_name(f"{name}.sql")
    for name in (
        "readings",
        "ledger",
        "presence",
        "quarantine",
        "blocks",
        "retention",
        "topics",
        "revision",
    )
)
SCHEMA = len(_MIGRATIONS)
"""Of the SQLite file; a larger number is of a later version of Culex."""

_BUMP = "UPDATE state SET value = value + 1 WHERE key = 'sequence'"
_REVISED = """UPDATE state SET value = (SELECT value FROM state WHERE key = 'sequence')
    WHERE key = 'revised'"""
_BUSY_MS = 5000
_WAL_PAGES = 4000  # 16 MB: hot pages are written back once for many commits
_DEADLINE_STEPS = 20_000
_PAGES_AT_ONCE = 2000  # 8 MB

Result = TypeVar("Result")


class Transaction(Protocol):
    """Runs work as one transaction of the writer."""

    def __call__(self, work: Callable[[], Result]) -> Result:
        """What the work returned, once it is durable.

        Raises:
            StoreUnavailable: If nothing was changed, and it may work later.
        """
        ...


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
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute("PRAGMA foreign_keys = OFF")  # a check of each row: ADR 11
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
    version = schema_of(connection)
    if version > SCHEMA:
        raise StoreError(f"{path} was written by a later version of Culex; update Culex")
    return version


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


@contextmanager
def history_faults(path: Path) -> Iterator[None]:
    """Turns errors about files of the history, and about building them, into the store's own."""
    try:
        with faults(path):
            yield
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or path}: {error.strerror or error}") from error


def _explain(error: sqlite3.OperationalError) -> str:
    advice = {
        "SQLITE_FULL": "the disk is full; free some space, it goes on by itself",
        "SQLITE_BUSY": "another process holds it; stop that one",
        "SQLITE_READONLY": "it cannot be written; make its folder yours",
        "SQLITE_CANTOPEN": "it cannot be opened; check the owner of its folder",
        "SQLITE_INTERRUPT": "the question took too long; ask for a shorter time",
    }
    return advice.get(getattr(error, "sqlite_errorname", ""), str(error))


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One consistent view of the file for the length of the block."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def note_change(connection: Connection) -> None:
    """Tells readers that readings changed; part of the transaction in which they did."""
    note_growth(connection)
    connection.execute(_REVISED)


def note_growth(connection: Connection) -> None:
    """The same where each series says itself what changed, but for newer readings than before."""
    connection.execute(_BUMP)


def schema_of(connection: Connection) -> int:
    """The version of the file: `SCHEMA`, or less until the collector has run."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def sequence_of(connection: Connection) -> int:
    """Grows with every commit that changed readings."""
    row = connection.execute("SELECT value FROM state WHERE key = 'sequence'").fetchone()
    return int(row[0]) if row else 0


def copy_database(path: Path, target: Path, progress: Callable[[int, int], object]) -> None:
    """Leaves at `target` a copy of a SQLite file as it is at one moment, whole and durable.

    Others read and write it meanwhile. The copy is one file, readable by its owner alone.

    Args:
        path: Any SQLite file.
        target: A new file.
        progress: Is told how many pages are copied, and how many there are.

    Raises:
        StoreError: If it is damaged.
        StoreUnavailable: If it cannot be read, or the copy not be written, now.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with (
        faults(path),
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        source.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        copy.execute("PRAGMA synchronous = OFF")
        with snapshot(source):
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # here is the moment
            source.backup(
                copy,
                pages=_PAGES_AT_ONCE,
                progress=lambda _, left, all_: progress(all_ - left, all_),
            )
        copy.execute("PRAGMA journal_mode = DELETE")
        _check_integrity(copy, path)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _check_integrity(connection: Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise StoreError(f"{path} is damaged ({verdict}); restore it from a backup")


def limit_time(connection: Connection, seconds: float) -> None:
    """Lets every statement from now on end within `seconds`, with `StoreUnavailable` if need be."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _DEADLINE_STEPS)
