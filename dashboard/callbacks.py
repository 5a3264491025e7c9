"""Callbacks: they translate between components and one question per tick."""

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from dashboard import client_page, ids, parts
from dashboard.answer import Engine, Page, answer
from dashboard.browser import register_browser
from dashboard.travel import pinned, zoomed
from dashboard.view import View, ViewError, check_zone, view_of_json, view_of_query, view_to_json

Json = dict[str, Any]  # what a browser sends; each value is checked where it is read

PAGES = frozenset({"/", "/client"})
"""The paths that are pages; any other is answered with 404."""

LIVE: Mapping[str, Output] = {
    "figure": Output(ids.CHARTS, "figure"),
    "height": Output(ids.CHARTS, "style"),
    "no_charts": Output(ids.CHARTS_BOX, "hidden"),
    "tiles": Output(ids.TILES, "children"),
    "table": Output(ids.TABLE, "children"),
    "caption": Output(ids.CAPTION, "children"),
    "notice": Output(ids.NOTICE, "children"),
    "export": Output(ids.EXPORT, "href"),
    "time_label": Output(ids.TIME_LABEL, "children"),
    "drawn": Output(ids.DRAWN, "data"),
    "shown": Output(ids.PICTURE, "className"),
    "clients": Output(ids.CLIENT, "options"),
    "metrics": Output(ids.METRICS, "options"),
    "status": Output(ids.STATUS, "children"),
    "banner": Output(ids.BANNER, "children"),
    "as_of": Output(ids.AS_OF, "data"),
    "ack": Output(ids.ACK, "data"),
}
"""What one tick answers; what an answer leaves out stays as it is."""


def register(app: Dash, engine: Engine) -> None:
    """Connects every callback to the components it names."""
    register_browser(app)
    _register_view(app, engine)
    settings = engine.settings

    @app.callback(
        Output(ids.PAGE, "children"), Input(ids.URL, "pathname"), State(ids.URL, "search")
    )
    def page(pathname: str, search: str) -> object:
        if pathname in PAGES:
            return client_page.layout(
                view_of_query(search or ""), settings.spans, settings.refresh_ms
            )
        return parts.not_found(pathname)

    @app.callback(
        output=dict(LIVE),
        inputs=[Input(ids.TICK, "data"), Input(ids.VIEW, "data"), Input(ids.THEME, "data")],
        state=[State(ids.BROWSER, "data"), State(ids.DRAWN, "data")],
        prevent_initial_call=True,
    )
    def live(tick: int, view: Json, theme: str, browser: Json, drawn: Json) -> Json:
        page = Page(view_of_json(view), theme, _mapping(browser), _mapping(drawn))
        return dict.fromkeys(LIVE, no_update) | answer(engine, page) | {"ack": tick}


def _mapping(sent: object) -> Json:
    return sent if isinstance(sent, dict) else {}


def _register_view(app: Dash, engine: Engine) -> None:
    """Connects the buttons and the chart to the view, each in a callback of its own.

    In one, a chart that reports its new size while a click is answered would ask again in its
    place, and the click would be lost.
    """

    @app.callback(
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.CHARTS, "relayoutData"),
        State(ids.VIEW, "data"),
        State(ids.BROWSER, "data"),
        prevent_initial_call=True,
    )
    def zoom(relayout: Json, view: Json, browser: Json) -> object:
        return _moved(view, lambda now: zoomed(now, relayout or {}, engine.clock(), _zone(browser)))

    @app.callback(
        Output(ids.VIEW, "data"),
        Input(ids.APPLY, "n_clicks"),
        Input(ids.BACK, "n_clicks"),
        Input(ids.FORWARD, "n_clicks"),
        State(ids.FROM, "value"),
        State(ids.TO, "value"),
        State(ids.VIEW, "data"),
        State(ids.BROWSER, "data"),
        prevent_initial_call=True,
    )
    def travel(
        _apply: int, _back: int, _forward: int, start: str, end: str, view: Json, browser: Json
    ) -> object:
        zone = _zone(browser)
        if ctx.triggered_id == ids.APPLY:
            return _moved(view, lambda now: pinned(now, (start, end), engine.clock(), zone))
        part = -0.5 if ctx.triggered_id == ids.BACK else 0.5
        return _moved(view, lambda now: now.moved(engine.clock(), check_zone(now, zone), part))


def _zone(browser: object) -> str:
    return str(_mapping(browser).get("zone", ""))


def _moved(sent: Json, move: Callable[[View], View]) -> object:
    """The view after the move, or none if nothing changes."""
    now = view_of_json(sent)
    try:
        moved = move(now)
    except ViewError:  # the page says already what is wrong with it
        return no_update
    return no_update if moved == now else view_to_json(moved)
