"""The client page: controls, tiles, charts and table, before any data."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import charts, ids
from dashboard.answer import answer
from dashboard.browser import in_browser
from dashboard.client import beside, controls, details, presence, tabs, why
from dashboard.engine import Engine
from dashboard.figures import GRAPH_CONFIG
from dashboard.page import Page
from dashboard.parts import icon, named
from dashboard.view import View

CHARTS_BOX = "client-charts-box"
ENDS = "client-ends"
TILES = "client-tiles"
EXPORT = "client-export"
MANIFEST = "client-manifest"
IN_PLACE = "client-in-place"
CAPTION = "client-caption"
PICTURE = "client-picture"
SPAN_NEW = "client-span-new"

OUTPUTS = {
    "figure": Output(ids.chart("client"), "figure"),
    "ends": Output(ENDS, "data"),
    "height": Output(ids.chart("client"), "style"),
    "no_charts": Output(CHARTS_BOX, "hidden"),
    "in_place": Output(IN_PLACE, "children"),
    "tiles": Output(TILES, "children"),
    "caption": Output(CAPTION, "children"),
    "export": Output(EXPORT, "href"),
    "shown": Output(PICTURE, "className"),
    "clients": Output(ids.choice("client"), "options"),
    "metrics": Output(ids.choice("metrics"), "options"),
    **beside.OUTPUTS,
}
"""What one tick answers; what an answer leaves out stays as it is."""


def layout(view: View, engine: Engine) -> html.Div:
    """The page for a view before any data; ticks fill it."""
    return html.Div(
        [
            html.Div([_who(view), _means(view, engine.settings.spans)], className="controls"),
            html.Div(
                [html.Div(id=beside.FACTS), html.Div(id=details.SHOWN)], className="client-strip"
            ),
            why.layout(),
            html.Div(id=IN_PLACE),
            dcc.Store(id=ENDS),
            html.Div(
                [
                    html.Div(id=TILES, className="tiles"),
                    html.Div(_charts(view), id=CHARTS_BOX, className="panel charts"),
                    tabs.layout(view, html.Div(_exports(), className="exports")),
                ],
                id=PICTURE,
                className="picture",
            ),
            details.form(),
        ]
    )


def _who(view: View) -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Span("Client", className="label"),
                    dcc.Dropdown(
                        id=ids.choice("client"),
                        value=view.client or None,
                        options=[view.client] if view.client else [],
                        clearable=False,
                        placeholder="Choose a client",
                        maxHeight=360,
                    ),
                ],
                className="field client-field",
                role="group",
                **named("Client"),
            ),
            html.Div(
                [
                    html.Span("Metrics", className="label"),
                    dcc.Dropdown(
                        id=ids.choice("metrics"),
                        value=list(view.metrics),
                        options=list(view.metrics),
                        multi=True,
                        placeholder="all",
                    ),
                ],
                className="field metrics-field",
                role="group",
                **named("Metrics"),
            ),
        ],
        className="who",
    )


def _means(view: View, spans: Sequence[str]) -> html.Div:
    shown = list(view.spans or spans)
    choices = list(dict.fromkeys([*spans, *shown]))
    return html.Div(
        [
            html.Div(
                [
                    html.Span("Rolling means", className="label"),
                    dbc.Checklist(
                        id=ids.choice("spans"),
                        options=[{"label": span, "value": span} for span in choices],
                        value=shown,
                        className="segmented",
                        inputClassName="btn-check",
                        labelClassName="segment",
                        labelCheckedClassName="active",
                    ),
                ],
                className="field",
            ),
            html.Div(
                [
                    html.Label("Other span", htmlFor=SPAN_NEW),
                    dbc.Input(
                        id=SPAN_NEW,
                        placeholder="90s, 2h …",
                        debounce=True,
                        pattern="[0-9]{1,6}[smhdw]",
                        autoComplete="off",
                    ),
                ],
                className="field span-field",
            ),
            controls.statistic_field(view),
        ],
        className="means",
    )


def _charts(view: View) -> list[Component]:
    return [
        controls.chart_tools(view),
        dcc.Graph(
            id=ids.chart("client"),
            config=GRAPH_CONFIG,  # type: ignore[arg-type]  # a plain dict is what it takes
            figure={
                "data": [],
                "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}},
            },
            responsive=True,
        ),
        html.Div(
            [
                charts.graph(beside.LANE, presence.HEIGHT_PX, "Presence of the client over time"),
                html.P(id=beside.LANE_WORDS, className="visually-hidden"),
            ],
            className="client-lane",
        ),
        html.P(id=CAPTION, className="caption"),
    ]


def _exports() -> list[html.A]:
    """The download, and its manifest, which is offered once there is a download to be told of."""
    return [
        html.A(
            "Manifest",
            id=MANIFEST,
            className="manifest",
            title="What the file just exported holds, its checksum, and how to get it again",
            href="",
            download="",
            hidden=True,
        ),
        html.A(
            [icon("download"), html.Span("Export CSV")],
            id=EXPORT,
            className="btn export",
            href="",
            download="",
        ),
    ]


def _register(app: Dash, engine: Engine) -> None:
    details.register(app, engine)
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("tail", "extend"),
        Output(ids.chart("client"), "figure", allow_duplicate=True),
        Input(ENDS, "data"),
        State(ids.chart("client"), "figure"),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "addSpan",
        (
            Output(ids.choice("spans"), "options"),
            Output(ids.choice("spans"), "value"),
            Output(SPAN_NEW, "value"),
            Input(SPAN_NEW, "value"),
            State(ids.choice("spans"), "options"),
            State(ids.choice("spans"), "value"),
        ),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "manifest",
        (
            Output(MANIFEST, "href"),
            Output(MANIFEST, "hidden"),
            Input(EXPORT, "n_clicks"),
            Input(ids.VIEW, "data"),
            State(EXPORT, "href"),
        ),
        prevent_initial_call=True,
    )


PAGE = Page(
    name="client",
    title="Client",
    symbol="graph-up",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
    register=_register,
)
"""One client: its newest values, charts with rolling means, and readings."""
