"""People and programs: passwords, tokens, and who a session or token belongs to."""

import hashlib
import secrets

from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    UserMixin,
    current_user,
)
from werkzeug.security import check_password_hash, generate_password_hash

from mosquitto.access import Access, AccessError, User
from telemetry.files import publish_new
from telemetry.login import read_secret
from telemetry.settings import Settings

ADMIN = "admin"
_NOBODY = generate_password_hash(secrets.token_hex(), "scrypt")
"""Checked for unknown users, so that they take as long as known ones."""


class Person(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """A user who is logged in. The identifier changes with the password: old sessions end."""

    def __init__(self, user: User) -> None:
        self.name = user.name
        self.role = user.role
        self.id = f"{user.name}:{hashlib.sha256(user.password_hash.encode()).hexdigest()[:20]}"


_ROLES = ("viewer", "operator", "admin")
"""Each may what those before it may."""


def may(role: str) -> bool:
    """Whether who asks now has that role or a higher one; nobody without a login has any."""
    own = getattr(current_user, "role", "")
    return own in _ROLES and _ROLES.index(own) >= _ROLES.index(role)


def person_of_session(access: Access, session_id: str) -> Person | None:
    """The user of a session, unless the password changed since."""
    user = access.user(session_id.rpartition(":")[0])
    person = Person(user) if user else None
    return person if person is not None and person.id == session_id else None


def person_of_login(access: Access, name: str, password: str) -> Person | None:
    """The user of that name and password; a wrong name takes as long as a wrong password."""
    user = access.user(name)
    right = check_password_hash(user.password_hash if user else _NOBODY, password)
    return Person(user) if user and right else None


def hash_password(password: str) -> str:
    """What is kept of a password: scrypt with a random salt."""
    return generate_password_hash(password, "scrypt")


def new_password() -> str:
    """A random password of 96 bits."""
    return secrets.token_urlsafe(12)


def add_token(access: Access, name: str) -> str:
    """A new token that may read; only its digest is kept.

    Raises:
        AccessError: If there is a token of that name.
    """
    token = f"culex_{secrets.token_urlsafe(32)}"
    access.add_token(name, _digest(token))
    return token


def is_token(access: Access, token: str) -> bool:
    """Whether that token may read."""
    return access.token(_digest(token)) is not None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def ensure_admin(access: Access, settings: Settings) -> str:
    """There is a user; returns the password of a new one if it was made up, else an empty text."""
    if access.users():
        return ""
    given = settings.admin_password.get_secret_value() if settings.admin_password else ""
    password = given or new_password()
    try:
        access.add_user(ADMIN, hash_password(password), "admin")
    except AccessError:  # another process was first
        return ""
    return "" if given else password


def session_key(settings: Settings) -> bytes:
    """The key that signs sessions, made on first use; the same for all who ask at once.

    Raises:
        SecretError: If it is readable by others.
    """
    path = settings.secrets_dir / "session.key"
    if not path.exists():
        publish_new(path, secrets.token_bytes(32), mode=0o600)
    return read_secret(path)
