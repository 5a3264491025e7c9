"""Presence: from when to when a client was connected, reported, or was not seen. Pure.

Three facts are never mixed. Whether the collector could see anything at all (`Blank`), whether
the client is connected, by what the broker says (`telemetry.presence.Connection`), and how old its
data are. At each moment one `State` says what a reader has to know, by these rules in order:

1. The collector did not run, or had no link to the broker: `COLLECTOR_DOWN`.
2. A connection is open: `CONNECTED`, or `SILENT` if no reading came for longer than is chance.
3. The collector did not see who is connected: `UNKNOWN`, for a client that has connections at all.
4. The last connection ended, and the broker said why: `DISCONNECTED`.
5. Else a gateway may speak for the client, or its connection may go on unseen; data alone decide:
   `REPORTING`, `SILENT`, `UNKNOWN` if nothing can be expected of it or nothing has come yet. One
   that says itself that it is offline is `DISCONNECTED` until it says otherwise.

Silent is a stretch between two readings, or between a reading and the begin or end of a connection
or of a `Blank`, that is longer than `Evidence.stale_us`: then all of it is silent, as the gap in
the charts, and not only what comes after the threshold.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.display import length_text
from dashboard.links import Blank, Link, Seen, State, last_words, link_now, links
from telemetry.presence import Connection, Event
from telemetry.window import SECOND_US, Window

__all__ = [
    "Blank", "Evidence", "Seen", "State", "Stretch", "coarse", "last_words", "present", "reach",
    "stretches",
]  # fmt: skip

MOST_STALE_US = 30 * 86_400 * SECOND_US
"""A longer threshold is none: so far back nobody looks for the last reading."""


class Stretch(NamedTuple):
    """A client in one state.

    Attributes:
        start_us: From when, in microseconds since 1970 UTC.
        end_us: Until when; half-open like a `Window`.
        state: In which state.
        words: Why, in words for people; may hold hostile text, as the reason of a broker.
    """

    start_us: int
    end_us: int
    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one client in `reach(window, stale_us, now_us)`.

    Attributes:
        connections: Its connections, from `Snapshot.connections`.
        events: Its events, from `Snapshot.events`; only what it says of itself is looked at.
        times_us: When its readings of all metrics were measured, sorted; or where buckets with
            readings begin. In days that are long over buckets will do: pass their `width_us`.
        stale_us: A longer silence is no chance, `Cadence.stale_us` of the metric that reports most
            often; infinite if nothing can be expected of it.
        width_us: The width of a bucket; 0 for readings.
        has_connections: Whether any connection of it is known, also outside of the reach; then
            the broker's word counts. `None`: if there is one in `connections`.
        began_us: When anything of it first arrived; before that it is not silent but unknown.
    """

    connections: Sequence[Connection]
    events: Sequence[Event]
    times_us: NDArray[np.int64]
    stale_us: float
    width_us: int = 0
    has_connections: bool | None = None
    began_us: int | None = None


_NOT_YET = "nothing of it had come yet"


def reach(window: Window, stale_us: float, now_us: int) -> Window:
    """From when to when evidence is needed: a silence may begin before and end after the window.

    It never ends after now. Ask `Snapshot.connections`, `events` and `read` (or `buckets`) for it.

    >>> reach(Window(1000, 2000), 30.0, now_us=2010)
    Window(start_us=970, end_us=2010)
    """
    more_us = int(min(stale_us, MOST_STALE_US)) if math.isfinite(stale_us) else 0
    end_us = max(window.start_us + 1, min(now_us, window.end_us + more_us))
    return Window(window.start_us - more_us, end_us)


def stretches(
    evidence: Evidence, blanks: Sequence[Blank], window: Window, now_us: int
) -> list[Stretch]:
    """The states of a client over a window, oldest first.

    They tile the window up to now without gap or overlap; two neighbours differ. A window that
    begins in the future has none.

    Args:
        evidence: What is known of the client.
        blanks: When the collector could not see everything, as `dashboard.watching` finds it.
        window: Of when to tell.
        now_us: The present.
    """
    end_us = min(window.end_us, now_us)
    if end_us <= window.start_us:
        return []
    reached = reach(window, evidence.stale_us, now_us)
    told = _told(evidence, blanks, reached)
    return _joined(_clipped(told, window.start_us, end_us))


def present(seen: Seen, newest_us: int, stale_us: float, now_us: int) -> tuple[State, str]:
    """The state of a client at this moment and why, by the same rules; for many clients.

    Args:
        seen: What the broker's side knows of it; its last connection is enough.
        newest_us: When its newest reading was measured.
        stale_us: As in `Evidence`.
        now_us: The present.
    """
    link = link_now(seen, now_us)
    if link.state not in (None, State.CONNECTED):
        return link.state, link.words
    silence_us = now_us - max(newest_us, link.start_us)
    state, words = data_state(silence_us, stale_us, connected=link.state is State.CONNECTED)
    return state, words if state is State.SILENT else link.words or words


