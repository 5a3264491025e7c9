"""How many messages a client sends now: counted over the last minutes, or an hour of a slow one.

The ledger counts by hours of receipt. Who uploads what it had kept, or came a minute ago, has an
hour that says little of what it sends now; so each process keeps in mind how far the ledger was
when it looked, five minutes ago or ten. Another process looked at other moments, and counts a
little differently.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.ledger import LedgerRow
from telemetry.window import HOUR_US, MINUTE_US

LEAST_US = MINUTE_US
LEAST_MESSAGES = 10
"""Counted over less, or of fewer, a rate is chance."""

RENEWED_US = 5 * MINUTE_US


class Mark(NamedTuple):
    """What the ledger had of a client.

    Attributes:
        at_us: When this process looked.
        received: The client's messages of that hour until then.
    """

    at_us: int
    received: int


class Marks(NamedTuple):
    """From where a client's messages are counted.

    Attributes:
        older: From here.
        younger: From here once it is five minutes old.
    """

    older: Mark
    younger: Mark

    def after(self, mark: Mark) -> "Marks":
        """The marks after another look; none is older than an hour."""
        if not 0 <= mark.at_us - self.younger.at_us < HOUR_US - RENEWED_US:
            return Marks(mark, mark)
        if mark.at_us - self.younger.at_us >= RENEWED_US:
            return Marks(self.younger, mark)
        return self


@dataclass(frozen=True, slots=True)
class Rates:
    """How many messages clients send.

    Attributes:
        per_minute: Of each client of which that can be said.
        marks: From where each is counted.
    """

    per_minute: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)


def rates(rows: Sequence[LedgerRow], before: Rates, now_us: int) -> Rates:
    """The rates at a moment, by the ledger of this hour and the one before.

    Args:
        rows: The ledger, at least of these two hours.
        before: The rates of an earlier look, with its marks.
        now_us: The moment.
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
    per_minute: dict[str, float] = {}
    marks: dict[str, Marks] = {}
    for client, (last, this) in counts.items():
        mark = Mark(now_us, this)
        known = before.marks.get(client, Marks(mark, mark)).after(mark)
        found = _rate(known.older, last, this, now_us)
        if found is not None:
            per_minute[client] = found
        marks[client] = known
    return Rates(per_minute, marks)


def _rate(since: Mark, last: int, this: int, now_us: int) -> float | None:
    """Messages in a minute since then, if that tells; else of the last hour, if it was there."""
    passed_us = now_us - since.at_us
    begun = this if since.at_us >= now_us // HOUR_US * HOUR_US else last + this
    new = max(begun - since.received, 0)  # less than before: the client was erased
    if passed_us >= LEAST_US and (new >= LEAST_MESSAGES or not last):
        return new * MINUTE_US / passed_us
    if not last:
        return None
    share = 1 - now_us % HOUR_US / HOUR_US
    return (this + last * share) / 60
