"""The callbacks of the shell: which page is shown, and where its view goes."""

from collections.abc import Callable, Sequence

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids, parts
from dashboard.browser import register_browser
from dashboard.engine import Engine
from dashboard.frame import register_page
from dashboard.page import Json, Page
from dashboard.rights import viewers
from dashboard.sight import may_see
from dashboard.travel import pinned, zoomed
from dashboard.view import View, ViewError, check_zone, view_of_json, view_of_query, view_to_json


def register(app: Dash, engine: Engine, pages: Sequence[Page]) -> None:
    """Connects every callback to the components it names; the first page is the start."""
    register_browser(app)
    _register_places(app, engine, pages)
    _register_view(app, engine)
    for page in pages:
        register_page(app, engine, page)


def page_of(path: str, pages: Sequence[Page]) -> Page | None:
    """The page at a path; `/` is the first."""
    name = path.strip("/")
    return next((page for page in pages if page.name == name), pages[0] if not name else None)


def _register_places(app: Dash, engine: Engine, pages: Sequence[Page]) -> None:
    @app.callback(
        Output(ids.PAGE, "children"),
        Output(ids.NOTICE, "children"),
        Output(ids.BODY, "className"),
        Output(ids.DRAWN, "data"),
        Output(ids.VIEW, "data"),
        Input(ids.URL, "data"),
        prevent_initial_call=True,
    )
    @viewers
    def show(sent: object) -> tuple[object, ...]:
        place = sent if isinstance(sent, dict) else {}
        path = str(place.get("path", "/"))
        view = view_of_query(str(place.get("search", "")))
        page = page_of(path, pages)
        if page is None:
            return None, parts.not_found(path), "body instead", {}, None
        if not may_see(page.role, whole=page.whole):
            return None, parts.not_for_you(page.title), "body instead", {}, None
        return laid_out(page, view, engine), None, "body waiting", {}, view_to_json(view)


def laid_out(page: Page, view: View, engine: Engine) -> Component:
    """A page before any data, with the store of its questions."""
    return html.Div(
        [dcc.Store(id=ids.ask(page.name)), page.layout(view, engine)],
        className=f"of-{page.name}" if page.timed else f"of-{page.name} timeless",
    )


def _register_view(app: Dash, engine: Engine) -> None:
    """Connects the buttons and the charts to the view, each in a callback of its own.

    In one, a chart that reports its new size while a click is answered would ask again in its
    place, and the click would be lost.
    """

    @app.callback(
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.DRAGGED, "data"),
        State(ids.VIEW, "data"),
        State(ids.BROWSER, "data"),
        prevent_initial_call=True,
    )
    @viewers
    def zoom(relayout: object, view: Json, browser: Json) -> object:
        moved = relayout if isinstance(relayout, dict) else {}
        return _moved(view, lambda now: zoomed(now, moved, engine.clock(), _zone(browser)))

    @app.callback(
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.APPLY, "n_clicks"),
        Input(ids.BACK, "n_clicks"),
        Input(ids.FORWARD, "n_clicks"),
        Input(ids.WIDER, "n_clicks"),
        State(ids.FROM, "value"),
        State(ids.TO, "value"),
        State(ids.VIEW, "data"),
        State(ids.BROWSER, "data"),
        prevent_initial_call=True,
    )
    @viewers
    def travel(*sent: object) -> object:
        ends, view, browser = (_text(sent[4]), _text(sent[5])), sent[6], sent[7]
        zone, now_us = _zone(browser), engine.clock()
        moves: dict[str, Callable[[View], View]] = {
            ids.APPLY: lambda now: pinned(now, ends, now_us, zone),
            ids.BACK: lambda now: now.moved(now_us, check_zone(now, zone), -0.5),
            ids.FORWARD: lambda now: now.moved(now_us, check_zone(now, zone), 0.5),
            ids.WIDER: lambda now: now.wider(now_us, check_zone(now, zone)),
        }
        return _moved(view, moves[str(ctx.triggered_id)])


def _text(sent: object) -> str:
    return sent if isinstance(sent, str) else ""


def _zone(browser: object) -> str:
    return str(browser.get("zone", "")) if isinstance(browser, dict) else ""


def _moved(sent: object, move: Callable[[View], View]) -> object:
    """The view after the move, or none if nothing changes."""
    now = view_of_json(sent)
    try:
        moved = move(now)
    except ViewError:  # the page says already what is wrong with it
        return no_update
    return no_update if moved == now else view_to_json(moved)
