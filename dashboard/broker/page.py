"""The Broker page: what it consists of, and what it answers to a look at the store."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import Output, dcc, html
from dash.development.base_component import Component

from dashboard import ids
from dashboard.broker import charts
from dashboard.broker.certificate import certificate
from dashboard.broker.drawing import drawing
from dashboard.broker.facts import Fact, Figures, facts
from dashboard.broker.lists import lists
from dashboard.broker.log import ALL, kind_of, kind_options
from dashboard.broker.missing import missing
from dashboard.charts import graph
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.parts import grid, icon, named, page_link
from dashboard.view import View
from telemetry.presence import EventKind

FACTS = "broker-facts"
MISSING = "broker-missing"
CHARTS_BOX = "broker-charts-box"
CAPTION = "broker-caption"
COUNTED = "broker-counted"
GRID = "broker-grid"
REFUSALS = "broker-refusals"
LOG = "broker-log"

OURS = ("broker", "collector")

_MOST_LOSSES = 1000


def layout(view: View, _engine: Engine) -> Component:
    """The page before any data."""
    return html.Div(
        [
            html.H1("Broker", className="visually-hidden"),
            html.Div(id=FACTS, className="tiles broker-facts"),
            html.Div(id=MISSING),
            _charts(),
            _connections(view),
            html.Section(
                [_head("Refused logins"), html.Div(id=REFUSALS, className="broker-list")],
                className="panel",
            ),
            _log(view),
        ]
    )


def _head(title: str, *more: Component) -> html.Div:
    return html.Div([html.H2(title), *more], className="panel-head")


def _labelled(name: str, control: Component) -> html.Label:
    """A control with a name for those who do not see what it is for."""
    return html.Label(
        [html.Span(name, className="visually-hidden"), control], className="broker-search"
    )


def _charts() -> html.Section:
    height = charts.height_px(charts.WIDE_PX)
    return html.Section(
        [
            html.Div(graph("broker", height, "Figures of broker and collector"), id=CHARTS_BOX),
            html.P(id=CAPTION, className="caption"),
        ],
        className="panel charts",
    )


def _connections(view: View) -> html.Section:
    search = dbc.Input(
        id=ids.option("q"),
        value=view.option("q"),
        type="search",
        placeholder="Search connections",
        debounce=300,
        maxLength=100,
    )
    return html.Section(
        [
            _head("Connections", _labelled("Search connections", search)),
            html.P(id=COUNTED, className="caption broker-counted"),
            grid(GRID, _COLUMNS, style={"height": "420px"}, dashGridOptions=_GRID_OPTIONS),
        ],
        className="panel",
    )


def _log(view: View) -> html.Section:
    chosen = kind_of(view.option("kind")) or ALL
    kind = dbc.Select(kind_options(), chosen, id=ids.option("kind"))
    return html.Section(
        [
            _head("Events", _labelled("Kind of events", kind)),
            html.Div(
                id=LOG,
                className="broker-list broker-log",
                tabIndex="0",
                role="region",
                **named("Events of the broker"),
            ),
        ],
        className="panel",
    )


_GRID_OPTIONS = {
    "localeText": {"noRowsToShow": "No connections in this time"},
    "rowClassRules": {"broker-bad": "params.data.mood === 'bad'"},
}
_COLUMNS: Sequence[Json] = (
    {"field": "user", "headerName": "Client", "minWidth": 130, "cellRenderer": "BrokerClient"},
    {"field": "state", "headerName": "State", "minWidth": 225, "cellRenderer": "BrokerState"},
    {"field": "client_id", "headerName": "Client identifier", "minWidth": 140,
     "tooltipField": "client_id"},
    {"field": "since", "headerName": "Since", "minWidth": 172},
    {"field": "until", "headerName": "Until", "minWidth": 172},
    {"field": "lasted", "headerName": "How long", "minWidth": 110, "sortable": False},
    {"field": "address", "headerName": "Address", "minWidth": 150},
    {"field": "mqtt", "headerName": "MQTT", "minWidth": 75},
    {"field": "keep_alive", "headerName": "Keep-alive", "minWidth": 100, "sortable": False},
    {"field": "session", "headerName": "Session", "minWidth": 95},
)  # fmt: skip


def answer(look: Look) -> Json:
    """The new values of the page's outputs."""
    writer = look.snapshot.writer()
    ours = [one for client in OURS for one in look.snapshot.latest(client)]
    figures = Figures(ours, look.now_us)
    lost = len(look.snapshot.events_of(EventKind.BROKER_LOST, look.window, _MOST_LOSSES))
    settings = look.engine.settings
    told = [
        *facts(figures, writer, lost, settings.intake_messages, look.now_us),
        certificate(settings, look.now_us),
    ]
    drawn = dict(look.drawn)
    return {
        "facts": [_tile(fact, look.view) for fact in told],
        "missing": missing(figures, writer, look.now_us),
        **drawing(look, drawn),
        **lists(look, figures, drawn),
        "drawn": drawn,
    }


def _tile(fact: Fact, view: View) -> Component:
    value = [html.Span(fact.value, className="tile-value")]
    if fact.unit:
        value.append(html.Span(fact.unit, className="tile-unit"))
    sign = [icon("exclamation-triangle-fill")] if fact.bad else []
    body = [
        html.Div([*sign, fact.name], className="tile-name"),
        html.Div(value, className="tile-now"),
        html.Div(list(fact.note), className="broker-note"),
    ]
    look = "tile broker-fact bad" if fact.bad else "tile broker-fact"
    if fact.series is None:
        return html.Div(body, className=look)
    client, metric = fact.series
    return dcc.Link(body, href=page_link("client", view, (client,), (metric,)), className=look)


PAGE = Page(
    name="broker",
    title="Broker",
    symbol="hdd-network",
    outputs={
        "facts": Output(FACTS, "children"),
        "missing": Output(MISSING, "children"),
        "figure": Output(ids.chart("broker"), "figure"),
        "height": Output(ids.chart("broker"), "style"),
        "caption": Output(CAPTION, "children"),
        "rows": Output(GRID, "rowData"),
        "counted": Output(COUNTED, "children"),
        "refusals": Output(REFUSALS, "children"),
        "log": Output(LOG, "children"),
    },
    layout=layout,
    answer=answer,
    whole=True,
)
