"""The page Clients: adding one, following it to its first message, and who may speak."""

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from flask import Response

from dashboard import ids
from dashboard.clients import changing, names
from dashboard.clients.form import form
from dashboard.clients.listing import MOST_ROWS, chosen, found, listing, rows
from dashboard.clients.progress import progress
from dashboard.clients.shown import AUTHORITY
from dashboard.clients.sure import question, register_changes
from dashboard.display import count_text
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.parts import elsewhere, empty, icon
from dashboard.rights import operators_of_all
from dashboard.view import View
from mosquitto.access import Client
from mosquitto.access_file import state_of
from mosquitto.access_users import OPERATOR
from telemetry.facts import gather
from telemetry.onboarding import steps
from telemetry.window import SECOND_US

_FIELDS = (names.NAME, names.DESCRIPTION, names.SERIAL, names.MAC, names.TAGS, names.ROLE)
_CLEARED = _FIELDS[:-1]
_AGAIN_US = 3 * SECOND_US
_NO_AUTHORITY = (
    "Culex has no certificate authority here; ask whoever runs the broker which one to trust.\n"
)
_TEXTS = ("name", "description", "serial_number", "mac_address", "tags", "role")


def layout(view: View, _engine: Engine) -> Component:
    """The page for a view before any data; ticks fill it."""
    return html.Div(
        [
            html.H1("Clients"),
            html.Div([form(), _follow()], className="clients-both"),
            listing(view),
            question(),
        ],
        className="clients",
    )


def _follow() -> html.Section:
    buttons = [
        html.Button([icon("power"), html.Span(_switch_text(None), id=names.SWITCH_TEXT)],
                    id=names.SWITCH, className="btn", n_clicks=0),
        html.Button([icon("key"), "New password"], id=names.ROTATE, className="btn", n_clicks=0),
        html.Button([icon("trash"), "Remove"], id=names.REMOVE, className="btn", n_clicks=0),
    ]  # fmt: skip
    return html.Section(
        [
            html.Div(html.H2("First message"), className="panel-head"),
            html.Div(
                [
                    html.Div(id=names.CHOSEN),
                    html.Div(id=names.STEPS),
                    html.Div(buttons, className="clients-do"),
                    html.Div(id=names.SAID, role="status"),
                    dcc.Store(id=names.SWITCH_SEEN),
                ],
                className="clients-follow",
            ),
        ],
        className="panel",
    )


def _switch_text(one: Client | None) -> str:
    """What the button does to that client."""
    return "Shut out" if one is None or one.enabled else "Let in"


def answer(look: Look) -> Json:
    """The list, and how far the client that is chosen has come."""
    existing = look.engine.settings.existing_broker
    if existing is not None:
        return {"notice": empty("broadcast", "Clients are let in elsewhere", elsewhere(existing))}
    one = look.engine.access.client(look.view.client)
    return _listed(look) | {
        "chosen_client": chosen(one, look.view),
        "steps": _steps(look, one),
        "switch_text": _switch_text(one),
        "switch_seen": {"client": one.name, "enabled": one.enabled} if one else None,
        **dict.fromkeys(("switch", "rotate", "remove"), one is None or one.simulated),
    }


def _listed(look: Look) -> Json:
    """The list; nothing while access.db is as it was, but for when readings came now and then."""
    state = [look.view.query(), str(state_of(look.engine.settings.access_path))]
    passed_us = look.now_us - look.drawn.get("at", 0)
    if look.drawn.get("state") == state and 0 <= passed_us < _AGAIN_US:
        return {"drawn": look.drawn}
    clients, details = look.engine.access.clients(), look.engine.access.details()
    heard: dict[str, int] = {}
    for latest in look.snapshot.latest():
        name = latest.series.client
        heard[name] = max(heard.get(name, 0), latest.received_us)
    matching = found(clients, details, look.view.option(names.SEARCH))
    return {
        "rows": rows(matching, details, heard, look.view),
        "counts": _counts(len(matching), len(clients)),
        "drawn": {"state": state, "at": look.now_us},
    }


def _steps(look: Look, one: Client | None) -> Component | None:
    if one is None or not one.enabled:
        return None
    facts = gather(look.snapshot, one.name, look.now_us, look.engine.known_clients())
    return progress(steps(facts, one.credential_us))


def _counts(shown: int, known: int) -> str:
    if shown > MOST_ROWS:
        return f"{MOST_ROWS} of {count_text(shown)} shown; search for others"
    return f"{count_text(shown)} of {count_text(known)}" if shown < known else count_text(known)


def register(app: Dash, engine: Engine) -> None:
    """Connects the form, the buttons, and the certificate that clients have to trust."""
    _register_adding(app, engine)
    register_changes(app, engine)
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("clients", "reveal"),
        Input(names.SHOWN, "children"),
        prevent_initial_call=True,
    )

    @app.server.get(AUTHORITY)  # type: ignore[untyped-decorator,unused-ignore]  # Dash says not which
    def authority() -> Response:
        try:
            content = engine.settings.ca_file.read_bytes()
        except FileNotFoundError:
            return Response(_NO_AUTHORITY, 404, content_type="text/plain")
        answer = Response(content, content_type="application/x-pem-file")
        answer.headers["Content-Disposition"] = 'attachment; filename="ca.crt"'
        return answer


def _register_adding(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(names.SHOWN, "children"),
        Output(names.FAULT, "children"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        *(Output(name, "value") for name in _CLEARED),
        Input(names.ADD, "n_clicks"),
        State(names.ANY, "value"),
        *(State(name, "value") for name in _FIELDS),
        running=[(Output(names.ADD, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @operators_of_all
    def add(clicks: object, free: object, *texts: object) -> Sequence[object]:
        if not clicks:  # the button was only just put there
            return [no_update] * (3 + len(_CLEARED))
        said = {name: text if isinstance(text, str) else "" for name, text in
                zip(_TEXTS, texts, strict=True)}  # fmt: skip
        made = changing.added(engine, said, bound=free is not True)
        return [*made, *([no_update if made[1] else ""] * len(_CLEARED))]


PAGE = Page(
    name="clients",
    title="Clients",
    symbol="person-plus",
    outputs={
        "rows": Output(names.ROWS, "children"),
        "counts": Output(names.COUNTS, "children"),
        "chosen_client": Output(names.CHOSEN, "children"),
        "steps": Output(names.STEPS, "children"),
        "switch": Output(names.SWITCH, "disabled"),
        "switch_text": Output(names.SWITCH_TEXT, "children"),
        "switch_seen": Output(names.SWITCH_SEEN, "data"),
        "rotate": Output(names.ROTATE, "disabled"),
        "remove": Output(names.REMOVE, "disabled"),
    },
    layout=layout,
    answer=answer,
    register=register,
    timed=False,
    whole=True,
    role=OPERATOR,
)
