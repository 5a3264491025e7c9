"""Presence: who was connected to the broker from when to when, and what happened besides."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Ending(StrEnum):
    """Why a connection ended; a broker knows more reasons, which stand in its own words."""

    GOODBYE = "disconnected"
    CLOSED = "connection closed"
    TIMED_OUT = "keep-alive exceeded"
    TAKEN_OVER = "taken over"
    REMOVED = "administrative action"
    NOT_AUTHORISED = "not authorised"
    BROKER_STOPPED = "broker stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Connection:
    """A network connection of a client with the broker.

    Attributes:
        client_id: The client identifier; a long one is cut and ends in a digest.
        username: Who logged in: the name of the client. Empty if the broker takes anonymous ones.
        address: Where from: `192.0.2.7:41578`, `[2001:db8::7]:41578`.
        protocol: The version of MQTT: `3.1`, `3.1.1`, `5`, or an empty string.
        keep_alive_s: The keep-alive that the client asked for, in seconds; 0 is none.
        clean_start: Whether it asked to begin a new session.
        since_us: When it began, in microseconds since 1970 UTC. With the client identifier, it
            names the connection.
        until_us: When it ended, or when it was last known, or None while it is open.
        reason: Why it ended, of `Ending` or in the broker's words; empty while it is open.
            `Ending.UNKNOWN` says that we did not see whether it went on.
    """

    client_id: str
    username: str
    address: str
    protocol: str
    keep_alive_s: int
    clean_start: bool
    since_us: int
    until_us: int | None = None
    reason: str = ""


class EventKind(StrEnum):
    """What can happen beside readings and connections; the names are part of the disk format."""

    REFUSED = "refused"
    """The broker did not let somebody in."""
    DENIED = "denied"
    """The broker refused a publish: its client may not publish to that topic."""
    DROPPING = "dropping"
    """The broker began to drop messages for a client that does not take them."""
    ONLINE = "online"
    """A client, or one that speaks for it, says that it is there."""
    OFFLINE = "offline"
    """A client, or one that speaks for it, or its will, says that it is gone."""
    CLEARED = "cleared"
    """A retained message was deleted."""
    NO_VALUE = "no-value"
    """A client says that it has no value now."""
    GAP = "gap"
    """A client's own count says that messages of it are missing."""
    LIMITED = "limited"
    """A client sent more than one may; the excess is not stored. Once an hour and limit."""
    SESSION_LOST = "session-lost"
    """The broker lost the collector's session, and what it held for it."""
    COLLECTOR_STARTED = "collector-started"
    COLLECTOR_STOPPED = "collector-stopped"
    BROKER_LOST = "broker-lost"
    """The collector lost its link to the broker."""
    BROKER_BACK = "broker-back"
    WATCH_LOST = "watch-lost"
    """From here on the collector does not see who is connected."""
    WATCH_BACK = "watch-back"
    OVERFLOW = "overflow"
    """More happened than is kept."""


class Event(NamedTuple):
    """Something that happened at one moment.

    Attributes:
        time_us: When, in microseconds since 1970 UTC.
        kind: What.
        client: Whom it concerns, or an empty string.
        detail: More, in words; may hold hostile text, such as a client identifier.
        address: Where from, or an empty string.
    """

    time_us: int
    kind: EventKind
    client: str = ""
    detail: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is news about presence.

    Attributes:
        connections: Those that began, ended or became unknown, each as it is now.
        events: What happened, in order.
    """

    connections: Sequence[Connection] = ()
    events: Sequence[Event] = ()

    def __bool__(self) -> bool:
        return bool(self.connections or self.events)
