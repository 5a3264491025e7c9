"""What is known of clients' presence, asked of the store: a few rows, never one per reading."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from dashboard.presence import Blank, Evidence
from telemetry.interface import Answer, Snapshot
from telemetry.presence import Connection, Event, EventKind
from telemetry.reading import Series
from telemetry.window import ALL_TIME, SECOND_US, Window

MOST_EVENTS = 2000
"""The newest so many of each kind are looked at; of those before a window, one."""

_BEAT = Series("collector", "messages_rate")
"""What the collector writes of itself every ten seconds as long as it runs."""

_SILENT_US = 15 * SECOND_US
_MOST_BREAKS = 10
_NO_TIMES = np.empty(0, dtype=np.int64)


def blanks(snapshot: Snapshot, window: Window, now_us: int) -> list[Blank]:
    """When the collector could not see everything in a window, in no order.

    It was stopped, or broke off (then from its last sign of life on), or had no link to the
    broker: nothing arrived. Or it did not hear the broker's log: who is connected is not known.
    Of one that broke off more than ten times, the last ten are told.
    """
    lost = _events(snapshot, EventKind.BROKER_LOST, window)
    back = _events(snapshot, EventKind.BROKER_BACK, window)
    unheard = _events(snapshot, EventKind.WATCH_LOST, window)
    heard = _events(snapshot, EventKind.WATCH_BACK, window)
    down, unseen = "no link to the broker", "the collector did not see who is connected"
    return [
        *_stops(snapshot, window, now_us),
        *(Blank(*ends, down, blind=True) for ends in _paired(lost, back, now_us)),
        *(Blank(*ends, unseen, blind=False) for ends in _paired(unheard, heard, now_us)),
    ]


def client_evidence(
    snapshot: Snapshot, client: str, stale_us: float, answers: Sequence[Answer], reached: Window
) -> Evidence:
    """What is known of one client.

    Args:
        snapshot: The store.
        client: The client.
        stale_us: As `client_stale_us` says.
        answers: The readings of its metrics, or buckets all of the same width, over `reached`.
        reached: As `dashboard.presence.reach` says.
    """
    connections = [*snapshot.connections(client, reached)]
    if all(one.since_us > reached.start_us for one in connections):
        connections = [*_before(snapshot, client, reached.start_us), *connections]
    heard = Window(reached.start_us if connections else ALL_TIME.start_us, reached.end_us)
    times = [one.frame["time_us"].to_numpy(dtype=np.int64) for one in answers]
    return Evidence(
        connections,
        snapshot.events(client, heard),
        np.unique(np.concatenate([_NO_TIMES, *times])),
        stale_us,
        max((one.bucket_us for one in answers), default=0),
    )


def _before(snapshot: Snapshot, client: str, start_us: int) -> Sequence[Connection]:
    """The connection that began last before then, if one did."""
    return snapshot.connections(client, Window(ALL_TIME.start_us, start_us))[-1:]


def _events(snapshot: Snapshot, kind: EventKind, window: Window) -> list[Event]:
    """Those in the window, and the last one before it: what it said may go on."""
    before = Window(ALL_TIME.start_us, window.start_us)
    inside = snapshot.events_of(kind, window, MOST_EVENTS)
    return [*snapshot.events_of(kind, before, 1), *inside]


def _paired(downs: Sequence[Event], ups: Sequence[Event], now_us: int) -> Iterator[tuple[int, int]]:
    """From each first event that something is gone to the next that it is there, or to now."""
    gone = {one.kind for one in downs}
    start_us: int | None = None
    for event in sorted([*downs, *ups], key=lambda one: one.time_us):
        if event.kind in gone:
            start_us = event.time_us if start_us is None else start_us
        elif start_us is not None:
            yield start_us, event.time_us
            start_us = None
    if start_us is not None and start_us < now_us:
        yield start_us, now_us


def _stops(snapshot: Snapshot, window: Window, now_us: int) -> Iterator[Blank]:
    """When the collector did not run."""
    stopped = _events(snapshot, EventKind.COLLECTOR_STOPPED, window)
    started = _events(snapshot, EventKind.COLLECTOR_STARTED, window)
    for start_us, end_us in _paired(stopped, started, now_us):
        yield Blank(start_us, end_us, "the collector was stopped", blind=True)
    beat_us = snapshot.writer().beat_us
    known = sorted([*stopped, *started], key=lambda one: one.time_us)
    runs = known and known[-1].kind is EventKind.COLLECTOR_STARTED
    if runs and beat_us is not None and now_us - beat_us > _SILENT_US:
        yield Blank(beat_us, now_us, "the collector broke off", blind=True)
    broken = [two for two in pairwise(known) if _is_break(*two)]
    for ran, again in broken[-_MOST_BREAKS:]:
        last = snapshot.tail(_BEAT, Window(ran.time_us, again.time_us), 1).frame
        if len(last):
            beat_us = int(last["time_us"].iloc[0])
            yield Blank(beat_us, again.time_us, "the collector broke off", blind=True)


def _is_break(before: Event, after: Event) -> bool:
    """Whether it started twice without having been stopped between: it broke off."""
    start = EventKind.COLLECTOR_STARTED
    return before.kind is start and after.kind is start and before.time_us < after.time_us
