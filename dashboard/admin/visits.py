"""The panels Sessions and Audit log: who is logged in, and who changed what."""

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboard import ids
from dashboard.admin import lists, panels
from dashboard.admin.forms import of, said
from dashboard.engine import Engine
from dashboard.page import Json
from dashboard.parts import icon
from dashboard.people import actor
from dashboard.rights import admins
from dashboard.view import View
from mosquitto.access_sessions import Sessions
from telemetry.fault import Fault

SAID = "admin-sessions-said"


def sessions() -> html.Div:
    """Who is logged in."""
    return html.Div(
        [
            panels.panel(
                "Sessions",
                html.Div(id=SAID, role="status", className="admin-text"),
                html.Div(panels.asking(), id=panels.SESSIONS),
            ),
            dcc.Store(id=panels.SESSION_CHOSEN),
        ]
    )


def log(view: View) -> html.Section:
    """The newest changes, with a field that chooses among them."""
    search = html.Label(
        [
            icon("search"),
            html.Span("Search changes", className="visually-hidden"),
            dbc.Input(
                id=ids.option(lists.FILTER),
                type="search",
                value=view.option(lists.FILTER),
                placeholder="Search who, what, of whom",
                debounce=400,
                maxLength=100,
                className="admin-search",
            ),
        ],
        className="admin-search-box",
    )
    inside = html.Div(panels.asking(), id=panels.LOG, className="admin-log")
    return panels.panel("Audit log", inside, head=[search])


def register_sessions(app: Dash, engine: Engine) -> None:
    """Connects the buttons that end a session."""

    @app.callback(
        output={"said": Output(SAID, "children"), **lists.duplicates()},
        inputs=[Input(panels.SESSION_CHOSEN, "data")],
        state=[State(ids.VIEW, "data"), State(ids.BROWSER, "data")],
        prevent_initial_call=True,
    )
    @admins
    def end(sent: object, view: object, browser: object) -> Json:
        nothing = dict.fromkeys(("said", *lists.OUTPUTS), no_update)
        found = ended(engine, of(sent))
        return nothing | (found | lists.after(engine, view, browser) if found else {})


def ended(engine: Engine, digest: str) -> Json:
    """What is said after the session of that digest, in hexadecimal, was ended."""
    try:
        session = bytes.fromhex(digest)
    except ValueError:
        return {}
    if not session:
        return {}
    try:
        kept = Sessions(engine.settings.access_path, actor(), engine.clock)
        kept.end(session, "session ended")
    except Fault as error:
        return {"said": said(f"{error}.")}
    return {"said": said("That session is over.", "check-circle-fill")}
