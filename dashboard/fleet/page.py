"""The fleet page: its parts before any data, and what it answers to a tick."""

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from dashboard import ids
from dashboard.charts import graph
from dashboard.engine import Engine
from dashboard.fleet.grid import GRID, box_style, changes, filter_of, fleet_grid
from dashboard.fleet.survey import Survey, survey
from dashboard.fleet.tiles import choices, figures
from dashboard.fleet.timeline import MOST_STRIPS, strips
from dashboard.page import Json, Look, Page
from dashboard.parts import icon, let_in, named
from dashboard.view import View
from telemetry.existing import ExistingBroker

FIGURES = "fleet-figures"
BOX = "fleet-box"
COUNT = "fleet-count"


def layout(view: View, _engine: Engine) -> Component:
    """The page for a view before any data."""
    return html.Div([_tiles(view), _clients(view), _timeline()], className="fleet")


def _tiles(view: View) -> html.Div:
    return html.Div(
        [
            html.Div(
                dbc.RadioItems(
                    id=ids.option("state"),
                    options=choices({}),
                    value=view.option("state"),
                    className="fleet-choices",
                    inputClassName="btn-check",
                    labelClassName="fleet-tile",
                    labelCheckedClassName="active",
                ),
                role="group",
                **named("Show clients of one state"),
            ),
            html.Div(id=FIGURES, className="fleet-figures"),
        ],
        className="fleet-tiles",
    )


def _clients(view: View) -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.H2("Clients"),
                    html.Span(id=COUNT, className="caption"),
                    html.Label(
                        [
                            icon("search"),
                            html.Span("Search clients", className="visually-hidden"),
                            dbc.Input(
                                id=ids.option("search"),
                                type="search",
                                value=view.option("search"),
                                placeholder="Search clients, metrics, tags",
                                debounce=600,
                                maxLength=100,
                                className="fleet-search",
                            ),
                        ],
                        className="fleet-search-box",
                    ),
                ],
                className="panel-head",
            ),
            html.Div(fleet_grid(view), id=BOX, className="fleet-box", style=box_style(8)),
        ],
        className="panel",
    )


def _timeline() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.H2("Timeline"),
                    html.Span(
                        f"The worst {MOST_STRIPS} clients at most. Click a strip to go to that "
                        "time of the client.",
                        className="caption",
                    ),
                ],
                className="panel-head",
            ),
            html.Div(
                graph("fleet", 240, "States of the clients over time, the worst client first"),
                className="fleet-strips",
            ),
        ],
        className="panel",
    )


def answer(look: Look) -> Json:
    """What the page shows now: the survey, and of grid and strips what has changed."""
    found = survey(look)
    if not found.members:
        return {"notice": no_clients(look.engine.settings.existing_broker), "drawn": {}}
    grid, grid_drawn = changes(found, _part(look.drawn, "grid"))
    chart, chart_drawn = strips(found, look, _part(look.drawn, "strips"))
    return {
        "choices": choices(found.counts),
        "figures": figures(found, look.now_us),
        "filter": filter_of(look.view),
        "count": _count(found, look),
        "box": box_style(_number(found, look)),
        **grid,
        **chart,
        "drawn": {"grid": grid_drawn, "strips": chart_drawn},
    }


def _part(drawn: Json, name: str) -> Json:
    part = drawn.get(name)
    return part if isinstance(part, dict) else {}


def _number(found: Survey, look: Look) -> int:
    group = filter_of(look.view) and look.view.option("state")
    return found.counts.get(group or "", 0)


def _count(found: Survey, look: Look) -> str:
    number, known = _number(found, look), len(found.members)
    known_text = f"{known} client" if known == 1 else f"{known} clients"
    return known_text if number == known else f"{number} of {known_text}"


def no_clients(broker: ExistingBroker | None) -> html.Div:
    """What a person meets before the first client."""
    text = "Give a client a login, then publish as that client; it appears here by itself:"
    fleet = html.P(["To look around with a simulated fleet: ", html.Code("make demo")])
    return let_in("No clients yet", text, broker, fleet)


def register(app: Dash, _engine: Engine) -> None:
    """A click on a strip goes to that time of the client, in the browser."""
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("fleet", "jump"),
        Input(ids.chart("fleet"), "clickData"),
        prevent_initial_call=True,
    )


PAGE = Page(
    name="fleet",
    title="Fleet",
    symbol="grid-3x3-gap",
    outputs={
        "choices": Output(ids.option("state"), "options"),
        "figures": Output(FIGURES, "children"),
        "filter": Output(GRID, "filterModel"),
        "rows": Output(GRID, "rowData"),
        "changes": Output(GRID, "rowTransaction"),
        "box": Output(BOX, "style"),
        "count": Output(COUNT, "children"),
        "figure": Output(ids.chart("fleet"), "figure"),
        "style": Output(ids.chart("fleet"), "style"),
    },
    layout=layout,
    answer=answer,
    register=register,
)
