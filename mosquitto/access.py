"""access.db, the truth about who may speak, and what is known of clients."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass

from mosquitto.access_change import Change, Changing
from mosquitto.access_detail import check_unchanged, kept_of, read_detail, write_detail
from mosquitto.access_file import AccessError, Database, Row, opened
from mosquitto.detail import Detail, Kept

__all__ = [
    "PUBLISHER",
    "READER",
    "ROLES",
    "Access",
    "AccessError",
    "Client",
    "NewClient",
    "Password",
    "no_client",
]

PUBLISHER = "publisher"
READER = "reader"
ROLES: Mapping[str, str] = {
    PUBLISHER: "publishes to its own topics and hears its commands",
    READER: "hears the topics of all clients and publishes to its own",
}
"""What a client may be, and what it may do then."""


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
        role: One of `ROLES`.
        bound: Whether its client identifier must be its name, so that nobody else can take its
            connection over.
        created_by: Who added it.
        credential_us: When its password was last changed.
    """

    name: str
    simulated: bool
    password: Password
    created_us: int
    enabled: bool = True
    role: str = PUBLISHER
    bound: bool = True
    created_by: str = ""
    credential_us: int = 0


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client to be added; its attributes are those of `Client`, with what is known of it."""

    name: str
    password: Password
    role: str = PUBLISHER
    bound: bool = True
    detail: Detail | None = None


class Access(Changing):
    """The clients in access.db, and what people know of them."""

    def prepare(self) -> None:
        """The file exists, at the newest version, and is its owner's alone.

        Raises:
            AccessError: If others may read it.
        """
        with opened(self._path):
            pass
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            raise AccessError(f"{self._path} is readable by others; run: chmod 600 {self._path}")

    def clients(self) -> list[Client]:
        """All clients, by name."""
        with opened(self._path) as database:
            rows = database.execute("SELECT * FROM client ORDER BY name").fetchall()
        return [_client(row) for row in rows]

    def client(self, name: str) -> Client | None:
        """The client of that name."""
        with opened(self._path) as database:
            row = database.execute("SELECT * FROM client WHERE name = ?", (name,)).fetchone()
        return _client(row) if row else None

    def add_clients(self, *added: NewClient) -> None:
        """Clients of the user's own may speak; all of them, or none if one cannot.

        Raises:
            AccessError: If there is one of a name.
        """
        with self._changing() as change:
            for new in added:
                _add_client(change, new)

    def put_simulated(self, name: str, password: Password) -> None:
        """A client of the demo fleet may speak with that password, whatever was kept before."""
        with self._changing() as change:
            change.database.execute("DELETE FROM client WHERE name = ? AND simulated = 1", (name,))
            now_us = change.now_us
            added = Client(
                name, True, password, now_us, created_by=change.by.name, credential_us=now_us
            )
            _insert_client(change.database, added)
            change.note("simulated client let in", name)

    def disable_simulated(self) -> None:
        """No client of the demo fleet may speak; that they existed is remembered."""
        with self._changing() as change:
            change.database.execute("UPDATE client SET enabled = 0 WHERE simulated = 1")
            change.note("simulated clients shut out", "all of them")

    def set_enabled(self, name: str, *, enabled: bool) -> None:
        """The client may speak from now on, or may not.

        Raises:
            AccessError: If there is none of that name.
        """
        with self._changing() as change:
            _change_client(change.database, name, "enabled", int(enabled))
            change.note("client enabled" if enabled else "client disabled", name)

    def rotate_client(self, name: str, password: Password) -> None:
        """The client has another password.

        Raises:
            AccessError: If there is none of that name.
        """
        with self._changing() as change:
            _change_client(change.database, name, "password_hash", password.digest)
            _change_client(change.database, name, "salt", password.salt)
            _change_client(change.database, name, "iterations", password.iterations)
            _change_client(change.database, name, "credential_us", change.now_us)
            change.note("client password changed", name)

    def set_role(self, name: str, role: str, *, bound: bool) -> None:
        """The client has that role, and is bound to its identifier or not.

        Raises:
            AccessError: If there is none of that name.
        """
        with self._changing() as change:
            _change_client(change.database, name, "role", role)
            _change_client(change.database, name, "bound", int(bound))
            change.note("client changed", name, role=role, identifier="bound" if bound else "any")

    def remove_client(self, name: str) -> None:
        """The client may not speak, and its password is forgotten.

        What is known of it stays, with its tags, and so does who may see it, for its readings stay
        and are looked at. A client that is added under its name takes all of that over.

        Raises:
            AccessError: If there is none.
        """
        with self._changing() as change:
            found = change.database.execute("DELETE FROM client WHERE name = ?", (name,))
            if not found.rowcount:
                raise no_client(name)
            change.note("client removed", name)

    def details(self) -> dict[str, Kept]:
        """What people know of clients, by their names; most are not in it."""
        with opened(self._path) as database:
            rows = database.execute("SELECT * FROM detail ORDER BY client").fetchall()
        return {row["client"]: kept_of(row) for row in rows}

    def detail(self, client: str) -> Kept | None:
        """What people know of a client, or `None` if nobody said anything."""
        with opened(self._path) as database:
            return read_detail(database, client)

    def put_detail(self, detail: Detail, expected_us: int | None = None) -> None:
        """That is known of the client now; an empty one is forgotten.

        Args:
            detail: What is known.
            expected_us: When it was changed last as far as the caller knows, 0 for never; `None`
                if what was known does not matter.

        Raises:
            ChangedMeanwhile: If somebody changed it since.
        """
        with self._changing() as change:
            if expected_us is not None:
                check_unchanged(read_detail(change.database, detail.client), expected_us)
            write_detail(change, detail)


def _add_client(change: Change, new: NewClient) -> None:
    now_us = change.now_us
    added = Client(
        name=new.name,
        simulated=False,
        password=new.password,
        created_us=now_us,
        role=new.role,
        bound=new.bound,
        created_by=change.by.name,
        credential_us=now_us,
    )
    if not _insert_client(change.database, added):
        raise AccessError(
            f"client {new.name} exists already; "
            f"for a new password, run: .venv/bin/python -m mosquitto client rotate {new.name}"
        )
    change.note("client added", new.name, role=new.role)
    if new.detail is not None and not new.detail.is_empty:
        write_detail(change, new.detail)


def _insert_client(database: Database, new: Client) -> int:
    return database.execute(
        "INSERT OR IGNORE INTO client (name, simulated, password_hash, salt, iterations,"
        " created_us, enabled, role, bound, created_by, credential_us)"
        " VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
        (
            *(new.name, int(new.simulated)),
            *(new.password.digest, new.password.salt, new.password.iterations),
            *(new.created_us, new.role, int(new.bound), new.created_by, new.credential_us),
        ),
    ).rowcount


def _change_client(database: Database, name: str, column: str, value: object) -> None:
    statement = f"UPDATE client SET {column} = ? WHERE name = ?"  # noqa: S608  # a column of ours
    if not database.execute(statement, (value, name)).rowcount:
        raise no_client(name)


def no_client(name: str) -> AccessError:
    """There is no client of that name."""
    return AccessError(
        f"there is no client {name}; these exist: .venv/bin/python -m mosquitto client list"
    )


def _client(row: Row) -> Client:
    return Client(
        name=row["name"],
        simulated=bool(row["simulated"]),
        password=Password(row["password_hash"], row["salt"], row["iterations"]),
        created_us=row["created_us"],
        enabled=bool(row["enabled"]),
        role=row["role"],
        bound=bool(row["bound"]),
        created_by=row["created_by"],
        credential_us=row["credential_us"],
    )
