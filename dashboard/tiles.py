"""Tiles: the newest value of each metric with its rolling means, or its states."""

import math

import numpy as np

from dashboard.client.limits import exceeded
from dashboard.client.statistic import STATISTICS
from dashboard.digits import Notation
from dashboard.display import length_text, mean_text, printable, span_text, value_text
from dashboard.plain import Element, div, since, span
from dashboard.question import Mean, MetricPicture, Picture, Question
from dashboard.state_rows import percent, state_rows
from dashboard.style import Style, span_colour
from telemetry.interval import Cadence, SetBy
from telemetry.reading import Kind
from telemetry.rolling import MEAN


def tiles(picture: Picture, style: Style) -> list[Element]:
    """One tile per metric: the newest value, and its rolling means or states."""
    return [_tile(one, picture, style) for one in picture.pictures]


def _tile(one: MetricPicture, picture: Picture, style: Style) -> Element:
    latest = one.latest
    notation, now_us = one.notation, picture.question.now_us
    rows = _rows(one, notation, now_us, style)
    return div(
        [
            div(printable(one.title), className="tile-name", title=_name(one)),
            div(
                [
                    span(value_text(latest.value, latest.kind, notation), className="tile-value"),
                    span(printable(notation.unit), className="tile-unit"),
                ],
                className="tile-now",
            ),
            div(
                [since(latest.time_us, now_us), *_cadence(one, picture.question)],
                className="tile-age",
            ),
            *exceeded(one, notation),
            *([div(rows, className="tile-means")] if rows else []),
        ],
        className="tile stale" if _is_silent(one, picture.question) else "tile",
    )


def _name(one: MetricPicture) -> str:
    """The name of the metric itself, where the tile has another one."""
    metric = one.latest.series.metric
    return "" if one.title == metric else printable(metric)


def _rows(one: MetricPicture, notation: Notation, now_us: int, style: Style) -> list[Element]:
    if one.states is not None:
        return state_rows(one, one.states, now_us, style)
    if all(math.isnan(mean.columns["mean"][-1]) for mean in one.means):
        return []  # nothing came lately
    extent = _extent(one)
    return [
        _mean_row(mean, position, notation, extent, style)
        for position, mean in enumerate(one.means)
    ]


def _is_silent(one: MetricPicture, question: Question) -> bool:
    silent_us = question.instant_us - one.latest.time_us
    return one.cadence is not None and silent_us > one.cadence.stale_us


def _cadence(one: MetricPicture, question: Question) -> list[Element]:
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
    return [span(words, title=", ".join(facts))]


def _missing(one: MetricPicture, cadence: Cadence, question: Question) -> list[str]:
    """How much of what was expected is missing among the readings or whole buckets shown."""
    found = counted(one, question)
    return [f"{percent(cadence.missing(*found))} missing in what is shown"] if found else []


def counted(one: MetricPicture, question: Question) -> tuple[int, int] | None:
    """How many readings those or the whole buckets shown have, and over how long a time in µs.

    `None` if none can be expected, or nobody counted them: changes of a state are not all of it.
    """
    width_us, times = one.answer.bucket_us or 1, one.columns["time_us"]
    start_us = -(-question.window.start_us // width_us) * width_us
    end_us = (question.instant_us + 1) // width_us * width_us
    regular = one.cadence is not None and one.cadence.is_regular
    if not regular or one.latest.kind is Kind.STATE or start_us >= end_us:
        return None
    first, last = times.searchsorted([start_us, end_us])
    count = one.columns["count"][first:last].sum() if one.answer.bucket_us else last - first
    return int(count), end_us - start_us


def _extent(one: MetricPicture) -> tuple[float, float]:
    low, high = ("min", "max") if one.answer.bucket_us else ("value", "value")
    known = ~np.isnan(one.columns[low])
    if not known.any():
        return 0.0, 1.0
    return float(one.columns[low][known].min()), float(one.columns[high][known].max())


def _mean_row(
    mean: Mean, position: int, notation: Notation, extent: tuple[float, float], style: Style
) -> Element:
    value, count, share = (float(mean.columns[name][-1]) for name in ("mean", "count", "coverage"))
    unsure = share < style.coverage_minimum
    title = "no readings" if count == 0 else f"{count:.0f} readings"
    if count and not math.isnan(share):
        title += f", {share:.0%} of those expected"
    if mean.statistic != MEAN:
        title = f"{STATISTICS[mean.statistic]} of {title}"
    return div(
        [
            span(span_text(mean.span), className="mean-span"),
            span(
                span(
                    style={
                        "width": f"{_share(value, extent):.1%}",
                        "background": span_colour(position),
                    }
                ),
                className="" if math.isnan(value) else "mean-bar",
            ),
            span(mean_text(value, notation), className="mean-value"),
        ],
        className="mean unsure" if unsure and count else "mean",
        title=title,
    )


def _share(value: float, extent: tuple[float, float]) -> float:
    low, high = extent
    if math.isnan(value):
        return 0.0
    return 0.5 if high <= low else min(max((value - low) / (high - low), 0.02), 1.0)
