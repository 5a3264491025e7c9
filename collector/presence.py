"""Who is connected, by what the broker says in its log, and what is not known about it."""

import re
from collections.abc import Iterable
from dataclasses import replace

from collector.arrivals import Arrivals
from collector.lately import Lately, stored_id
from collector.message import Message
from collector.outage import Outage
from collector.refusals import Refusals
from collector.sighting import (
    NAMELESS,
    Accepted,
    Closed,
    Dropping,
    Opened,
    TlsFault,
    TurnedAway,
    Unreadable,
    read_line,
    split_name,
)
from telemetry.denials import Denial
from telemetry.presence import Changes, Connection, Ending, Event, EventKind
from telemetry.window import SECOND_US

LOG = "$SYS/broker/log/"
"""Where the broker's log is published."""

OPEN_CONNECTIONS = 20_000
"""How many are followed at once: more than our own broker takes. Of others, only that is told."""

LOGINS_KNOWN = OPEN_CONNECTIONS
"""So many names are known by which somebody logged in; where anybody may, names cost nothing."""

_HEARD = frozenset({f"{LOG}N", f"{LOG}E"})  # not M: its lines begin with the client's identifier
_VERSION, _UPTIME = "$SYS/broker/version", "$SYS/broker/uptime"
_NAMES_ADDRESS = (2, 1)
_LATE_US = 10 * SECOND_US
_LATE_MOST = 1000
_QUIET = (Ending.GOODBYE, Ending.CLOSED)


