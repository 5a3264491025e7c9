"""The charts of broker and collector: small multiples on one time axis, as plotly.js takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from dash import Patch

from dashboard.broker.panels import PANELS, PERIOD_US, Drawn, Floats, Panel
from dashboard.charts import Trace, binary, inks, layout, moments, time_axis
from dashboard.digits import Notation, notation
from dashboard.display import length_text, plot_text
from dashboard.presence import Blank
from dashboard.style import Style, span_colour
from dashboard.wall import axis_of
from telemetry.window import Window

WIDE_PX = 900
"""From this width on, two panels stand beside each other."""

_PANEL_PX, _GAP_PX, _HEAD_PX, _FOOT_PX = 120, 56, 44, 32
_BETWEEN = 0.07  # of the width, between two columns
_DASHES = ("solid", "dot")
_SIGNS = ("━", "┅")
_MOST_BLANKS = 50


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is drawn.

    Attributes:
        lines: For each of `PANELS` its lines, in their order.
        notations: For each of `PANELS`, how its numbers are written.
        bucket_us: How wide their buckets are.
        blanks: When the collector could not hear the broker.
        window: From when to when.
        style: How the reader wants it.
        width_px: Of all of it.
    """

    lines: Sequence[Sequence[Drawn]]
    notations: Sequence[Notation]
    bucket_us: int
    blanks: Sequence[Blank]
    window: Window
    style: Style
    width_px: int

    @property
    def columns(self) -> int:
        """How many panels stand beside each other."""
        return columns(self.width_px)

    @property
    def signature(self) -> str:
        """Equal for sheets whose figures have the same traces, so that one can be patched."""
        style = self.style
        has = [bool(len(_numbers(lines))) for lines in self.lines]
        return f"{self.columns} {style.zone} {style.dark} {style.touch} {self.notations} {has}"


def notations(lines: Sequence[Sequence[Drawn]]) -> list[Notation]:
    """How the numbers of each panel are written."""
    pairs = zip(PANELS, lines, strict=True)
    return [notation(_numbers(found), panel.unit) for panel, found in pairs]


def columns(width_px: int) -> int:
    """How many panels stand beside each other on charts of that width."""
    return 2 if width_px >= WIDE_PX else 1


