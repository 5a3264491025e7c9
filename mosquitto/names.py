"""Which names a client may have."""

import re

from telemetry.fault import Fault
from telemetry.reading import RESERVED_CLIENTS
from telemetry.settings import DEMO_CLIENTS

COLLECTOR = "collector"
"""Username and role of the collector."""
BROKER_ADMIN = "broker-admin"
"""Username and role of what changes the broker's clients."""
TRIAL = "culex.trial"
"""Username and role of who publishes a test message; no client can have a name with a dot in it."""
ATTENDANTS = frozenset({BROKER_ADMIN, TRIAL})
"""User names under which Culex is at its broker for a moment, the first one each minute."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_TAKEN = RESERVED_CLIENTS | {COLLECTOR, BROKER_ADMIN, "admin"} | set(DEMO_CLIENTS)


_USER_LENGTH = 64


class NameRefused(Fault, ValueError):
    """A name that no client or user may have; the message says what would do."""

    exit_code = 2


def check_name(name: str) -> str:
    """The name, which can stand in a topic, a role and a username as it is.

    The broker's plugin checks nothing: a client named `+` would own every topic.

    >>> check_name("boiler-2")
    'boiler-2'

    Raises:
        NameRefused: If it has other characters than A-Z a-z 0-9 _ -, is too long or is taken.
    """
    if not _NAME.fullmatch(name):
        raise NameRefused(
            f"{name!r} cannot be a client's name; use 1 to 63 of A-Z a-z 0-9 _ -, "
            "beginning with a letter or digit"
        )
    if name.lower() in _TAKEN:
        raise NameRefused(f"{name!r} is a name that Culex uses itself; choose another")
    return name


def check_user_name(name: str) -> str:
    """The name, which people can read and type again.

    >>> check_user_name("ann@example.org")
    'ann@example.org'

    Raises:
        NameRefused: If it is empty, too long, or has characters that cannot be seen.
    """
    return _readable(name, "a user's")


def check_token_name(name: str) -> str:
    """The name of a program's token, under the same rules as a user's.

    Raises:
        NameRefused: If it is empty, too long, or has characters that cannot be seen.
    """
    return _readable(name, "a token's")


def _readable(name: str, whose: str) -> str:
    if not 0 < len(name) <= _USER_LENGTH or name != name.strip() or not name.isprintable():
        raise NameRefused(
            f"{name[:_USER_LENGTH]!r} cannot be {whose} name; use 1 to {_USER_LENGTH} characters "
            "that can be seen, without spaces around them"
        )
    return name
