"""The panel Tokens: which programs may read, and the form in which one is let in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import ids
from dashboard.admin import lists, panels
from dashboard.admin.forms import (
    EntryRefused,
    button,
    choice_of,
    drawer,
    field,
    forgets,
    grants_of,
    of,
    once,
    said,
    sees_field,
    sure,
    text_of,
)  # fmt: skip
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.page import Json
from dashboard.people import actor, add_token
from dashboard.rights import admins
from mosquitto.access_tokens import METRICS, READ, SCOPES, Tokens
from telemetry.fault import Fault
from telemetry.window import DAY_US

ADD = "admin-token-add"
FORM = "admin-token"
FIELDS = "admin-token-fields"
NAME = "admin-token-name"
SCOPE = "admin-token-scope"
DAYS = "admin-token-days"
SEES = "admin-token-sees"
SAID = "admin-token-said"
LIST_SAID = "admin-tokens-said"
ONCE = "admin-token-once"
SAVE = "admin-token-save"
CANCEL = "admin-token-cancel"
SURE = "admin-token-sure"
SURE_TEXT = "admin-token-sure-text"
KEEP = "admin-token-keep"
GO = "admin-token-go"

_MOST_DAYS = 3650
_OPENS = {READ: "the API and /metrics", METRICS: "/metrics alone"}
_BUTTONS = (SAVE, CANCEL, KEEP, GO)
_FORM = {
    "open": (FORM, "is_open"),
    "fields_hidden": (FIELDS, "hidden"),
    "name": (NAME, "value"),
    "scope": (SCOPE, "value"),
    "days": (DAYS, "value"),
    "sees": (SEES, "value"),
    "said": (SAID, "children"),
    "list_said": (LIST_SAID, "children"),
    "once": (ONCE, "children"),
    "asks": (SURE, "is_open"),
    "question": (SURE_TEXT, "children"),
}


@dataclass(frozen=True, slots=True)
class Entered:
    """What stands in the form, as a browser sent it; and which token is to be removed."""

    chosen: object
    name: object
    scope: object
    days: object
    sees: object


def tokens() -> html.Div:
    """The panel with its form, closed."""
    return html.Div(
        [
            panels.panel(
                "Tokens",
                html.Div(id=LIST_SAID, role="alert", className="admin-text"),
                html.Div(panels.asking(), id=panels.TOKENS),
                head=[button(ADD, "Add a token", "plus-lg")],
            ),
            dcc.Store(id=panels.TOKEN_CHOSEN),
            drawer(FORM, "Add a token", [_fields()]),
            sure(
                SURE, "Remove this token?", SURE_TEXT,
                button(KEEP, "Keep"), button(GO, "Remove", kind="admin-danger"),
            ),
        ]
    )  # fmt: skip


def _fields() -> html.Div:
    name = dbc.Input(id=NAME, type="text", value="", autoComplete="off", maxLength=64)
    options = [{"value": scope, "label": _OPENS[scope]} for scope in SCOPES]
    days = dbc.Input(id=DAYS, type="number", min=1, max=_MOST_DAYS, step=1, placeholder="for ever")
    return html.Div(
        [
            html.Div(
                [
                    field("Name", name),
                    field("Opens", dbc.Select(id=SCOPE, options=options, value=READ)),
                    field("Days", days, "for which it holds; empty for ever"),
                    sees_field(SEES),
                    html.Div(id=SAID, role="alert", className="admin-form-said"),
                    button(SAVE, "Add", kind="btn-primary"),
                ],
                id=FIELDS,
            ),
            html.Div(id=ONCE, role="status"),
            html.Div(button(CANCEL, "Close"), className="admin-buttons admin-close"),
        ]
    )


def register_tokens(app: Dash, engine: Engine) -> None:
    """Connects the list and the form."""
    outputs = {name: Output(*place, allow_duplicate=True) for name, place in _FORM.items()}
    nothing = dict.fromkeys(outputs, no_update)
    listed = dict.fromkeys(lists.OUTPUTS, no_update)

    @app.callback(
        output=outputs,
        inputs=[Input(panels.TOKEN_CHOSEN, "data"), Input(ADD, "n_clicks")],
        prevent_initial_call=True,
    )
    @admins
    def choose(sent: object, clicks: object) -> Json:
        if ctx.triggered_id == ADD:
            return nothing | (opened() if clicks else {})
        return nothing | asked(of(sent))

    @app.callback(
        output=outputs | lists.duplicates(),
        inputs=[Input(name, "n_clicks") for name in _BUTTONS],
        state=[
            State(panels.TOKEN_CHOSEN, "data"),
            *(State(*_FORM[name]) for name in ("name", "scope", "days", "sees")),
            State(ids.VIEW, "data"),
            State(ids.BROWSER, "data"),
        ],
        running=[(Output(name, "disabled"), True, False) for name in (SAVE, GO)],
        prevent_initial_call=True,
    )
    @admins
    def act(*sent: object) -> Json:
        *entered, view, browser = sent[len(_BUTTONS) :]
        found = acted(engine, str(ctx.triggered_id), Entered(*entered))
        return nothing | listed | found | lists.after(engine, view, browser)

    forgets(app, FORM, ONCE)


def opened() -> Json:
    """The form for a new token."""
    return {
        "open": True, "fields_hidden": False, "name": "", "scope": READ, "days": None, "sees": "",
        "said": None, "list_said": None, "once": None,
    }  # fmt: skip


def asked(name: str) -> Json:
    """The last question before a token goes; none without a name."""
    if not name:
        return {}
    question = f"Then {printable(name)} is worth nothing: what reads with it is refused."
    return {"asks": True, "question": question, "list_said": None}


def acted(engine: Engine, which: str, entered: Entered) -> Json:
    """What the form shows after a button was pressed; a fault is a sentence near it."""
    do = _ACTS.get(which)
    if do is None:
        return {}
    try:
        return do(Tokens(engine.settings.access_path, actor(), engine.clock), engine, entered)
    except Fault as error:
        return {"said" if which == SAVE else "list_said": said(f"{error}."), "asks": False}


def _save(kept: Tokens, engine: Engine, entered: Entered) -> Json:
    days, name = days_of(entered.days), text_of(entered.name)
    scope, seen = choice_of(entered.scope, SCOPES, "scope"), grants_of(entered.sees)
    expires_us = None if days is None else engine.clock() + days * DAY_US
    token = add_token(kept, name, scope, expires_us, seen)
    shown = once("admin-token-secret", f"The token {printable(name)}:", token)
    return {"fields_hidden": True, "once": shown, "said": None}


def days_of(sent: object) -> int | None:
    """For how many days a token holds, or `None` for ever.

    Raises:
        EntryRefused: If it is no such number.
    """
    if sent is None or sent == "":
        return None
    whole = isinstance(sent, int) and not isinstance(sent, bool)
    if not whole or not 1 <= sent <= _MOST_DAYS:  # type: ignore[operator]  # a whole number
        raise EntryRefused(f"a token holds for 1 to {_MOST_DAYS} days; or leave that empty")
    return sent  # type: ignore[return-value]  # a whole number


def _remove(kept: Tokens, _engine: Engine, entered: Entered) -> Json:
    kept.remove(of(entered.chosen))
    return {"asks": False, "list_said": None}


_ACTS: Mapping[str, Callable[[Tokens, Engine, Entered], Json]] = {
    SAVE: _save,
    CANCEL: lambda *_: {"open": False, "once": None},
    KEEP: lambda *_: {"asks": False},
    GO: _remove,
}
