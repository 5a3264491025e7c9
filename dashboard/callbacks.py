"""Callbacks: they translate between components and one question per tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output, Patch, State, ctx, html, no_update

from dashboard import client_page, figures, ids, parts
from dashboard.question import Picture, Question, ask
from dashboard.view import (
    DEFAULT_START,
    View,
    ViewError,
    check_spans,
    check_zone,
    view_of_json,
    view_of_query,
    view_to_json,
)
from telemetry.clock import Clock
from telemetry.interface import Querier, StoreError, StoreMissing, WriterState
from telemetry.settings import Settings
from telemetry.window import to_iso

Json = dict[str, Any]  # what a browser sends; each value is checked where it is read

_LOG = structlog.get_logger(__name__)
_LEAST_BUCKETS, _MOST_BUCKETS = 200, 1200
_PIXELS_PER_BUCKET = 1.5


@dataclass(frozen=True, slots=True)
class Engine:
    """What callbacks need of the world."""

    querier: Querier
    settings: Settings
    clock: Clock


def register(app: Dash, engine: Engine) -> None:
    """Connects every callback to the components it names."""
    _register_browser(app)
    _register_view(app, engine)
    settings = engine.settings

    @app.callback(
        Output(ids.PAGE, "children"), Input(ids.URL, "pathname"), State(ids.URL, "search")
    )
    def page(pathname: str, search: str) -> object:
        if pathname in {"/", "/client"}:
            return client_page.layout(
                view_of_query(search or ""), settings.spans, settings.refresh_ms
            )
        return parts.not_found(pathname)

    @app.callback(
        Output(ids.CHARTS, "figure"),
        Output(ids.CHARTS, "style"),
        Output(ids.CHARTS_BOX, "hidden"),
        Output(ids.TILES, "children"),
        Output(ids.TABLE, "children"),
        Output("caption", "children"),
        Output(ids.NOTICE, "children"),
        Output(ids.EXPORT, "href"),
        Output(ids.TIME_LABEL, "children"),
        Output(ids.DRAWN, "data"),
        Output("picture", "className"),
        Output(ids.CLIENT, "options"),
        Output(ids.METRICS, "options"),
        Output(ids.STATUS, "children"),
        Output(ids.BANNER, "children"),
        Output(ids.AS_OF, "data"),
        Output(ids.ACK, "data"),
        Input(ids.TICK, "data"),
        Input(ids.VIEW, "data"),
        Input(ids.THEME, "data"),
        State(ids.BROWSER, "data"),
        State(ids.DRAWN, "data"),
        prevent_initial_call=True,
    )
    def live(tick: int, view: Json, theme: str, browser: Json, drawn: Json) -> Sequence[object]:
        page = Page(view_of_json(view or {}), theme, browser or {}, drawn or {})
        return [*answer(engine, page), tick]


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser says of itself with each tick."""

    view: View
    theme: str
    browser: Mapping[str, Any]
    drawn: Mapping[str, Any]


def answer(engine: Engine, page: Page) -> Sequence[object]:
    """The new value of every output of a tick but the last, in their order."""
    now_us = engine.clock()
    try:
        style, question = _question(engine, page, now_us)
        picture = ask(engine.querier, question)
    except StoreMissing:  # no collector has run here yet
        return _nothing(parts.first_run(), WriterState(), now_us)
    except (StoreError, ViewError) as error:
        _LOG.warning("page not answered", error=str(error))
        return _nothing(parts.refused(str(error)), None, now_us)
    notice = parts.notice(picture)
    if notice is not None:
        return _without_charts(picture, notice, page)
    return _with_charts(picture, page, style)


def _question(engine: Engine, page: Page, now_us: int) -> tuple[figures.Style, Question]:
    zone = check_zone(page.view, str(page.browser.get("zone", "")))
    style = figures.Style(
        zone=zone,
        dark=page.theme == "dark",
        touch=page.browser.get("touch") is True,
        coverage_minimum=engine.settings.coverage_minimum,
    )
    question = Question(
        client=page.view.client,
        metrics=page.view.metrics,
        window=page.view.window(now_us, zone),
        spans=check_spans(page.view.spans, engine.settings.spans),
        now_us=now_us,
        max_buckets=_max_buckets(page.browser.get("width")),
    )
    return style, question


def _max_buckets(width: object) -> int:
    pixels = width if isinstance(width, int | float) else _MOST_BUCKETS
    return int(min(max(pixels / _PIXELS_PER_BUCKET, _LEAST_BUCKETS), _MOST_BUCKETS))


def _with_charts(picture: Picture, page: Page, style: figures.Style) -> Sequence[object]:
    signature = figures.signature(picture, style)
    known = page.drawn.get("signature") == signature
    height = {"height": f"{figures.height_px(picture)}px"}
    return [
        _patch(picture, style) if known else figures.figure(picture, style),
        no_update if known else height,
        False,
        parts.tiles(picture, style),
        parts.table(picture, style),
        parts.caption(picture),
        None,
        *_common(picture, page, {"signature": signature}, style),
    ]


def _without_charts(picture: Picture, notice: html.Div, page: Page) -> Sequence[object]:
    zone = check_zone(page.view, str(page.browser.get("zone", "")))
    style = figures.Style(zone, dark=False, touch=False, coverage_minimum=0)
    shown = picture.metrics and picture.question.client
    return [
        no_update,
        no_update,
        True,
        parts.tiles(picture, style) if shown else [],
        parts.table(picture, style),
        "",
        notice,
        *_common(picture, page, {}, style),
    ]


