"""The file access.db: how it is made, opened and brought to the newest version."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from telemetry.fault import Fault

Database = sqlite3.Connection
Row = sqlite3.Row

_MIGRATIONS = ("access.sql", "access_detail.sql", "access_roles.sql")
_BUSY_S = 10.0
_STEP_NS = 2_500_000_000
_PRIMARY = 0xFF  # of a result code, whose upper bits say more
_CREATING = threading.Lock()


class AccessError(Fault):
    """access.db cannot be used, or does not hold what was asked; the message says what to do."""


class ChangedMeanwhile(AccessError):
    """What somebody knew when it decided is not so any more; the message says what to do."""


@contextmanager
def opened(path: Path, busy_s: float = _BUSY_S) -> Iterator[Database]:
    """The file at the newest version; what was not committed in the block is rolled back.

    Args:
        path: Where it is.
        busy_s: How long to wait for another process that is changing it, in seconds.

    Raises:
        AccessError: If it cannot be used, also in the middle of the block.
    """
    try:
        with _connected(path, busy_s) as database:
            _migrate(database)
            yield database
    except (sqlite3.Error, OSError) as error:
        raise AccessError(f"cannot use {path}: {error}; {_advice(error)}") from error


def _advice(error: Exception) -> str:
    if getattr(error, "sqlite_errorcode", 0) & _PRIMARY in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }:
        return "another process is changing it, try again"
    return "check its owner and the disk, or restore it from a backup"


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """The file at one moment: of two questions neither is answered by what came between them.

    Raises:
        AccessError: If the file cannot be used.
    """
    with opened(path) as database:
        database.execute("BEGIN")
        yield database


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


class FileState(NamedTuple):
    """What a file system says of a file; the times are in nanoseconds since 1970 UTC."""

    written_ns: int = 0
    changed_ns: int = 0
    size: int = 0
    inode: int = 0

    def is_settled(self) -> bool:
        """Whether another change would show: not while the file was written just now.

        Clocks of file systems are coarse, from 4 ms on ext4 to 2 s on FAT, so that two changes
        within one of their steps may leave the same time. It is compared with the system's clock,
        by which files get theirs, whatever clock we are given.
        """
        return 0 < self.written_ns < time.time_ns() - _STEP_NS


def state_of(path: Path) -> FileState:
    """What differs once the file has changed: SQLite writes it at each commit.

    In WAL mode, to which a tool may have brought it, it does not. Opening the file to look would
    drop the locks of other threads, as `_create` says.
    """
    try:
        found = path.stat()
    except OSError:  # reading it says what is wrong
        return FileState()
    return FileState(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


@contextmanager
def _connected(path: Path, busy_s: float) -> Iterator[Database]:
    _create(path)
    database = sqlite3.connect(path, timeout=busy_s, isolation_level=None)
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
