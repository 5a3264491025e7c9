"""Pictures as Plotly figures: pure functions, the only module that imports plotly."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from typing import Any

import plotly.graph_objects as go

from dashboard import marks
from dashboard.arrays import Trace, arrays
from dashboard.charts import ticks
from dashboard.client.statistic import STATISTICS
from dashboard.display import length_text, plot_text, span_text
from dashboard.question import MetricPicture, Picture
from dashboard.style import BAND_COLOUR, FONTS, READING_COLOUR, Style, span_colour
from dashboard.wall import TimeAxis, axis_of, zone_name
from telemetry.reading import Kind
from telemetry.window import Window, offset_us

PANEL_PX = 190
STATE_PX = 110
_HEAD_PX, _FOOT_PX, _GAP_PX = 44, 36, 30
_EDGE = 0.25
_BUCKETS_PER_TICK = 120
"""A tick with a name of its offset takes about as many pixels."""

GRAPH_CONFIG = {
    "displayModeBar": False,
    "showSendToCloud": False,
    "displaylogo": False,
    "scrollZoom": False,
    "responsive": True,
    "doubleClick": "autosize",
}


def signature(picture: Picture, style: Style) -> str:
    """Equal for pictures whose figures have the same traces, so that one can be patched."""
    parts = [f"{p.latest.series.metric}\0{p.latest.kind}\0{p.notation}" for p in picture.pictures]
    spans = " ".join(picture.question.spans)
    drawn = {mean.statistic for p in picture.pictures for mean in p.means}
    changes = bool(_axis(picture, style).changes)
    kinds = f"{spans}|{' '.join(drawn)}|{style.zone}|{changes}|{style.dark}|{style.touch}"
    return f"{picture.question.client}\0{kinds}\0" + "\0".join(parts)


def height_px(picture: Picture) -> int:
    """The height that gives each panel its due."""
    panels = sum(_panel_px(one) + _GAP_PX for one in picture.pictures)
    return _HEAD_PX + _FOOT_PX + max(panels - _GAP_PX, PANEL_PX)


def figure(picture: Picture, style: Style) -> go.Figure:
    """The stacked charts of a picture, one panel per metric on one time axis."""
    clock = ", %{text}" if _axis(picture, style).changes else ""
    named = next((row for row, one in enumerate(picture.pictures) if one.means), 0)
    traces = [
        trace | data
        for row, one in enumerate(picture.pictures)
        for trace, data in zip(
            _traces(one, row, clock, named=row == named), arrays(one, picture, style), strict=True
        )
    ]
    made = go.Figure(layout=_layout(picture, style))
    made.add_traces(traces)
    return made


def x_range(picture: Picture, style: Style) -> list[str]:
    """The visible part of the time axis."""
    window = picture.question.window
    return _axis(picture, style).places([window.start_us, window.end_us])


def _axis(picture: Picture, style: Style) -> TimeAxis:
    return axis_of(picture.question.window, style.zone)


def _traces(one: MetricPicture, row: int, clock: str, *, named: bool) -> Iterator[Trace]:
    """The traces of one panel without their data: always as many for the same kind and spans.

    If `named`, the legend names those of this panel, and so those of all.
    """
    axis = {"type": "scatter", "yaxis": f"y{row + 1}", "xaxis": "x", "mode": "lines"}
    notation = one.notation
    unit = plot_text(f" {notation.unit}" if notation.unit else "")
    value, mean_value = (
        f"%{{y:{wanted}}}{unit}" for wanted in (notation.value_format, notation.mean_format)
    )
    if one.latest.kind is Kind.STATE:
        yield axis | {
            "name": "state", "legendgroup": "raw", "showlegend": False,
            "line": {"color": span_colour(2), "width": 6, "shape": "hv"},
            "hovertemplate": f"%{{y}}{clock}<extra></extra>",
        }  # fmt: skip
        return
    shape = "hv" if one.latest.kind is Kind.BOOLEAN else "linear"
    yield axis | {
        "name": "min–max", "legendgroup": "raw", "showlegend": False, "hoverinfo": "skip",
        "line": {"width": 0}, "fill": "toself", "fillcolor": BAND_COLOUR,
    }  # fmt: skip
    yield axis | {
        "name": "reading", "legendgroup": "raw", "showlegend": named,
        "line": {"color": READING_COLOUR, "width": 1.2, "shape": shape},
        "hovertemplate": value + clock,
    }  # fmt: skip
    yield axis | {
        "name": "reading alone", "legendgroup": "raw", "showlegend": False, "hoverinfo": "skip",
        "mode": "markers", "marker": {"color": READING_COLOUR, "size": 5},
    }  # fmt: skip
    for position, mean in enumerate(one.means):
        line = {"color": span_colour(position), "width": 2.2}
        name = f"{span_text(mean.span)} {STATISTICS[mean.statistic]}"
        both = axis | {"name": name, "legendgroup": mean.span}
        yield both | {
            "line": line, "showlegend": named, "hovertemplate": mean_value + clock,
        }  # fmt: skip
        yield both | {
            "line": line | {"dash": "dot", "width": 1.6}, "showlegend": False, "opacity": 0.8,
            "name": f"{name}, uncertain",
            "hovertemplate": f"{mean_value} (%{{customdata:.0%}} of readings){clock}",
        }  # fmt: skip


def _layout(picture: Picture, style: Style) -> Trace:
    ink, grid = _inks(style)
    layout: Trace = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONTS, "size": 12, "color": ink},
        "margin": {"l": 56, "r": 12, "t": _HEAD_PX, "b": _FOOT_PX},
        "height": height_px(picture),
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#171c24" if style.dark else "#ffffff", "bordercolor": grid},
        "dragmode": False if style.touch else "zoom",
        "legend": {"orientation": "h", "x": 0, "y": 1 + 20 / _plot_px(picture),
                   "yanchor": "bottom", "yref": "paper", "groupclick": "togglegroup"},
        "uirevision": "keep",
        **moving(picture, style),
    }  # fmt: skip
    for row, (one, domain) in enumerate(zip(picture.pictures, _domains(picture), strict=True)):
        layout[f"yaxis{row + 1}"] = _y_axis(one, domain, grid)
    return layout


def _inks(style: Style) -> tuple[str, str]:
    """Of what is written, and of the grid."""
    return ("#c9d1dc", "#2b3340") if style.dark else ("#3c4654", "#e6eaf0")


def moving(picture: Picture, style: Style) -> dict[str, Any]:
    """The parts of the layout that change with the data: time, names, and what is marked."""
    window, axis = picture.question.window, _axis(picture, style)
    drawn = replace(style, zone=axis.fixed)
    return {
        "xaxis": _x_axis(picture, style),
        "shapes": [*marks.lines(picture.marks, drawn), *_change_lines(axis, style)],
        "annotations": [
            *titles(picture),
            *marks.labels(picture.marks, window, drawn),
            *_change_labels(axis, style),
        ],
    }


def _x_axis(picture: Picture, style: Style) -> Trace:
    """The time axis; with ticks of our own where clocks change, plotly's otherwise."""
    ink, grid = _inks(style)
    axis = _axis(picture, style)
    title = plot_text(str(style.zone)) if axis.changes else ""
    fit = picture.question.max_buckets // _BUCKETS_PER_TICK
    return ticks(axis, fit) | {
        "type": "date", "range": x_range(picture, style), "autorange": False,
        "anchor": "free", "position": 0,
        "gridcolor": grid, "linecolor": grid, "zeroline": False,
        "showspikes": True, "spikemode": "across", "spikethickness": 1, "spikedash": "solid",
        "spikecolor": ink, "spikesnap": "cursor", "hoverformat": "%Y-%m-%d %H:%M:%S",
        "unifiedhovertitle": {"text": title},
    }  # fmt: skip