def _common(picture: Picture, page: Page, drawn: Json, style: figures.Style) -> Sequence[object]:
    window, now_us = picture.question.window, picture.question.now_us
    drawn |= {"client": picture.question.client, "start": window.start_us, "end": window.end_us}
    drawn["wall"] = parts.window_text(picture, style.zone)
    clients = [[one.client, one.simulated] for one in picture.clients]
    drawn |= {"clients": clients, "metrics": list(picture.metrics)}
    return [
        parts.export_link(picture, page.view.zone),
        parts.time_label(page.view.start, page.view.end, parts.window_text(picture, style.zone)),
        drawn,
        "picture" if picture.question.client else "picture waiting",
        no_update if page.drawn.get("clients") == clients else parts.client_options(picture),
        no_update
        if page.drawn.get("metrics") == drawn["metrics"]
        else parts.metric_options(picture.metrics),
        parts.status(picture.writer, now_us),
        parts.banner(picture.writer, now_us),
        now_us // 1000,
    ]


def _nothing(notice: html.Div, writer: WriterState | None, now_us: int) -> Sequence[object]:
    facts = [] if writer is None else parts.status(writer, now_us)
    head = [no_update, no_update, True, [], None, "", notice, "", ""]
    return [*head, {}, "picture waiting", no_update, no_update, facts, None, now_us // 1000]


def _patch(picture: Picture, style: figures.Style) -> Patch:
    """The figure's new arrays and time axis; zoom, legend and everything else stay."""
    patch = Patch()
    for number, arrays in figures.patched_data(picture, style):
        for name, values in arrays.items():
            patch["data"][number][name] = values
    patch["layout"]["xaxis"]["range"] = figures.x_range(picture, style)
    patch["layout"]["xaxis"]["autorange"] = False
    patch["layout"]["annotations"] = figures.titles(picture)
    return patch


def _register_view(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(ids.VIEW, "data"),
        Input(ids.CHARTS, "relayoutData"),
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
        relayout: Json, _apply: int, _back: int, _forward: int,
        start: str, end: str, view: Json, browser: Json,
    ) -> object:  # fmt: skip
        now = view_of_json(view)
        zone = (browser or {}).get("zone", "")
        moved = {
            ids.CHARTS: lambda: zoomed(now, relayout or {}, engine.clock(), zone),
            ids.APPLY: lambda: pinned(now, (start, end), engine.clock(), zone),
            ids.BACK: lambda: now.moved(engine.clock(), check_zone(now, zone), -0.5),
            ids.FORWARD: lambda: now.moved(engine.clock(), check_zone(now, zone), 0.5),
        }[str(ctx.triggered_id)]()
        return no_update if moved == now else view_to_json(moved)


def zoomed(view: View, relayout: Json, now_us: int, browser_zone: str) -> View:
    """The view after the reader dragged a range, or double-clicked to follow again."""
    if relayout.get("xaxis.autorange"):
        return view if view.follows else replace(view, start=DEFAULT_START, end="now")
    ends = [_wall_text(relayout.get(f"xaxis.range[{end}]")) for end in (0, 1)]
    return pinned(view, (ends[0], ends[1]), now_us, browser_zone) if all(ends) else view


def pinned(view: View, ends: tuple[str, str], now_us: int, browser_zone: str) -> View:
    """The view standing still between two times, read in its zone where they name none.

    Times that make no window are kept as they are: the page then says what is wrong with them.
    """
    wanted = replace(view, start=ends[0] or view.start, end=ends[1] or view.end)
    try:
        return wanted.fixed(wanted.window(now_us, check_zone(view, browser_zone)))
    except ViewError:
        return wanted


def _wall_text(end: object) -> str:
    """An end of a dragged range: plotly sends text, or milliseconds of the wall clock."""
    if isinstance(end, int | float):
        return to_iso(int(end * 1000)).removesuffix("Z")
    return end if isinstance(end, str) else ""


def _register_browser(app: Dash) -> None:
    """What runs in the browser: assets/live.js."""

    def run(function: str, *arguments: object, **options: bool) -> None:
        where = ClientsideFunction("culex", function)
        app.clientside_callback(where, *arguments, **options)  # type: ignore[no-untyped-call]  # Dash leaves it untyped

    run(
        "gate",
        Output(ids.TICK, "data"),
        Input(ids.TICKER, "n_intervals"),
        Input(ids.ACK, "data"),
        State(ids.PERIOD, "data"),
    )
    run(
        "choose",
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.CLIENT, "value"),
        Input(ids.METRICS, "value"),
        Input(ids.RANGE, "value"),
        Input(ids.SPANS, "value"),
        Input(ids.ZONE, "value"),
        Input(ids.FOLLOW, "n_clicks"),
        State(ids.VIEW, "data"),
        State(ids.DRAWN, "data"),
        prevent_initial_call=True,
    )
    run(
        "addSpan",
        Output(ids.SPANS, "options"),
        Output(ids.SPANS, "value"),
        Output(ids.SPAN_NEW, "value"),
        Input(ids.SPAN_NEW, "value"),
        State(ids.SPANS, "options"),
        State(ids.SPANS, "value"),
        prevent_initial_call=True,
    )
    run("remember", Input(ids.VIEW, "data"), Input(ids.DRAWN, "data"))
    run("toggleTheme", Output(ids.THEME, "data"), Input(ids.THEME_BUTTON, "n_clicks"))
    run("browser", Output(ids.BROWSER, "data"), Input(ids.URL, "pathname"))
    run(
        "since",
        Output(ids.UPDATED, "children"),
        Input(ids.TICKER, "n_intervals"),
        State(ids.AS_OF, "data"),
        State(ids.PERIOD, "data"),
    )
