"""What people know of a client: shown to all, edited by operators."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.parts import icon, named
from dashboard.rights import operators
from mosquitto.access_file import AccessError
from mosquitto.detail import LENGTHS, MOST_TAGS, DetailError, Kept, entered
from telemetry.finding import sentence

SHOWN = "client-details"
EDIT = "client-details-edit"
_FORM = "client-details-form"
_SAVE = "client-details-save"
_CANCEL = "client-details-cancel"
_FAULT = "client-details-fault"
_EDITED = "client-details-edited"
_TITLE = "client-details-title"

FIELDS = {
    "description": "Description",
    "serial_number": "Serial number",
    "mac_address": "MAC address",
    "tags": "Tags",
    "notes": "Notes",
}
"""The texts of the form, and what they are called."""

_HINTS = {
    "mac_address": "such as 00:1b:44:11:3a:b7",
    "tags": f"at most {MOST_TAGS}, with commas between",
}
_UNSEEN = "Your login does not see this client; choose another."


def field(name: str) -> str:
    """The input of a text of the form."""
    return f"client-details-{name.replace('_', '-')}"


def shown(kept: Kept | None, *, editable: bool) -> list[Component]:
    """What is known of a client, and the way to change it."""
    known = [] if kept is None else _known(kept)
    if not editable:
        return known
    words = "Edit details" if known else "Add details"
    return [*known, _edit_button(words)]


def _known(kept: Kept) -> list[Component]:
    detail = kept.detail
    pairs = (("Serial number", detail.serial_number), ("MAC address", detail.mac_address))
    found: list[Component] = []
    if detail.description:
        found.append(html.Span(printable(detail.description), className="client-description"))
    if detail.tags:
        tags = [html.Li(printable(tag), className="client-tag") for tag in detail.tags]
        found.append(html.Ul(tags, className="client-tags", **named("Tags")))
    found += [
        html.Span([html.Small(name), printable(text)], className="client-known")
        for name, text in pairs
        if text
    ]
    if detail.notes:
        lines = [html.Div(printable(line) or "\u00a0") for line in detail.notes.split("\n")]
        summary = html.Summary([icon("journal-text"), "Notes"], className="client-notes-head")
        found.append(html.Details([summary, html.Div(lines, className="client-notes")]))
    return found


def _edit_button(words: str) -> html.Button:
    return html.Button(
        [icon("pencil"), html.Span(words)], id=EDIT, className="btn client-edit", n_clicks=0
    )


def form() -> dbc.Offcanvas:
    """The form, closed; it asks for nothing by itself."""
    return dbc.Offcanvas(
        [
            dcc.Store(id=_EDITED),
            html.Div([_labelled(name, words) for name, words in FIELDS.items()]),
            html.Div(id=_FAULT, role="alert", className="client-fault"),
            html.Div(
                [
                    html.Button("Save", id=_SAVE, className="btn btn-primary", n_clicks=0),
                    html.Button("Cancel", id=_CANCEL, className="btn", n_clicks=0),
                ],
                className="client-form-end",
            ),
        ],
        id=_FORM,
        title=html.Span(id=_TITLE),
        labelledby=_TITLE,
        placement="end",
        is_open=False,
        className="client-form",
    )


def _labelled(name: str, words: str) -> html.Div:
    common: dict[str, Any] = {"id": field(name), "value": "", "maxLength": LENGTHS.get(name, 1000)}
    control: Component = (
        dbc.Textarea(**common, rows=8)
        if name == "notes"
        else dbc.Input(**common, type="text", autoComplete="off")
    )
    hint = html.Small(f" {_HINTS[name]}") if name in _HINTS else None
    label = html.Label([words, hint], htmlFor=field(name))
    return html.Div([label, control], className="field")


def register(app: Dash, engine: Engine) -> None:
    """Connects the form."""
    outputs = [Output(_FORM, "is_open"), Output(_FAULT, "children")]
    values = [Output(field(name), "value") for name in FIELDS]

    @app.callback(
        *outputs,
        Output(_TITLE, "children"),
        Output(_EDITED, "data"),
        *values,
        Input(EDIT, "n_clicks"),
        State(ids.choice("client"), "value"),
        prevent_initial_call=True,
    )
    @operators
    def begin(clicks: int, client: object) -> Sequence[object]:
        if not clicks or not isinstance(client, str):  # the button was only just put there
            return [no_update] * (len(FIELDS) + 4)
        return opened(engine, client)

    @app.callback(
        *(
            Output(one.component_id, one.component_property, allow_duplicate=True)
            for one in outputs
        ),
        Input(_SAVE, "n_clicks"),
        Input(_CANCEL, "n_clicks"),
        State(_EDITED, "data"),
        *(State(field(name), "value") for name in FIELDS),
        prevent_initial_call=True,
    )
    @operators
    def end(_save: int, _cancel: int, edited: object, *texts: object) -> Sequence[object]:
        if ctx.triggered_id != _SAVE:
            return False, ""
        said = {name: text or "" for name, text in zip(FIELDS, texts, strict=True)}
        fault = save(engine, edited, said)
        return bool(fault), fault


def opened(engine: Engine, client: str) -> list[object]:
    """The form with what is known now: open, no fault, title, what is edited, and the texts."""
    try:
        if not engine.sees(client):
            return _refused(_UNSEEN)
        kept = engine.access.detail(client)
    except AccessError as fault:
        return _refused(sentence(str(fault)))
    edited = {"client": client, "changed_us": kept.changed_us if kept else 0}
    title = f"Details of {printable(client)}"
    return [True, "", title, edited, *_texts(kept)]


def _refused(fault: str) -> list[object]:
    return [True, fault, "Details", None, *_texts(None)]


def _texts(kept: Kept | None) -> list[str]:
    if kept is None:
        return [""] * len(FIELDS)
    detail = kept.detail
    texts = {name: getattr(detail, name) for name in FIELDS if name != "tags"}
    texts["tags"] = ", ".join(detail.tags)
    return [texts[name] for name in FIELDS]


def save(engine: Engine, edited: object, said: dict[str, object]) -> str:
    """Keeps what was entered; returns a sentence if that cannot be."""
    client, seen_us = _edited(edited)
    if not client:
        return "This form belongs to no client; close it and open it again."
    try:
        if not engine.sees(client):
            return _UNSEEN
        detail = entered(client, {name: str(text) for name, text in said.items()})
        engine.access.put_detail(detail, seen_us)
    except (AccessError, DetailError) as fault:
        return sentence(printable(str(fault)))
    return ""


def _edited(sent: object) -> tuple[str, int]:
    """Whose form it is, and when that was changed last as it knows; nobody's if it is none."""
    found = sent if isinstance(sent, dict) else {}
    client, seen_us = found.get("client"), found.get("changed_us")
    if isinstance(client, str) and isinstance(seen_us, int):
        return client, seen_us
    return "", 0
