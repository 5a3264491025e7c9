"""Pictures as Plotly figures: pure functions, the only module that imports plotly."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.display import length_text, printable, wall_ms
from dashboard.question import Mean, MetricPicture, Picture
from telemetry.interface import Answer
from telemetry.reading import Kind

Trace = dict[str, Any]  # plotly's own JSON; its shape is plotly's

FONTS = "Inter, Inter Fallback, system-ui, sans-serif"
PANEL_PX = 190
STATE_PX = 110
_HEAD_PX, _FOOT_PX, _GAP_PX = 44, 36, 30
_GAP_INTERVALS = 3
_COLOURS = ("#3b8ede", "#e08e0b", "#16a37a", "#c86fa5", "#d5622b", "#7a7fe0")
_RAW = "#8494a7"

GRAPH_CONFIG = {
    "displayModeBar": False,
    "showSendToCloud": False,
    "displaylogo": False,
    "scrollZoom": False,
    "responsive": True,
    "doubleClick": "autosize",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How the reader wants it.

    Attributes:
        zone: The zone of the time axis.
        dark: Whether the page is dark.
        touch: Whether dragging scrolls the page instead of zooming.
        coverage_minimum: Means of less coverage are drawn as uncertain.
    """

    zone: tzinfo
    dark: bool
    touch: bool
    coverage_minimum: float


def span_colour(position: int) -> str:
    """The colour of the rolling mean at that position of the chosen spans."""
    return _COLOURS[position % len(_COLOURS)]


def signature(picture: Picture, style: Style) -> str:
    """Equal for pictures whose figures have the same traces, so that one can be patched."""
    parts = [
        f"{p.latest.series.metric}\0{p.latest.kind}\0{p.latest.unit}" for p in picture.pictures
    ]
    spans = " ".join(picture.question.spans)
    kinds = f"{spans}|{style.zone}|{style.dark}|{style.touch}"
    return f"{picture.question.client}\0{kinds}\0" + "\0".join(parts)


def height_px(picture: Picture) -> int:
    """The height that gives each panel its due."""
    panels = sum(_panel_px(one) + _GAP_PX for one in picture.pictures)
    return _HEAD_PX + _FOOT_PX + max(panels - _GAP_PX, PANEL_PX)


def figure(picture: Picture, style: Style) -> go.Figure:
    """The stacked charts of a picture, one panel per metric on one time axis."""
    traces = [
        trace | data
        for row, one in enumerate(picture.pictures)
        for trace, data in zip(
            _traces(one, row, picture.question.spans), _data(one, picture, style), strict=True
        )
    ]
    made = go.Figure(layout=_layout(picture, style))
    made.add_traces(traces)
    return made


def patched_data(picture: Picture, style: Style) -> Iterator[tuple[int, Trace]]:
    """The arrays of each trace of `figure`, by its number, for a figure that is already there."""
    data = (trace for one in picture.pictures for trace in _data(one, picture, style))
    return enumerate(data)


def x_range(picture: Picture, style: Style) -> list[float]:
    """The visible part of the time axis."""
    window = picture.question.window
    return [float(ms) for ms in wall_ms(pd.Series([window.start_us, window.end_us]), style.zone)]


