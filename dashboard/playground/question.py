"""One question per tick: one metric, one rolling statistic of it, and what that leaves out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.activity import activity
from dashboard.numbers import RAW_READINGS
from dashboard.question import gap_us
from telemetry.buckets import bucket_means, choose_bucket_us
from telemetry.exact import Floats, Ints
from telemetry.held import hold
from telemetry.interface import Answer, Snapshot
from telemetry.interval import Cadence, expected_us
from telemetry.reading import Kind, Latest
from telemetry.rolling import HELD, MEAN, needs_readings, rolling, rolling_mean
from telemetry.samples import Samples, samples_of_buckets, samples_of_readings
from telemetry.window import Window, parse_duration

OF_BUCKETS = frozenset({MEAN, "min", "max"})
"""Statistics that every bucket tells; others need rollups, or readings."""

_REACH_READINGS = 6000
_MOST_READINGS = 20_000
"""So many readings are taken in for a statistic that needs each of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page wants to know.

    Attributes:
        client: Whose metric; an empty string means the client with the newest activity.
        metric: Which; an empty string means its first.
        window: From when to when.
        now_us: The present.
        span: The width of the statistic, as a duration.
        statistic: As `telemetry.rolling.rolling` names it.
        points: How many points a panel may have.
    """

    client: str
    metric: str
    window: Window
    now_us: int
    span: str
    statistic: str
    points: int

    @property
    def instant_us(self) -> int:
        """The last microsecond of the window that is not in the future, if one is not."""
        return max(min(self.window.end_us - 1, self.now_us), self.window.start_us)

    @property
    def span_us(self) -> int:
        """The width of the statistic in microseconds."""
        return parse_duration(self.span)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a span does to a metric in a window.

    Attributes:
        asked: What was asked, with the client and metric that were chosen.
        latest: The newest reading.
        cadence: How often it is expected to report, if that is known.
        answer: The readings or buckets of the window.
        line: At each reading, or at the end of each bucket: `time_us` (int64), `value`,
            `statistic` (both float64, NaN without), `count` (int64) and `coverage`.
        coverage: On a grid over the window: `time_us`, `count` and `coverage`.
        too_many: Whether the statistic needs each reading, and there are too many.
    """

    asked: Asked
    latest: Latest
    cadence: Cadence | None
    answer: Answer
    line: pd.DataFrame
    coverage: pd.DataFrame
    too_many: bool

    @property
    def gap_us(self) -> float:
        """Readings further apart have a gap between them."""
        return gap_us(self.cadence, self.answer.bucket_us)

    @property
    def count(self) -> int:
        """How many readings there are in the window, or in the buckets that it touches."""
        frame = self.answer.frame
        return int(frame["count"].sum()) if self.answer.bucket_us else len(frame)

    @property
    def exact(self) -> bool:
        """Whether the statistic is of its span, and not of a bucket that is wider."""
        return self.asked.span_us >= self.answer.bucket_us


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from.

    Attributes:
        clients: With a metric that has numbers, newest activity first.
        metrics: The metrics with numbers of the client that is shown.
    """

    clients: Sequence[str]
    metrics: Sequence[str]


def trial(snapshot: Snapshot, asked: Asked) -> tuple[Trial | None, Choices]:
    """What the span does, and what else could be chosen; None if there is no such metric.

    Raises:
        StoreError: If the store cannot be read.
    """
    numbers = [one for one in snapshot.latest() if one.kind is Kind.NUMBER]
    clients = [one.client for one in activity(numbers, asked.now_us)]
    client = asked.client or next(iter(clients), "")
    known: Mapping[str, Latest] = {
        one.series.metric: one for one in numbers if one.series.client == client
    }
    choices = Choices(clients, list(known))
    latest = known.get(asked.metric or next(iter(known), ""))
    return (None if latest is None else _trial(snapshot, asked, latest)), choices


def _trial(snapshot: Snapshot, asked: Asked, latest: Latest) -> Trial:
    series = latest.series
    cadence = snapshot.cadences([series], asked.instant_us + 1).get(series)
    reach = asked.window.widened(asked.span_us + _held_us(asked, cadence))
    answer, samples = _samples(snapshot, asked, latest, reach)
    interval_us = expected_us(cadence)
    visible = _visible(answer, asked)
    at_us, values = _drawn(visible, asked)
    span_us = max(asked.span_us, answer.bucket_us)
    name = asked.statistic
    if samples is None:
        blank = {"statistic": np.nan, "count": 0, "coverage": np.nan}
        line = pd.DataFrame({"time_us": at_us, "value": values}).assign(**blank)
    else:
        found = rolling(samples, span_us, interval_us, at_us, [name])
        line = found.rename(columns={name: "statistic"}).assign(value=values)
    counted = _counted(answer)
    coverage = rolling_mean(counted, span_us, interval_us, _grid(asked, answer.bucket_us))
    return Trial(asked, latest, cadence, visible, line, coverage, samples is None)


def _held_us(asked: Asked, cadence: Cadence | None) -> int:
    """How far before a span it counts what held."""
    return hold(expected_us(cadence)).before_us if asked.statistic in HELD else 0


def _samples(
    snapshot: Snapshot, asked: Asked, latest: Latest, reach: Window
) -> tuple[Answer, Samples | None]:
    """What is drawn, with what lies before it; and what the statistic is of, if there is that."""
    series = latest.series
    grain_us = snapshot.grain_us(series, reach)
    few = not grain_us and snapshot.count(series, asked.window, RAW_READINGS + 1) <= RAW_READINGS
    if few and snapshot.count(series, reach, _REACH_READINGS + 1) <= _REACH_READINGS:
        answer = snapshot.read(series, reach)
        return answer, samples_of_readings(answer.frame)
    least_us = max(asked.window.length_us / asked.points, reach.length_us / _REACH_READINGS)
    width_us = choose_bucket_us(math.ceil(least_us), 1, [asked.span_us], grain_us)
    aligned = Window(reach.start_us // width_us * width_us, -(-reach.end_us // width_us) * width_us)
    if needs_readings(asked.statistic):
        answer = snapshot.buckets(series, aligned, width_us)
        return answer, _every_reading(snapshot, latest, reach, grain_us)
    of_rollups = asked.statistic not in OF_BUCKETS
    answer = (snapshot.rollups if of_rollups else snapshot.buckets)(series, aligned, width_us)
    return answer, samples_of_buckets(answer.frame, width_us)


def _every_reading(
    snapshot: Snapshot, latest: Latest, reach: Window, grain_us: int
) -> Samples | None:
    most = _MOST_READINGS
    if grain_us or snapshot.count(latest.series, reach, most + 1) > most:
        return None
    return samples_of_readings(snapshot.read(latest.series, reach).frame)


def _counted(answer: Answer) -> Samples:
    """What coverage is counted by, also where the statistic cannot be told."""
    if answer.bucket_us:
        return samples_of_buckets(answer.frame, answer.bucket_us)
    return samples_of_readings(answer.frame)


def _visible(answer: Answer, asked: Asked) -> Answer:
    times = answer.frame["time_us"]
    inside = (times > asked.window.start_us - max(answer.bucket_us, 1)) & (
        times <= asked.instant_us
    )
    frame = answer.frame[inside]
    if not answer.bucket_us:
        frame = frame[frame["value"].notna()]
    return Answer(answer.series, frame, answer.bucket_us)


def _drawn(visible: Answer, asked: Asked) -> tuple[Ints, Floats]:
    """Each reading; or the mean of each bucket where it ends, or at the last instant."""
    frame, width_us = visible.frame, visible.bucket_us
    times = frame["time_us"].to_numpy(dtype=np.int64)
    if not width_us:
        return times, frame["value"].to_numpy(dtype=np.float64)
    ended = times + width_us - 1 <= asked.instant_us
    return times[ended] + width_us - 1, bucket_means(frame)[ended]


def _grid(asked: Asked, bucket_us: int) -> Ints:
    """Instants over the window at even distances, where buckets end if there are any."""
    width_us = bucket_us or choose_bucket_us(asked.window.length_us, asked.points, [])
    first_us = (asked.window.start_us + 1) // width_us * width_us + width_us - 1
    inside = np.arange(first_us, asked.instant_us, width_us, dtype=np.int64)
    return inside if bucket_us else np.append(inside, asked.instant_us)
