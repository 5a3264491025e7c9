"""The limits of metrics: drawn where the charts reach, and told on the tile that is beyond one."""

from collections.abc import Iterator, Sequence
from typing import Any

from dash import html

from dashboard.digits import Notation
from dashboard.display import plot_text, printable
from dashboard.parts import icon
from dashboard.question import MetricPicture
from dashboard.style import Style
from telemetry.reading import Kind
from telemetry.thresholds import Level, Limit

_NEAR = 0.4
"""A limit is drawn if it is no further from the readings than this share of their spread."""

_INKS = {
    Level.WARNING: ("#8a5a00", "#f2c14e"),
    Level.ALARM: ("#b42318", "#ff8a80"),
}
"""On a light page and on a dark one."""

_DASHES = {Level.WARNING: "dash", Level.ALARM: "solid"}
_SYMBOLS = {Level.WARNING: "exclamation-triangle", Level.ALARM: "exclamation-octagon-fill"}


def shapes(pictures: Sequence[MetricPicture], style: Style) -> list[dict[str, Any]]:
    """A line across its panel for each limit that is near the readings, with what it means.

    Limits further away are left out: their panel would show them and a flat line.

    Args:
        pictures: The panels, from top to bottom.
        style: Light or dark.
    """
    return [
        _shape(limit, row, one.notation, style)
        for row, one in enumerate(pictures, 1)
        for limit in _near(one)
    ]


def _near(one: MetricPicture) -> Iterator[Limit]:
    limits = list(one.rule.thresholds.limits())
    if not limits or one.latest.kind is not Kind.NUMBER or not len(one.columns["time_us"]):
        return
    low, high = ("min", "max") if one.answer.bucket_us else ("value", "value")
    least, most = float(one.columns[low].min()), float(one.columns[high].max())
    far = _NEAR * (most - least) or abs(most) * _NEAR or 1.0
    for limit in limits:
        if least - far <= limit.at <= most + far:
            yield limit


def _shape(limit: Limit, row: int, notation: Notation, style: Style) -> dict[str, Any]:
    colour = _INKS[limit.level][style.dark]
    place = notation.scaled(limit.at)
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1,
        "yref": f"y{row}", "y0": place, "y1": place, "layer": "above",
        "line": {"color": colour, "width": 1.4, "dash": _DASHES[limit.level]},
        "label": {
            "text": plot_text(limit_text(limit, notation)), "textposition": "end", "padding": 2,
            "yanchor": "bottom" if limit.above else "top",
            "font": {"size": 11, "color": colour},
        },
    }  # fmt: skip


def limit_text(limit: Limit, notation: Notation) -> str:
    """A limit in words.

    >>> limit_text(Limit(95.0, Level.ALARM, above=True), Notation("°C"))
    'alarm above 95 °C'
    """
    side = "above" if limit.above else "below"
    unit = f" {notation.unit}" if notation.unit else ""
    return f"{limit.level} {side} {notation.value(limit.at)}{unit}"


def exceeded(one: MetricPicture, notation: Notation) -> list[html.Div]:
    """What a tile says of a newest reading that is beyond a limit; nothing of any other."""
    value = one.latest.value
    if one.latest.kind is not Kind.NUMBER or isinstance(value, str):
        return []
    limit = one.rule.thresholds.exceeded(value)
    if limit is None:
        return []
    words = html.Span(printable(limit_text(limit, notation)))
    return [html.Div([icon(_SYMBOLS[limit.level]), words], className=f"tile-limit {limit.level}")]
