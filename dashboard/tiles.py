"""Tiles: the newest value of each metric with its rolling means, or its states."""

import numpy as np
from dash import html

from dashboard.digits import Notation, notation_of
from dashboard.display import age_text, length_text, mean_text, printable, span_text, value_text
from dashboard.question import Mean, MetricPicture, Picture, Question
from dashboard.state_rows import percent, state_rows
from dashboard.style import Style, span_colour
from telemetry.interval import Cadence, SetBy
from telemetry.reading import Kind


def tiles(picture: Picture, style: Style) -> list[html.Div]:
    """One tile per metric: the newest value, and its rolling means or states."""
    return [_tile(one, picture, style) for one in picture.pictures]


def _tile(one: MetricPicture, picture: Picture, style: Style) -> html.Div:
    latest = one.latest
    age_us = picture.question.now_us - latest.time_us
    notation = notation_of(one)
    rows = _rows(one, notation, picture.question.now_us, style)
    return html.Div(
        [
            html.Div(printable(latest.series.metric), className="tile-name"),
            html.Div(
                [
                    html.Span(
                        value_text(latest.value, latest.kind, notation), className="tile-value"
                    ),
                    html.Span(printable(notation.unit), className="tile-unit"),
                ],
                className="tile-now",
            ),
            html.Div(
                [html.Span(age_text(age_us)), *_cadence(one, picture.question)],
                className="tile-age",
            ),
            *([html.Div(rows, className="tile-means")] if rows else []),
        ],
        className="tile stale" if _is_silent(one, picture.question) else "tile",
    )


def _rows(one: MetricPicture, notation: Notation, now_us: int, style: Style) -> list[html.Div]:
    if one.states is not None:
        return state_rows(one, one.states, now_us, style)
    extent = _extent(one)
    return [
        _mean_row(mean, position, notation, extent, style)
        for position, mean in enumerate(one.means)
    ]


def _is_silent(one: MetricPicture, question: Question) -> bool:
    silent_us = question.instant_us - one.latest.time_us
    return one.cadence is not None and silent_us > one.cadence.stale_us


def _cadence(one: MetricPicture, question: Question) -> list[html.Span]:
    """How often it reports, and in the title how sure that is and what is missing."""
    cadence = one.cadence
    if cadence is None:
        return []
    every = f"every {length_text(cadence.interval_us)}"
    lost = question.instant_us - one.latest.time_us > cadence.lost_us
    words = f"lost, was {every}" if lost else every if cadence.is_regular else "irregular"
    facts = [
        f"{every} ± {length_text(cadence.jitter_us)}" if cadence.gaps else every,
        f"{cadence.confidence:.0%} sure from {cadence.gaps} gaps"
        if cadence.set_by is SetBy.LEARNED
        else "set in culex.toml",
        *_missing(one, cadence, question),
    ]
    return [html.Span(words, title=", ".join(facts))]


def _missing(one: MetricPicture, cadence: Cadence, question: Question) -> list[str]:
    """How much of what was expected is missing among the readings or whole buckets shown."""
    width_us, frame = one.answer.bucket_us or 1, one.answer.frame
    start_us = -(-question.window.start_us // width_us) * width_us
    end_us = (question.instant_us + 1) // width_us * width_us
    if not cadence.is_regular or one.latest.kind is Kind.STATE or start_us >= end_us:
        return []
    inside = frame[(frame["time_us"] >= start_us) & (frame["time_us"] < end_us)]
    count = int(inside["count"].sum()) if one.answer.bucket_us else len(inside)
    return [f"{percent(cadence.missing(count, end_us - start_us))} missing in what is shown"]


def _extent(one: MetricPicture) -> tuple[float, float]:
    frame = one.answer.frame
    columns = ("min", "max") if one.answer.bucket_us else ("value", "value")
    if frame.empty:
        return 0.0, 1.0
    return float(frame[columns[0]].min()), float(frame[columns[1]].max())


def _mean_row(
    mean: Mean, position: int, notation: Notation, extent: tuple[float, float], style: Style
) -> html.Div:
    last = mean.frame.iloc[-1]
    share = _share(last["mean"], extent)
    unsure = last["coverage"] < style.coverage_minimum
    title = "no readings" if last["count"] == 0 else f"{last['count']:.0f} readings"
    if last["count"] and not np.isnan(last["coverage"]):
        title += f", {last['coverage']:.0%} of those expected"
    return html.Div(
        [
            html.Span(span_text(mean.span), className="mean-span"),
            html.Span(
                html.Span(style={"width": f"{share:.1%}", "background": span_colour(position)}),
                className="mean-bar",
            ),
            html.Span(mean_text(last["mean"], notation), className="mean-value"),
        ],
        className="mean unsure" if unsure and last["count"] else "mean",
        title=title,
    )


def _share(value: float, extent: tuple[float, float]) -> float:
    low, high = extent
    if np.isnan(value):
        return 0.0
    return 0.5 if high <= low else float(np.clip((value - low) / (high - low), 0.02, 1.0))
