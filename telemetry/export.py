"""Exports: the readings of one client over a window, oldest first, in parts of bounded size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from telemetry.condition import AsOf
from telemetry.fault import Fault
from telemetry.interface import Answer, Querier, Snapshot, StreamQuery
from telemetry.lookback import Lookback
from telemetry.naming import Names
from telemetry.reading import Kind, Latest, Series, state_text
from telemetry.rolling import rolling_mean, samples_of_buckets, samples_of_readings
from telemetry.upcoming import next_us
from telemetry.window import TimeError, Window, parse_duration

DEFAULT_START = "now-24h"
"""Where an export begins if nobody says; it ends now."""
LONGEST_SPAN = "31d"

_BUCKETS_PER_PART = 2000
_ROWS_PER_PART, _ROWS_OF_EACH = 50_000, 20
_SERIES_AT_ONCE = 200  # a client may have 10 000, and a snapshot has but seconds


class UnknownClient(Fault, LookupError):
    """No client of that name has any reading."""


class UnknownMetric(Fault, LookupError):
    """The client has no metric of that name."""


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """What to export.

    Attributes:
        client: Whose readings.
        window: From when to when.
        metrics: Which; none means all.
        spans: Rolling means to add to each row, as durations such as `5m`; the same one counts
            once.
        every_us: If not 0, rows are the means of aligned intervals of this width; of one that
            the window cuts, only what is inside counts, and states have none.

    Raises:
        TimeError: If a span is no duration, too long, or no multiple of `every_us`: its mean
            would not be exact.
    """

    client: str
    window: Window
    metrics: Sequence[str] = ()
    spans: Sequence[str] = ()
    every_us: int = field(default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", tuple(dict.fromkeys(self.spans)))
        for span in self.spans:
            span_us = parse_duration(span)
            if span_us > parse_duration(LONGEST_SPAN):
                raise TimeError(f"span {span} is too long; use at most {LONGEST_SPAN}")
            if span_us % (self.every_us or 1):
                raise TimeError(f"span {span} must be a multiple of every")

    @property
    def lookback_us(self) -> int:
        """How far before the window its first mean reaches."""
        return max((parse_duration(span) for span in self.spans), default=0)

    @property
    def mean_columns(self) -> list[str]:
        """The columns that the spans add, in order."""
        return [f"{what}_{span}" for span in self.spans for what in ("mean", "coverage")]


@dataclass(frozen=True)
class Subject:
    """What an export is about.

    Attributes:
        series: The series it names.
        intervals_us: How often each is expected to report.
        as_of: The state of the store in which it begins; it goes on with what comes meanwhile.
    """

    series: Sequence[Latest]
    intervals_us: Mapping[Series, int]
    as_of: AsOf

    @cached_property
    def places(self) -> Mapping[Series, int]:
        """The place of each series among them."""
        return {one.series: place for place, one in enumerate(self.series)}

    @cached_property
    def states(self) -> frozenset[Series]:
        """The series that are states: their numbers are the names of states too."""
        return frozenset(one.series for one in self.series if one.kind is Kind.STATE)

    @property
    def numbers(self) -> Sequence[Series]:
        """The series that have a mean."""
        return [one.series for one in self.series if one.kind is not Kind.STATE]

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each metric."""
        return {latest.series.metric: latest.unit for latest in self.series}


def subject(querier: Querier, query: ExportQuery) -> Subject:
    """The series a query names.

    Raises:
        UnknownClient: If the client has no readings at all.
        UnknownMetric: If it lacks one of the metrics.
        StoreError: If the store cannot be read.
    """
    with querier.snapshot() as snapshot:
        every = snapshot.latest(query.client)
        if not every:
            raise UnknownClient(f"there is no client {query.client!r}")
        known = {latest.series.metric for latest in every}
        for metric in query.metrics:
            if metric not in known:
                raise UnknownMetric(f"client {query.client!r} has no metric {metric!r}")
        wanted = frozenset(query.metrics) or known
        chosen = [one for one in every if one.series.metric in wanted]
        as_of = snapshot.as_of
    intervals_us: dict[Series, int] = {}
    for start in range(0, len(chosen) if query.spans else 0, _SERIES_AT_ONCE):
        some = [latest.series for latest in chosen[start : start + _SERIES_AT_ONCE]]
        with querier.snapshot() as snapshot:
            intervals_us |= snapshot.intervals(some, query.window.end_us)
    return Subject(chosen, intervals_us, as_of)


def export(querier: Querier, query: ExportQuery, about: Subject) -> Iterator[pd.DataFrame]:
    """The rows of an export in parts, ordered by time, then metric.

    Yields:
        Frames with the columns `time_us` (int64), `value` (float64, NaN in a state), `text` (the
        state or None), `received_us` (int64, 0 in an interval's mean), `flags` (int64), for each
        span `mean_5m` and `coverage_5m` (float64), and the categories `client`, `metric`, `unit`.
        Never empty.

    Raises:
        StoreUnavailable: In the middle too; what came before is then not the whole.
    """
    made = _interval_parts if query.every_us else _reading_parts
    names = Names(query.client, about.series)
    for frames in made(querier, query, about):
        filled = [frame for frame in frames if len(frame)]
        if filled:
            part = pd.concat(filled, ignore_index=True)
            order = np.argsort(part["time_us"].to_numpy(), kind="stable")
            yield names.given(part.take(order).reset_index(drop=True))


