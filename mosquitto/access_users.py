"""access.db: the people who may look, and whose charts each of them may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mosquitto.access_change import Change, Changing
from mosquitto.access_file import AccessError, Database, Row, reading
from mosquitto.access_seen import Grant, grants_of, put_grants
from mosquitto.names import check_user_name

VIEWER, OPERATOR, ADMIN = ROLES = ("viewer", "operator", "admin")
"""Each may what those before it may."""


class UserExists(AccessError):
    """There is a user of that name already."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who may look.

    Attributes:
        name: Its name at the login.
        password_hash: In the dashboard's own format; empty for who logs in elsewhere.
        role: One of `ROLES`.
        created_us: When it was added.
        enabled: Whether it may log in.
        created_by: Who added it.
        credential_us: When its password was last changed.
        seen: Whose charts it may see; without any, everybody's.
    """

    name: str
    password_hash: str
    role: str
    created_us: int
    enabled: bool = True
    created_by: str = ""
    credential_us: int = 0
    seen: Sequence[Grant] = ()


class Users(Changing):
    """The users in access.db."""

    def all(self) -> list[User]:
        """All users, by name."""
        with reading(self._path) as database:
            rows = database.execute("SELECT * FROM user ORDER BY name").fetchall()
            return [_user(database, row) for row in rows]

    def named(self, name: str) -> User | None:
        """The user of that name."""
        with reading(self._path) as database:
            return user_of(database, name)

    def add(
        self, name: str, password_hash: str, role: str = VIEWER, seen: Collection[Grant] = ()
    ) -> None:
        """A user may look.

        Raises:
            NameRefused: If no user may have that name.
            UserExists: If there is one of that name.
            AccessError: If there is no such role, or an admin is to see less than all.
        """
        check_user_name(name)
        with self._changing() as change:
            if user_of(change.database, name):
                raise UserExists(f"user {name} exists already; choose another name")
            change.database.execute(
                "INSERT INTO user (name, password_hash, role, created_us, created_by,"
                " credential_us) VALUES (?, ?, ?, ?, ?, ?)",
                (name, password_hash, role, change.now_us, change.by.name, change.now_us),
            )
            put_grants(change.database, "user", name, seen)
            _check_role(role, seen)
            change.note("user added", name, role=role, **_facts(seen))

    def set_password(self, name: str, password_hash: str, keep_session: bytes = b"") -> None:
        """The user logs in with another password; sessions end, but for one of that digest.

        Raises:
            AccessError: If there is no such user.
        """
        with self._changing() as change:
            _known(change.database, name)
            change.database.execute(
                "UPDATE user SET password_hash = ?, credential_us = ? WHERE name = ?",
                (password_hash, change.now_us, name),
            )
            change.database.execute(
                "DELETE FROM session WHERE user = ? AND digest <> ?", (name, keep_session)
            )
            change.note("user password changed", name)

    def set_role(self, name: str, role: str, seen: Collection[Grant]) -> None:
        """The user may do and see that from now on.

        Raises:
            AccessError: If there is no such user or role, an admin is to see less than all, or it
                is the last admin and would be none.
        """
        with self._changing() as change:
            _known(change.database, name)
            _check_role(role, seen)
            change.database.execute("UPDATE user SET role = ? WHERE name = ?", (role, name))
            put_grants(change.database, "user", name, seen)
            _check_admins(change, name)
            change.note("user role changed", name, role=role, **_facts(seen))

    def set_enabled(self, name: str, *, enabled: bool) -> None:
        """The user may log in, or may not; then its sessions end.

        Raises:
            AccessError: If there is no such user, or it is the last admin.
        """
        with self._changing() as change:
            _known(change.database, name)
            change.database.execute(
                "UPDATE user SET enabled = ? WHERE name = ?", (int(enabled), name)
            )
            if not enabled:
                change.database.execute("DELETE FROM session WHERE user = ?", (name,))
            _check_admins(change, name)
            change.note("user enabled" if enabled else "user disabled", name)

    def remove(self, name: str) -> None:
        """The user is forgotten, and its sessions end.

        Raises:
            AccessError: If there is no such user, or it is the last admin.
        """
        with self._changing() as change:
            _known(change.database, name)
            change.database.execute("DELETE FROM user WHERE name = ?", (name,))
            change.database.execute("DELETE FROM session WHERE user = ?", (name,))
            put_grants(change.database, "user", name, ())
            _check_admins(change, name)
            change.note("user removed", name)


def user_of(database: Database, name: str) -> User | None:
    """The user of that name."""
    row = database.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
    return _user(database, row) if row else None


def _user(database: Database, row: Row) -> User:
    return User(
        name=row["name"],
        password_hash=row["password_hash"],
        role=row["role"],
        created_us=row["created_us"],
        enabled=bool(row["enabled"]),
        created_by=row["created_by"],
        credential_us=row["credential_us"],
        seen=grants_of(database, "user", row["name"]),
    )


def no_user(name: str) -> AccessError:
    """There is no user of that name."""
    return AccessError(
        f"there is no user {name}; these exist: .venv/bin/python -m dashboard user list"
    )


def _known(database: Database, name: str) -> None:
    if user_of(database, name) is None:
        raise no_user(name)


def _check_admins(change: Change, name: str) -> None:
    """Somebody can still change users: who that is can be settled from the web."""
    admins = change.database.execute(
        "SELECT count(*) FROM user WHERE role = ? AND enabled = 1", (ADMIN,)
    ).fetchone()[0]
    if not admins:
        raise AccessError(f"{name} is the last admin; make somebody else an admin first")


def _check_role(role: str, seen: Collection[Grant]) -> None:
    if role not in ROLES:
        raise AccessError(f"{role!r} is no role of users; use {', '.join(ROLES)}")
    if role == ADMIN and seen:
        raise AccessError("an admin sees all clients; choose another role, or name no clients")


def _facts(seen: Collection[Grant]) -> dict[str, str]:
    return {"sees": ", ".join(map(str, seen)) or "all"}
