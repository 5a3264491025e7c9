"""The audit log: who changed what of those who may speak and look, and from where."""

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mosquitto.access_file import Database, opened

_MOST = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something.

    Attributes:
        name: The user who is logged in, or the account that runs a command.
        origin: `web`, `command line`, or `culex` for what Culex does by itself.
    """

    name: str
    origin: str


ITSELF = Actor("culex", "culex")


@dataclass(frozen=True, slots=True)
class Audited:
    """A change that was made.

    Attributes:
        time_us: When, in microseconds since 1970 UTC.
        actor: By whom.
        action: What was done, such as `client added`.
        object: To whom or what.
        facts: What else is known of it; never a secret.
    """

    time_us: int
    actor: Actor
    action: str
    object: str
    facts: Mapping[str, str]


def shell_actor() -> Actor:
    """The account that runs this process."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        name = f"uid {os.getuid()}"
    return Actor(name, "command line")


def record(database: Database, audited: Audited) -> None:
    """Adds a change to the log, in the transaction that makes it."""
    database.execute(
        "INSERT INTO audit (time_us, actor, origin, action, object, facts)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            audited.time_us,
            audited.actor.name,
            audited.actor.origin,
            audited.action,
            _kept(audited.object),
            _kept(json.dumps(dict(audited.facts), ensure_ascii=False)),
        ),
    )


def _kept(text: str) -> str:
    """The text as SQLite can keep it: half a character, as hostile names have, is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def audit_log(path: Path, at_most: int = _MOST) -> list[Audited]:
    """The newest changes, newest first.

    Raises:
        AccessError: If access.db cannot be used.
    """
    with opened(path) as database:
        rows = database.execute("SELECT * FROM audit ORDER BY id DESC LIMIT ?", (at_most,))
        return [
            Audited(
                row["time_us"],
                Actor(row["actor"], row["origin"]),
                row["action"],
                row["object"],
                json.loads(row["facts"]),
            )
            for row in rows
        ]