def _reading_parts(
    querier: Querier, query: ExportQuery, about: Subject
) -> Iterator[list[pd.DataFrame]]:
    metrics = [latest.series.metric for latest in about.series]
    rows = max(_ROWS_PER_PART, _ROWS_OF_EACH * len(metrics))
    stream = StreamQuery(query.client, query.window, metrics, query.lookback_us, rows)
    for chunk in querier.stream(stream):
        yield [
            _reading_rows(answer, chunk.window, query, about)
            for answer in chunk.answers
            if len(answer.frame)
        ]


def _reading_rows(
    answer: Answer, window: Window, query: ExportQuery, about: Subject
) -> pd.DataFrame:
    inside = answer.frame["time_us"] >= window.start_us
    frame = answer.frame[inside]
    value, text = frame["value"], frame["text"]
    if answer.series in about.states:
        sent = text.where(text.notna(), value)
        value, text = value * np.nan, sent.map(state_text).astype(object)
    columns = {"received_us": frame["time_us"] + frame["delay_us"], "flags": frame["flags"]}
    rows = _rows(answer.series, frame, about, value=value, text=text, **columns)
    if query.spans:
        samples = samples_of_readings(answer.frame)
    for span in query.spans:
        means = _mean(answer.series, samples, rows["time_us"], span, about)
        rows = rows.assign(**{name: means[name].mask(rows["text"].notna()) for name in means})
    return rows


def _interval_parts(
    querier: Querier, query: ExportQuery, about: Subject
) -> Iterator[list[pd.DataFrame]]:
    """The intervals that lie in the window as a whole in large parts, one cut by it on its own."""
    width_us, window = query.every_us, query.window
    first_us = -(-window.start_us // width_us) * width_us
    last_us = window.end_us // width_us * width_us
    if window.start_us < first_us:
        cut = Window(window.start_us, min(first_us, window.end_us))
        yield _cut_interval(querier, cut, query, about)
    if first_us < last_us:
        yield from _whole_intervals(querier, Window(first_us, last_us), query, about)
    if first_us <= last_us < window.end_us:
        yield _cut_interval(querier, Window(last_us, window.end_us), query, about)


def _cut_interval(
    querier: Querier, cut: Window, query: ExportQuery, about: Subject
) -> list[pd.DataFrame]:
    """One row for each series, of the readings inside the cut, with its means up to its end."""
    frames = []
    with querier.snapshot() as snapshot:
        for series in about.numbers:
            rows = _bucket_rows(snapshot.buckets(series, cut, query.every_us), cut, about)
            for span in query.spans if len(rows) else ():
                reach = Window(cut.end_us - parse_duration(span), cut.end_us)
                buckets = snapshot.buckets(series, reach, query.every_us)
                samples = samples_of_buckets(buckets.frame, buckets.bucket_us)
                samples = samples.set_axis(np.minimum(samples.index, cut.end_us - 1))
                last = pd.Series(cut.end_us - 1, rows.index)
                rows = rows.assign(**_mean(series, samples, last, span, about))
            frames.append(rows)
    return frames


def _whole_intervals(
    querier: Querier, window: Window, query: ExportQuery, about: Subject
) -> Iterator[list[pd.DataFrame]]:
    """Rows of aligned intervals; what their means look back on is read once and carried along."""
    lookback = Lookback(query.lookback_us)
    start_us: int | None = window.start_us - query.lookback_us
    while start_us is not None and start_us < window.end_us:
        with querier.snapshot() as snapshot:
            part = _next_part(snapshot, start_us, window, query.every_us, about)
            if part is None:
                return
            answers = [snapshot.buckets(one, part, query.every_us) for one in about.numbers]
        lookback.take(part, answers)
        if part.start_us >= window.start_us:
            wide = lookback.widened(part, answers)
            yield [_whole_rows(answer, part, query, about) for answer in wide]
        start_us = part.end_us


def _next_part(
    snapshot: Snapshot, start_us: int, window: Window, width_us: int, about: Subject
) -> Window | None:
    """So many intervals from the next number on: years without any cost nothing."""
    rest = Window(start_us, window.end_us)
    begin_us = min((next_us(snapshot, one, rest) for one in about.numbers), default=rest.end_us)
    if begin_us >= window.end_us:
        return None
    begin_us -= begin_us % width_us
    limit_us = window.end_us if begin_us >= window.start_us else window.start_us
    return Window(begin_us, min(begin_us + width_us * _BUCKETS_PER_PART, limit_us))


def _whole_rows(answer: Answer, window: Window, query: ExportQuery, about: Subject) -> pd.DataFrame:
    rows = _bucket_rows(answer, window, about)
    samples = samples_of_buckets(answer.frame, answer.bucket_us)
    for span in query.spans:
        instants = rows["time_us"] + answer.bucket_us - 1
        rows = rows.assign(**_mean(answer.series, samples, instants, span, about))
    return rows


def _bucket_rows(answer: Answer, window: Window, about: Subject) -> pd.DataFrame:
    inside = answer.frame["time_us"] > window.start_us - answer.bucket_us
    frame = answer.frame[inside]
    means = frame["sum"] / frame["count"]
    return _rows(answer.series, frame, about, value=means, text=None, received_us=0, flags=0)


def _rows(series: Series, frame: pd.DataFrame, about: Subject, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"time_us": frame["time_us"], "place": about.places[series], **columns}, index=frame.index
    )


def _mean(
    series: Series, samples: pd.DataFrame, instants: "pd.Series[int]", span: str, about: Subject
) -> dict[str, "pd.Series[float]"]:
    interval_us = about.intervals_us.get(series)
    means = rolling_mean(
        samples, parse_duration(span), interval_us, np.asarray(instants, dtype=np.int64)
    )
    means = means.set_index(instants.index)
    return {f"{what}_{span}": means[what] for what in ("mean", "coverage")}