def _traces(one: MetricPicture, row: int, spans: Sequence[str]) -> Iterator[Trace]:
    """The traces of one panel without their data: always as many for the same kind and spans."""
    axis = {"type": "scatter", "yaxis": f"y{row + 1}", "xaxis": "x", "mode": "lines"}
    unit = _safe(f" {one.latest.unit}" if one.latest.unit else "")
    if one.latest.kind is Kind.STATE:
        yield axis | {
            "name": "state", "legendgroup": "raw", "showlegend": False,
            "line": {"color": span_colour(2), "width": 6, "shape": "hv"},
            "hovertemplate": "%{y}<extra></extra>",
        }  # fmt: skip
        return
    shape = "hv" if one.latest.kind is Kind.BOOLEAN else "linear"
    band = axis | {
        "name": "min–max", "legendgroup": "raw", "showlegend": False,
        "hoverinfo": "skip", "line": {"width": 0, "shape": shape, "color": _RAW},
    }  # fmt: skip
    yield band
    yield band | {"fill": "tonexty", "fillcolor": "rgba(132,148,167,0.28)"}
    yield axis | {
        "name": "reading", "legendgroup": "raw", "showlegend": row == 0,
        "line": {"color": _RAW, "width": 1.2, "shape": shape},
        "hovertemplate": "%{y:.6~g}" + unit,
    }  # fmt: skip
    for position, span in enumerate(spans):
        line = {"color": span_colour(position), "width": 2.2}
        name = f"{_spelled(span)} mean"
        mean = axis | {"name": name, "legendgroup": span}
        yield mean | {"line": line, "showlegend": row == 0, "hovertemplate": "%{y:.5~g}" + unit}
        yield mean | {
            "line": line | {"dash": "dot", "width": 1.6}, "showlegend": False, "opacity": 0.8,
            "name": f"{name}, uncertain",
            "hovertemplate": "%{y:.5~g}" + unit + " (%{customdata:.0%} of readings)",
        }  # fmt: skip


def _data(one: MetricPicture, picture: Picture, style: Style) -> Iterator[Trace]:
    """The data of the traces of `_traces`, in the same order."""
    if one.latest.kind is Kind.STATE:
        yield _states(one, picture, style)
        return
    gap_us = _gap_us(one)
    yield from _values(one.answer, gap_us, style)
    for mean in one.means:
        yield from _mean_lines(mean, gap_us, style)


def _values(answer: Answer, gap_us: float, style: Style) -> Iterator[Trace]:
    frame = answer.frame
    if not answer.bucket_us:
        none: Trace = {"x": _f8(np.empty(0)), "y": _f8(np.empty(0))}
        yield from (none, none)
        yield _line(frame["time_us"], frame["value"], gap_us, style)
        return
    middle = frame["time_us"] + answer.bucket_us // 2
    for values in (frame["min"], frame["max"], frame["sum"] / frame["count"]):
        yield _line(middle, values, gap_us, style)


def _mean_lines(mean: Mean, gap_us: float, style: Style) -> Iterator[Trace]:
    frame = mean.frame
    sure = ~(frame["coverage"] < style.coverage_minimum)
    beside = ~sure | ~sure.shift(-1, fill_value=True) | ~sure.shift(1, fill_value=True)
    yield _line(frame["time_us"], frame["mean"].where(sure), gap_us, style)
    unsure = frame["mean"].where(beside)
    if not (~sure).any():
        yield {"x": _f8(np.empty(0)), "y": _f8(np.empty(0)), "customdata": _f8(np.empty(0))}
        return
    line = _line(frame["time_us"], unsure, gap_us, style)
    yield line | {"customdata": _line(frame["time_us"], frame["coverage"], gap_us, style)["y"]}


def _states(one: MetricPicture, picture: Picture, style: Style) -> Trace:
    frame = one.answer.frame
    texts = [
        printable(t) if t else f"{v:g}" for t, v in zip(frame["text"], frame["value"], strict=True)
    ]
    times = list(frame["time_us"])
    if times and picture.question.instant_us - times[-1] <= _gap_us(one):
        times, texts = [*times, picture.question.instant_us], [*texts, texts[-1]]
    return {"x": _f8(wall_ms(pd.Series(times, dtype="int64"), style.zone).to_numpy()), "y": texts}


def _gap_us(one: MetricPicture) -> float:
    """Readings further apart than this have a gap between them."""
    usual_us = one.interval_us or 0
    return max(_GAP_INTERVALS * usual_us, 1.5 * one.answer.bucket_us, 1_000_000)


def _line(times_us: pd.Series, values: pd.Series, gap_us: float, style: Style) -> Trace:
    """Points with a missing one in each gap, so that no line is drawn across it."""
    x, y = wall_ms(times_us, style.zone).to_numpy(dtype=float), values.to_numpy(dtype=float)
    gaps = np.flatnonzero(np.diff(times_us.to_numpy()) > gap_us) + 1
    return {"x": _f8(np.insert(x, gaps, x[gaps - 1])), "y": _f8(np.insert(y, gaps, np.nan))}


