"""Changes of the client that is chosen; what cannot be taken back is asked about first."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import ids
from dashboard.clients import changing, names
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.rights import operators_of_all
from dashboard.view import view_of_json


class _Question(NamedTuple):
    title: str
    text: str
    button: str


_QUESTIONS: Mapping[str, _Question] = {
    names.ROTATE: _Question(
        "A new password?",
        "Client {} is disconnected, and its old password opens nothing any more.",
        "New password",
    ),
    names.REMOVE: _Question(
        "Remove this client?",
        "Client {} may not speak any more then. Its readings stay.",
        "Remove",
    ),
}


def question() -> dbc.Modal:
    """The question, closed, with what it is about."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id=names.SURE_TITLE)),
            dbc.ModalBody(html.P(id=names.SURE_TEXT)),
            dbc.ModalFooter(
                [
                    html.Button("Cancel", id=names.CANCEL, className="btn", n_clicks=0),
                    html.Button(id=names.CONFIRM, className="btn btn-danger", n_clicks=0),
                    dcc.Store(id=names.SURE_OF),
                ]
            ),
        ],
        id=names.SURE,
        is_open=False,
    )


def register_changes(app: Dash, engine: Engine) -> None:
    """Connects the buttons, and the answers to the question."""
    _register_asking(app)
    _register_doing(app, engine)


def _register_asking(app: Dash) -> None:
    @app.callback(
        Output(names.SURE, "is_open"),
        Output(names.SURE_TITLE, "children"),
        Output(names.SURE_TEXT, "children"),
        Output(names.CONFIRM, "children"),
        Output(names.SURE_OF, "data"),
        Input(names.ROTATE, "n_clicks"),
        Input(names.REMOVE, "n_clicks"),
        Input(names.CANCEL, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    @operators_of_all
    def ask(*sent: Any) -> Sequence[object]:  # Any: JSON
        *clicks, view = sent
        asked = _QUESTIONS.get(str(ctx.triggered_id))
        if asked is None or not any(clicks):
            return [False, *[no_update] * 4]
        client = view_of_json(view).client
        text = asked.text.format(printable(client))
        of = {"what": ctx.triggered_id, "client": client}
        return [True, asked.title, text, asked.button, of]


def _register_doing(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(names.SHOWN, "children", allow_duplicate=True),
        Output(names.SAID, "children"),
        Output(names.SURE, "is_open", allow_duplicate=True),
        Input(names.SWITCH, "n_clicks"),
        Input(names.CONFIRM, "n_clicks"),
        State(names.SWITCH_SEEN, "data"),
        State(names.SURE_OF, "data"),
        running=[(Output(names.CONFIRM, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @operators_of_all
    def change(*sent: Any) -> Sequence[object]:  # Any: JSON
        *clicks, seen, of = sent
        if not any(clicks):
            return [no_update] * 3
        if ctx.triggered_id == names.SWITCH:
            return no_update, changing.switched(engine, seen), False
        asked = of if isinstance(of, dict) else {}
        client = str(asked.get("client", ""))
        if asked.get("what") == names.ROTATE:
            return *changing.rotated(engine, client), False
        if asked.get("what") == names.REMOVE:
            return no_update, changing.removed(engine, client), False
        return no_update, no_update, False
