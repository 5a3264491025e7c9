"""The file access.db: how it is made, opened and brought to the newest version."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from telemetry.fault import Fault

Database = sqlite3.Connection
Row = sqlite3.Row

_MIGRATIONS = ("access.sql", "access_detail.sql")
_BUSY_S = 10.0
_CREATING = threading.Lock()


class AccessError(Fault):
    """access.db cannot be used, or does not hold what was asked; the message says what to do."""


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """The file at the newest version; what was not committed in the block is rolled back.

    Raises:
        AccessError: If it cannot be used, also in the middle of the block.
    """
    try:
        with _connected(path) as database:
            _migrate(database)
            yield database
    except (sqlite3.Error, OSError) as error:
        raise AccessError(
            f"cannot use {path}: {error}; check its owner and the disk, or restore it from a backup"
        ) from error


@contextmanager
def transaction(path: Path) -> Iterator[Database]:
    """One transaction on the file, durable after the block; it takes the lock at once.

    Raises:
        AccessError: If the file cannot be used.
    """
    with opened(path) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")


@contextmanager
def _connected(path: Path) -> Iterator[Database]:
    _create(path)
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = FULL")
        yield database
    finally:
        database.close()  # rolls back what was not committed


def _create(path: Path) -> None:
    """Makes an empty file with mode 0600, unless there is one.

    SQLite would create it readable by all; its journal takes the mode of the file. One that exists
    is never opened here: closing any descriptor of a file drops all POSIX locks that the process
    has on it, also those of a transaction in another thread (sqlite.org/howtocorrupt.html, 2.2).
    """
    with _CREATING, suppress(FileExistsError):  # nobody has it open before it is closed here
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _migrate(database: Database) -> None:
    if _version(database) == len(_MIGRATIONS):
        return
    database.execute("BEGIN IMMEDIATE")
    version = _version(database)
    if version > len(_MIGRATIONS):
        raise sqlite3.DatabaseError("it was written by a newer Culex")
    for name in _MIGRATIONS[version:]:
        script = Path(__file__).with_name(name).read_text(encoding="utf-8")
        for statement in script.split(";\n"):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    database.execute("COMMIT")


def _version(database: Database) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version
