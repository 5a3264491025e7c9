"""The panel People: who may look, and the form in which that is changed."""

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import ids
from dashboard.admin import lists, panels, person
from dashboard.admin.forms import button, drawer, field, forgets, of, sees_field, sure
from dashboard.engine import Engine
from dashboard.page import Json
from dashboard.rights import admins
from mosquitto.access_users import ADMIN, OPERATOR, ROLES, VIEWER

_MAY = {
    VIEWER: "viewer: looks, and exports",
    OPERATOR: "operator: also edits details, replays, publishes tests",
    ADMIN: "admin: also all of this page; sees all clients",
}


def people() -> html.Div:
    """The panel with its form, closed."""
    return html.Div(
        [
            panels.panel(
                "People",
                html.Div(panels.asking(), id=panels.PEOPLE),
                head=[button(person.ADD, "Add a person", "person-plus")],
            ),
            dcc.Store(id=panels.PERSON_CHOSEN),
            dcc.Store(id=person.EDITED),
            drawer(person.FORM, "Add a person", [_fields(), _login()]),
            sure(
                person.SURE, "Remove this person?", person.SURE_TEXT,
                button(person.KEEP, "Keep"), button(person.GO, "Remove", kind="admin-danger"),
            ),
        ]
    )  # fmt: skip


def _fields() -> html.Div:
    name = dbc.Input(id=person.NAME, type="text", value="", autoComplete="off", maxLength=64)
    options = [{"value": role, "label": _MAY[role]} for role in ROLES]
    return html.Div(
        [
            html.Div(field("Name", name), id=person.NAME_FIELD),
            field("Role", dbc.Select(id=person.ROLE, options=options, value=VIEWER)),
            sees_field(person.SEES),
            html.Div(id=person.SAID, role="alert", className="admin-form-said"),
            html.Div(id=person.ONCE, role="status"),
            html.Div(
                [button(person.SAVE, "Save", kind="btn-primary"), button(person.CANCEL, "Close")],
                className="admin-buttons",
            ),
        ]
    )


def _login() -> html.Div:
    turn = html.Button(
        html.Span("Disable", id=person.TURN_TEXT),
        id=person.TURN,
        type="button",
        className="btn",
        n_clicks=0,
    )
    buttons = [
        button(person.PASSWORD, "New password", "key"),
        turn,
        button(person.LOGOUT, "End all sessions", "box-arrow-right"),
        button(person.REMOVE, "Remove …", "trash3", "admin-danger"),
    ]
    inside = [html.H3("Login"), html.Div(buttons, className="admin-buttons")]
    return html.Div(inside, id=person.LOGIN, hidden=True, className="admin-login")


def register_people(app: Dash, engine: Engine) -> None:
    """Connects the list and the form."""
    outputs = {name: Output(*place, allow_duplicate=True) for name, place in person.OUTPUTS.items()}
    nothing = dict.fromkeys(outputs, no_update)
    listed = dict.fromkeys(lists.OUTPUTS, no_update)

    @app.callback(
        output=outputs,
        inputs=[Input(panels.PERSON_CHOSEN, "data"), Input(person.ADD, "n_clicks")],
        prevent_initial_call=True,
    )
    @admins
    def choose(sent: object, clicks: object) -> Json:
        if ctx.triggered_id == person.ADD:
            return nothing | (person.opened(None) if clicks else {})
        return nothing | person.chosen(engine, of(sent))

    @app.callback(
        output=outputs | lists.duplicates(),
        inputs=[Input(name, "n_clicks") for name in person.BUTTONS],
        state=[
            *(State(*person.OUTPUTS[name]) for name in ("edited", "name", "role", "sees")),
            State(ids.VIEW, "data"),
            State(ids.BROWSER, "data"),
        ],
        running=[
            (Output(name, "disabled"), True, False)
            for name in (person.SAVE, person.PASSWORD, person.GO)
        ],
        prevent_initial_call=True,
    )
    @admins
    def act(*sent: object) -> Json:
        *entered, view, browser = sent[len(person.BUTTONS) :]
        found = person.acted(engine, str(ctx.triggered_id), person.Entered(*entered))
        return nothing | listed | found | lists.after(engine, view, browser)

    forgets(app, person.FORM, person.ONCE)
