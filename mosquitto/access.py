"""access.db, the truth about who may speak and who may look."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from telemetry.clock import Clock, now_us
from telemetry.fault import Fault

_MIGRATIONS = ("access.sql",)
_BUSY_S = 10.0
_CREATING = threading.Lock()


class AccessError(Fault):
    """access.db cannot be used, or does not hold what was asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Password:
    """What is kept of a client's password: PBKDF2-SHA512, base64, as the broker's plugin has it."""

    digest: str
    salt: str
    iterations: int


@dataclass(frozen=True, slots=True)
class Client:
    """An MQTT client that Culex lets in.

    Attributes:
        name: Its name in topics, and its username.
        simulated: Whether it belongs to the demo fleet.
        password: What is kept of its password.
        created_us: When it was added.
        enabled: Whether the broker knows it.
    """

    name: str
    simulated: bool
    password: Password
    created_us: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class User:
    """A person who may look; `password_hash` is the dashboard's own format."""

    name: str
    password_hash: str
    role: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Token:
    """A program that may read; the token itself is kept nowhere."""

    name: str
    role: str
    created_us: int


class Access:
    """Reads and changes access.db; each call is one transaction, durable when it returns.

    Any number of processes and threads may share one file.

    Raises:
        AccessError: From every method, if the file cannot be used.
    """

    def __init__(self, path: Path, clock: Clock = now_us) -> None:
        self._path = path
        self._clock = clock

    def prepare(self) -> None:
        """The file exists, at the newest version."""
        with self._opened():
            pass

    def clients(self) -> list[Client]:
        """All clients, by name."""
        with self._opened() as database:
            rows = database.execute("SELECT * FROM client ORDER BY name").fetchall()
        return [_client(row) for row in rows]

    def client(self, name: str) -> Client | None:
        """The client of that name."""
        return next((client for client in self.clients() if client.name == name), None)

    def add_client(self, name: str, password: Password) -> None:
        """A client of the user's own may speak.

        Raises:
            AccessError: If there is one of that name.
        """
        with self._transaction() as database:
            added = _insert_client(database, (name, 0, password, self._clock()))
        if not added:
            raise AccessError(
                f"client {name} exists already; "
                f"to give it a new password, run: python -m mosquitto client remove {name}, and add"
            )

    def put_simulated(self, name: str, password: Password) -> None:
        """A client of the demo fleet may speak with that password, whatever was kept before."""
        with self._transaction() as database:
            database.execute("DELETE FROM client WHERE name = ? AND simulated = 1", (name,))
            _insert_client(database, (name, 1, password, self._clock()))

    def disable_simulated(self) -> None:
        """No client of the demo fleet may speak; that they existed is remembered."""
        with self._transaction() as database:
            database.execute("UPDATE client SET enabled = 0 WHERE simulated = 1")

    def remove_client(self, name: str) -> None:
        """The client is forgotten.

        Raises:
            AccessError: If there is none.
        """
        with self._transaction() as database:
            removed = database.execute("DELETE FROM client WHERE name = ?", (name,)).rowcount
        if not removed:
            raise AccessError(
                f"there is no client {name}; these exist: python -m mosquitto client list"
            )

    def users(self) -> list[User]:
        """All users, by name."""
        with self._opened() as database:
            rows = database.execute("SELECT * FROM user ORDER BY name").fetchall()
        return [User(**dict(row)) for row in rows]

    def user(self, name: str) -> User | None:
        """The user of that name."""
        with self._opened() as database:
            row = database.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
        return User(**dict(row)) if row else None

    def add_user(self, name: str, password_hash: str, role: str) -> None:
        """A user may look.

        Raises:
            AccessError: If there is one of that name.
        """
        with self._transaction() as database:
            added = database.execute(
                "INSERT OR IGNORE INTO user VALUES (?, ?, ?, ?)",
                (name, password_hash, role, self._clock()),
            ).rowcount
        if not added:
            raise AccessError(f"user {name} exists already; choose another name")

    def set_password(self, name: str, password_hash: str) -> None:
        """The user logs in with another password.

        Raises:
            AccessError: If there is no such user.
        """
        with self._transaction() as database:
            changed = database.execute(
                "UPDATE user SET password_hash = ? WHERE name = ?", (password_hash, name)
            ).rowcount
        if not changed:
            raise AccessError(f"there is no user {name}; add it first")

    def tokens(self) -> list[Token]:
        """All tokens, by name."""
        with self._opened() as database:
            rows = database.execute("SELECT name, role, created_us FROM token ORDER BY name")
            return [Token(**dict(row)) for row in rows]

    def token(self, digest: bytes) -> Token | None:
        """The token with that SHA-256 digest."""
        with self._opened() as database:
            row = database.execute(
                "SELECT name, role, created_us FROM token WHERE digest = ?", (digest,)
            ).fetchone()
        return Token(**dict(row)) if row else None

    def add_token(self, name: str, digest: bytes, role: str = "viewer") -> None:
        """A program with the token of that SHA-256 digest may read.

        Raises:
            AccessError: If there is a token of that name.
        """
        with self._transaction() as database:
            added = database.execute(
                "INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?)",
                (name, digest, role, self._clock()),
            ).rowcount
        if not added:
            raise AccessError(f"token {name} exists already; remove it or choose another name")

    def remove_token(self, name: str) -> None:
        """The token is worth nothing.

        Raises:
            AccessError: If there is none of that name.
        """
        with self._transaction() as database:
            removed = database.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount
        if not removed:
            raise AccessError(f"there is no token {name}; check its name")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with _connected(self._path) as database:
                _migrate(database)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise AccessError(
                f"cannot use {self._path}: {error}; check its owner and the disk, "
                "or restore it from a backup"
            ) from error


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
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


def _migrate(database: sqlite3.Connection) -> None:
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


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def _insert_client(database: sqlite3.Connection, new: tuple[str, int, Password, int]) -> int:
    name, simulated, password, created_us = new
    kept = (password.digest, password.salt, password.iterations)
    return database.execute(
        "INSERT OR IGNORE INTO client VALUES (?, ?, ?, ?, ?, ?, 1)",
        (name, simulated, *kept, created_us),
    ).rowcount


def _client(row: sqlite3.Row) -> Client:
    return Client(
        name=row["name"],
        simulated=bool(row["simulated"]),
        password=Password(row["password_hash"], row["salt"], row["iterations"]),
        created_us=row["created_us"],
        enabled=bool(row["enabled"]),
    )
