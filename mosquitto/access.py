"""access.db, the truth about who may speak and who may look, and what is known of clients."""

import json
from dataclasses import dataclass
from pathlib import Path

from mosquitto.access_file import AccessError, Database, Row, opened, transaction
from mosquitto.detail import Detail, Kept
from telemetry.clock import Clock, now_us

__all__ = ["Access", "AccessError", "Client", "Password", "Token", "User"]


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
        with opened(self._path):
            pass

    def clients(self) -> list[Client]:
        """All clients, by name."""
        with opened(self._path) as database:
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
        with transaction(self._path) as database:
            added = _insert_client(database, (name, 0, password, self._clock()))
        if not added:
            raise AccessError(
                f"client {name} exists already; "
                f"to give it a new password, run: python -m mosquitto client remove {name}, and add"
            )

    def put_simulated(self, name: str, password: Password) -> None:
        """A client of the demo fleet may speak with that password, whatever was kept before."""
        with transaction(self._path) as database:
            database.execute("DELETE FROM client WHERE name = ? AND simulated = 1", (name,))
            _insert_client(database, (name, 1, password, self._clock()))

    def disable_simulated(self) -> None:
        """No client of the demo fleet may speak; that they existed is remembered."""
        with transaction(self._path) as database:
            database.execute("UPDATE client SET enabled = 0 WHERE simulated = 1")

    def remove_client(self, name: str) -> None:
        """The client is forgotten.

        Raises:
            AccessError: If there is none.
        """
        with transaction(self._path) as database:
            removed = database.execute("DELETE FROM client WHERE name = ?", (name,)).rowcount
        if not removed:
            raise AccessError(
                f"there is no client {name}; these exist: python -m mosquitto client list"
            )

    def users(self) -> list[User]:
        """All users, by name."""
        with opened(self._path) as database:
            rows = database.execute("SELECT * FROM user ORDER BY name").fetchall()
        return [User(**dict(row)) for row in rows]

    def user(self, name: str) -> User | None:
        """The user of that name."""
        with opened(self._path) as database:
            row = database.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
        return User(**dict(row)) if row else None

    def add_user(self, name: str, password_hash: str, role: str) -> None:
        """A user may look.

        Raises:
            AccessError: If there is one of that name.
        """
        with transaction(self._path) as database:
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
        with transaction(self._path) as database:
            changed = database.execute(
                "UPDATE user SET password_hash = ? WHERE name = ?", (password_hash, name)
            ).rowcount
        if not changed:
            raise AccessError(f"there is no user {name}; add it first")

    def tokens(self) -> list[Token]:
        """All tokens, by name."""
        with opened(self._path) as database:
            rows = database.execute("SELECT name, role, created_us FROM token ORDER BY name")
            return [Token(**dict(row)) for row in rows]

    def token(self, digest: bytes) -> Token | None:
        """The token with that SHA-256 digest."""
        with opened(self._path) as database:
            row = database.execute(
                "SELECT name, role, created_us FROM token WHERE digest = ?", (digest,)
            ).fetchone()
        return Token(**dict(row)) if row else None

    def add_token(self, name: str, digest: bytes, role: str = "viewer") -> None:
        """A program with the token of that SHA-256 digest may read.

        Raises:
            AccessError: If there is a token of that name.
        """
        with transaction(self._path) as database:
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
        with transaction(self._path) as database:
            removed = database.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount
        if not removed:
            raise AccessError(f"there is no token {name}; check its name")

    def details(self) -> dict[str, Kept]:
        """What people know of clients, by their names; most are not in it."""
        with opened(self._path) as database:
            rows = database.execute("SELECT * FROM detail ORDER BY client").fetchall()
        return {row["client"]: _kept(row) for row in rows}

    def detail(self, client: str) -> Kept | None:
        """What people know of a client, or `None` if nobody said anything."""
        with opened(self._path) as database:
            row = database.execute("SELECT * FROM detail WHERE client = ?", (client,)).fetchone()
        return _kept(row) if row else None

    def put_detail(self, detail: Detail, user: str) -> None:
        """That is known of the client now, as the user says; an empty one is forgotten."""
        kept = (*_texts(detail), self._clock(), user)
        with transaction(self._path) as database:
            database.execute("DELETE FROM detail WHERE client = ?", (detail.client,))
            if not detail.is_empty:
                database.execute("INSERT INTO detail VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)


def _insert_client(database: Database, new: tuple[str, int, Password, int]) -> int:
    name, simulated, password, created_us = new
    kept = (password.digest, password.salt, password.iterations)
    return database.execute(
        "INSERT OR IGNORE INTO client VALUES (?, ?, ?, ?, ?, ?, 1)",
        (name, simulated, *kept, created_us),
    ).rowcount


def _client(row: Row) -> Client:
    return Client(
        name=row["name"],
        simulated=bool(row["simulated"]),
        password=Password(row["password_hash"], row["salt"], row["iterations"]),
        created_us=row["created_us"],
        enabled=bool(row["enabled"]),
    )


def _texts(detail: Detail) -> tuple[str, ...]:
    tags = json.dumps(list(detail.tags), ensure_ascii=False)
    said = detail.description, detail.serial_number, detail.mac_address
    return (detail.client, *said, tags, detail.notes)


def _kept(row: Row) -> Kept:
    names = ("client", "description", "serial_number", "mac_address", "notes")
    texts = {name: row[name] for name in names}
    detail = Detail(**texts, tags=tuple(json.loads(row["tags"])))
    return Kept(detail, row["changed_us"], row["changed_by"])