def height_px(width_px: int) -> int:
    """The height that gives each panel its due."""
    rows = -(-len(PANELS) // columns(width_px))
    return _HEAD_PX + _FOOT_PX + rows * (_PANEL_PX + _GAP_PX) - _GAP_PX


def figure(sheet: Sheet) -> Trace:
    """The whole figure."""
    traces = [
        trace | data
        for number, (panel, how) in enumerate(zip(PANELS, sheet.notations, strict=True))
        for trace, data in zip(
            _traces(panel, number, how, sheet), _arrays(number, how, sheet), strict=True
        )
    ]
    made = layout(
        sheet.style,
        height_px(sheet.width_px),
        margin={"t": _HEAD_PX, "b": _FOOT_PX},
        showlegend=False,
        **moving(sheet),
    )
    for number in range(len(PANELS)):
        made[f"yaxis{number + 1}"] = made["yaxis"] | _y_axis(number, sheet)
    del made["yaxis"]
    return {"data": traces, "layout": made}


def patched(sheet: Sheet) -> Patch:
    """What changes in a figure of the same signature."""
    patch = Patch()
    data = (
        one for number, how in enumerate(sheet.notations) for one in _arrays(number, how, sheet)
    )
    for place, arrays in enumerate(data):
        for name, values in arrays.items():
            patch["data"][place][name] = values
    for name, value in moving(sheet).items():
        patch["layout"][name] = value
    return patch


def moved(window: Window, style: Style, width_px: int) -> Patch:
    """The time axis alone, for a figure whose lines have not changed."""
    patch = Patch()
    for name, axis in _x_axes(window, style, width_px).items():
        patch["layout"][name] = axis
    return patch


def moving(sheet: Sheet) -> Trace:
    """The parts of the layout that change with the data: time, titles, and what is grey."""
    return {
        **_x_axes(sheet.window, sheet.style, sheet.width_px),
        "annotations": list(_titles(sheet)),
        "shapes": list(_shapes(sheet)),
    }


def _numbers(lines: Sequence[Drawn]) -> Floats:
    every: Floats = np.concatenate([line.mean for line in lines])
    return every[np.isfinite(every)]


def _x_axes(window: Window, style: Style, width_px: int) -> Trace:
    count = columns(width_px)
    axis = time_axis(window, style, width_px // count) | {"anchor": "free", "position": 0}
    share = (1 - _BETWEEN * (count - 1)) / count
    return {
        f"xaxis{column + 1 if column else ''}": axis
        | {"domain": [column * (share + _BETWEEN), column * (share + _BETWEEN) + share]}
        | ({"matches": "x"} if column else {})
        for column in range(count)
    }


def _y_axis(number: int, sheet: Sheet) -> Trace:
    how = sheet.notations[number]
    return {
        "domain": _domain(number, sheet), "anchor": _x_of(number, sheet), "nticks": 4,
        "rangemode": "tozero", "tickformat": how.axis_format,
        "visible": bool(len(_numbers(sheet.lines[number]))),
    }  # fmt: skip


def _x_of(number: int, sheet: Sheet) -> str:
    column = number % sheet.columns
    return f"x{column + 1}" if column else "x"


def _domain(number: int, sheet: Sheet) -> list[float]:
    """From bottom to top as shares of the plot, the first row on top."""
    plot = height_px(sheet.width_px) - _HEAD_PX - _FOOT_PX
    top = plot - number // sheet.columns * (_PANEL_PX + _GAP_PX)
    return [max(0.0, (top - _PANEL_PX) / plot), top / plot]


def _traces(panel: Panel, number: int, how: Notation, sheet: Sheet) -> Iterator[Trace]:
    """The traces of a panel without their data: for each line its band and itself."""
    axes = {
        "type": "scatter", "mode": "lines",
        "xaxis": _x_of(number, sheet), "yaxis": f"y{number + 1}",
    }  # fmt: skip
    unit = plot_text(f" {how.unit}" if how.unit else "")
    for place, line in enumerate(panel.lines):
        colour = span_colour(place)
        yield axes | {
            "name": f"{line.name}, least to most", "line": {"width": 0}, "hoverinfo": "skip",
            "fill": "toself", "fillcolor": _faint(colour),
        }  # fmt: skip
        yield axes | {
            "name": line.name, "line": {"color": colour, "width": 1.6, "dash": _DASHES[place]},
            "hovertemplate": f"%{{y:{how.mean_format}}}{unit}",
        }  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def _arrays(number: int, how: Notation, sheet: Sheet) -> Iterator[Trace]:
    """The data of the traces of a panel. A bucket of one figure has no band."""
    for line in sheet.lines[number]:
        x = moments(line.time_us, sheet.window, sheet.style)
        if sheet.bucket_us > PERIOD_US:
            yield _band(line, how, sheet)
        else:
            yield {"x": binary(np.empty(0)), "y": binary(np.empty(0))}
        yield {"x": x, "y": binary(how.scaled(line.mean))}


def _band(line: Drawn, how: Notation, sheet: Sheet) -> Trace:
    """A closed outline for each stretch without a gap: there along the top, back below."""
    breaks = np.flatnonzero(np.isnan(line.mean))
    whole = [part for part in np.split(np.arange(len(line.mean)), breaks) if len(part)]
    order, values = [], []
    for part in whole:
        inside = part[~np.isnan(line.mean[part])]
        order += [inside, inside[::-1], inside[:1]]
        values += [line.high[inside], line.low[inside][::-1], np.full(len(inside[:1]), np.nan)]
    places = np.concatenate([np.empty(0, dtype=np.int64), *order])
    x = moments(line.time_us[places], sheet.window, sheet.style)
    return {"x": x, "y": binary(how.scaled(np.concatenate([np.empty(0), *values])))}


def _titles(sheet: Sheet) -> Iterator[Trace]:
    """Above each panel its name, unit and lines; in one without figures, that there are none."""
    ink, _ = inks(sheet.style)
    for number, (panel, how) in enumerate(zip(PANELS, sheet.notations, strict=True)):
        axis, domain = f"{_x_of(number, sheet)} domain", _domain(number, sheet)
        unit = f" [{plot_text(how.unit)}]" if how.unit else ""
        names = "   ".join(
            f'<span style="color:{span_colour(place)}">{_SIGNS[place]}</span> {line.name}'
            for place, line in enumerate(panel.lines)
        )
        common = {"xref": axis, "yref": "paper", "showarrow": False, "align": "left"}
        yield common | {
            "text": f"<b>{panel.title}</b>{unit}<br>{names}", "x": 0, "y": domain[1],
            "xanchor": "left", "yanchor": "bottom", "yshift": 4, "font": {"size": 12},
        }  # fmt: skip
        if not len(_numbers(sheet.lines[number])):
            yield common | {
                "text": "no figures in this time", "x": 0.5, "y": sum(domain) / 2,
                "xanchor": "center", "yanchor": "middle", "font": {"size": 12, "color": ink},
            }  # fmt: skip


def _shapes(sheet: Sheet) -> Iterator[Trace]:
    """Grey where the collector could not hear the broker: the newest few of such times."""
    ink, _ = inks(sheet.style)
    for blank in sorted(one for one in sheet.blanks if one.blind)[-_MOST_BLANKS:]:
        start_us = max(blank.start_us, sheet.window.start_us)
        end_us = min(blank.end_us, sheet.window.end_us)
        if start_us >= end_us:
            continue
        begin, end = axis_of(sheet.window, sheet.style.zone).places([start_us, end_us])
        for column in range(sheet.columns):
            yield {
                "type": "rect", "xref": f"x{column + 1}" if column else "x", "yref": "paper",
                "x0": begin, "x1": end, "y0": 0, "y1": 1, "layer": "below",
                "line": {"width": 0}, "fillcolor": ink, "opacity": 0.12,
            }  # fmt: skip


def caption(sheet: Sheet) -> str:
    """In words, what the charts show."""
    if sheet.bucket_us > PERIOD_US:
        text = f"Mean, least and most of {length_text(sheet.bucket_us)} buckets; drag to zoom in."
    else:
        text = "Every figure is shown: broker and collector tell theirs every ten seconds."
    if any(one.blind for one in sheet.blanks):
        text += " Grey: the collector did not run, or had no link to the broker."
    return text
