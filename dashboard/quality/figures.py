"""What is drawn on the Quality page: outcomes as stacked bars, completeness as a heat map."""

import base64
from collections.abc import Mapping

import numpy as np
from dash import Patch
from numpy.typing import NDArray

from dashboard.charts import Trace, binary, inks, layout, moments, time_axis
from dashboard.display import plot_text
from dashboard.page import Look
from dashboard.quality.account import Counts
from dashboard.quality.completeness import Completeness
from dashboard.quality.hours import Columns
from telemetry.ledger import Outcome

BARS_PX = 260
_ROW_PX, _FRAME_PX = 20, 62

OUTCOME_COLOURS: Mapping[Outcome, str] = {
    Outcome.STORED: "#3b82c4",
    Outcome.DUPLICATE: "#8494a7",
    Outcome.RETAINED: "#2aa198",
    Outcome.QUARANTINED: "#e08e0b",
    Outcome.HELD: "#b4559a",
    Outcome.LIMITED: "#8a4b2a",
}
_PATTERNS: Mapping[Outcome, str] = {
    Outcome.DUPLICATE: ".",
    Outcome.RETAINED: "-",
    Outcome.QUARANTINED: "/",
    Outcome.HELD: "\\",
    Outcome.LIMITED: "x",
}
"""Beside the colour, for those who see colours differently and for print."""

_PALE, _DEEP = ("#e4effa", "#0b3d73"), ("#1b3a5c", "#e4f1ff")
"""Of what is complete and of what is missing: one hue, on light and on dark ground."""

_AROUND = ("%Y-%m-%d, the hour around %H:%M", "%Y-%m-%d")
_FEW_COLUMNS, _CELL_PX = 40, 30


def bars(columns: Columns, counts: Counts, outcomes: list[Outcome], look: Look) -> Trace:
    """Outcomes on top of each other, an hour or a day in each column.

    Args:
        columns: When.
        counts: A row for each column, the fields of a `Tally` across.
        outcomes: Those that are drawn, from below.
        look: How it is drawn.
    """
    return {
        "data": [
            {
                "type": "bar",
                "name": outcome.value,
                "marker": {
                    "color": OUTCOME_COLOURS[outcome],
                    "pattern": _pattern(outcome),
                    "line": {"width": 0},
                },
                "offset": 0,
                "hovertemplate": "%{y:,}",
                **arrays,
            }
            for outcome, arrays in zip(
                outcomes, _arrays(columns, counts, outcomes, look), strict=True
            )
        ],
        "layout": layout(
            look.style,
            BARS_PX,
            barmode="stack",
            bargap=0,
            showlegend=True,
            legend={"traceorder": "normal"},
            xaxis=_axis(columns, look),
            yaxis={"rangemode": "tozero", "tickformat": "~s", "tickmode": "auto", "nticks": 6},
        ),
    }


def _pattern(outcome: Outcome) -> Trace:
    return {
        "shape": _PATTERNS.get(outcome, ""),
        "size": 6,
        "solidity": 0.3,
        "fillmode": "overlay",
        "fgcolor": "rgba(255,255,255,0.6)",
    }


def bars_patch(columns: Columns, counts: Counts, outcomes: list[Outcome], look: Look) -> Patch:
    """New numbers for bars of the same outcomes: which of them are hidden stays so."""
    patch = Patch()
    for place, arrays in enumerate(_arrays(columns, counts, outcomes, look)):
        for name, values in arrays.items():
            patch["data"][place][name] = values
    for name, value in _axis(columns, look).items():
        patch["layout"]["xaxis"][name] = value
    return patch


def _arrays(
    columns: Columns, counts: Counts, outcomes: list[Outcome], look: Look
) -> list[dict[str, object]]:
    edges = np.array(columns.edges, dtype=np.int64)
    x = moments(edges[:-1], columns.window, look.style)
    width = binary(np.diff(edges) * 0.86 / 1000)
    places = {outcome: 1 + place for place, outcome in enumerate(Outcome)}
    return [
        {"x": x, "width": width, "y": binary(counts[:, places[outcome]].astype(np.float64))}
        for outcome in outcomes
    ]


