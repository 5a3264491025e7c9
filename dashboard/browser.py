"""Callbacks that run in the browser; their functions are in assets/live.js."""

from collections.abc import Sequence

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from dashboard import ids

_AT_ONCE: Sequence[tuple[str, Sequence[object]]] = (
    (
        "begin",
        (
            Output(ids.BROWSER, "data"),
            Output(ids.THEME, "data"),
            Output(ids.URL, "data"),
            Input(ids.PERIOD, "data"),
        ),
    ),
)

_WHEN_USED: Sequence[tuple[str, Sequence[object]]] = (
    (
        "ask",
        (
            Input(ids.TICKER, "n_intervals"),
            Input(ids.VIEW, "data"),
            Input(ids.THEME, "data"),
            Input(ids.REFRESH_NOW, "n_clicks"),
            State(ids.ACK, "data"),  # an input would keep the gate shut while an answer is out
            State(ids.PERIOD, "data"),
            State(ids.REFRESH, "value"),
            State(ids.BROWSER, "data"),
        ),
    ),
    (
        "beat",
        (
            Output(ids.UPDATED, "children"),
            Input(ids.TICKER, "n_intervals"),
            State(ids.AS_OF, "data"),
            State(ids.VIEW, "data"),
            State(ids.PERIOD, "data"),
            State(ids.REFRESH, "value"),
        ),
    ),
    ("dragged", (Output(ids.DRAGGED, "data"), Input(ids.chart(ALL), "relayoutData"))),
    ("address", (Input(ids.VIEW, "data"),)),
    ("remember", (Input(ids.DRAWN, "data"), Input(ids.AS_OF, "data"), State(ids.VIEW, "data"))),
    (
        "choose",
        (
            Output(ids.VIEW, "data", allow_duplicate=True),
            Input(ids.choice(ALL), "value"),
            Input(ids.option(ALL), "value"),
            Input(ids.RANGE, "value"),
            Input(ids.ZONE, "value"),
            Input(ids.FOLLOW, "n_clicks"),
            State(ids.VIEW, "data"),
            State(ids.AS_OF, "data"),
        ),
    ),
)


def register_browser(app: Dash) -> None:
    """Connects the functions of assets/live.js to the components they serve."""
    for function, components in _AT_ONCE:
        in_browser(app, function, components)
    for function, components in _WHEN_USED:
        in_browser(app, function, components, prevent_initial_call=True)


def in_browser(app: Dash, function: str, components: Sequence[object], **options: bool) -> None:
    """Connects one function of `dash_clientside.culex`."""
    where = ClientsideFunction("culex", function)
    app.clientside_callback(where, *components, **options)  # type: ignore[no-untyped-call]  # Dash leaves it untyped