def _f8(values: NDArray[np.float64]) -> dict[str, str]:
    """An array as plotly.js takes it in binary."""
    packed = np.ascontiguousarray(values, "<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(packed.tobytes()).decode()}


def _layout(picture: Picture, style: Style) -> Trace:
    ink, grid = ("#c9d1dc", "#2b3340") if style.dark else ("#3c4654", "#e6eaf0")
    layout: Trace = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONTS, "size": 12, "color": ink},
        "margin": {"l": 56, "r": 12, "t": _HEAD_PX, "b": _FOOT_PX},
        "height": height_px(picture),
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"bgcolor": "#171c24" if style.dark else "#ffffff", "bordercolor": grid},
        "dragmode": False if style.touch else "zoom",
        "legend": {"orientation": "h", "x": 0, "y": 1 + 20 / _plot_px(picture),
                   "yanchor": "bottom", "yref": "paper", "groupclick": "togglegroup"},
        "uirevision": "keep",
        "annotations": titles(picture),
        "xaxis": {
            "type": "date", "range": x_range(picture, style), "anchor": "free", "position": 0,
            "gridcolor": grid, "linecolor": grid, "zeroline": False,
            "showspikes": True, "spikemode": "across", "spikethickness": 1, "spikedash": "solid",
            "spikecolor": ink, "spikesnap": "cursor", "hoverformat": "%Y-%m-%d %H:%M:%S",
        },
    }  # fmt: skip
    for row, (one, domain) in enumerate(zip(picture.pictures, _domains(picture), strict=True)):
        layout[f"yaxis{row + 1}"] = _y_axis(one, domain, grid)
    return layout


def titles(picture: Picture) -> list[Trace]:
    """The name of each panel above it, with its unit and the width of its buckets."""
    return [
        _title(one, domain) for one, domain in zip(picture.pictures, _domains(picture), strict=True)
    ]


def _plot_px(picture: Picture) -> int:
    return height_px(picture) - _HEAD_PX - _FOOT_PX


def _domains(picture: Picture) -> list[tuple[float, float]]:
    """From bottom to top as shares of the plot, the first panel on top."""
    plot = _plot_px(picture)
    domains, top = [], float(plot)
    for one in picture.pictures:
        bottom = max(0.0, top - _panel_px(one))
        domains.append((bottom / plot, top / plot))
        top = bottom - _GAP_PX
    return domains


def _panel_px(one: MetricPicture) -> int:
    return PANEL_PX if one.latest.kind is Kind.NUMBER else STATE_PX


def _y_axis(one: MetricPicture, domain: tuple[float, float], grid: str) -> Trace:
    axis: Trace = {
        "domain": domain, "anchor": "x", "gridcolor": grid, "zeroline": False,
        "fixedrange": True, "nticks": 5, "tickformat": ",.6~g",
    }  # fmt: skip
    if one.latest.kind is Kind.BOOLEAN:
        axis |= {"range": [-0.12, 1.12], "tickvals": [0, 1], "ticktext": ["off", "on"]}
    if one.latest.kind is Kind.STATE:
        axis |= {"type": "category", "tickformat": None}
    return axis


def _title(one: MetricPicture, domain: tuple[float, float]) -> Trace:
    unit = f" [{one.latest.unit}]" if one.latest.unit else ""
    detail = f" · {length_text(one.answer.bucket_us)} buckets" if one.answer.bucket_us else ""
    return {
        "text": f"<b>{_safe(printable(one.latest.series.metric))}</b>{_safe(unit)}{detail}",
        "xref": "paper", "yref": "paper", "x": 0, "y": domain[1],
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"size": 12},
    }  # fmt: skip


def _spelled(span: str) -> str:
    return f"{span[:-1]} {'min' if span[-1] == 'm' else span[-1]}"


def _safe(text: str) -> str:
    """A hostile name in plotly's text, which takes some HTML and `%{…}`."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")
