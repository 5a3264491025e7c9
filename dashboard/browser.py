"""Callbacks that run in the browser; their functions are in assets/live.js."""

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, State

from dashboard import ids

_AT_ONCE: Sequence[tuple[str, Sequence[object]]] = (
    (
        "gate",
        (
            Output(ids.TICK, "data"),
            Input(ids.TICKER, "n_intervals"),
            State(ids.ACK, "data"),  # an input would keep the gate shut while an answer is out
            State(ids.PERIOD, "data"),
            State(ids.BROWSER, "data"),
        ),
    ),
    ("address", (Input(ids.VIEW, "data"),)),
    ("remember", (Input(ids.DRAWN, "data"), State(ids.VIEW, "data"))),
    (
        "browser",
        (Output(ids.BROWSER, "data"), Output(ids.THEME, "data"), Input(ids.PERIOD, "data")),
    ),
    (
        "since",
        (
            Output(ids.UPDATED, "children"),
            Input(ids.TICKER, "n_intervals"),
            State(ids.AS_OF, "data"),
            State(ids.PERIOD, "data"),
        ),
    ),
)

_WHEN_USED: Sequence[tuple[str, Sequence[object]]] = (
    (
        "choose",
        (
            Output(ids.VIEW, "data", allow_duplicate=True),
            Input(ids.CLIENT, "value"),
            Input(ids.METRICS, "value"),
            Input(ids.RANGE, "value"),
            Input(ids.SPANS, "value"),
            Input(ids.ZONE, "value"),
            Input(ids.FOLLOW, "n_clicks"),
            State(ids.VIEW, "data"),
            State(ids.DRAWN, "data"),
        ),
    ),
    (
        "addSpan",
        (
            Output(ids.SPANS, "options"),
            Output(ids.SPANS, "value"),
            Output(ids.SPAN_NEW, "value"),
            Input(ids.SPAN_NEW, "value"),
            State(ids.SPANS, "options"),
            State(ids.SPANS, "value"),
        ),
    ),
    (
        "manifest",
        (
            Output(ids.MANIFEST, "href"),
            Output(ids.MANIFEST, "hidden"),
            Input(ids.EXPORT, "n_clicks"),
            Input(ids.VIEW, "data"),
            State(ids.EXPORT, "href"),
        ),
    ),
)


def register_browser(app: Dash) -> None:
    """Connects the functions of assets/live.js to the components they serve."""
    for function, components in _AT_ONCE:
        _register(app, function, components)
    for function, components in _WHEN_USED:
        _register(app, function, components, prevent_initial_call=True)


def _register(app: Dash, function: str, components: Sequence[object], **options: bool) -> None:
    where = ClientsideFunction("culex", function)
    app.clientside_callback(where, *components, **options)  # type: ignore[no-untyped-call]  # Dash leaves it untyped
