"""What is known of one client that can explain why nothing of it is there."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from telemetry.batch import Skew
from telemetry.condition import WriterState
from telemetry.denials import read_detail
from telemetry.interface import Snapshot
from telemetry.interval import client_stale_us
from telemetry.ledger import Tally, total
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Group
from telemetry.reading import Latest
from telemetry.refusals import RefusalGroup, grouped, possible
from telemetry.window import ALL_TIME, HOUR_US, Window

LATELY_US = 24 * HOUR_US
"""What is older explains nothing any more."""

_MOST_EVENTS = 2000
_MOST_TOPICS = 200
_NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one client, for `telemetry.diagnosis`.

    Attributes:
        client: Its name.
        now_us: The present.
        writer: What the collector last said of itself.
        latest: The newest reading of each of its metrics.
        stale_us: A longer silence is no chance; infinite if nothing can be expected of it.
        connections: Its connections of the last day, or the last one, oldest first.
        events: What happened to it in the last day, oldest first.
        strangers: Refused publishes of others to its topics, or of nobody that is known.
        refusals: Logins that were refused in the last day and may have been its own.
        groups: What of it came into quarantine in the last day, the newest first.
        messages: What became of its messages in the last day.
        skew: How far its clock is off, if it sends times.
        registered: Whether it has a login of ours; None if that is not known here.
        disabled: Whether that login is shut out, as far as that is known.
        names: Of one that nobody has heard of, the clients that there are, as far as known.
    """

    client: str
    now_us: int
    writer: WriterState
    latest: Sequence[Latest] = ()
    stale_us: float = math.inf
    connections: Sequence[Connection] = ()
    events: Sequence[Event] = ()
    strangers: Sequence[Event] = ()
    refusals: Sequence[RefusalGroup] = ()
    groups: Sequence[Group] = ()
    messages: Tally = _NOTHING
    skew: Skew | None = None
    registered: bool | None = None
    disabled: bool = False
    names: Collection[str] = ()

    @property
    def elsewhere(self) -> str:
        """The existing broker that keeps its login, as host and port; empty for our own."""
        return self.writer.broker

    @property
    def arrived_us(self) -> int | None:
        """When a reading of it last arrived, or None."""
        return max((one.received_us for one in self.latest), default=None)

    @property
    def silence_us(self) -> float:
        """How long no reading of it has arrived; infinite if there never was one."""
        return math.inf if self.arrived_us is None else self.now_us - self.arrived_us

    @property
    def connection(self) -> Connection | None:
        """The connection that is open, or else the last one, or None."""
        opened = [one for one in self.connections if one.until_us is None]
        known = opened or self.connections
        return known[-1] if known else None


def gather(
    snapshot: Snapshot, client: str, now_us: int, known: Mapping[str, bool] | None = None
) -> Facts:
    """What the store knows of a client.

    Args:
        snapshot: The store.
        client: The name of the client; one that is unknown has little to say.
        now_us: The present.
        known: The clients with a login of ours and whether each is let in; None if that is not
            known here.
    """
    lately = Window(now_us - LATELY_US, now_us + 1)
    latest = snapshot.latest(client)
    connections = _connections(snapshot, client, lately)
    refusals = grouped(snapshot.events_of(EventKind.REFUSED, lately, _MOST_EVENTS))
    names: Collection[str] = ()
    stranger = not latest and not connections and client not in (known or ())
    if stranger or any(one.client_id not in {"", client} for one in refusals):
        names = {one.series.client for one in snapshot.latest()} | set(known or ())
    cadences = snapshot.cadences([one.series for one in latest], now_us)
    rows = snapshot.ledger(client, Window(lately.start_us - HOUR_US, lately.end_us))
    return Facts(
        client,
        now_us,
        snapshot.writer(),
        latest,
        client_stale_us(cadences, latest),
        connections,
        snapshot.events(client, lately),
        list(_strangers(snapshot, client, lately)),
        possible(refusals, client, names),
        _groups(snapshot, client, lately.start_us),
        total(row.messages for row in rows),
        snapshot.skews().get(client),
        registered=None if known is None else client in known,
        disabled=known is not None and not known.get(client, True),
        names=names,
    )


def _connections(snapshot: Snapshot, client: str, lately: Window) -> Sequence[Connection]:
    found = snapshot.connections(client, lately)
    return found or snapshot.connections(client, Window(ALL_TIME.start_us, lately.end_us))[-1:]


def _strangers(snapshot: Snapshot, client: str, lately: Window) -> Iterator[Event]:
    for event in snapshot.events_of(EventKind.DENIED, lately, _MOST_EVENTS):
        denied = read_detail(event.detail)
        if event.client == client or denied is None:
            continue
        if denied.client_id == client or client in denied.topic.split("/"):
            yield event


def _groups(snapshot: Snapshot, client: str, since_us: int) -> Sequence[Group]:
    """By the ledger's account, or by topic: a client without readings may have no account."""
    own = {topic.name for topic in snapshot.topics_of(client, _MOST_TOPICS)}
    return [
        group
        for group in snapshot.quarantine()
        if group.last_us >= since_us
        and (
            group.client == client
            or group.topic in own
            or (not group.client and client in group.topic.split("/"))
        )
    ]
