"""What is shown of the numbers of one series: readings or buckets, and their rolling means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dashboard.recent import NO_BUCKETS, Now, Points, Run, between, in_order
from telemetry.buckets import choose_bucket_us
from telemetry.kept import Columns
from telemetry.rolling import coverage, means
from telemetry.samples import Samples, joined, samples_of_buckets, samples_of_readings
from telemetry.window import ALL_TIME, Window

RAW_READINGS = 1000
"""Up to so many readings are drawn as they are; more are drawn as buckets."""

_REACH_READINGS = 6000
"""So many readings or buckets are taken in, with what the widest mean looks back on."""

_TILE_READINGS = 20_000
_STALE = 0.01


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown.

    Attributes:
        window: From when to when.
        instant_us: Where tiles stand, in the window.
        spans_us: The widths of rolling means.
        max_buckets: How many points a chart can show.
    """

    window: Window
    instant_us: int
    spans_us: tuple[int, ...]
    max_buckets: int

    @property
    def lookback_us(self) -> int:
        """How far before the window the first means reach."""
        return max(self.spans_us, default=0)

    @property
    def reach(self) -> Window:
        """The window with what the first means reach back on."""
        return self.window.widened(self.lookback_us)

    @property
    def last(self) -> Window:
        """What tiles are of."""
        return Window(self.instant_us - self.lookback_us, self.instant_us + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What is kept of it from one question to the next.

    Attributes:
        drawn: Readings or buckets, with what means reach back on.
        bucket_us: How wide buckets are; 0 if they are readings.
        readings: The same if they are readings; of buckets those that tiles are of, unless they
            are too many.
        lines: The rolling mean over each span.
    """

    drawn: Run
    bucket_us: int
    readings: Run | None
    lines: Sequence[Run]

    def will_do(self, wanted: Wanted) -> bool:
        """Whether its buckets are nearly those wanted: others may ask for another time."""
        has = self.drawn.window
        late_us = wanted.window.end_us - has.end_us
        early = has.start_us <= wanted.reach.start_us
        return bool(self.bucket_us) and early and late_us < wanted.window.length_us * _STALE


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The answer.

    Attributes:
        points: What is drawn: the readings or buckets from the start of the window on.
        means: For each span `time_us, mean, count, coverage`; the last row is the tile's.
        readings: The newest ones, where they are known; the table has them too.
    """

    points: Points
    means: Sequence[Columns]
    readings: Run | None


def numbers(now: Now, wanted: Wanted, interval_us: int | None, *, resting: bool = False) -> Numbers:
    """What is shown of a series.

    Args:
        now: The series.
        wanted: What is to be shown of it.
        interval_us: Its expected interval.
        resting: Whether buckets may be those of the last answer, without lines of means.
    """
    kept = now.snapshot.kept
    key = ("numbers", now.series, wanted.window.length_us, wanted.spans_us, wanted.max_buckets)
    old = kept.get(key, Past)
    if resting and old is not None and old.will_do(wanted):
        new = replace(old, readings=_newest(now, wanted, old))
        lines: Sequence[Columns] | None = None
    else:
        new = _of_readings(now, wanted, old) or _of_buckets(now, wanted, old)
        shown = Window(wanted.window.start_us + 1, ALL_TIME.end_us)
        lines = [line.within(shown) for line in new.lines]
    kept.put(key, new)
    means = _means(now, wanted, new, lines, interval_us) if wanted.spans_us else []
    return Numbers(_points(now, wanted, new), means, new.readings)


def _of_readings(now: Now, wanted: Wanted, old: Past | None) -> Past | None:
    """If they are few enough to be drawn as they are."""
    if now.recent.grain_us(wanted.reach) or _are_many(now, wanted, old):
        return None
    same = old if old is not None and not old.bucket_us else None
    reach = now.readings(same.drawn if same else None, wanted.reach, _REACH_READINGS)
    if reach is None or reach.count(wanted.window) > RAW_READINGS:
        return None
    lines = _lines(now, wanted, samples_of_readings(reach.columns), same, 0)
    return Past(reach, 0, reach, lines)


def _are_many(now: Now, wanted: Wanted, old: Past | None) -> bool:
    """Whether the window has too many readings, by what is known without reading them again."""
    if old is not None and not old.bucket_us:
        return False  # what is new of them is counted before it is read
    if old is not None and old.readings is not None:
        cut_us = min(now.cut_us(old.readings, old.readings.window), wanted.window.end_us)
        if cut_us > wanted.window.start_us:
            known = old.readings.count(Window(wanted.window.start_us, cut_us))
            if known > RAW_READINGS:
                return True
    return now.recent.count(wanted.window, RAW_READINGS + 1) > RAW_READINGS


def _of_buckets(now: Now, wanted: Wanted, old: Past | None) -> Past:
    reach = wanted.reach
    grain_us = now.recent.grain_us(reach)
    least_us = max(wanted.window.length_us / wanted.max_buckets, reach.length_us / _REACH_READINGS)
    width_us = choose_bucket_us(math.ceil(least_us), 1, wanted.spans_us, grain_us)
    aligned = Window(reach.start_us // width_us * width_us, -(-reach.end_us // width_us) * width_us)
    same = old if old is not None and old.bucket_us == width_us else None
    drawn = now.buckets(same.drawn if same else None, aligned, width_us)
    lines = _lines(now, wanted, samples_of_buckets(drawn.columns, width_us), same, width_us)
    return Past(drawn, width_us, _newest(now, wanted, old), lines)


def _newest(now: Now, wanted: Wanted, old: Past | None) -> Run | None:
    """The readings that tiles are of, unless they are too many, or over."""
    if now.recent.grain_us(wanted.last):
        return None
    return now.readings(old.readings if old else None, wanted.last, _TILE_READINGS)


def _lines(
    now: Now, wanted: Wanted, samples: Samples, old: Past | None, width_us: int
) -> Sequence[Run]:
    """The rolling mean over each span, up to where the tile's stands."""
    before = old.lines if old is not None else [None] * len(wanted.spans_us)
    first_us = wanted.window.start_us + 1
    if wanted.instant_us <= first_us:
        samples = samples.between(first_us, first_us)
    window = Window(first_us, max(wanted.instant_us, first_us + 1))
    return [
        now.line(run, window, samples, max(span_us, width_us))
        for run, span_us in zip(before, wanted.spans_us, strict=True)
    ]


def _means(
    now: Now,
    wanted: Wanted,
    new: Past,
    lines: Sequence[Columns] | None,
    interval_us: int | None,
) -> Sequence[Columns]:
    """The tile's for each span, behind its line if there are lines."""
    samples = _tile_samples(now, wanted, new).between(wanted.last.start_us, wanted.instant_us)
    spans_us = np.array(wanted.spans_us, dtype=np.int64)
    at = np.full(len(spans_us), wanted.instant_us)
    mean, count = means(samples, spans_us, at)
    found: list[Columns] = []
    for place, span_us in enumerate(wanted.spans_us):
        one = slice(place, place + 1)
        share = coverage(count[one], span_us, interval_us)
        tile = {"time_us": at[one], "mean": mean[one], "count": count[one], "coverage": share}
        if lines is None:
            found.append(tile)
        else:
            line = lines[place]
            share = coverage(line["count"], max(span_us, new.bucket_us), interval_us)
            found.append(in_order([{**line, "coverage": share}, tile]))
    return found


def _points(now: Now, wanted: Wanted, new: Past) -> Points:
    """All from the start of the window on, with the bucket that reaches into it."""
    run = new.drawn
    shown = Window(wanted.window.start_us - max(new.bucket_us, 1) + 1, run.window.end_us)
    return Points(now.series, between(run.columns, shown), new.bucket_us)


def _tile_samples(now: Now, wanted: Wanted, new: Past) -> Samples:
    """Samples for the last instant: readings, for it is seldom the end of a bucket."""
    if new.readings is not None:
        return samples_of_readings(new.readings.columns)
    grain_us = now.recent.grain_us(wanted.last)
    cuts_us = [wanted.instant_us + 1, *wanted.spans_us]
    if grain_us and any(cut_us % grain_us for cut_us in cuts_us):
        return samples_of_buckets(NO_BUCKETS, new.bucket_us)  # nobody can tell any more
    return _cut_buckets(now, wanted, new.bucket_us)


def _cut_buckets(now: Now, wanted: Wanted, width_us: int) -> Samples:
    """Buckets cut where each span begins and at the last instant, so that no mean is of others."""
    starts = {wanted.instant_us - span_us for span_us in wanted.spans_us}
    parts = []
    for start_us, end_us in pairwise([*sorted(starts), wanted.instant_us]):
        cut = Window(start_us + 1, end_us + 1)
        found = samples_of_buckets(now.recent.bucket_columns(cut, width_us), width_us)
        parts.append(found.ending_by(end_us))
    return joined(parts)
