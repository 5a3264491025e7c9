"""Exports: the readings of one client over a window, oldest first, in parts of bounded size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from telemetry.interface import Answer, Querier, Snapshot, StreamQuery
from telemetry.reading import Latest, Series
from telemetry.rolling import rolling_mean, samples_of_buckets, samples_of_readings
from telemetry.window import TimeError, Window, parse_duration

DEFAULT_START = "now-24h"
"""Where an export begins if nobody says; it ends now."""
LONGEST_SPAN = "31d"

_BUCKETS_PER_PART = 2000


class UnknownClient(LookupError):
    """No client of that name has any reading."""


class UnknownMetric(LookupError):
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
        every_us: If not 0, rows are the means of aligned intervals of this width.

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


@dataclass(frozen=True, slots=True)
class Subject:
    """What an export is about: the series it names and how often each is expected to report."""

    series: Sequence[Latest]
    intervals_us: Mapping[Series, int]

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
        chosen = [one for one in every if not query.metrics or one.series.metric in query.metrics]
        return Subject(chosen, _intervals(snapshot, chosen, query.window))


def _intervals(
    snapshot: Snapshot, chosen: Sequence[Latest], window: Window
) -> Mapping[Series, int]:
    return snapshot.intervals([latest.series for latest in chosen], window.end_us)


def export(querier: Querier, query: ExportQuery, about: Subject) -> Iterator[pd.DataFrame]:
    """The rows of an export in parts, ordered by time, then metric.

    Yields:
        Frames with the columns `time_us` (int64), `client`, `metric`, `value` (float64, NaN in a
        state), `text` (the state or None), `unit`, `received_us` (int64, 0 in an interval's mean),
        `flags` (int64) and, for each span, `mean_5m` and `coverage_5m` (float64). Never empty.

    Raises:
        StoreUnavailable: In the middle too; what came before is then not the whole.
    """
    for window, answers in _parts(querier, query, about):
        frames = [_rows(answer, window, query, about) for answer in answers]
        part = pd.concat([frame for frame in frames if len(frame)] or frames[:1])
        if len(part):
            yield part.sort_values(["time_us", "metric"], kind="stable", ignore_index=True)


def _parts(
    querier: Querier, query: ExportQuery, about: Subject
) -> Iterator[tuple[Window, Sequence[Answer]]]:
    if query.every_us:
        yield from _bucket_parts(querier, query, about)
        return
    metrics = [latest.series.metric for latest in about.series]
    stream = StreamQuery(query.client, query.window, metrics, query.lookback_us)
    for chunk in querier.stream(stream):
        yield chunk.window, chunk.answers


def _bucket_parts(
    querier: Querier, query: ExportQuery, about: Subject
) -> Iterator[tuple[Window, Sequence[Answer]]]:
    width_us = query.every_us
    start_us: int | None = query.window.start_us
    while start_us is not None:
        with querier.snapshot() as snapshot:
            start_us = _next_reading_us(snapshot, about, start_us)
            if start_us is None or start_us >= query.window.end_us:
                return
            first_us = start_us // width_us * width_us
            last_us = -(-query.window.end_us // width_us) * width_us
            window = Window(first_us, min(first_us + width_us * _BUCKETS_PER_PART, last_us))
            reach = window.widened(query.lookback_us)
            answers = [snapshot.buckets(s.series, reach, width_us) for s in about.series]
        yield window, answers
        start_us = window.end_us


def _next_reading_us(snapshot: Snapshot, about: Subject, start_us: int) -> int | None:
    """When the next reading comes: years without any cost nothing."""
    found = (snapshot.boundary(one.series, start_us, 0) for one in about.series)
    return min((time_us for time_us in found if time_us is not None), default=None)


def _rows(answer: Answer, window: Window, query: ExportQuery, about: Subject) -> pd.DataFrame:
    inside = answer.frame["time_us"] >= window.start_us
    frame = answer.frame[inside]
    rows = pd.DataFrame({"time_us": frame["time_us"]})
    rows["client"], rows["metric"] = answer.series.client, answer.series.metric
    rows["unit"] = about.units.get(answer.series.metric, "")
    if answer.bucket_us:
        rows["value"], rows["text"] = frame["sum"] / frame["count"], None
        rows["received_us"], rows["flags"] = 0, 0
    else:
        rows["value"], rows["text"] = frame["value"], frame["text"]
        rows["received_us"] = frame["time_us"] + frame["delay_us"]
        rows["flags"] = frame["flags"]
    return rows.assign(**_means(answer, rows, query, about))


def _means(
    answer: Answer, rows: pd.DataFrame, query: ExportQuery, about: Subject
) -> dict[str, pd.Series]:
    samples = (
        samples_of_buckets(answer.frame, answer.bucket_us)
        if answer.bucket_us
        else samples_of_readings(answer.frame)
    )
    instants = rows["time_us"].to_numpy() + max(answer.bucket_us - 1, 0)
    columns: dict[str, pd.Series] = {}
    missing = rows["text"].notna().to_numpy()
    for span in query.spans:
        interval_us = about.intervals_us.get(answer.series)
        means = rolling_mean(samples, parse_duration(span), interval_us, instants).set_index(
            rows.index
        )
        columns[f"mean_{span}"] = means["mean"].mask(missing, np.nan)
        columns[f"coverage_{span}"] = means["coverage"].mask(missing, np.nan)
    return columns
