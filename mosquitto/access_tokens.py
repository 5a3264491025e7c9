"""access.db: the programs that may read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mosquitto.access_change import Changing
from mosquitto.access_file import AccessError, Database, Row, reading
from mosquitto.access_seen import Grant, grants_of, put_grants
from mosquitto.names import check_token_name

READ, METRICS = SCOPES = ("read", "metrics")
"""What a token opens: the API and the figures for Prometheus, or those figures alone."""


@dataclass(frozen=True, slots=True)
class Token:
    """A program that may read; the token itself is kept nowhere.

    Attributes:
        name: What it is called.
        scope: One of `SCOPES`.
        created_us: When it was made.
        expires_us: When it ends, or `None`.
        created_by: Who made it.
        seen: Whose readings it may see; without any, everybody's.
    """

    name: str
    scope: str
    created_us: int
    expires_us: int | None = None
    created_by: str = ""
    seen: Sequence[Grant] = ()


class Tokens(Changing):
    """The tokens in access.db."""

    def all(self) -> list[Token]:
        """All tokens, by name, also those that are over."""
        with reading(self._path) as database:
            rows = database.execute("SELECT * FROM token ORDER BY name").fetchall()
            return [_token(database, row) for row in rows]

    def of_digest(self, digest: bytes) -> Token | None:
        """The token with that SHA-256 digest, unless it is over."""
        with reading(self._path) as database:
            row = database.execute(
                "SELECT * FROM token WHERE digest = ? AND (expires_us IS NULL OR expires_us > ?)",
                (digest, self._clock()),
            ).fetchone()
            return _token(database, row) if row else None

    def add(
        self,
        name: str,
        digest: bytes,
        scope: str = READ,
        expires_us: int | None = None,
        seen: Collection[Grant] = (),
    ) -> None:
        """A program with the token of that SHA-256 digest may read.

        Raises:
            NameRefused: If no token may have that name.
            AccessError: If there is a token of that name.
        """
        check_token_name(name)
        with self._changing() as change:
            added = change.database.execute(
                "INSERT OR IGNORE INTO token (name, digest, role, created_us, scope, expires_us,"
                " created_by) VALUES (?, ?, 'viewer', ?, ?, ?, ?)",
                (name, digest, change.now_us, scope, expires_us, change.by.name),
            ).rowcount
            if not added:
                raise AccessError(f"token {name} exists already; remove it or choose another name")
            put_grants(change.database, "token", name, seen)
            change.note("token added", name, scope=scope)

    def remove(self, name: str) -> None:
        """The token is worth nothing.

        Raises:
            AccessError: If there is none of that name.
        """
        with self._changing() as change:
            found = change.database.execute("DELETE FROM token WHERE name = ?", (name,))
            if not found.rowcount:
                raise AccessError(
                    f"there is no token {name}; these exist: "
                    ".venv/bin/python -m dashboard token list"
                )
            put_grants(change.database, "token", name, ())
            change.note("token removed", name)


def _token(database: Database, row: Row) -> Token:
    return Token(
        name=row["name"],
        scope=row["scope"],
        created_us=row["created_us"],
        expires_us=row["expires_us"],
        created_by=row["created_by"],
        seen=grants_of(database, "token", row["name"]),
    )
