"""People whom somebody else has asked for a password: a proxy, or a provider."""

from contextlib import suppress

import structlog
from flask import Request

from dashboard.people import Person
from dashboard.visitor import is_trusted
from mosquitto.access_users import VIEWER, User, UserExists, Users
from mosquitto.names import NameRefused
from telemetry.fault import Fault
from telemetry.settings import Settings

_LOG = structlog.get_logger(__name__)
_NAME_LENGTH = 64
_UNKNOWN = "you are no user here; ask an administrator to add you"


class NotVouched(Fault):
    """Somebody is let in elsewhere, but not here; the message says what to do."""


def vouched_user(users: Users, name: str, settings: Settings) -> User:
    """The user of that name, who has no password here; a new one, if settings allow that.

    Who has a password here is nobody whom another can vouch for: whoever can be called `admin` at
    a provider would be admin.

    Raises:
        NotVouched: If there is none, or it may not log in so.
        AccessError: If access.db cannot be used.
    """
    user = users.named(name)
    if user is None and settings.new_users == VIEWER:
        user = _new(users, name)
    if user is None or not user.enabled:
        raise NotVouched(_UNKNOWN)
    if user.password_hash:
        raise NotVouched(
            f"user {name} logs in with a password here; do that, or ask an administrator to add "
            "you under another name"
        )
    return user


def _new(users: Users, name: str) -> User | None:
    try:
        with suppress(UserExists):  # another request of the same first visit was faster
            users.add(name, "")
    except NameRefused:
        return None
    return users.named(name)


def person_of_proxy(asked: Request, settings: Settings) -> Person | None:
    """Whom a trusted proxy has let in, by the header that it sets."""
    header = settings.proxy_user_header
    name = asked.headers.get(header, "") if header else ""
    if not name or not is_trusted(asked.remote_addr or "", settings):
        return None
    try:
        return Person(vouched_user(Users(settings.access_path), name, settings))
    except NotVouched as error:
        _LOG.warning("login refused", user=repr(name[:_NAME_LENGTH]), reason=str(error))
        return None
