"""What the broker's side says of a client at each moment: the rules that need no data. Pure."""

import heapq
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from telemetry.presence import Connection, Ending, Event, EventKind
from telemetry.window import ALL_TIME, Window

_SAID = (EventKind.ONLINE, EventKind.OFFLINE)


class State(StrEnum):
    """What a reader has to know of a client at a moment; the worse the earlier."""

    DISCONNECTED = "disconnected"
    SILENT = "silent"
    UNKNOWN = "unknown"
    COLLECTOR_DOWN = "collector-down"
    REPORTING = "reporting"
    CONNECTED = "connected"


class Blank(NamedTuple):
    """A time in which the collector could not see everything.

    Attributes:
        start_us: From when.
        end_us: Until when.
        words: Why.
        blind: Whether nothing at all arrived; else only who is connected was not seen.
    """

    start_us: int
    end_us: int
    words: str
    blind: bool


class Link(NamedTuple):
    """What is said from then until then: a state and why, or None if only data can tell."""

    start_us: int
    end_us: int
    state: State | None
    words: str


class Seen(NamedTuple):
    """What the broker's side knows of a client.

    Attributes:
        connections: Its connections, in any order.
        events: Its events; only what it says of itself is looked at.
        blanks: When the collector could not see everything.
        has_connections: Whether the broker's word counts: the client connects by itself.
    """

    connections: Sequence[Connection]
    events: Sequence[Event]
    blanks: Sequence[Blank]
    has_connections: bool


def links(seen: Seen, window: Window) -> Iterator[Link]:
    """What is said over a window, cut at all moments at which that may change."""
    cuts = {window.start_us, window.end_us}
    cuts |= {one.time_us for one in seen.events if one.kind in _SAID}
    cuts |= {at for one in seen.blanks for at in one[:2]}
    cuts |= {one.since_us for one in seen.connections}
    cuts |= {one.until_us for one in seen.connections if one.until_us is not None}
    inside = sorted(at for at in cuts if window.start_us <= at <= window.end_us)
    follow = _Follow(seen)
    for start_us, end_us in pairwise(inside):
        yield Link(start_us, end_us, *follow.at(start_us))


def link_now(seen: Seen, now_us: int) -> Link:
    """What is said at a moment, and since when it is a connection, or not.

    >>> link_now(Seen([Connection("a", "a", "", "5", 60, True, 3)], [], [], True), 9)
    Link(start_us=3, end_us=9, state=<State.CONNECTED: 'connected'>, words='connected')
    """
    state, words = _Follow(seen).at(now_us)
    known = [one for one in seen.connections if one.since_us <= now_us]
    if state is State.CONNECTED:
        begins = [_open_since(known, now_us)]
    else:
        begins = [one.until_us for one in known if one.until_us is not None]
        begins += [one.time_us for one in seen.events if one.kind in _SAID]
    not_seen = seen.has_connections and state is not State.CONNECTED
    begins += [one.end_us for one in seen.blanks if one.blind or not_seen]
    start_us = max((one for one in begins if one <= now_us), default=ALL_TIME.start_us)
    return Link(start_us, now_us, state, words)


def _open_since(known: Sequence[Connection], now_us: int) -> int:
    """Since when there was a connection without a break."""
    since_us = now_us
    for one in sorted(known, key=lambda one: one.since_us, reverse=True):
        if one.until_us is None or one.until_us >= since_us:
            since_us = one.since_us
    return since_us


def last_words(one: Connection) -> str:
    """Why a connection ended, in a sentence without its full stop.

    >>> ended = Connection("a", "a", "", "5", 60, True, 1, 2, Ending.TIMED_OUT)
    >>> last_words(ended)
    'disconnected: keep-alive exceeded'
    """
    if one.reason in ("", Ending.GOODBYE):
        return "disconnected in order"
    return f"disconnected: {one.reason}"


class _Follow:
    """Goes through time once: moments are asked for in their order."""

    def __init__(self, seen: Seen) -> None:
        self._coming = sorted(seen.connections, key=lambda one: one.since_us)[::-1]
        self._blanks = sorted(seen.blanks)[::-1]
        said = (one for one in seen.events if one.kind in _SAID)
        self._said = sorted(said, key=lambda one: one.time_us)[::-1]
        self._has = seen.has_connections
        self._open: list[tuple[float, int, Connection]] = []  # a heap: the next to end is first
        self._blank: list[Blank] = []
        self._ended: Connection | None = None
        self._offline: Event | None = None

    def at(self, now_us: int) -> tuple[State | None, str]:
        """The state at a moment and why, or None where data decide."""
        self._go(now_us)
        if blind := next((one for one in self._blank if one.blind), None):
            return State.COLLECTOR_DOWN, blind.words
        if self._open:
            return State.CONNECTED, self._places()
        if self._has and self._blank:
            return State.UNKNOWN, self._blank[0].words
        if self._ended is not None and self._ended.reason != Ending.UNKNOWN:
            return State.DISCONNECTED, last_words(self._ended)
        if self._offline is not None:
            return State.DISCONNECTED, " ".join(["says that it is offline", self._offline.detail])
        return None, ""

    def _go(self, now_us: int) -> None:
        while self._coming and self._coming[-1].since_us <= now_us:
            one = self._coming.pop()
            end_us = float("inf") if one.until_us is None else one.until_us
            heapq.heappush(self._open, (end_us, len(self._coming), one))
        while self._open and self._open[0][0] <= now_us:
            self._ended = heapq.heappop(self._open)[2]
        while self._blanks and self._blanks[-1].start_us <= now_us:
            self._blank.append(self._blanks.pop())
        self._blank = [one for one in self._blank if one.end_us > now_us]
        while self._said and self._said[-1].time_us <= now_us:
            event = self._said.pop()
            self._offline = event if event.kind is EventKind.OFFLINE else None

    def _places(self) -> str:
        if len(self._open) > 1:
            return f"{len(self._open)} connections"
        address = self._open[0][2].address
        return f"connected from {address}" if address else "connected"
