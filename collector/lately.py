"""Who was connected lately, and which of their publishes the broker refused."""

import hashlib

from collector.refusals import Refusals
from telemetry.denials import Denial, Denied, detail_of, possible
from telemetry.presence import Connection, Event, EventKind
from telemetry.window import SECOND_US

ID_CHARACTERS = 200
"""A longer client identifier is cut."""

REMEMBERED = 20_000

_TOPIC_CHARACTERS = 300
_APART_US = 5 * SECOND_US  # the log reaches us by two ways


def stored_id(client_id: str) -> str:
    """The client identifier as it is kept: a long one cut, with a digest that tells it apart.

    >>> stored_id("boiler"), len(stored_id("x" * 5000))
    ('boiler', 200)
    """
    if len(client_id) <= ID_CHARACTERS:
        return client_id
    digest = hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{client_id[: ID_CHARACTERS - 17]}…{digest}"


class Lately:
    """Tells whose a refused publish was: the broker names the client identifier alone."""

    def __init__(self) -> None:
        self._known: dict[str, Connection] = {}
        self._denied = Refusals("publishes")

    def add(self, one: Connection) -> None:
        """Notes a connection, as it is now."""
        before = self._known.get(one.client_id)
        if before is not None and before.since_us > one.since_us:
            return
        self._known.pop(one.client_id, None)
        self._known[one.client_id] = one
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def deny(self, denial: Denial) -> list[Event]:
        """The event of a refused publish that is news, or nothing yet."""
        if not denial.parts:
            detail = f"{denial.times} more refused publishes"
            return [Event(denial.time_us, EventKind.OVERFLOW, detail=detail)]
        splits = list(possible(denial.parts))
        known = [(one, topic) for name, topic in splits if (one := self._who(name, denial.time_us))]
        if len(known) == 1:
            [(who, topic)] = known
            detail = detail_of(Denied(_short(topic)))
            event = Event(denial.time_us, EventKind.DENIED, who.username, detail, who.address)
            return self._denied.note(event, times=denial.times)
        client_id, topic = splits[0]
        detail = detail_of(Denied(_short(topic), stored_id(client_id)))
        return self._denied.note(
            Event(denial.time_us, EventKind.DENIED, detail=detail), times=denial.times
        )

    def turn(self, now_us: int) -> list[Event]:
        """What is told of the times that are over."""
        return self._denied.turn(now_us)

    def _who(self, client_id: str, time_us: int) -> Connection | None:
        one = self._known.get(stored_id(client_id))
        if one is None or time_us < one.since_us - _APART_US:
            return None
        gone = one.until_us is not None and time_us > one.until_us + _APART_US
        return None if gone else one


def _short(topic: str) -> str:
    return topic if len(topic) <= _TOPIC_CHARACTERS else f"{topic[: _TOPIC_CHARACTERS - 1]}…"
