"""The tables of the Quality page: rows and columns of its grids, and the damaged blocks."""

import json
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import dash_bootstrap_components as dbc
import orjson
from dash import html

from dashboard.display import clock_text, printable
from dashboard.parts import page_link
from dashboard.quality.question import Seen
from dashboard.quality.words import client_text
from dashboard.view import View
from telemetry.batch import Skew
from telemetry.condition import Damage
from telemetry.finding import sentence
from telemetry.ledger import Outcome
from telemetry.quarantine import Group
from telemetry.reasons import reason_of
from telemetry.remedies import remedy_of
from telemetry.window import SECOND_US

Row = dict[str, Any]  # a row of a grid: texts and numbers by field


def _number(field: str, name: str, **more: object) -> Row:
    return {
        "field": field,
        "headerName": name,
        "type": "rightAligned",
        "minWidth": 104,
        "valueFormatter": {"function": "qualityNumber(params.value)"},
        **more,
    }


GROUP_PX, CLIENT_PX = 60, 41
"""How high their rows are: of two lines of a reason; one with more makes its row higher."""

_GRID_FRAME_PX, _MOST_GRID_PX = 58, 460

GROUP_COLUMNS: Sequence[Row] = (
    {
        "field": "topic",
        "headerName": "Topic",
        "minWidth": 180,
        "width": 240,
        "tooltipField": "topic",
        "cellRenderer": "QualityOpen",
    },
    {"field": "client", "headerName": "Client", "minWidth": 110, "width": 140},
    {
        "field": "reason",
        "headerName": "Reason, and what to do",
        "minWidth": 300,
        "width": 460,
        "wrapText": True,
        "autoHeight": True,
    },
    {"field": "first", "headerName": "First", "minWidth": 172},
    {"field": "last", "headerName": "Last", "minWidth": 172},
    _number("messages", "Messages"),
    _number("kept", "Kept raw"),
)

CLIENT_COLUMNS: Sequence[Row] = (
    {
        "field": "client",
        "headerName": "Client",
        "minWidth": 160,
        "width": 180,
        "pinned": "left",
        "cellRenderer": "QualityClient",
    },
    _number("complete", "Complete, %", minWidth=128),
    _number("received", "Received"),
    *(_number(one.value, one.value.capitalize()) for one in Outcome),
    _number("late", "Late readings", minWidth=132),
    _number("skew", "Clock behind, s", minWidth=150),
)


def group_rows(groups: Sequence[Group], zone: tzinfo) -> list[Row]:
    """What is in quarantine; the `id` says which it is, as `group_of` reads it."""
    return [
        {
            "id": json.dumps([one.topic, one.reason, one.client]),
            "topic": printable(one.topic) or "(counted only)",
            "client": client_text(one.client),
            "reason": _why(one),
            "first": clock_text(one.first_us, zone)[:19],
            "last": clock_text(one.last_us, zone)[:19],
            "messages": one.messages,
            "kept": one.kept,
        }
        for one in groups
    ]


def _why(one: Group) -> str:
    remedy = remedy_of(one.reason, one.topic, one.client)
    return sentence(f"{reason_of(one.reason).meaning}: {printable(remedy)}")


def group_of(sent: object) -> tuple[str, str, str] | None:
    """Topic, reason and client of a row by its `id`, whatever a browser sent for it."""
    try:
        found = orjson.loads(sent) if isinstance(sent, str) else None
    except ValueError:
        return None
    match found:
        case [str(topic), str(reason), str(client)]:
            return topic, reason, client
    return None


def client_rows(seen: Seen, what: str, view: View) -> list[Row]:
    """Each client with what became of what it sent, messages or readings."""
    sums, map_ = seen.sums, seen.completeness
    complete = dict(zip(map_.clients, map_.overall, strict=True))
    return [
        {
            "id": f"client {client}",
            "client": client_text(client),
            "href": page_link("client", view, (client,)) if client else "",
            **sums.tally(place, what)._asdict(),
            "late": seen.late.get(client, 0),
            "skew": _seconds(seen.skews.get(client)),
            "complete": _percent(complete.get(client)),
        }
        for place, client in enumerate(sums.clients)
    ]


def _seconds(skew: Skew | None) -> float | None:
    return round(skew.skew_us / SECOND_US, 3) if skew else None


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


def grid_height(rows: int, row_px: int) -> dict[str, str]:
    """The style of a grid that is no higher than its rows need, and never very high."""
    return {"height": f"{min(_GRID_FRAME_PX + row_px * max(rows, 2), _MOST_GRID_PX)}px"}


def damage_table(damage: Sequence[Damage]) -> html.Div | html.P:
    """The files of the history that cannot be read, and what to do."""
    if not damage:
        return html.P("Every block of the history that was asked for can be read.")
    rows = [
        html.Tr([html.Td(f"data/blocks/{printable(one.path)}"), html.Td(printable(one.reason))])
        for one in damage
    ]
    head = html.Thead(html.Tr([html.Th("File"), html.Th("What is wrong")]))
    advice = (
        "What these files hold is missing from charts and exports. Put each back from a backup, as "
        "docs/backup.md says; Culex finds it by itself. To check all of them, run "
        ".venv/bin/python -m telemetry verify."
    )
    table = dbc.Table([head, html.Tbody(rows)], size="sm", className="readings")
    return html.Div([html.P(advice), html.Div(table, className="table-box")])
