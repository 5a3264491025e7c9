"""The lines of a comparison and the figures of their period, on buckets that all clients share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.compare.numbers import Points, Totals, totals
from dashboard.question import gap_us
from telemetry.buckets import bucket_means, choose_bucket_us
from telemetry.exact import Ints
from telemetry.interface import Snapshot
from telemetry.interval import Cadence, expected_us
from telemetry.reading import Latest, Series
from telemetry.rolling import rolling_mean
from telemetry.samples import Samples, samples_of_buckets, samples_of_readings
from telemetry.window import Window, parse_duration

_TOTALS_READINGS = 30_000
"""Figures of a period are of readings if all clients together have at most so many there."""

_LAST_READINGS = 20_000
_REACH_BUCKETS = 6000
_SLOW_POINTS = 20
"""Buckets are as wide as the slowest client's interval, but a line has so many at least."""


@dataclass(frozen=True, slots=True)
class Asked:
    """When to compare, and how.

    Attributes:
        window: From when to when.
        now_us: The present.
        span: The width of rolling means, or an empty string for the mean of each bucket.
        points: How many points a line may have.
    """

    window: Window
    now_us: int
    span: str
    points: int

    @property
    def instant_us(self) -> int:
        """The last microsecond of the window that is not in the future, if one is not."""
        return max(min(self.window.end_us - 1, self.now_us), self.window.start_us)

    @property
    def span_us(self) -> int:
        """The width of rolling means in microseconds; 0 without."""
        return parse_duration(self.span) if self.span else 0


@dataclass(frozen=True, slots=True)
class Line:
    """One client.

    Attributes:
        latest: Its newest reading.
        points: Its line.
        gap_us: Points further apart are not joined.
        totals: Its figures in the period.
    """

    latest: Latest
    points: Points
    gap_us: float
    totals: Totals

    @property
    def client(self) -> str:
        """Its name."""
        return self.latest.series.client

    @property
    def unit(self) -> str:
        """In what it measures."""
        return self.latest.unit