def coarse(found: Sequence[Stretch], least_us: int) -> list[Stretch]:
    """The same with neighbours that are shorter than `least_us` taken together.

    They take the worst state among them: a second without a connection is seen in a month. At most
    one in two is shorter than that, so there are at most 2 * length / least_us + 1.
    """
    runs: list[list[Stretch]] = []
    for one in found:
        short = one.end_us - one.start_us < least_us
        if short and runs and _is_short(runs[-1], least_us):
            runs[-1].append(one)
        else:
            runs.append([one])
    return _joined(_worst(run) for run in runs)


def data_state(silence_us: float, stale_us: float, *, connected: bool) -> tuple[State, str]:
    """The state of a client whose data are that old, and why.

    >>> data_state(90e6, 30e6, connected=True)
    (<State.SILENT: 'silent'>, 'connected, but no reading for more than 30 s')
    """
    if silence_us > stale_us:
        who = "connected, but no" if connected else "no"
        return State.SILENT, f"{who} reading for more than {length_text(int(stale_us))}"
    if connected:
        return State.CONNECTED, "connected"
    if math.isinf(stale_us):
        return State.UNKNOWN, "not seen to be connected, and it reports irregularly"
    return State.REPORTING, "reporting; its connection is not seen"


def _told(evidence: Evidence, blanks: Sequence[Blank], reached: Window) -> Iterator[Stretch]:
    gaps = _gaps(evidence, reached)
    known = evidence.has_connections
    has = bool(evidence.connections) if known is None else known
    seen = Seen(evidence.connections, evidence.events, blanks, has)
    for state, run in groupby(links(seen, reached), key=lambda one: one.state):
        parts = list(run)
        if state in (None, State.CONNECTED):
            silences = _silences(gaps, parts[0].start_us, parts[-1].end_us, evidence.stale_us)
            for one in parts:
                yield from _by_data(evidence, silences, one)
        else:
            yield from (Stretch(one.start_us, one.end_us, state, one.words) for one in parts)


def _silences(
    gaps: NDArray[np.int64], start_us: int, end_us: int, stale_us: float
) -> NDArray[np.int64]:
    """The silences between then and then: rows of start and end."""
    first, end = np.searchsorted(gaps[:, 1], start_us), np.searchsorted(gaps[:, 0], end_us)
    inside = np.clip(gaps[first:end], start_us, end_us)
    return inside[inside[:, 1] - inside[:, 0] > stale_us]


def _by_data(evidence: Evidence, silences: NDArray[np.int64], link: Link) -> Iterator[Stretch]:
    """A stretch in which data decide, cut where they fall silent and where they go on."""
    connected = link.state is State.CONNECTED
    state, words = data_state(0, evidence.stale_us, connected=connected)
    began_us = evidence.began_us
    if state is State.UNKNOWN and began_us is not None and link.end_us <= began_us:
        words = _NOT_YET
    told, why = data_state(math.inf, evidence.stale_us, connected=connected)
    now_us = link.start_us
    for begin_us, end_us in _silences(silences, link.start_us, link.end_us, 0).tolist():
        yield Stretch(now_us, begin_us, state, link.words or words)
        yield from _silence(evidence, Stretch(begin_us, end_us, told, why), connected)
        now_us = end_us
    yield Stretch(now_us, link.end_us, state, link.words or words)


def _silence(evidence: Evidence, silent: Stretch, connected: bool) -> Iterator[Stretch]:
    """A silence; before anything came of a client that nobody saw connected it is none."""
    began_us = evidence.began_us if not connected else None
    if began_us is not None and silent.start_us < began_us:
        until_us = min(silent.end_us, began_us)
        yield Stretch(silent.start_us, until_us, State.UNKNOWN, _NOT_YET)
        silent = silent._replace(start_us=until_us)
    yield silent


def _gaps(evidence: Evidence, reached: Window) -> NDArray[np.int64]:
    """From when to when no reading came for longer than is chance: rows of start and end."""
    if math.isinf(evidence.stale_us):
        return np.empty((0, 2), dtype=np.int64)
    times = evidence.times_us
    begins = np.concatenate([[reached.start_us], times + evidence.width_us])
    ends = np.concatenate([times, [reached.end_us]])
    long = ends - begins > evidence.stale_us
    return np.stack([begins[long], ends[long]], axis=1)


def _clipped(told: Iterable[Stretch], start_us: int, end_us: int) -> Iterator[Stretch]:
    for one in told:
        begin_us, until_us = max(one.start_us, start_us), min(one.end_us, end_us)
        if begin_us < until_us:
            yield one._replace(start_us=begin_us, end_us=until_us)


def _joined(told: Iterable[Stretch]) -> list[Stretch]:
    """Neighbours in the same state for the same reason are one."""
    found: list[Stretch] = []
    for one in told:
        if found and found[-1][2:] == one[2:]:
            found[-1] = found[-1]._replace(end_us=one.end_us)
        else:
            found.append(one)
    return found


def _is_short(run: Sequence[Stretch], least_us: int) -> bool:
    return run[-1].end_us - run[0].start_us < least_us


def _worst(run: Sequence[Stretch]) -> Stretch:
    order = list(State)
    worst = min(run, key=lambda one: order.index(one.state))
    more = len(run) - 1
    words = f"{worst.words} (and {more} more changes)" if more else worst.words
    return Stretch(run[0].start_us, run[-1].end_us, worst.state, words)
