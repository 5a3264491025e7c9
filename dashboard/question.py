"""What the client page asks and is told: everything that it shows of a client."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.activity import Activity, activity
from dashboard.digits import Notation, notation
from dashboard.marks import lost_sessions
from dashboard.numbers import Wanted, numbers
from dashboard.recent import Now, Points, Run, columns_of, frame_of
from dashboard.states import StateFigures, state_figures
from telemetry.interface import Answer, Snapshot
from telemetry.interval import Cadence, expected_us
from telemetry.kept import Columns
from telemetry.presence import Event
from telemetry.reading import Kind, Latest, Series
from telemetry.rolling import MEAN
from telemetry.thresholds import UNRULED, MetricRule, MetricRules, rule_of
from telemetry.window import ALL_TIME, SECOND_US, Window, parse_duration

MOMENT_US = 10 * SECOND_US
"""Lists of clients, and intervals beside charts that rest, may be so old."""

MOST_PANELS = 12
"""So many metrics are shown of a client if none are chosen."""

_UNKNOWN_GAP_US = 86_400_000_000
"""Of a new series nobody can tell a gap: its first readings are joined."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page wants to know.

    Attributes:
        client: Whose readings; an empty string means the client with the newest activity.
        metrics: Which; none means all.
        window: From when to when.
        spans: The rolling means, as durations.
        now_us: The present.
        max_buckets: How many points a chart can show.
        rules: What is set of metrics.
        resting: Whether charts stay as they are: what they were last made of will do for the rest,
            and means are those of tiles alone.
    """

    client: str
    metrics: Sequence[str]
    window: Window
    spans: Sequence[str]
    now_us: int
    max_buckets: int
    rules: MetricRules = ()
    resting: bool = False

    @property
    def instant_us(self) -> int:
        """Where tiles stand: the last microsecond of the window that is not in the future."""
        return min(self.window.end_us - 1, self.now_us)

    @property
    def lookback_us(self) -> int:
        """How far before the window the first means reach."""
        return max((parse_duration(span) for span in self.spans), default=0)


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """One rolling mean of a metric.

    Attributes:
        span: Its width, as a duration such as `5m`.
        table: From `rolling_mean`: `time_us, mean, count, coverage`; its last row is the tile's.
        exact: False where a bucket is wider than the span: the mean is then the bucket's own.
        statistic: What is in the column `mean` if it is another one, as `rolling` names it.
    """

    span: str
    table: Columns | pd.DataFrame
    exact: bool
    statistic: str = MEAN

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a frame."""
        return frame_of(self.table)

    @property
    def columns(self) -> Columns:
        """The table as columns."""
        return columns_of(self.table)


