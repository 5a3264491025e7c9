"""Every client at one moment: its state, when it was last seen, and what it measures."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard.presence import Blank, Seen, State, present
from dashboard.watching import blanks
from mosquitto.names import ATTENDANTS
from telemetry.interface import Snapshot
from telemetry.interval import Cadence, client_stale_us
from telemetry.ledger import Outcome
from telemetry.presence import Connection, Event, EventKind
from telemetry.reading import RESERVED_CLIENTS, Flag, Kind, Latest, Series
from telemetry.topic import Topic
from telemetry.window import ALL_TIME, HOUR_US, SECOND_US, Window

MOST_METRICS = 3
"""So many newest values of a client are shown."""

_PAST_US = 30 * 86_400 * SECOND_US
_MOST_SAID = 2000
_MOST_CONNECTIONS = 20
_MOST_UNREAD = 20


class Apart(StrEnum):
    """What is no fault of a client: it stands behind all that are in use."""

    UNSEEN = "never-seen"
    SHUT_OUT = "shut-out"


class Member(NamedTuple):
    """A client at one moment.

    Attributes:
        client: Its name.
        state: Its state.
        words: Why.
        seen_us: When anything of it last arrived, or its connection changed; 0 if never.
        every_us: How often it is expected to report; 0 if nothing is known or expected.
        newest: The newest readings of a few of its metrics, numbers first.
        metrics: How many it has.
        simulated: Whether what it measures is.
    """

    client: str
    state: State | Apart
    words: str
    seen_us: int
    every_us: int
    newest: Sequence[Latest]
    metrics: int
    simulated: bool


class Links(NamedTuple):
    """What the broker's side knows of all clients.

    Attributes:
        connections: By client, the newest of those that are open or ended in the last month.
        said: What clients say of themselves, by client.
        blanks: When the collector could not see everything.
    """

    connections: Mapping[str, Sequence[Connection]]
    said: Mapping[str, Sequence[Event]]
    blanks: Sequence[Blank]


def links_of(snapshot: Snapshot, now_us: int) -> Links:
    """What is known of all connections: a row for each that is open or lately ended."""
    known: dict[str, dict[tuple[str, int], Connection]] = defaultdict(dict)
    for part in (Window(now_us - _PAST_US, now_us + 1), Window(now_us, now_us + 1)):
        for one in snapshot.connections(None, part):
            known[one.username][one.client_id, one.since_us] = one
    said: dict[str, list[Event]] = defaultdict(list)
    for kind in (EventKind.ONLINE, EventKind.OFFLINE):
        for event in snapshot.events_of(kind, Window(ALL_TIME.start_us, now_us + 1), _MOST_SAID):
            said[event.client].append(event)
    hidden = blanks(snapshot, Window(now_us - HOUR_US, now_us + 1), now_us + 1)
    newest = {name: [*ones.values()][-_MOST_CONNECTIONS:] for name, ones in known.items()}
    return Links(newest, said, hidden)


def without_strangers(links: Links, latest: Iterable[Latest]) -> Links:
    """The same without who has no reading here: an existing broker serves others as well."""
    known = {one.series.client for one in latest}
    ours = {name: ones for name, ones in links.connections.items() if name in known}
    return links._replace(connections=ours)


def unread(snapshot: Snapshot, links: Links, latest: Iterable[Latest]) -> Mapping[str, Topic]:
    """Of clients that connected lately and have no reading: the topic on which each last spoke.

    Of the twenty that connected last: for each, all topics are looked through.
    """
    known = {one.series.client for one in latest} | _OURS | {""}
    begun = {
        name: max(one.since_us for one in ones)
        for name, ones in links.connections.items()
        if name not in known
    }
    newest = sorted(begun, key=lambda name: -begun[name])[:_MOST_UNREAD]
    found = {name: snapshot.topics_of(name, 1) for name in newest}
    return {name: topics[0] for name, topics in found.items() if topics}


def members_of(
    latest: Sequence[Latest],
    links: Links,
    heard: Mapping[str, Topic],
    cadences: Mapping[Series, Cadence],
    now_us: int,
) -> list[Member]:
    """All clients but Culex's own, the worst first: those last seen come first among the bad.

    Args:
        latest: The newest reading of each series.
        links: What the broker's side knows.
        heard: As `unread` says.
        cadences: How often series report; of one that is left out nothing is known yet.
        now_us: The present.
    """
    series: dict[str, list[Latest]] = {client: [] for client in links.connections if client}
    for one in latest:
        series.setdefault(one.series.client, []).append(one)
    found = [
        _member(client, ones, links, cadences, now_us)
        for client, ones in series.items()
        if client not in _OURS
    ]
    found = [_unread(one, heard[one.client]) if one.client in heard else one for one in found]
    return sorted(found, key=lambda one: (rank(one), one.client))


def rank(member: Member) -> int:
    """How bad it is, the worst the lowest; good ones are all the same, so they do not move."""
    order = _ORDER[member.state]
    return order * _FAR_MS - (member.seen_us // 1000 if member.state in _BAD else 0)


_ORDER: Mapping[State | Apart, int] = {
    state: place for place, state in enumerate((*State, *Apart), 1)
}
_OURS = RESERVED_CLIENTS | ATTENDANTS
_BAD = {State.DISCONNECTED, State.SILENT, State.UNKNOWN}
_FAR_MS = 10**14


def _member(
    client: str,
    latest: Sequence[Latest],
    links: Links,
    cadences: Mapping[Series, Cadence],
    now_us: int,
) -> Member:
    connections = links.connections.get(client, ())
    seen = Seen(connections, links.said.get(client, ()), links.blanks, bool(connections))
    stale_us = client_stale_us(cadences, latest)
    newest_us = max((one.time_us for one in latest), default=0)
    state, words = present(seen, newest_us, stale_us, now_us)
    received_us = max([one.received_us for one in latest], default=_changed_us(connections))
    if not latest:
        words = f"{words}; no reading yet"
    elif state is State.SILENT and now_us - received_us <= stale_us:
        words = f"{words}; older readings arrive"
    return Member(
        client,
        state,
        words,
        received_us,
        every_us(cadences, latest, stale_us),
        sorted(latest, key=_numbers_first)[:MOST_METRICS],
        len(latest),
        any(one.flags & Flag.SIMULATED for one in latest),
    )


def _unread(member: Member, topic: Topic) -> Member:
    """One that sends what is no reading: when it last did, and what became of it."""
    fate = _FATES.get(topic.outcome)
    words = f"{member.words}: {fate}" if fate else member.words
    return member._replace(seen_us=max(member.seen_us, topic.last_us), words=words)


_FATES: Mapping[Outcome, str] = {
    Outcome.QUARANTINED: "what it sends goes to quarantine",
    Outcome.HELD: "what it sends is of the future",
    Outcome.LIMITED: "it sends more than one may",
    Outcome.RETAINED: "it sends retained values without a time",
}


def every_us(cadences: Mapping[Series, Cadence], latest: Iterable[Latest], stale_us: float) -> int:
    """The interval that the threshold rests on, or 0."""
    found = (cadences[one.series] for one in latest if one.series in cadences)
    return next((one.interval_us for one in found if one.stale_us == stale_us), 0)


def _numbers_first(one: Latest) -> tuple[bool, str]:
    return one.kind is not Kind.NUMBER, one.series.metric


def _changed_us(connections: Sequence[Connection]) -> int:
    return max((one.until_us or one.since_us for one in connections), default=0)
