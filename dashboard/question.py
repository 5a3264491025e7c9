"""One question per tick: everything the client page shows, from one snapshot."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pandas as pd

from dashboard.activity import Activity, activity
from dashboard.faults import newest_limited
from dashboard.marks import lost_sessions
from dashboard.states import StateFigures, state_figures
from telemetry.buckets import choose_bucket_us
from telemetry.condition import Damage, WriterState
from telemetry.interface import Answer, Querier, Snapshot
from telemetry.interval import Cadence, expected_us
from telemetry.presence import Event
from telemetry.reading import Kind, Latest, Reading, Series
from telemetry.rolling import rolling_mean
from telemetry.samples import Samples, joined, samples_of_buckets, samples_of_readings
from telemetry.window import ALL_TIME, Window, parse_duration

RAW_READINGS = 1000
"""Up to so many readings are drawn as they are; more are drawn as buckets."""

MOST_PANELS = 12
"""So many metrics are shown of a client if none are chosen."""

_REACH_READINGS = 6000
"""So many readings or buckets are taken in, with what the widest mean looks back on."""

_UNKNOWN_GAP_US = 86_400_000_000
"""Of a new series nobody can tell a gap: its first readings are joined."""

_TABLE_ROWS = 25
_TILE_READINGS = 20_000


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
    """

    client: str
    metrics: Sequence[str]
    window: Window
    spans: Sequence[str]
    now_us: int
    max_buckets: int

    @property
    def instant_us(self) -> int:
        """Where tiles stand: the last microsecond of the window that is not in the future."""
        return min(self.window.end_us - 1, self.now_us)

    @property
    def lookback_us(self) -> int:
        """How far before the window the first means reach."""
        return max((parse_duration(span) for span in self.spans), default=0)


@dataclass(frozen=True, slots=True)
class Mean:
    """One rolling mean of a metric.

    Attributes:
        span: Its width, as a duration such as `5m`.
        frame: From `rolling_mean`: `time_us, mean, count, coverage`; its last row is the tile's.
        exact: False where a bucket is wider than the span: the mean is then the bucket's own.
    """

    span: str
    frame: pd.DataFrame
    exact: bool


@dataclass(frozen=True, slots=True)
class MetricPicture:
    """Everything shown of one metric.

    Attributes:
        latest: The newest reading.
        cadence: How often it is expected to report, if that is known.
        answer: The readings or buckets within the window.
        means: The rolling means of a number, in the order of the question's spans; otherwise none.
        states: What tiles say of a state or a boolean; `None` of a number.
    """

    latest: Latest
    cadence: Cadence | None
    answer: Answer
    means: Sequence[Mean]
    states: StateFigures | None

    @property
    def gap_us(self) -> float:
        """Readings further apart than this have a gap between them."""
        return gap_us(self.cadence, self.answer.bucket_us)


@dataclass(frozen=True, slots=True)
class Picture:
    """The answer: what the page shows.

    Attributes:
        question: What was asked, with the client that was chosen.
        writer: What the collector said of itself.
        clients: All clients, newest activity first.
        metrics: All metrics of the client.
        pictures: Those that are shown, by name.
        table: The newest readings in the window, newest first.
        marks: Where in the window the broker lost the collector's session, oldest first.
        limited: Who sent more than one may, within the last hour; or None.
        damage: Files of the history that could not be read.
    """

    question: Question
    writer: WriterState
    clients: Sequence[Activity]
    metrics: Sequence[str]
    pictures: Sequence[MetricPicture]
    table: Sequence[Reading]
    marks: Sequence[Event]
    limited: Event | None
    damage: Sequence[Damage]


def ask(querier: Querier, question: Question) -> Picture:
    """The picture for a question, all of it from one snapshot.

    Raises:
        StoreMissing: If no collector has run yet.
        StoreError: If the store cannot be read.
    """
    with querier.snapshot() as snapshot:
        everything = snapshot.latest()
        clients = activity(everything, question.now_us)
        client = question.client or (clients[0].client if clients else "")
        known = [latest for latest in everything if latest.series.client == client]
        names = [latest.series.metric for latest in known]
        wanted = [name for name in question.metrics if name in names] or names[:MOST_PANELS]
        shown = [
            _up_to(snapshot, latest, question.instant_us)
            for latest in known
            if latest.series.metric in wanted
        ]
        cadences = snapshot.cadences([one.series for one in shown], question.instant_us + 1)
        pictures = [_picture(snapshot, one, cadences, question) for one in shown]
        table = _table(snapshot, shown, question.window)
        marks = lost_sessions(snapshot, question.window)
        limited = newest_limited(snapshot, question.now_us)
        damage = snapshot.damage()
        writer = snapshot.writer()
    asked = replace(question, client=client)
    return Picture(asked, writer, clients, names, pictures, table, marks, limited, damage)


def _up_to(snapshot: Snapshot, latest: Latest, instant_us: int) -> Latest:
    """The newest reading up to an instant; the newest of all if there was none before."""
    if latest.time_us <= instant_us:
        return latest
    frame = snapshot.tail(latest.series, Window(ALL_TIME.start_us, instant_us + 1), 1).frame
    for reading in _readings(latest, frame):
        received_us = reading.time_us + reading.delay_us
        return replace(
            latest,
            time_us=reading.time_us,
            value=reading.value,
            received_us=received_us,
            flags=reading.flags,
        )
    return latest