def _axis(columns: Columns, look: Look) -> Trace:
    hover = "%Y-%m-%d, the whole day" if columns.days else "%Y-%m-%d %H:%M, the hour from then"
    return time_axis(columns.window, look.style, look.width) | {"hoverformat": hover}


def map_height_px(rows: int) -> int:
    """How high the map of so many clients is."""
    return _FRAME_PX + _ROW_PX * max(rows, 2)


def completeness_map(columns: Columns, found: Completeness, look: Look) -> Trace:
    """A row for each client, the worst on top; the less arrived the more ink.

    What is drawn is all in the traces: `customdata` has what arrived and what was expected.
    """
    percent = found.shares * 100
    axis = time_axis(columns.window, look.style, look.width)
    return {
        "data": [_cells(columns, found, percent, look), _nothing(columns, found, look)],
        "layout": layout(
            look.style,
            map_height_px(len(found.clients)),
            hovermode="closest",
            dragmode=False,
            margin={"l": 8, "r": 8, "t": 8, "b": 36},
            xaxis=axis
            | {
                "fixedrange": True,
                "showgrid": False,
                "showspikes": False,
                "hoverformat": _AROUND[columns.days],
            },
            yaxis={
                "autorange": "reversed",
                "showgrid": False,
                "tickmode": "array",
                "tickvals": list(range(len(found.clients))),
                "ticktext": [_short(client) for client in found.clients],
            },
        ),
    }


def _cells(
    columns: Columns, found: Completeness, percent: NDArray[np.float64], look: Look
) -> Trace:
    pale, deep = _DEEP if look.style.dark else _PALE
    counts = np.stack([found.arrived, found.expected], axis=-1).astype(np.float64)
    return {
        "type": "heatmap",
        **_places(columns, found, look),
        "z": _table(percent),
        "customdata": _table(counts),
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, deep], [1, pale]],
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        **_written(columns, look),
        "hovertemplate": (
            "<b>%{y}</b><br>%{z:.1f} %: %{customdata[0]:,} of %{customdata[1]:,} expected"
            "<br>%{x}<extra></extra>"
        ),
    }


def _written(columns: Columns, look: Look) -> Trace:
    """The percentage in each cell, where there is room for it."""
    if len(columns) > _FEW_COLUMNS or look.width / len(columns) < _CELL_PX:
        return {}
    return {"texttemplate": "%{z:.0f}", "textfont": {"size": 10}}


def _nothing(columns: Columns, found: Completeness, look: Look) -> Trace:
    """The cells in which nothing was expected: there is something to say of them, too."""
    _, grid = inks(look.style)
    return {
        "type": "heatmap",
        **_places(columns, found, look),
        "z": _table(np.where(np.isnan(found.shares), 1.0, np.nan)),
        "colorscale": [[0, grid], [1, grid]],
        "opacity": 0.35,
        "showscale": False,
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": (
            "<b>%{y}</b><br>nothing was expected: before its first reading,"
            "<br>or less than one reading<br>%{x}<extra></extra>"
        ),
    }


def _places(columns: Columns, found: Completeness, look: Look) -> Trace:
    edges = np.array(columns.edges, dtype=np.int64)
    middles = (edges[:-1] + edges[1:]) // 2
    return {
        "x": moments(middles, columns.window, look.style),
        "y": list(range(len(found.clients))),
    }


def _table(values: NDArray[np.float64]) -> dict[str, str]:
    """Numbers in rows, as plotly.js takes them in binary; the shape is said beside them."""
    packed = np.ascontiguousarray(values, "<f4")
    shape = ", ".join(map(str, packed.shape))
    return {
        "dtype": "f4",
        "bdata": base64.b64encode(packed.tobytes()).decode(),
        "shape": shape,
    }


def _short(client: str) -> str:
    text = client if len(client) <= _NAME_LENGTH else f"{client[: _NAME_LENGTH - 1]}…"
    return plot_text(text)


_NAME_LENGTH = 24
