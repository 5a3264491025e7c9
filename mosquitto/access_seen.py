"""Whose charts a user or a token may see: the one list of grants."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from mosquitto.access_file import Database
from telemetry.fault import Fault

Holder = Literal["user", "token"]
_KINDS = ("client", "tag")


class GrantRefused(Fault, ValueError):
    """A text that names no clients; the message says how to write it."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One client, or all clients with a tag, whose charts somebody may see."""

    kind: str
    value: str

    def __str__(self) -> str:
        """As it is written: `client:boiler-2`, `tag:cellar`."""
        return f"{self.kind}:{self.value}"

    def covers(self, client: str, tags: Collection[str]) -> bool:
        """Whether the charts of a client with those tags may be seen."""
        return self.value in tags if self.kind == "tag" else self.value == client


def parse_grant(text: str) -> Grant:
    """The grant that a text names.

    >>> parse_grant("tag:cellar")
    Grant(kind='tag', value='cellar')

    Raises:
        GrantRefused: If it is written otherwise.
    """
    kind, _, value = text.partition(":")
    if kind not in _KINDS or not value.strip():
        raise GrantRefused(f"{text!r} names no clients; write client:NAME or tag:WORD")
    return Grant(kind, value.strip())


def grants_of(database: Database, holder: Holder, name: str) -> Sequence[Grant]:
    """What is granted to the user or token of that name, in order."""
    rows = database.execute(
        "SELECT kind, value FROM seen WHERE holder = ? AND name = ? ORDER BY kind, value",
        (holder, name),
    )
    return tuple(Grant(row["kind"], row["value"]) for row in rows)


def put_grants(database: Database, holder: Holder, name: str, grants: Collection[Grant]) -> None:
    """That is granted, and nothing else."""
    database.execute("DELETE FROM seen WHERE holder = ? AND name = ?", (holder, name))
    database.executemany(
        "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)",
        [(holder, name, one.kind, one.value) for one in grants],
    )