def _picture(
    snapshot: Snapshot, latest: Latest, cadences: Mapping[Series, Cadence], question: Question
) -> MetricPicture:
    cadence = cadences.get(latest.series)
    interval_us = expected_us(cadence)
    if latest.kind is not Kind.NUMBER:
        asked = question.spans, question.instant_us
        figures = state_figures(snapshot, latest.series, interval_us, *asked)
        if latest.kind is Kind.STATE:
            answer = _states(snapshot, latest.series, cadence, question)
        else:
            answer = _answer(snapshot, latest.series, replace(question, spans=()))
        return MetricPicture(latest, cadence, answer, (), figures)
    answer = _answer(snapshot, latest.series, question)
    last = _tile_samples(snapshot, answer, question)
    means = [_mean(answer, last, span, interval_us, question) for span in question.spans]
    inside = answer.frame["time_us"] > question.window.start_us - max(answer.bucket_us, 1)
    visible = Answer(latest.series, answer.frame[inside], answer.bucket_us)
    return MetricPicture(latest, cadence, visible, means, None)


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


def _answer(snapshot: Snapshot, series: Series, question: Question) -> Answer:
    window, reach = question.window, question.window.widened(question.lookback_us)
    grain_us = snapshot.grain_us(series, reach)
    few = not grain_us and snapshot.count(series, window, RAW_READINGS + 1) <= RAW_READINGS
    if few and snapshot.count(series, reach, _REACH_READINGS + 1) <= _REACH_READINGS:
        return snapshot.read(series, reach)
    spans_us = [parse_duration(span) for span in question.spans]
    least_us = max(window.length_us / question.max_buckets, reach.length_us / _REACH_READINGS)
    width_us = choose_bucket_us(math.ceil(least_us), 1, spans_us, grain_us)
    aligned = Window(reach.start_us // width_us * width_us, -(-reach.end_us // width_us) * width_us)
    return snapshot.buckets(series, aligned, width_us)


def _tile_samples(snapshot: Snapshot, answer: Answer, question: Question) -> Samples:
    """Samples for the last instant: readings, for it is seldom the end of a bucket."""
    if not answer.bucket_us:
        return samples_of_readings(answer.frame)
    start_us = question.instant_us - question.lookback_us
    last = Window(start_us, question.instant_us + 1)
    grain_us = snapshot.grain_us(answer.series, last)
    if not grain_us and snapshot.count(answer.series, last, _TILE_READINGS + 1) <= _TILE_READINGS:
        return samples_of_readings(snapshot.read(answer.series, last).frame)
    cuts_us = [question.instant_us + 1, *map(parse_duration, question.spans)]
    if grain_us and any(cut_us % grain_us for cut_us in cuts_us):
        return samples_of_buckets(answer.frame[:0], answer.bucket_us)  # nobody can tell any more
    return _cut_buckets(snapshot, answer, question)


def _cut_buckets(snapshot: Snapshot, answer: Answer, question: Question) -> Samples:
    """Buckets cut where each span begins and at the last instant, so that no mean is of others."""
    starts = {question.instant_us - parse_duration(span) for span in question.spans}
    parts = []
    for start_us, end_us in pairwise([*sorted(starts), question.instant_us]):
        cut = Window(start_us + 1, end_us + 1)
        frame = snapshot.buckets(answer.series, cut, answer.bucket_us).frame
        samples = samples_of_buckets(frame, answer.bucket_us)
        parts.append(samples.ending_by(end_us))
    return joined(parts)


def _mean(
    answer: Answer, last: Samples, span: str, interval_us: int | None, question: Question
) -> Mean:
    width_us, span_us = answer.bucket_us, parse_duration(span)
    samples = samples_of_buckets(answer.frame, width_us) if width_us else last
    times = samples.time_us
    times = times[(times > question.window.start_us) & (times < question.instant_us)]
    line = rolling_mean(samples, max(span_us, width_us), interval_us, times)
    tile = rolling_mean(last, span_us, interval_us, [question.instant_us])
    return Mean(
        span,
        pd.concat([line, tile], ignore_index=True),
        exact=width_us <= span_us and span_us % max(width_us, 1) == 0,
    )


def _table(snapshot: Snapshot, shown: Sequence[Latest], window: Window) -> Sequence[Reading]:
    rows = [
        reading
        for one in shown
        for reading in _readings(one, snapshot.tail(one.series, window, _TABLE_ROWS).frame)
    ]
    rows.sort(key=lambda reading: reading.time_us, reverse=True)
    return rows[:_TABLE_ROWS]


def _readings(latest: Latest, frame: pd.DataFrame) -> Iterator[Reading]:
    columns = (frame[name].tolist() for name in ("time_us", "value", "text", "delay_us", "flags"))
    for time_us, number, text, delay_us, flags in zip(*columns, strict=True):
        value = number if text is None else text
        yield Reading(latest.series, time_us, value, latest.kind, latest.unit, delay_us, flags)
