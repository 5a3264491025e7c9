"""The grid of clients: its columns, and how rows get into it.

Cells are drawn by assets/dashAgGridComponentFunctions.js and asked by assets/dashAgGridFunctions.js
in the browser, so that rows are data alone.
"""

from collections.abc import Mapping
from typing import Any

from dash_ag_grid import AgGrid

from dashboard.fleet.rows import GROUPS, Row
from dashboard.fleet.survey import Survey
from dashboard.page import Json
from dashboard.parts import grid
from dashboard.view import View

GRID = "fleet-grid"
_ROW_PX, _HEAD_PX, _MOST_PX = 48, 42, 620

_NONE = "No client fits. Clear the search, or choose another tile."

Column = dict[str, Any]  # AG Grid's own JSON


def _function(text: str) -> dict[str, str]:
    return {"function": text}


_NUMBER: Column = {"type": "rightAligned", "width": 120, "minWidth": 100}

COLUMNS: list[Column] = [
    {
        "field": "rank", "headerName": "State", "cellRenderer": "FleetState", "sort": "asc",
        "width": 196, "minWidth": 140, "tooltipValueGetter": _function("params.data.words"),
    },
    {
        "field": "id", "headerName": "Client", "cellRenderer": "FleetClient", "pinned": "left",
        "width": 172, "minWidth": 140, "lockPinned": True, "suppressMovable": True,
    },
    {
        "field": "seen", "headerName": "Last seen", "cellRenderer": "FleetSeen", "width": 118,
        "minWidth": 104,
    },
    {
        "field": "values", "headerName": "Newest values", "cellRenderer": "FleetValues",
        "minWidth": 300, "flex": 1, "sortable": False, "cellDataType": False,
    },
    {
        "field": "spark", "headerName": "Last 6 h", "cellRenderer": "FleetSpark", "width": 128,
        "minWidth": 124, "sortable": False, "cellDataType": False,
    },
    _NUMBER | {
        "field": "every", "headerName": "Every",
        "headerTooltip": "How often it is expected to report",
        "valueFormatter": _function("fleetLength(params.value)"), "width": 100,
    },
    _NUMBER | {
        "field": "rate", "headerName": "Msg/min",
        "headerTooltip": "Messages in a minute, over the last minutes, or an hour if few",
        "valueFormatter": _function("fleetNumber(params.value)"), "width": 104,
    },
    _NUMBER | {
        "field": "complete", "headerName": "Today",
        "headerTooltip": "Readings that arrived today, of those expected",
        "cellRenderer": "FleetComplete",
        "width": 132, "minWidth": 124,
    },
    {
        "field": "tags", "headerName": "Tags", "cellRenderer": "FleetTags", "width": 150,
        "minWidth": 100, "sortable": False, "cellDataType": False,
    },
    {
        "field": "group", "hide": True, "filter": "agTextColumnFilter",
    },
]  # fmt: skip


def fleet_grid(view: View) -> AgGrid:
    """The grid before any rows, filtered as the view says; assets/fleet.js searches it."""
    return grid(
        GRID,
        COLUMNS,
        defaultColDef={"resizable": True, "sortable": True},
        filterModel=filter_of(view),
        columnSize=None,
        style={"height": "100%"},
        eventListeners={
            "rowClicked": ["fleetOpen(params)"],
            "rowDataUpdated": ["fleetSearch(params)"],
        },
        dashGridOptions={
            "rowHeight": _ROW_PX,
            "headerHeight": _HEAD_PX,
            "animateRows": False,
            "tooltipShowDelay": 400,
            "suppressDragLeaveHidesColumns": True,
            "localeText": {"noRowsToShow": _NONE, "noMatchingRows": _NONE},
        },
    )


def filter_of(view: View) -> Mapping[str, Any]:
    """AG Grid's filter for the state that the view asks for; one that is none is no filter."""
    state = view.option("state")
    if state not in GROUPS.values():
        return {}
    return {"group": {"filterType": "text", "type": "equals", "filter": state}}


def changes(found: Survey, drawn: Json) -> tuple[Json, Json]:
    """What the grid of a reader needs to become the survey, and what it then has drawn.

    All rows at first and when there are other clients, later those that changed; nothing if the
    reader has been shown a newer survey, by another process.
    """
    at_us, mine = drawn.get("at"), {"at": found.at_us, "roster": found.roster}
    if isinstance(at_us, int) and found.at_us <= at_us:
        return {}, drawn
    if not isinstance(at_us, int) or drawn.get("roster") != found.roster:
        return {"rows": [*found.rows.values()]}, mine
    news: list[Row] = [row for name, row in found.rows.items() if found.since_us[name] > at_us]
    return ({"changes": {"update": news}}, mine) if news else ({}, drawn)


def box_style(rows: int) -> dict[str, str]:
    """As high as its rows, up to a screen."""
    height_px = min(_MOST_PX, _HEAD_PX + max(1, rows) * _ROW_PX + 18)
    return {"height": f"{height_px}px"}
