"""How many messages a client sends: counted since a moment of the last hour.

The ledger counts by hours of receipt. A client that uploads what it had kept, or came a minute ago,
has an hour that says little of what it sends now; so this process keeps in mind how far the ledger
was when it looked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.ledger import LedgerRow
from telemetry.window import HOUR_US, MINUTE_US

LEAST_US = MINUTE_US
"""Counted over less, a rate would be chance."""

_RENEWED_US = HOUR_US // 2


class Mark(NamedTuple):
    """What the ledger had of a client.

    Attributes:
        at_us: When somebody looked.
        received: Its messages of that hour until then.
    """

    at_us: int
    received: int


class Marks(NamedTuple):
    """From where a client's messages are counted.

    Attributes:
        older: Up to an hour ago.
        younger: Takes its place once it is half an hour old.
    """

    older: Mark
    younger: Mark

    def at(self, mark: Mark) -> "Marks":
        """The marks after another look."""
        if mark.at_us - self.younger.at_us >= _RENEWED_US:
            return Marks(self.younger, mark)
        return self


@dataclass(frozen=True, slots=True)
class Rates:
    """How many messages clients send.

    Attributes:
        of: In a minute, of each client of which that can be said.
        marks: From where each is counted.
    """

    of: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)


def rates(rows: Sequence[LedgerRow], before: Rates, now_us: int) -> Rates:
    """The rates at a moment, by the ledger of this hour and the one before.

    Who is counted for the first time has that of the last hour, if it was heard before that hour
    began, else none for a minute.
    """
    hour_us = now_us // HOUR_US * HOUR_US
    counts: dict[str, tuple[int, int]] = {}  # of the hour before, and of this one
    for (client, at_us), messages, *_ in rows:
        last, this = counts.get(client, (0, 0))
        if at_us == hour_us:
            counts[client] = last, messages.received
        elif at_us == hour_us - HOUR_US:
            counts[client] = messages.received, this
    counts.pop("", None)
    of: dict[str, float] = {}
    marks: dict[str, Marks] = {}
    for client, (last, this) in counts.items():
        mark, known = Mark(now_us, this), before.marks.get(client)
        if known is None or not 0 <= now_us - known.older.at_us <= HOUR_US:
            known = Marks(mark, mark)
        marks[client] = known.at(mark)
        found = _counted(known.older, last, this, now_us)
        if found is not None:
            of[client] = max(found, 0.0)  # less than before: it was erased
    return Rates(of, marks)


def _counted(since: Mark, last: int, this: int, now_us: int) -> float | None:
    """Messages in a minute since then; over an hour, if that was just now."""
    passed_us = now_us - since.at_us
    if passed_us >= LEAST_US:
        begun = this if since.at_us >= now_us // HOUR_US * HOUR_US else last + this
        return (begun - since.received) * MINUTE_US / passed_us
    if not last:
        return None
    share = 1 - now_us % HOUR_US / HOUR_US
    return (this + last * share) / 60
