"""What the charts of all pages have in common: factory, template, time axis, packed numbers."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from dashboard import ids
from dashboard.parts import named
from dashboard.style import FONTS, Style
from dashboard.wall import TimeAxis, axis_of
from telemetry.window import Window

Trace = dict[str, Any]  # plotly's own JSON; its shape is plotly's

CONFIG: dict[str, Any] = {
    "displayModeBar": False,
    "showSendToCloud": False,
    "displaylogo": False,
    "scrollZoom": False,
    "responsive": True,
    "doubleClick": "autosize",
}

_MOST_TICKS = 10
_PIXELS_PER_TICK = 120
"""A tick with a name of its offset takes about as many."""


def graph(name: str, height_px: int, label: str, *, timed: bool = True) -> html.Div:
    """A chart, empty at first. If its x is time, dragging a range in it moves the view there."""
    nothing = {"data": [], "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}}}
    return html.Div(
        dcc.Graph(
            id=ids.chart(name) if timed else name,
            config=CONFIG,  # type: ignore[arg-type]  # a plain dict is what it takes
            figure=nothing,
            responsive=True,
            style={"height": f"{height_px}px"},
        ),
        role="img",
        className="chart",
        **named(label),
    )


def inks(style: Style) -> tuple[str, str]:
    """Of what is written, and of the grid."""
    return ("#c9d1dc", "#2b3340") if style.dark else ("#3c4654", "#e6eaf0")


def layout(style: Style, height_px: int, **more: object) -> Trace:
    """The layout that every figure begins with; `more` wins over it."""
    ink, grid = inks(style)
    axis = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True}
    base: Trace = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONTS, "size": 12, "color": ink},
        "margin": {"l": 56, "r": 12, "t": 12, "b": 32},
        "height": height_px,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#171c24" if style.dark else "#ffffff", "bordercolor": grid},
        "dragmode": False if style.touch else "zoom",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "uirevision": "keep",
        "xaxis": dict(axis),
        "yaxis": axis | {"fixedrange": True, "zeroline": False},
    }
    return _merged(base, more)


def _merged(base: Trace, more: Mapping[str, object]) -> Trace:
    """`more` over `base`; where both are mappings, theirs are merged."""
    merged = dict(base)
    for name, value in more.items():
        before = merged.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[name] = _merged(before, value) if both else value  # type: ignore[arg-type]  # both are
    return merged


def time_axis(window: Window, style: Style, width: int) -> Trace:
    """The x axis of a window; with ticks of our own where clocks change, plotly's otherwise.

    Args:
        window: From when to when.
        style: Its zone says what clocks show.
        width: Of the chart, in pixels.
    """
    ink, grid = inks(style)
    axis = axis_of(window, style.zone)
    ends = np.array([window.start_us, window.end_us], dtype=np.int64)
    return ticks(axis, width // _PIXELS_PER_TICK) | {
        "type": "date", "range": axis.places(ends), "autorange": False,
        "gridcolor": grid, "linecolor": grid, "zeroline": False,
        "showspikes": True, "spikemode": "across", "spikethickness": 1, "spikedash": "solid",
        "spikecolor": ink, "spikesnap": "cursor", "hoverformat": "%Y-%m-%d %H:%M:%S",
    }  # fmt: skip


def ticks(axis: TimeAxis, fit: int) -> Trace:
    """Labels of a time axis, level at any width: our own where clocks change, plotly's otherwise.

    Args:
        axis: Which.
        fit: So many fit that name an offset; half as many again of those that do not.
    """
    if axis.marked:
        places, texts = axis.ticks(max(3, fit))
        return {"tickmode": "array", "tickvals": places, "ticktext": texts, "tickangle": 0}
    most = min(max(2, fit * 3 // 2), _MOST_TICKS)
    return {"tickmode": "auto", "nticks": most, "tickangle": 0}


def moments(
    times_us: NDArray[np.int64], window: Window, style: Style
) -> dict[str, str] | list[str]:
    """Times as plotly.js draws them on `time_axis`.

    It draws numbers in the browser's own zone and texts as they are: numbers are smaller, but
    they go back where the browser's clocks do, and none stands for another zone's hour that
    the browser's clocks skip.
    """
    axis = axis_of(window, style.zone)
    if style.browsers and not axis.changes:
        return binary(times_us / 1000)
    return axis.places(times_us)


def binary(values: NDArray[np.float64]) -> dict[str, str]:
    """An array as plotly.js takes it in binary."""
    packed = np.ascontiguousarray(values, "<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(packed.tobytes()).decode()}
