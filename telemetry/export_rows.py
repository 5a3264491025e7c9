"""The rows of an export, oldest first, in parts of bounded size."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from telemetry.buckets import bucket_means
from telemetry.export import ExportQuery, Subject
from telemetry.interface import Answer, Querier, Snapshot, StreamQuery
from telemetry.lookback import Lookback
from telemetry.naming import Names
from telemetry.reading import Flag, Kind, Series, state_text
from telemetry.rolling import OF_STATES, rolling
from telemetry.samples import Samples, joined, samples_of_buckets, samples_of_readings
from telemetry.states import rolling_states, samples_of_states, share_of
from telemetry.upcoming import next_us
from telemetry.window import Window, parse_duration

_SURE = "coverage"
_BUCKETS_PER_PART = 2000
_MOST_PER_PART = 100_000
_ROWS_PER_PART, _ROWS_OF_EACH = 50_000, 20


def export_rows(querier: Querier, query: ExportQuery, about: Subject) -> Iterator[pd.DataFrame]:
    """The rows of an export in parts, ordered by time, then metric.

    Yields:
        Frames with the columns `time_us` (int64), `value` (float64, NaN in a state), `text` (the
        state or None), `received_us` (int64, 0 in an interval's mean), `flags` (int64), for each
        span its statistics as `mean_5m`, then `coverage_5m` (float64), and the categories
        `client`, `metric`, `unit`.
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
    lookback_us = query.lookback_us(about.intervals_us.values())
    stream = StreamQuery(query.client, query.window, metrics, lookback_us, rows)
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
    if about.kinds[answer.series] is Kind.STATE:
        sent = text.where(text.notna(), value)
        value, text = value * np.nan, sent.map(state_text).astype(object)
    columns = {"received_us": frame["time_us"] + frame["delay_us"], "flags": frame["flags"]}
    rows = _rows(answer.series, frame, about, value=value, text=text, **columns)
    return _with_spans(rows, answer, query, about) if query.spans else rows


def _with_spans(
    rows: pd.DataFrame, answer: Answer, query: ExportQuery, about: Subject
) -> pd.DataFrame:
    """The rows with the columns of each span: figures of numbers, of states, and of neither."""
    samples = samples_of_readings(answer.frame)
    interval_us = about.intervals_us.get(answer.series)
    of_states = [name for name in OF_STATES if name in query.statistics]
    at_us, kind = rows["time_us"].to_numpy(), about.kinds[answer.series]
    states = samples_of_states(answer.frame) if of_states and kind is not Kind.NUMBER else None
    for span in query.spans:
        found = _figures(samples, rows["time_us"], span, query, interval_us)
        rows = rows.assign(**{name: found[name].mask(rows["text"].notna()) for name in found})
        if states is not None:
            span_us, said = parse_duration(span), [*of_states, _SURE]
            told = rolling_states(states, span_us, interval_us, at_us)
            if kind is Kind.BOOLEAN:
                on = share_of(states, "on", span_us, interval_us, at_us)
                told, said = told.assign(share=on), of_states
            rows = rows.assign(**{f"{name}_{span}": told[name].to_numpy() for name in said})
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
    held_us = query.lookback_us(about.intervals_us.values()) - query.lookback_us()
    with querier.snapshot() as snapshot:
        for series in about.numbers:
            answer = _intervals(snapshot, series, cut, query)
            rows = _bucket_rows(answer, cut, about, _coarser_until(snapshot, answer, cut))
            interval_us = about.intervals_us.get(series)
            for span in query.spans if len(rows) else ():
                start_us = cut.end_us - parse_duration(span)
                before = [Window(start_us - held_us, start_us)] if held_us else []
                reach = [*before, Window(start_us, cut.end_us)]
                samples = _cut_samples(snapshot, series, reach, query)
                last = pd.Series(cut.end_us - 1, rows.index)
                rows = rows.assign(**_figures(samples, last, span, query, interval_us))
            frames.append(rows)
    return frames


def _cut_samples(
    snapshot: Snapshot, series: Series, windows: Sequence[Window], query: ExportQuery
) -> Samples:
    """The intervals of some windows, one after the other, each cut by its window."""
    parts = []
    for window in windows:
        found = _intervals(snapshot, series, window, query)
        samples = samples_of_buckets(found.frame, found.bucket_us)
        parts.append(samples.ending_by(window.end_us - 1))
    return joined(parts)


def _intervals(snapshot: Snapshot, series: Series, window: Window, query: ExportQuery) -> Answer:
    ask = snapshot.rollups if query.of_rollups else snapshot.buckets
    return ask(series, window, query.every_us)


def _whole_intervals(
    querier: Querier, window: Window, query: ExportQuery, about: Subject
) -> Iterator[list[pd.DataFrame]]:
    """Rows of aligned intervals; what their means look back on is read once and carried along."""
    held_us = query.lookback_us(about.intervals_us.values())
    lookback_us = -(-held_us // query.every_us) * query.every_us
    lookback = Lookback(lookback_us)
    start_us: int | None = window.start_us - lookback_us
    while start_us is not None and start_us < window.end_us:
        with querier.snapshot() as snapshot:
            part = _next_part(snapshot, start_us, window, query, about)
            if part is None:
                return
            answers = [_intervals(snapshot, one, part, query) for one in about.numbers]
            coarser = [_coarser_until(snapshot, answer, part) for answer in answers]
        lookback.take(part, answers)
        if part.start_us >= window.start_us:
            wide = lookback.widened(part, answers)
            yield [
                _with_means(_bucket_rows(answer, part, about, until_us), answer, query, about)
                for answer, until_us in zip(wide, coarser, strict=True)
            ]
        start_us = part.end_us


def _next_part(
    snapshot: Snapshot, start_us: int, window: Window, query: ExportQuery, about: Subject
) -> Window | None:
    """Intervals from the next number on: years without any cost nothing.

    There are so many that the look-back before them is no longer than they are.
    """
    width_us = query.every_us
    buckets = min(max(_BUCKETS_PER_PART, query.lookback_us() // width_us), _MOST_PER_PART)
    rest = Window(start_us, window.end_us)
    begin_us = min((next_us(snapshot, one, rest) for one in about.numbers), default=rest.end_us)
    if begin_us >= window.end_us:
        return None
    begin_us -= begin_us % width_us
    limit_us = window.end_us if begin_us >= window.start_us else window.start_us
    return Window(begin_us, min(begin_us + width_us * buckets, limit_us))


def _with_means(
    rows: pd.DataFrame, answer: Answer, query: ExportQuery, about: Subject
) -> pd.DataFrame:
    samples = samples_of_buckets(answer.frame, answer.bucket_us)
    interval_us = about.intervals_us.get(answer.series)
    for span in query.spans:
        instants = rows["time_us"] + answer.bucket_us - 1
        rows = rows.assign(**_figures(samples, instants, span, query, interval_us))
    return rows


def _bucket_rows(
    answer: Answer, window: Window, about: Subject, coarser_until_us: int
) -> pd.DataFrame:
    inside = answer.frame["time_us"] > window.start_us - answer.bucket_us
    frame = answer.frame[inside]
    flags = np.where(frame["time_us"] < coarser_until_us, Flag.COARSER, 0)
    columns = {"value": bucket_means(frame), "text": None, "received_us": 0, "flags": flags}
    return _rows(answer.series, frame, about, **columns)


def _coarser_until(snapshot: Snapshot, answer: Answer, part: Window) -> int:
    """Until when a row may be of a minute or hour that is wider than its interval.

    That is so where readings are over, which they are from the oldest to some time.
    """
    grain_us = snapshot.grain_us(answer.series, part)
    whole = (part.start_us % (grain_us or 1), part.end_us % (grain_us or 1)) == (0, 0)
    if not grain_us or (whole and answer.bucket_us % grain_us == 0):
        return part.start_us
    kept_us = range(part.start_us + 1, part.end_us)
    place = bisect_left(
        kept_us, True, key=lambda us: not snapshot.grain_us(answer.series, Window(us, part.end_us))
    )
    return part.start_us + 1 + place


def _rows(series: Series, frame: pd.DataFrame, about: Subject, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"time_us": frame["time_us"], "place": about.places[series], **columns}, index=frame.index
    )


def _figures(
    samples: Samples,
    instants: "pd.Series[int]",
    span: str,
    query: ExportQuery,
    interval_us: int | None,
) -> dict[str, "pd.Series[float]"]:
    """The statistics of one span at each instant, by the names of their columns."""
    at_us = np.asarray(instants, dtype=np.int64)
    of_numbers = [name for name in query.statistics if name not in OF_STATES]
    found = rolling(samples, parse_duration(span), interval_us, at_us, of_numbers)
    found = found.set_index(instants.index).reindex(columns=[*query.statistics, _SURE])
    return {f"{what}_{span}": found[what] for what in found}