class Roster:
    """Follows connections: at most one is open for each client identifier.

    Args:
        before: The connections that were open when the last collector saw them.
        seen_us: When that was.
    """

    def __init__(self, before: Iterable[Connection] = (), seen_us: int = 0) -> None:
        self._open = {one.client_id: one for one in before}
        self._doubtful: dict[str, Connection] = {}
        self._arrivals = Arrivals()
        self._unannounced: set[str] = set()
        self._late: dict[str, int] = {}
        self._refusals = Refusals("connections")
        self._lately = Lately()
        self._tls_fault = ""
        self._lost_us: int | None = None
        self._uptime_s = 0
        self._overflown = False
        self._names_address = False
        self._changed: dict[tuple[str, int], Connection] = {}
        self._events: list[Event] = []
        self._logins: set[str] = set()
        for one in self._open.values():
            self._note_login(one.username)
            self._lately.add(one)
        if self._open:
            self._doubt(seen_us)

    def hear(self, message: Message) -> None:
        """Notes what a message below `$SYS/broker/` says; never raises."""
        self._events += self._refusals.turn(message.received_us)
        self._events += self._lately.turn(message.received_us)
        if message.topic in _HEARD and not message.retain:
            self._see(message.payload, message.received_us)
        elif message.topic == _VERSION:
            self._names_address = _version(message.payload) >= _NAMES_ADDRESS
        elif message.topic == _UPTIME:
            self._compare(message)

    def miss(self, outage: Outage) -> None:
        """Notes that nothing was heard, once when that begins and once when it is over.

        What was open is unknown from then on, until a line says of it that it ends.
        """
        if self._lost_us is None:
            self._lost_us = outage.start_us
            self._events.append(Event(outage.start_us, EventKind.WATCH_LOST))
        self._doubt(outage.start_us, outage.end_us)
        self._arrivals = Arrivals()
        if outage.end_us is not None:
            self._lost_us = None
            self._events.append(Event(outage.end_us, EventKind.WATCH_BACK))

    def take_changes(self) -> Changes:
        """What is news since the last time."""
        changes = Changes(tuple(self._changed.values()), tuple(self._events))
        self._changed, self._events = {}, []
        return changes

    def _doubt(self, from_us: int, until_us: int | None = None) -> None:
        for key, one in list(self._open.items()):
            if until_us is None or one.since_us < until_us:
                self._doubtful[key] = self._end(self._open.pop(key), from_us, Ending.UNKNOWN)
        self._unannounced &= self._open.keys()
        for key in list(self._doubtful)[:-OPEN_CONNECTIONS]:
            del self._doubtful[key]

    def _compare(self, uptime: Message) -> None:
        """Ends what was open in a broker that has been started since, by its uptime.

        It counts whole seconds, so by the clock alone a quick restart goes unnoticed; a retained
        copy is some seconds old, so it cannot be held against the clock.
        """
        match = re.match(rb"\d{1,9}", uptime.payload)
        if match is None:
            return
        uptime_s, before_s = int(match[0]), self._uptime_s
        self._uptime_s = uptime_s
        started_us = 0 if uptime.retain else uptime.received_us - (uptime_s + 1) * SECOND_US
        for key, one in list(self._doubtful.items()):
            if one.until_us is not None and (uptime_s < before_s or one.until_us < started_us):
                self._end(self._doubtful.pop(key), one.until_us, Ending.BROKER_STOPPED)

    def knows(self, username: str) -> bool:
        """Whether somebody logged in by that name, of the first `LOGINS_KNOWN`."""
        return username in self._logins

    def _note_login(self, username: str) -> None:
        if len(self._logins) < LOGINS_KNOWN:
            self._logins.add(username)

    def deny(self, denial: Denial) -> None:
        """Notes a publish that the broker refused, or several alike."""
        self._events += self._lately.deny(denial)

    def _see(self, payload: bytes, time_us: int) -> None:
        fault, self._tls_fault = self._tls_fault, ""
        match read_line(payload):
            case TlsFault(reason):
                self._tls_fault = reason
            case Accepted(address):
                self._arrivals.add(address, time_us)
            case Opened() as opened:
                self._let_in(opened, time_us)
            case Closed(name, reason):
                self._let_go(name, fault if fault and name == NAMELESS else reason, time_us)
            case TurnedAway(address, reason):
                self._refuse(Event(time_us, EventKind.REFUSED, "", reason, address))
            case Dropping(client_id):
                self._drop(stored_id(client_id), time_us)
            case Unreadable(address):
                self._arrivals.discard(address)
                detail = "a connection is not followed: its client identifier is too long"
                self._refuse(Event(time_us, EventKind.OVERFLOW, "", detail, address))

    def _let_in(self, opened: Opened, time_us: int) -> None:
        key = stored_id(opened.client_id)
        announced = self._arrivals.discard(opened.address)
        self._note_login(opened.username)
        self._doubtful.pop(key, None)
        if key in self._open:
            self._close(key, time_us, Ending.TAKEN_OVER)
        if len(self._open) >= OPEN_CONNECTIONS:
            self._overflow(time_us)
            return
        one = Connection(key, *opened[1:], since_us=time_us)
        if key == NAMELESS:  # its end could not be told from others'
            self._end(one, time_us, Ending.UNKNOWN)
            return
        self._open[key] = self._changed[key, time_us] = one
        self._lately.add(one)
        if not announced:
            self._unannounced.add(key)

    def _let_go(self, name: str, reason: str, time_us: int) -> None:
        if name == NAMELESS:
            address = self._arrivals.take(time_us)
            self._turn_away(Event(time_us, EventKind.REFUSED, "", reason, address))
            return
        key, address = self._identify(name)
        if reason == Ending.CLOSED and not address and self._late.pop(key, 0) > time_us:
            return
        if self._is(self._open.get(key), address):
            self._close(key, time_us, reason)
        elif self._is(self._doubtful.get(key), address):
            self._end(self._doubtful.pop(key), time_us, reason)
        else:
            self._turn_away(Event(time_us, EventKind.REFUSED, "", reason, address), key)

    def _turn_away(self, refusal: Event, client_id: str = "") -> None:
        """Notes that one was never let in; who only looks whether the port is open is no news."""
        if refusal.detail not in _QUIET:
            self._refuse(refusal, client_id)

    def _identify(self, name: str) -> tuple[str, str]:
        """The client and, if it is named, the address: a name of 2.0 may only look like that."""
        client_id, address = split_name(name)
        key = stored_id(client_id)
        whole = stored_id(name)
        if self._names_address or not address:
            return key, address
        known = self._open.get(key) or self._doubtful.get(key)
        if whole not in self._open and known is not None and known.address == address:
            return key, address
        return whole, ""

    @staticmethod
    def _is(one: Connection | None, address: str) -> bool:
        return one is not None and address in ("", one.address)

    def _close(self, key: str, time_us: int, reason: str) -> None:
        """Ends an open connection.

        Over WebSockets, which 2.0 does not announce, one that is taken over is said to have
        closed its connection only after the new one is there.
        """
        if reason == Ending.TAKEN_OVER and key in self._unannounced:
            self._late[key] = time_us + _LATE_US
            if len(self._late) > _LATE_MOST:
                del self._late[next(iter(self._late))]
        self._unannounced.discard(key)
        self._end(self._open.pop(key), time_us, reason)

    def _end(self, one: Connection, time_us: int, reason: str) -> Connection:
        ended = replace(one, until_us=max(time_us, one.since_us), reason=reason)
        self._changed[one.client_id, one.since_us] = ended
        self._lately.add(ended)
        return ended

    def _drop(self, key: str, time_us: int) -> None:
        known = self._open.get(key) or self._doubtful.get(key)
        username = known.username if known else ""
        self._events.append(Event(time_us, EventKind.DROPPING, username, f"to {key}"))

    def _refuse(self, refusal: Event, client_id: str = "") -> None:
        self._events += self._refusals.note(refusal, client_id)

    def _overflow(self, time_us: int) -> None:
        if not self._overflown:
            self._overflown = True
            detail = f"more than {OPEN_CONNECTIONS} connections: others are not followed"
            self._events.append(Event(time_us, EventKind.OVERFLOW, detail=detail))


def _version(payload: bytes) -> tuple[int, int]:
    match = re.search(rb"version (\d{1,4})\.(\d{1,4})", payload)
    return (int(match[1]), int(match[2])) if match else (0, 0)
