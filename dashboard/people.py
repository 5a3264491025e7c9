"""People and programs: passwords, tokens, and who a session or token belongs to."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from functools import cache

from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    UserMixin,
    current_user,
)
from werkzeug.security import check_password_hash, generate_password_hash

from mosquitto.access_audit import Actor
from mosquitto.access_seen import Grant
from mosquitto.access_sessions import Sessions, digest_of
from mosquitto.access_tokens import READ, Tokens
from mosquitto.access_users import ADMIN, ROLES, User, UserExists, Users
from telemetry.fault import Fault
from telemetry.files import publish_new
from telemetry.login import read_secret
from telemetry.settings import Settings

FIRST_USER = "admin"
"""The name of the admin that the first start makes."""

_SHORTEST, _LONGEST = 10, 200


class PasswordRefused(Fault, ValueError):
    """A password that is none; the message says what would do."""


class Person(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """A user who is logged in, for the length of one request.

    Attributes:
        name: Its name.
        role: One of `mosquitto.access_users.ROLES`.
        seen: Whose charts it may see; without any, everybody's.
        id: What the cookie holds; empty for who is known by other means.
    """

    def __init__(self, user: User, session: str = "") -> None:
        self.name = user.name
        self.role = user.role
        self.seen: Sequence[Grant] = user.seen
        self.has_password = bool(user.password_hash)
        self.id = session


def may(role: str) -> bool:
    """Whether who asks now has that role or a higher one; nobody without a login has any."""
    own = getattr(current_user, "role", "")
    return own in ROLES and ROLES.index(own) >= ROLES.index(role)


def actor() -> Actor:
    """Who asks now, for the audit log."""
    return Actor(str(getattr(current_user, "name", "")), "web")


def own_session() -> bytes:
    """The digest of the session of who asks now; nobody's for who is known by other means."""
    return digest_of(str(getattr(current_user, "id", "")))


def person_of_session(sessions: Sessions, secret: str) -> Person | None:
    """The user of a session that holds."""
    user = sessions.user(secret)
    return Person(user, secret) if user else None


def user_of_login(users: Users, name: str, password: str) -> User | None:
    """The user of that name and password; a wrong name takes as long as a wrong password."""
    user, nobody = users.named(name), _nobody()
    kept = user.password_hash if user and user.enabled and user.password_hash else nobody
    right = check_password_hash(kept, password[:_LONGEST])
    return user if user and right and kept is not nobody else None


@cache
def _nobody() -> str:
    """What is compared for unknown users, so that they take as long as known ones.

    It takes a sixth of a second to make: only who logs in has to wait for it.
    """
    return hash_password(secrets.token_hex())


def hash_password(password: str) -> str:
    """What is kept of a password: scrypt with a random salt."""
    return generate_password_hash(password, "scrypt")


def new_password() -> str:
    """A random password of 96 bits."""
    return secrets.token_urlsafe(12)


def check_password(password: str, name: str) -> str:
    """The password that somebody chose.

    Raises:
        PasswordRefused: If it is too short, too long, or the name.
    """
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise PasswordRefused(f"a password has {_SHORTEST} to {_LONGEST} characters")
    if password.casefold() == name.casefold() or len(set(password)) < _SHORTEST // 2:
        raise PasswordRefused("that password is too easy to guess; choose another")
    return password


def add_token(
    tokens: Tokens,
    name: str,
    scope: str = READ,
    expires_us: int | None = None,
    seen: Collection[Grant] = (),
) -> str:
    """A new token that may read; only its digest is kept.

    Raises:
        NameRefused: If no token may have that name.
        AccessError: If there is a token of that name.
    """
    token = f"culex_{secrets.token_urlsafe(32)}"
    tokens.add(name, token_digest(token), scope, expires_us, seen)
    return token


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def ensure_admin(users: Users, settings: Settings) -> str:
    """There is a user; returns the password of a new one if it was made up, else an empty text.

    Raises:
        PasswordRefused: If the one that is given in the environment is none.
    """
    if users.all():
        return ""
    given = settings.admin_password.get_secret_value() if settings.admin_password else ""
    password = _checked(given) if given else new_password()
    try:
        users.add(FIRST_USER, hash_password(password), ADMIN)
    except UserExists:  # another process was first
        return ""
    return "" if given else password


def _checked(given: str) -> str:
    try:
        return check_password(given, FIRST_USER)
    except PasswordRefused as error:
        raise PasswordRefused(f"CULEX_ADMIN_PASSWORD cannot be used: {error}") from None


def session_key(settings: Settings) -> bytes:
    """The key that signs cookies, made on first use; the same for all who ask at once.

    Raises:
        SecretError: If it is readable by others.
    """
    path = settings.secrets_dir / "session.key"
    if not path.exists():
        publish_new(path, secrets.token_bytes(32), mode=0o600)
    return read_secret(path)
