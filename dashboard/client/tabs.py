"""The tabs under the charts: newest readings, raw messages, gaps, topics; one is looked up."""

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import Output, html
from dash.development.base_component import Component

from dashboard import ids, parts
from dashboard.client import newest, presence
from dashboard.client.gap_table import gap_tab
from dashboard.client.gaps import Metric, lacks
from dashboard.client.raw import raw_tab
from dashboard.client.topics import topics_tab
from dashboard.page import Json, Look
from dashboard.presence import Stretch
from dashboard.question import Picture
from dashboard.view import View
from telemetry.interface import Answer
from telemetry.window import SECOND_US

TABS: Mapping[str, str] = {
    "latest": "Latest readings",
    "raw": "Raw messages",
    "gaps": "Gaps",
    "topics": "Topics",
}
"""What can be shown there; the first by itself."""

BOX = "client-tabs"
GRID = "client-newest"
_RAW, _GAPS, _TOPICS, _NOTE = "client-raw", "client-gaps", "client-topics", "client-newest-note"

OUTPUTS = {
    "tab": Output(BOX, "className"),
    "newest": Output(GRID, "rowData"),
    "newer": Output(GRID, "rowTransaction"),
    "newest_note": Output(_NOTE, "children"),
    "newest_height": Output(GRID, "style"),
    "raw": Output(_RAW, "children"),
    "gaps": Output(_GAPS, "children"),
    "topics": Output(_TOPICS, "children"),
}

_AGAIN_US = {"raw": 2 * SECOND_US, "gaps": 5 * SECOND_US, "topics": SECOND_US}
"""So often a tab is looked up anew while nothing else changes."""

_GAPS_SHARE = 500
_ROW_PX, _HEAD_PX, _MOST_PX = 34, 38, 440


def chosen(view: View) -> str:
    """The tab that is shown."""
    wanted = view.option("tab")
    return wanted if wanted in TABS else next(iter(TABS))


def layout(view: View, *beside: Component) -> html.Div:
    """The tabs, empty; what is `beside` stands in their line."""
    choice = dbc.RadioItems(
        id=ids.option("tab"),
        options=[{"label": words, "value": name} for name, words in TABS.items()],
        value=chosen(view),
        className="segmented",
        inputClassName="btn-check",
        labelClassName="segment",
        labelCheckedClassName="active",
    )
    named = html.Div(choice, role="group", className="client-tab-choice", **parts.named("Show"))
    return html.Div(
        [
            html.Div([named, *beside], className="panel-head client-tabs-head"),
            html.Div([_grid(), html.P(id=_NOTE, className="client-note")], className="tab-latest"),
            *(
                html.Div(id=box, className=f"client-tab tab-{name}")
                for name, box in (("raw", _RAW), ("gaps", _GAPS), ("topics", _TOPICS))
            ),
        ],
        id=BOX,
        className=_class(chosen(view)),
    )


def _class(tab: str) -> str:
    return f"panel client-tabs show-{tab}"


def _grid() -> html.Div:
    grid = parts.grid(
        GRID,
        newest.COLUMNS,
        rowData=[],
        dashGridOptions={
            "rowHeight": _ROW_PX,
            "headerHeight": _HEAD_PX,
            "suppressNoRowsOverlay": True,
        },
        columnSize=None,
        defaultColDef={"resizable": True, "flex": 1},
        style=_height(newest.MOST_ROWS),
    )
    return html.Div(grid, role="region", **parts.named("Latest readings"))


def _height(rows: int) -> dict[str, str]:
    """As high as its rows, up to half a screen."""
    return {"height": f"{min(_MOST_PX, _HEAD_PX + (rows + 1) * _ROW_PX)}px"}


def answer(look: Look, picture: Picture, told: Sequence[Stretch] | None) -> tuple[Json, Json]:
    """What the tab that is shown has to say, and what is to be remembered of that.

    It says nothing where the browser has it already: readings come as what was added, the others
    every few seconds.

    Args:
        look: The look that is answered.
        picture: Of the client, with its readings as they are.
        told: The states of the client, if they were asked for just now.
    """
    tab = chosen(look.view)
    before = look.drawn.get("tab")
    memory: Json = before if isinstance(before, dict) else {}
    key = f"{tab} {picture.question.client} {look.style.zone} {look.view.query()}"
    age_us = look.now_us - memory.get("at", 0) if memory.get("of") == key else None
    shown: Json = {"tab": _class(tab)}
    if tab == "latest":
        found, kept = _readings(look, picture, memory, age_us)
    elif age_us is not None and age_us < _again_us(tab, look):
        return shown, memory
    else:
        found, kept = {tab: _told(tab, look, picture, told)}, {"at": look.now_us}
    return shown | found, kept | {"of": key}


def _again_us(tab: str, look: Look) -> int:
    longest = look.window.length_us // _GAPS_SHARE if tab == "gaps" else 0
    return max(_AGAIN_US[tab], longest)


def _told(
    tab: str, look: Look, picture: Picture, told: Sequence[Stretch] | None
) -> list[Component]:
    client = picture.question.client
    if tab == "raw":
        return raw_tab(look.snapshot, client, look.style)
    if tab == "topics":
        return topics_tab(look.snapshot, client, look.now_us)
    metrics = [
        Metric(one.latest, one.cadence, one.answer if isinstance(one.answer, Answer) else None)
        for one in picture.pictures
    ]
    known = presence.told(look.snapshot, picture) if told is None else told
    found = lacks(look.snapshot, metrics, look.window, look.now_us, known)
    return gap_tab(found, client, look.view, look.style)


def _readings(look: Look, picture: Picture, memory: Json, age_us: int | None) -> tuple[Json, Json]:
    """All rows, or those that came since; the grid puts them at its top."""
    anew = age_us is None or age_us >= newest.RENEWED_US
    since_us = None if anew else memory.get("arrived")
    rows, arrived_us = newest.rows(look.snapshot, picture, look.style, since_us)
    if not anew:
        there = memory.get("rows", 0) + len(rows)
        kept = {"at": memory["at"], "arrived": arrived_us, "rows": there}
        if not rows:
            return {}, kept
        return {"newer": {"add": rows, "addIndex": 0}, "newest_height": _height(there)}, kept
    words = "No readings in this window." if not rows else ""
    if len(rows) == newest.MOST_ROWS:
        words = f"The newest {newest.MOST_ROWS} are here; the export has all of the window."
    shown = {"newest": rows, "newest_note": words, "newest_height": _height(len(rows))}
    return shown, {"at": look.now_us, "arrived": arrived_us, "rows": len(rows)}
