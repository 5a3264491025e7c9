"""Tiles: the newest value of each metric with its rolling means."""

import numpy as np
from dash import html

from dashboard.display import age_text, length_text, mean_text, printable, span_text, value_text
from dashboard.question import Mean, MetricPicture, Picture
from dashboard.style import Style, span_colour
from telemetry.reading import Kind

_STALE_INTERVALS = 3


def tiles(picture: Picture, style: Style) -> list[html.Div]:
    """One tile per metric: the newest value and its rolling means."""
    return [_tile(one, picture, style) for one in picture.pictures]


def _tile(one: MetricPicture, picture: Picture, style: Style) -> html.Div:
    latest = one.latest
    age_us = picture.question.now_us - latest.time_us
    silent_us = picture.question.instant_us - latest.time_us
    stale = one.interval_us is not None and silent_us > _STALE_INTERVALS * one.interval_us
    low, high = _extent(one)
    means = [
        _mean_row(mean, position, one, (low, high), style)
        for position, mean in enumerate(one.means)
    ]
    return html.Div(
        [
            html.Div(printable(latest.series.metric), className="tile-name"),
            html.Div(
                [
                    html.Span(value_text(latest.value, latest.kind), className="tile-value"),
                    html.Span(printable(latest.unit), className="tile-unit"),
                ],
                className="tile-now",
            ),
            html.Div(
                [
                    html.Span(age_text(age_us)),
                    html.Span(f"every {length_text(one.interval_us)}" if one.interval_us else ""),
                ],
                className="tile-age",
            ),
            *([html.Div(means, className="tile-means")] if means else []),
        ],
        className="tile stale" if stale else "tile",
    )


def _extent(one: MetricPicture) -> tuple[float, float]:
    frame = one.answer.frame
    columns = ("min", "max") if one.answer.bucket_us else ("value", "value")
    if one.latest.kind is not Kind.NUMBER or frame.empty:
        return 0.0, 1.0
    return float(frame[columns[0]].min()), float(frame[columns[1]].max())


def _mean_row(
    mean: Mean, position: int, one: MetricPicture, extent: tuple[float, float], style: Style
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
            html.Span(mean_text(last["mean"], one.latest.kind), className="mean-value"),
        ],
        className="mean unsure" if unsure and last["count"] else "mean",
        title=title,
    )


def _share(value: float, extent: tuple[float, float]) -> float:
    low, high = extent
    if np.isnan(value):
        return 0.0
    return 0.5 if high <= low else float(np.clip((value - low) / (high - low), 0.02, 1.0))