@dataclass(frozen=True, eq=False)
class MetricPicture:
    """Everything shown of one metric.

    Attributes:
        latest: The newest reading.
        cadence: How often it is expected to report, if that is known.
        answer: The readings or buckets within the window.
        means: The rolling means of a number, in the order of the question's spans; otherwise none.
        states: What tiles say of a state or a boolean; `None` of a number.
        notation: How its numbers are written.
        rule: What is set of it: its label and its limits.
        readings: The newest ones, if they were read.
    """

    latest: Latest
    cadence: Cadence | None
    answer: Answer | Points
    means: Sequence[Mean]
    states: StateFigures | None
    notation: Notation
    rule: MetricRule = UNRULED
    readings: Run | None = None

    @property
    def title(self) -> str:
        """What people call the metric."""
        return self.rule.label or self.latest.series.metric

    @property
    def gap_us(self) -> float:
        """Readings further apart than this have a gap between them."""
        return gap_us(self.cadence, self.answer.bucket_us)

    @cached_property
    def columns(self) -> Columns:
        """Those of the answer."""
        return (
            self.answer.columns
            if isinstance(self.answer, Points)
            else columns_of(self.answer.frame)
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """The answer: what the page shows.

    Attributes:
        question: What was asked, with the client that was chosen.
        clients: All clients, newest activity first, as of ten seconds before at most.
        metrics: All metrics of the client.
        pictures: Those that are shown, by name.
        marks: Where in the window the broker lost the collector's session, oldest first.
        asked_us: When all of it was asked for; of a resting one only tiles are of its own time.
    """

    question: Question
    clients: Sequence[Activity]
    metrics: Sequence[str]
    pictures: Sequence[MetricPicture]
    marks: Sequence[Event]
    asked_us: int


class _Clients(NamedTuple):
    """The clients, and when they were asked for."""

    clients: Sequence[Activity]
    asked_us: int


def picture_of(snapshot: Snapshot, question: Question) -> Picture:
    """The picture for a question.

    Raises:
        StoreError: If the store cannot be read.
    """
    clients, asked_us = _clients(snapshot, question)
    client = question.client or (clients[0].client if clients else "")
    known = snapshot.latest(client)
    names = [latest.series.metric for latest in known]
    wanted = [name for name in question.metrics if name in names] or names[:MOST_PANELS]
    shown = [latest for latest in known if latest.series.metric in wanted]
    kept = snapshot.kept
    cadences = snapshot.cadences([one.series for one in shown], question.instant_us + 1)
    now = [Now(snapshot, one, kept.of(one.series)) for one in shown]
    return Picture(
        replace(question, client=client),
        clients,
        names,
        [picture_of_metric(one, cadences.get(one.series), question) for one in now],
        lost_sessions(snapshot, question.window),
        asked_us,
    )


def _clients(snapshot: Snapshot, question: Question) -> _Clients:
    """All clients; as they were a moment ago, unless the newest of them is asked for.

    Thousands of series are read for it, which all pages would do at each tick. Half a moment is
    left for pictures of charts that rest, which are made of this one.
    """
    kept, key = snapshot.kept, "clients"
    known = kept.get(key, _Clients)
    if question.client and known and 0 <= question.now_us - known.asked_us < MOMENT_US // 2:
        return known
    found = _Clients(activity(snapshot.latest(), question.now_us), question.now_us)
    kept.put(key, found)
    return found


def _up_to(snapshot: Snapshot, latest: Latest, instant_us: int) -> Latest:
    """The newest reading up to an instant; the newest of all if there was none before."""
    if latest.time_us <= instant_us:
        return latest
    frame = snapshot.tail(latest.series, Window(ALL_TIME.start_us, instant_us + 1), 1).frame
    for time_us, number, text, delay_us, flags in frame.itertuples(index=False, name=None):
        value = text if isinstance(text, str) else number
        return replace(
            latest, time_us=time_us, value=value, received_us=time_us + delay_us, flags=flags
        )
    return latest


def picture_of_metric(
    now: Now, cadence: Cadence | None, question: Question, known: Notation | None = None
) -> MetricPicture:
    """The picture of one metric, in a notation that is known already or in its own."""
    latest = _up_to(now.snapshot, now.latest, question.instant_us)
    interval_us, rule = expected_us(cadence), rule_of(now.series, question.rules)
    figures = None
    if latest.kind is not Kind.NUMBER:
        asked = question.spans, question.instant_us
        figures = state_figures(now.snapshot, now.series, interval_us, *asked)
    if latest.kind is Kind.STATE:
        answer = _states(now.snapshot, now.series, cadence, question)
        columns = columns_of(answer.frame)
        digits = known or notation_of(latest, columns, answer.bucket_us)
        return MetricPicture(latest, cadence, answer, (), figures, digits, rule)
    spans = question.spans if figures is None else ()
    spans_us = tuple(map(parse_duration, spans))
    wanted = Wanted(question.window, question.instant_us, spans_us, question.max_buckets)
    found = numbers(now, wanted, interval_us, resting=question.resting)
    width_us = found.points.bucket_us
    means = [
        Mean(span, columns, exact=width_us <= span_us and span_us % max(width_us, 1) == 0)
        for span, span_us, columns in zip(spans, spans_us, found.means, strict=True)
    ]
    points = found.points
    digits = known or notation_of(latest, points.columns, width_us)
    return MetricPicture(latest, cadence, points, means, figures, digits, rule, found.readings)


def notation_of(latest: Latest, columns: Columns, bucket_us: int) -> Notation:
    """How numbers are written beside these columns of readings or buckets."""
    if latest.kind is not Kind.NUMBER or isinstance(latest.value, str):
        return Notation(latest.unit, mean_decimals=2)
    names = ("min", "max") if bucket_us else ("value",)
    readings = np.stack([columns[name] for name in names], axis=1).ravel()
    everything = np.append(readings, latest.value)
    return notation(everything[np.isfinite(everything)], latest.unit)


def _states(
    snapshot: Snapshot, series: Series, cadence: Cadence | None, question: Question
) -> Answer:
    """The states of a window, led by the one that still held when it began."""
    window, limit_us = question.window, gap_us(cadence, 0)
    before = Window(window.start_us - int(limit_us), window.start_us)
    held = snapshot.tail(series, before, 1).frame
    reach_us = int(held["time_us"].iloc[0]) if len(held) else window.start_us
    return snapshot.changes(series, Window(reach_us, window.end_us), limit_us)


def gap_us(cadence: Cadence | None, bucket_us: int) -> float:
    """Readings further apart than this have a gap between them."""
    return max(cadence.gap_us if cadence else _UNKNOWN_GAP_US, 1.5 * bucket_us, 1_000_000)
