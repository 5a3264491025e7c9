"""The Quality page: its parts before any data, and what it answers to a tick."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import ids, parts
from dashboard.charts import graph
from dashboard.engine import Engine
from dashboard.page import Page
from dashboard.quality import names
from dashboard.quality.answer import answer, counted, drawn_bars
from dashboard.quality.drawer import drawer, register_drawer
from dashboard.quality.figures import BARS_PX, map_height_px
from dashboard.quality.replay import register_replay
from dashboard.quality.tables import (
    CLIENT_COLUMNS,
    CLIENT_PX,
    GROUP_COLUMNS,
    GROUP_PX,
    grid_height,
)
from dashboard.view import View

OUTPUTS = {
    "equation": Output(names.EQUATION, "children"),
    "bars": Output(names.BARS, "figure"),
    "shown": Output(names.SHOWN, "children"),
    "map": Output(names.COMPLETENESS, "figure"),
    "map_height": Output(names.COMPLETENESS, "style"),
    "map_hidden": Output(names.COMPLETENESS_BOX, "hidden"),
    "map_text": Output(names.COMPLETENESS_TEXT, "children"),
    "cells": Output(names.CELL, "data"),
    "groups": Output(names.GROUPS, "rowData"),
    "groups_style": Output(names.GROUPS, "style"),
    "groups_text": Output(names.GROUPS_TEXT, "children"),
    "by_client": Output(names.CLIENTS, "rowData"),
    "by_client_style": Output(names.CLIENTS, "style"),
    "damage": Output(names.DAMAGE, "children"),
    "known": Output(ids.choice("clients"), "options"),
}
"""What one tick answers; what an answer leaves out stays as it is."""


def layout(view: View, _engine: Engine) -> html.Div:
    """The page for a view before any data; ticks fill it."""
    return html.Div(
        [
            html.Div([_who(view), _what(view)], className="controls"),
            _panel(
                "What arrived, and what became of it",
                html.Div(id=names.EQUATION, className="quality-words"),
                graph("quality-bars", BARS_PX, "Outcomes over time, as stacked bars"),
                html.P(id=names.SHOWN, className="caption"),
            ),
            _panel(
                "Completeness",
                html.P(id=names.COMPLETENESS_TEXT, className="caption"),
                html.Div(
                    graph(
                        names.COMPLETENESS,
                        map_height_px(0),
                        "Completeness by client and hour; the table by client has it in numbers",
                        timed=False,
                    ),
                    id=names.COMPLETENESS_BOX,
                ),
                dcc.Store(id=names.CELL),
            ),
            *_grids(),
            _panel("Damaged blocks", html.Div(id=names.DAMAGE, className="quality-words")),
            drawer(),
        ],
        className="quality",
    )


def _grids() -> list[html.Section]:
    return [
        _panel(
            "Quarantine",
            html.P(id=names.GROUPS_TEXT, className="caption"),
            html.Div(
                parts.grid(
                    names.GROUPS,
                    GROUP_COLUMNS,
                    style=grid_height(0, GROUP_PX),
                    dashGridOptions={"suppressNoRowsOverlay": True, "rowHeight": GROUP_PX},
                ),
                className="table-box",
            ),
        ),
        _panel(
            "By client",
            html.P(_ABOUT_CLIENTS, className="caption"),
            html.Div(
                parts.grid(names.CLIENTS, CLIENT_COLUMNS, style=grid_height(0, CLIENT_PX)),
                className="table-box",
            ),
        ),
    ]


_ABOUT_CLIENTS = (
    "What each client sent in the time shown, by what became of it. Late readings were measured in "
    "that time and arrived later than late_after; they are stored all the same. A clock that is "
    "behind includes the time that messages take."
)


def _panel(title: str, *content: Component) -> html.Section:
    return html.Section(
        [
            html.Div(html.H2(title), className="panel-head"),
            html.Div(content, className="quality-in"),
        ],
        className="panel",
    )


def _who(view: View) -> html.Div:
    return html.Div(
        [
            html.Span("Clients", className="label"),
            dcc.Dropdown(
                id=ids.choice("clients"),
                value=list(view.clients),
                options=list(view.clients),
                multi=True,
                placeholder="all",
            ),
        ],
        className="field",
        role="group",
        **parts.named("Clients"),
    )


def _what(view: View) -> html.Div:
    return html.Div(
        [
            _switch(
                "Counted",
                names.OF,
                ((names.MESSAGES_OF, "Messages"), (names.READINGS_OF, "Readings")),
                counted(view),
            ),
            _switch(
                "Bars",
                names.BARS_OF,
                ((names.ALL_BARS, "All"), (names.FEW_BARS, "All but stored")),
                drawn_bars(view),
            ),
        ],
        className="quality-switches",
    )


def _switch(title: str, name: str, options: Sequence[tuple[str, str]], value: str) -> html.Div:
    return html.Div(
        [
            html.Span(title, className="label"),
            dbc.RadioItems(
                id=ids.option(name),
                options=[{"label": text, "value": one} for one, text in options],
                value=value,
                className="segmented",
                inputClassName="btn-check",
                labelClassName="segment",
                labelCheckedClassName="active",
            ),
        ],
        className="field",
        role="group",
        **parts.named(title),
    )


def register(app: Dash, engine: Engine) -> None:
    """Connects the drawer, and a click in the map to the page of its client."""
    register_drawer(app, engine)
    register_replay(app, engine)
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("quality", "visit"),
        Input(names.COMPLETENESS, "clickData"),
        State(names.CELL, "data"),
        prevent_initial_call=True,
    )


PAGE = Page(
    name=names.PAGE,
    title="Quality",
    symbol="clipboard-check",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
    register=register,
    whole=True,
)