@dataclass(frozen=True, slots=True)
class Grid:
    """The buckets that all clients share.

    Attributes:
        asked: When, and how.
        width_us: The width of a bucket.
        grain_us: How coarse what is left of the window is, of all clients; 0 if nothing is over.
        cadences: How often each reports.
    """

    asked: Asked
    width_us: int
    grain_us: int
    cadences: Mapping[Series, Cadence]

    @property
    def reach(self) -> Window:
        """Whole buckets: the window with what its first means look back on."""
        width, window = self.width_us, self.asked.window.widened(self.asked.span_us)
        return Window(window.start_us // width * width, -(-window.end_us // width) * width)

    @property
    def whole(self) -> Window:
        """The buckets that lie inside the window, or of which only the future does not."""
        width, window = self.width_us, self.asked.window
        start_us = -(-window.start_us // width) * width
        follows = window.end_us >= self.asked.now_us
        end_us = self.asked.instant_us + 1 if follows else window.end_us // width * width
        return Window(start_us, end_us) if start_us < end_us else window

    @property
    def ends_us(self) -> Ints:
        """The last microsecond of each bucket in the window, before the last instant."""
        width, window = self.width_us, self.asked.window
        first_us = (window.start_us + 1) // width * width + width - 1
        return np.arange(first_us, self.asked.instant_us, width, dtype=np.int64)

    def interval_us(self, series: Series) -> int | None:
        """How often it is expected to report, if that is known."""
        return expected_us(self.cadences.get(series))

    def gap_us(self, series: Series, width_us: int) -> float:
        """Its readings, or buckets so wide, that are further apart have a gap between them."""
        return gap_us(self.cadences.get(series), width_us)


def grid_of(snapshot: Snapshot, series: Sequence[Series], asked: Asked) -> Grid:
    """The narrowest buckets for which a line has not too many points.

    The mean of each bucket is taken of buckets in which also the slowest client reports: else two
    of them would seldom have one at the same time.
    """
    cadences = snapshot.cadences(series, asked.instant_us + 1)
    reach = asked.window.widened(asked.span_us)
    least_us = max(asked.window.length_us / asked.points, reach.length_us / _REACH_BUCKETS)
    if not asked.span:
        slowest = max((expected_us(one) or 0 for one in cadences.values()), default=0)
        least_us = max(least_us, min(slowest, asked.window.length_us / _SLOW_POINTS))
    grain_us = max((snapshot.grain_us(one, reach) for one in series), default=0)
    spans = [asked.span_us] if asked.span else []
    width_us = choose_bucket_us(math.ceil(least_us), 1, spans, grain_us)
    return Grid(asked, width_us, grain_us, cadences)


def lines_of(
    snapshot: Snapshot, shown: Sequence[Latest], grid: Grid
) -> tuple[Sequence[Line], Window, bool]:
    """The lines, the period that their figures are of, and whether those are of readings."""
    start_us = grid.asked.window.start_us
    frames = [snapshot.buckets(one.series, grid.reach, grid.width_us).frame for one in shown]
    seen = [frame[frame["time_us"] > start_us - grid.width_us] for frame in frames]
    exact = not grid.grain_us and sum(map(_count, seen)) <= _TOTALS_READINGS
    period = Window(start_us, grid.asked.instant_us + 1) if exact else grid.whole
    made = []
    for latest, frame, visible in zip(shown, frames, seen, strict=True):
        if exact:
            samples = samples_of_readings(snapshot.read(latest.series, period).frame)
        else:
            samples = _inside(visible, period, grid.width_us)
        figures = _figures(samples, latest.series, period, grid)
        if grid.asked.span:
            points = _rolling(snapshot, latest.series, frame, grid)
            made.append(Line(latest, points, 1.5 * grid.width_us, figures))
        else:
            joined_us = grid.gap_us(latest.series, grid.width_us)
            made.append(Line(latest, _means(visible, grid), joined_us, figures))
    return made, period, exact


def _count(buckets: pd.DataFrame) -> int:
    return int(buckets["count"].sum())


def _inside(buckets: pd.DataFrame, period: Window, width_us: int) -> Samples:
    times = buckets["time_us"]
    some = buckets[(times >= period.start_us) & (times < period.end_us)]
    return samples_of_buckets(some, width_us).ending_by(period.end_us - 1)


def _figures(samples: Samples, series: Series, period: Window, grid: Grid) -> Totals:
    width_us = grid.width_us if samples.bucketed else 0
    silence_us = grid.gap_us(series, width_us) if series in grid.cadences else None
    return totals(samples, period, grid.interval_us(series), silence_us, width_us)


def _means(visible: pd.DataFrame, grid: Grid) -> Points:
    """The mean of each bucket, in its middle."""
    some = visible[visible["time_us"] <= grid.asked.instant_us]
    middles = some["time_us"].to_numpy(dtype=np.int64) + grid.width_us // 2
    return Points(middles, bucket_means(some), np.full(len(some), np.nan))


def _rolling(snapshot: Snapshot, series: Series, frame: pd.DataFrame, grid: Grid) -> Points:
    """The rolling mean at the end of each bucket, and at the last instant, where tiles stand."""
    asked, interval_us = grid.asked, grid.interval_us(series)
    samples = samples_of_buckets(frame, grid.width_us)
    line = rolling_mean(samples, max(asked.span_us, grid.width_us), interval_us, grid.ends_us)
    last = _last_samples(snapshot, series, frame, grid)
    tile = rolling_mean(last, asked.span_us, interval_us, [asked.instant_us])
    every = pd.concat([line, tile], ignore_index=True)
    every = every[every["count"] > 0]
    values, coverage = (every[name].to_numpy(dtype=np.float64) for name in ("mean", "coverage"))
    return Points(every["time_us"].to_numpy(dtype=np.int64), values, coverage)


def _last_samples(snapshot: Snapshot, series: Series, frame: pd.DataFrame, grid: Grid) -> Samples:
    """What the mean at the last instant is of: readings, for it is seldom the end of a bucket."""
    width_us, end_us = grid.width_us, grid.asked.instant_us + 1
    span = Window(end_us - grid.asked.span_us, end_us)
    touched = frame[frame["time_us"] > span.start_us - width_us]
    if grid.grain_us and (end_us % grid.grain_us or grid.asked.span_us % grid.grain_us):
        return samples_of_buckets(frame[:0], width_us)  # nobody can tell any more
    if not grid.grain_us and _count(touched) <= _LAST_READINGS:
        return samples_of_readings(snapshot.read(series, span).frame)
    cut = snapshot.buckets(series, span, width_us).frame
    return samples_of_buckets(cut, width_us).ending_by(end_us - 1)
