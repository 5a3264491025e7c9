"""The gaps of a client's metrics in a window: from when to when, what is missing, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dashboard.presence import State, Stretch
from telemetry.buckets import choose_bucket_us
from telemetry.gaps import (
    Gap,
    LateRun,
    gaps,
    gaps_of_changes,
    late_runs,
    pieces_of_readings,
    pieces_of_rollups,
)
from telemetry.interface import Answer, Snapshot
from telemetry.interval import Cadence
from telemetry.reading import Kind, Latest, Series
from telemetry.window import ALL_TIME, Window

MOST_READINGS = 20_000
"""Up to so many readings of a metric are looked at one by one, else rollups tell."""

MOST_SHOWN = 200
_MOST_ROLLUPS = 2000
_UNEXPLAINED = (State.CONNECTED, State.REPORTING)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is lacking in a metric: a gap, or readings that came late.

    Attributes:
        metric: Of which metric.
        what: The gap, or the run of late readings.
        why: Why, in words; may hold hostile text, and is empty if nobody knows.
    """

    metric: str
    what: Gap | LateRun
    why: str


@dataclass(frozen=True, slots=True)
class Lacks:
    """What is lacking in a window.

    Attributes:
        shown: The newest of it, newest first.
        gaps: How many gaps there are.
        late: How many runs of late readings, where readings themselves tell.
        missing: How many readings are missing in the gaps, of metrics that report regularly.
        grain_us: A shorter gap may not have been found; 0 if all were.
        unknown: Metrics of which nobody knows how often they report.
    """

    shown: Sequence[Lack]
    gaps: int
    late: int
    missing: int
    grain_us: int
    unknown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric to look at: its newest reading, its cadence, and the changes of a state."""

    latest: Latest
    cadence: Cadence | None
    changes: Answer | None


def lacks(
    snapshot: Snapshot,
    metrics: Sequence[Metric],
    window: Window,
    now_us: int,
    told: Sequence[Stretch],
) -> Lacks:
    """What is lacking of some metrics in a window.

    Args:
        snapshot: The store.
        metrics: Of one client.
        window: Where to look; never after `now_us`.
        now_us: The present.
        told: The states of the client over the window, from `dashboard.presence.stretches`.
    """
    end_us = min(window.end_us, now_us)
    if end_us <= window.start_us:
        return Lacks((), 0, 0, 0, 0, ())
    looked = Window(window.start_us, end_us)
    found: list[Lack] = []
    grain_us, missing, count = 0, 0, 0
    for one in metrics:
        if one.cadence is None:
            continue
        holes, runs, own_us = _of_metric(snapshot, one, one.cadence, looked)
        grain_us = max(grain_us, own_us)
        missing += sum(gap.missing or 0 for gap in holes)
        count += len(holes)
        metric = one.latest.series.metric
        found += [Lack(metric, gap, reason(gap, told)) for gap in holes]
        found += [Lack(metric, run, "") for run in runs]
    found.sort(key=lambda one: one.what.start_us, reverse=True)
    unknown = [one.latest.series.metric for one in metrics if one.cadence is None]
    return Lacks(found[:MOST_SHOWN], count, len(found) - count, missing, grain_us, unknown)


def _of_metric(
    snapshot: Snapshot, one: Metric, cadence: Cadence, window: Window
) -> tuple[list[Gap], list[LateRun], int]:
    """The gaps and late runs of one metric, and how long a gap may be that was not found."""
    series = one.latest.series
    if one.latest.kind is Kind.STATE:
        frame = one.changes.frame if one.changes is not None else None
        holes = [] if frame is None else [*gaps_of_changes(frame, cadence, window.end_us)]
        return holes, [], 0
    grain_us = snapshot.grain_us(series, window)
    few = not grain_us and snapshot.count(series, window, MOST_READINGS + 1) <= MOST_READINGS
    if few:
        frame, width_us = snapshot.read(series, window).frame, 0
        pieces, runs = pieces_of_readings(frame), [*late_runs(frame)]
    else:
        width_us = choose_bucket_us(window.length_us, _MOST_ROLLUPS, (), grain_us)
        frame = snapshot.rollups(series, _aligned(window, width_us), width_us).frame
        pieces, runs = pieces_of_rollups(frame), []
    start_us = _begin_us(snapshot, series, window)
    if start_us is None:
        start_us = int(pieces.first_us[0]) if len(frame) else window.end_us
    return [*gaps(pieces, cadence, start_us, window.end_us)], runs, width_us


def _aligned(window: Window, width_us: int) -> Window:
    start_us = window.start_us // width_us * width_us
    return Window(start_us, max(window.end_us, start_us + width_us))


def _begin_us(snapshot: Snapshot, series: Series, window: Window) -> int | None:
    """When the last reading before the window was measured; `None` if there was none."""
    before = snapshot.tail(series, Window(ALL_TIME.start_us, window.start_us), 1).frame
    if len(before):
        return int(before["time_us"].iloc[0])
    extent = snapshot.extent(series)
    return window.start_us if extent is not None and extent.start_us < window.start_us else None


def reason(gap: Gap, told: Iterable[Stretch]) -> str:
    """Why there is a gap: what was said of the client for the longest part of it.

    That it was connected all the while explains nothing; it is said if there is nothing else.

    >>> silent = Stretch(0, 60, State.SILENT, "no reading")
    >>> reason(Gap(10, 50, 3), [silent._replace(state=State.DISCONNECTED, words="gone")])
    'gone'
    """
    shares = list(_shares(gap, told))
    faults = [one for one in shares if one[1].state not in _UNEXPLAINED]
    longest = max(faults or shares, key=lambda one: one[0], default=None)
    return longest[1].words if longest is not None else ""


def _shares(gap: Gap, told: Iterable[Stretch]) -> Iterator[tuple[int, Stretch]]:
    for one in told:
        length_us = min(gap.end_us, one.end_us) - max(gap.start_us, one.start_us)
        if length_us > 0:
            yield length_us, one
