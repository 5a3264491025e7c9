"""Which names a client may have."""

import re

from telemetry.fault import Fault
from telemetry.reading import RESERVED_CLIENTS
from telemetry.settings import DEMO_CLIENTS

COLLECTOR = "collector"
"""Username and role of the collector."""
BROKER_ADMIN = "broker-admin"
"""Username and role of what changes the broker's clients."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_TAKEN = RESERVED_CLIENTS | {COLLECTOR, BROKER_ADMIN, "admin"} | set(DEMO_CLIENTS)


class NameRefused(Fault, ValueError):
    """A name that no client may have; the message says what would do."""

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
