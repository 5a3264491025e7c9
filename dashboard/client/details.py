"""What people know of a client: shown to all, edited by operators."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from flask_login import current_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard import ids
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.parts import icon, named
from dashboard.people import may
from mosquitto.access import Access
from mosquitto.detail import LENGTHS, MOST_TAGS, DetailError, Kept, entered

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
_REFUSED = "Your role may not change details; ask an operator or an administrator to do it."


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
    """Connects the form; whoever asks is checked each time, whatever their page shows."""
    access = Access(engine.settings.access_path)
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
    def begin(clicks: int, client: object) -> Sequence[object]:
        if not clicks or not isinstance(client, str):  # the button was only just put there
            return [no_update] * (len(FIELDS) + 4)
        return opened(access, client)

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
    def end(_save: int, _cancel: int, edited: object, *texts: object) -> Sequence[object]:
        if ctx.triggered_id != _SAVE:
            return False, ""
        said = {name: text or "" for name, text in zip(FIELDS, texts, strict=True)}
        fault = save(access, edited, said)
        return bool(fault), fault


def opened(access: Access, client: str) -> list[object]:
    """The form with what is known now: open, no fault, title, what is edited, and the texts."""
    if not may("operator"):
        return [True, _REFUSED, "Details", None, *[""] * len(FIELDS)]
    kept = access.detail(client)
    edited = {"client": client, "changed_us": kept.changed_us if kept else 0}
    title = f"Details of {printable(client)}"
    return [True, "", title, edited, *_texts(kept)]


def _texts(kept: Kept | None) -> list[str]:
    if kept is None:
        return [""] * len(FIELDS)
    detail = kept.detail
    texts = {name: getattr(detail, name) for name in FIELDS if name != "tags"}
    texts["tags"] = ", ".join(detail.tags)
    return [texts[name] for name in FIELDS]


def save(access: Access, edited: object, said: dict[str, object]) -> str:
    """Keeps what was entered; returns a sentence if that cannot be."""
    if not may("operator"):
        return _REFUSED
    if not isinstance(edited, dict) or not isinstance(edited.get("client"), str):
        return "This form belongs to no client; close it and open it again."
    client = edited["client"]
    kept = access.detail(client)
    if (kept.changed_us if kept else 0) != edited.get("changed_us"):
        who = printable(kept.changed_by) if kept else "Somebody"
        return f"{who} changed these details meanwhile; close the form and open it again."
    try:
        detail = entered(client, {name: str(text) for name, text in said.items()})
    except DetailError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    access.put_detail(detail, str(getattr(current_user, "name", "")))
    return ""
