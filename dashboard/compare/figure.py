"""The chart of a comparison, as plotly.js takes it: over each other, side by side, or apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.charts import Trace, binary, inks, layout, moments, time_axis
from dashboard.compare.lines import Line
from dashboard.compare.numbers import Points, broken
from dashboard.compare.panels import Mode, Panel
from dashboard.digits import Notation
from dashboard.display import plot_text
from dashboard.style import Style
from dashboard.wall import axis_of
from telemetry.window import Window

_HEAD_PX, _FOOT_PX, _GAP_PX = 34, 34, 34
_LARGE_PX, _MIDDLE_PX, _SMALL_PX = 330, 220, 132
_LEGEND_PX = 26
_GAP_X = 0.035
_FEW_COLUMNS, _COLUMNS, _WIDE_PX = 2, 4, 1000
_NOTHING = Points(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Canvas:
    """On what a comparison is drawn.

    Attributes:
        mode: How.
        window: What is seen of time.
        style: How the reader wants it.
        width: In pixels.
        rolling: Whether lines are rolling means, which may be uncertain.
    """

    mode: Mode
    window: Window
    style: Style
    width: int
    rolling: bool

    @property
    def columns(self) -> int:
        """How many panels stand side by side."""
        if self.mode is not Mode.MULTIPLES:
            return 1
        return _FEW_COLUMNS if self.width < _WIDE_PX else _COLUMNS

    def cells(self, panels: Sequence[Panel]) -> Sequence[tuple[int, int]]:
        """Row and column of each: side by side stand only those of one unit, on one scale."""
        found: list[tuple[int, int]] = []
        for place, panel in enumerate(panels):
            row, column = found[-1] if found else (0, -1)
            new = column + 1 == self.columns or (place and panel.unit != panels[place - 1].unit)
            found.append((row + 1, 0) if new else (row, column + 1))
        return found

    def rows(self, panels: Sequence[Panel]) -> int:
        """How many panels stand on top of each other, at least one."""
        return max((row + 1 for row, _ in self.cells(panels)), default=1)


def height_px(panels: Sequence[Panel], canvas: Canvas) -> int:
    """The height that gives each panel its due."""
    small = canvas.mode is Mode.MULTIPLES or len(panels) > 1
    each = (
        _SMALL_PX if canvas.mode is Mode.MULTIPLES else _LARGE_PX * 2 // 3 if small else _LARGE_PX
    )
    rows = canvas.rows(panels)
    return _head_px(canvas) + rows * each + (rows - 1) * _GAP_PX + _FOOT_PX


def _head_px(canvas: Canvas) -> int:
    return _HEAD_PX if canvas.mode is Mode.MULTIPLES else _HEAD_PX + _LEGEND_PX


def signature(panels: Sequence[Panel], canvas: Canvas) -> str:
    """Equal for comparisons whose charts have the same traces, so that one can be patched."""
    style = canvas.style
    parts = [
        f"{panel.title}\0{panel.notation}\0{panel.looks}\0"
        + "\0".join(line.client for line in panel.lines)
        for panel in panels
    ]
    changes = bool(axis_of(canvas.window, style.zone).changes)
    facts = (canvas.mode, canvas.columns, canvas.width, canvas.rolling, style, changes)
    return f"{facts}\1" + "\1".join(parts)


def figure(panels: Sequence[Panel], canvas: Canvas) -> Trace:
    """The whole chart."""
    skeletons = _skeletons(panels, canvas)
    data = arrays(panels, canvas)
    made = [skeleton | filled for skeleton, filled in zip(skeletons, data, strict=True)]
    return {"data": made, "layout": _layout(panels, canvas)}


def arrays(panels: Sequence[Panel], canvas: Canvas) -> Iterator[Trace]:
    """The data of the traces: of each line the line, its lone points, and where it is unsure."""
    for panel in panels:
        for line, points in zip(panel.lines, panel.points, strict=True):
            yield from _line_arrays(line, points, panel.notation, canvas)


def _line_arrays(line: Line, points: Points, notation: Notation, canvas: Canvas) -> Iterator[Trace]:
    whole = broken(points, line.gap_us)
    sure = ~(whole.coverage < canvas.style.coverage_minimum)
    values = np.where(sure, whole.values, np.nan)
    yield _drawn(Points(whole.times_us, values, whole.coverage), notation, canvas)
    far = np.diff(points.times_us) > line.gap_us
    alone = np.append(True, far) & np.append(far, True) if len(points) else far
    lone = Points(points.times_us[alone], points.values[alone], points.coverage[alone])
    yield _drawn(lone, notation, canvas)
    if canvas.rolling:
        unsure = ~sure
        beside = unsure | np.append(unsure[1:], False) | np.append(False, unsure[:-1])
        some = Points(whole.times_us, np.where(beside, whole.values, np.nan), whole.coverage)
        yield _drawn(some if unsure.any() else _NOTHING, notation, canvas) | {
            "customdata": binary(some.coverage if unsure.any() else _NOTHING.coverage)
        }


def _drawn(points: Points, notation: Notation, canvas: Canvas) -> Trace:
    axis = axis_of(canvas.window, canvas.style.zone)
    clocks = {"text": axis.clocks(points.times_us)} if axis.changes else {}
    return clocks | {
        "x": moments(points.times_us, canvas.window, canvas.style),
        "y": binary(notation.scaled(points.values)),
    }


def _skeletons(panels: Sequence[Panel], canvas: Canvas) -> Iterator[Trace]:
    """The traces without their data."""
    alone = canvas.mode is Mode.MULTIPLES
    clock = ", %{text}" if axis_of(canvas.window, canvas.style.zone).changes else ""
    for panel, (row, column) in zip(panels, canvas.cells(panels), strict=True):
        unit = plot_text(f" {panel.notation.unit}" if panel.notation.unit else "")
        value = f"%{{y:{panel.notation.mean_format}}}{unit}"
        for line, (colour, dash) in zip(panel.lines, panel.looks, strict=True):
            axis = {
                "type": "scatter", "mode": "lines", "xaxis": _axis("x", column),
                "yaxis": _axis("y", row), "name": plot_text(line.client),
                "legendgroup": line.client, "showlegend": False,
            }  # fmt: skip
            yield axis | {
                "line": {"color": colour, "dash": "solid" if alone else dash, "width": 1.8},
                "showlegend": not alone, "hovertemplate": value + clock,
            }  # fmt: skip
            yield axis | {
                "mode": "markers", "marker": {"color": colour, "size": 5}, "hoverinfo": "skip",
            }  # fmt: skip
            if canvas.rolling:
                yield axis | {
                    "line": {"color": colour, "dash": "dot", "width": 1.4}, "opacity": 0.75,
                    "hovertemplate": f"{value} (%{{customdata:.0%}} of readings){clock}",
                }  # fmt: skip


def _axis(letter: str, place: int) -> str:
    return letter if place == 0 else f"{letter}{place + 1}"


def _name(letter: str, place: int) -> str:
    return f"{letter}axis{place + 1 if place else ''}"


def moving(panels: Sequence[Panel], canvas: Canvas) -> Trace:
    """The parts of the layout that change with the data: the axes, by their names."""
    cells = canvas.cells(panels)
    height = _plot_px(panels, canvas)
    axes: Trace = {}
    for panel, (row, column) in zip(panels, cells, strict=True):
        if column == 0:
            axes[_name("y", row)] = _y_axis(panel, _share(row, canvas.rows(panels), height), canvas)
        lowest = max(below for below, beside in cells if beside == column)
        foot = _share(lowest, canvas.rows(panels), height)[0]
        axes[_name("x", column)] = _x_axis(column, foot, canvas)
    return axes


def _x_axis(column: int, foot: float, canvas: Canvas) -> Trace:
    """A time axis at that height.

    It does not hang on the y axis of a row: while plotly.js puts a figure in place of an empty one
    that it has drawn already, it draws the lines of axes before it knows where new rows stand.
    """
    axis = time_axis(canvas.window, canvas.style, canvas.width // canvas.columns)
    place = {"domain": _domain(column, canvas.columns), "anchor": "free", "position": foot}
    return axis | place | ({"matches": "x"} if column else {})


def _y_axis(panel: Panel, domain: list[float], canvas: Canvas) -> Trace:
    ink, grid = inks(canvas.style)
    axis: Trace = {
        "domain": domain, "anchor": "x", "fixedrange": True, "automargin": True,
        "gridcolor": grid, "zeroline": canvas.mode is Mode.DIFFERENCE, "zerolinecolor": ink,
        "tickformat": panel.notation.axis_format,
        "nticks": 4 if canvas.mode is Mode.MULTIPLES else 7,
    }  # fmt: skip
    return axis | ({"range": list(panel.scale)} if canvas.mode is Mode.MULTIPLES else {})


def _plot_px(panels: Sequence[Panel], canvas: Canvas) -> int:
    return height_px(panels, canvas) - _head_px(canvas) - _FOOT_PX


def _domain(column: int, columns: int) -> list[float]:
    width = (1 - _GAP_X * (columns - 1)) / columns
    start = column * (width + _GAP_X)
    return [start, min(1.0, start + width)]


def _layout(panels: Sequence[Panel], canvas: Canvas) -> Trace:
    plot = _plot_px(panels, canvas)
    more: Trace = {
        "margin": {"t": _head_px(canvas), "b": _FOOT_PX},
        "legend": {"y": 1 + 24 / plot},
        "hovermode": "closest" if canvas.mode is Mode.MULTIPLES else "x unified",
        "annotations": list(_titles(panels, canvas, plot)),
    }
    return layout(canvas.style, height_px(panels, canvas), **(more | moving(panels, canvas)))


def _share(row: int, rows: int, plot: int) -> list[float]:
    each = (plot - (rows - 1) * _GAP_PX) / rows
    top = plot - row * (each + _GAP_PX)
    return [max(0.0, (top - each) / plot), top / plot]


def _titles(panels: Sequence[Panel], canvas: Canvas, plot: int) -> Iterator[Trace]:
    for panel, (row, column) in zip(panels, canvas.cells(panels), strict=True):
        unit = f" [{panel.notation.unit}]" if panel.notation.unit else ""
        yield {
            "text": f"<b>{plot_text(panel.title)}</b>{plot_text(panel.detail + unit)}",
            "xref": "paper", "yref": "paper", "x": _domain(column, canvas.columns)[0],
            "y": _share(row, canvas.rows(panels), plot)[1], "xanchor": "left",
            "yanchor": "bottom", "yshift": 3, "showarrow": False, "font": {"size": 12},
        }  # fmt: skip