def _change_lines(axis: TimeAxis, style: Style) -> list[Trace]:
    """A dotted line across all panels where clocks change."""
    ink, _ = _inks(style)
    return [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": place, "x1": place,
            "y0": 0, "y1": 1, "layer": "below", "line": {"color": ink, "width": 1, "dash": "dot"},
        }
        for place in axis.places(axis.marked)
    ]  # fmt: skip


def _change_labels(axis: TimeAxis, style: Style) -> list[Trace]:
    """What the dotted lines mean, at the foot of the charts."""
    ink, grid = _inks(style)
    return [
        {
            "text": plot_text(_change_text(at, axis.zone)), "xref": "x", "yref": "paper",
            "x": place, "y": 0, "xanchor": _anchor(at, axis.window), "yanchor": "bottom",
            "showarrow": False,
            "borderpad": 2, "bgcolor": grid, "font": {"size": 11, "color": ink},
        }
        for at, place in zip(axis.marked, axis.places(axis.marked), strict=True)
    ]  # fmt: skip


def _anchor(at_us: int, window: Window) -> str:
    """The side by which words stand at their line, so that none are cut at an edge of a phone."""
    share = (at_us - window.start_us) / window.length_us
    return "left" if share < _EDGE else "right" if share > 1 - _EDGE else "center"


def _change_text(at_us: int, zone: tzinfo) -> str:
    """How clocks change, such as `clocks go back 1 h to CET`."""
    by_us = offset_us(at_us, zone) - offset_us(at_us - 1, zone)
    way = "forward" if by_us > 0 else "back"
    return f"clocks go {way} {length_text(abs(by_us))} to {zone_name(at_us, zone)}"


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
        "fixedrange": True, "nticks": 5, "tickformat": one.notation.axis_format,
    }  # fmt: skip
    if one.latest.kind is Kind.BOOLEAN:
        axis |= {"range": [-0.12, 1.12], "tickvals": [0, 1], "ticktext": ["off", "on"]}
    if one.latest.kind is Kind.STATE:
        axis |= {"type": "category", "tickformat": None}
    return axis


def _title(one: MetricPicture, domain: tuple[float, float]) -> Trace:
    unit = f" [{one.notation.unit}]" if one.latest.unit else ""
    detail = f" · {length_text(one.answer.bucket_us)} buckets" if one.answer.bucket_us else ""
    return {
        "text": f"<b>{plot_text(one.title)}</b>{plot_text(unit)}{detail}",
        "xref": "paper", "yref": "paper", "x": 0, "y": domain[1],
        "xanchor": "left", "yanchor": "bottom", "yshift": 3,
        "showarrow": False, "font": {"size": 12},
    }  # fmt: skip
