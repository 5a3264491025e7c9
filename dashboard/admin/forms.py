"""What the forms of the page share: what was entered, what is said, what is shown once."""

from collections.abc import Collection, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from dashboard.copying import copy_button
from dashboard.display import printable
from dashboard.parts import icon
from mosquitto.access_seen import Grant, parse_grant
from telemetry.fault import Fault

_MOST_GRANTS = 200
_SEES_LENGTH = 10_000
_HINT = "one a line, client:NAME or tag:WORD; empty for all"


class EntryRefused(Fault, ValueError):
    """Something in a form that cannot be; the message says what would do."""


def text_of(sent: object) -> str:
    r"""The text that a browser sent, as it can be kept; empty if it sent none.

    >>> text_of(" ann "), text_of(7), text_of("a\ud800")
    ('ann', '', 'a?')
    """
    return sent.strip().encode("utf-8", "replace").decode() if isinstance(sent, str) else ""


def choice_of(sent: object, offered: Collection[str], what: str) -> str:
    """What was chosen.

    Raises:
        EntryRefused: If it was not offered.
    """
    if isinstance(sent, str) and sent in offered:
        return sent
    raise EntryRefused(f"there is no such {what}; choose one of {', '.join(offered)}")


def of(sent: object) -> str:
    """Whom or what a click in a list is about, as assets/admin.js says it; empty for nobody."""
    return text_of(sent.get("of")) if isinstance(sent, dict) else ""


def grants_of(sent: object) -> list[Grant]:
    """Whose charts may be seen, one a line.

    Raises:
        GrantRefused: If a line names no clients.
        EntryRefused: If there are too many.
    """
    lines = [line for line in map(str.strip, text_of(sent).split("\n")) if line]
    if len(lines) > _MOST_GRANTS:
        raise EntryRefused(f"at most {_MOST_GRANTS} clients and tags can be named; use tags")
    return [parse_grant(line) for line in lines]


def grants_text(seen: Collection[Grant]) -> str:
    """The same as it stands in the form."""
    return "\n".join(map(str, seen))


def sees_field(name: str) -> html.Div:
    """Where it is entered whose charts may be seen."""
    entry = dbc.Textarea(
        id=name, value="", rows=3, maxLength=_SEES_LENGTH, spellCheck=False, placeholder="all"
    )
    return field("Sees", entry, _HINT)


def field(words: str, entry: Component, hint: str = "") -> html.Div:
    """A labelled control of a form."""
    small = [html.Small(f" {hint}")] if hint else []
    label = html.Label([words, *small], htmlFor=entry.id)  # type: ignore[attr-defined]  # each has one
    return html.Div([label, entry], className="field")


def said(text: str, symbol: str = "exclamation-triangle-fill") -> html.P:
    """A sentence about what became of something."""
    sentence = text[:1].upper() + text[1:]
    return html.P([icon(symbol), html.Span(printable(sentence))], className="admin-said")


def once(name: str, words: str, secret: str) -> html.Div:
    """A secret, shown this once, with a button that copies it."""
    return html.Div(
        [
            html.P([icon("key"), html.Span(words)], className="admin-said"),
            html.Div(
                [html.Code(secret, id=name), *copy_button(name)],
                className="admin-secret",
            ),
            html.P("It is shown this once and kept nowhere.", className="caption"),
        ],
        className="admin-once",
    )  # fmt: skip


def drawer(name: str, title: str, inside: Sequence[Component]) -> dbc.Offcanvas:
    """A form beside the page, closed."""
    return dbc.Offcanvas(
        list(inside),
        id=name,
        title=html.Span(title, id=f"{name}-title"),
        labelledby=f"{name}-title",
        placement="end",
        is_open=False,
        className="admin-form",
    )


def forgets(app: Dash, form: str, shown: str) -> None:
    """What was shown once leaves with the form that shows it."""
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("admin", "forget"),
        Output(shown, "children", allow_duplicate=True),
        Input(form, "is_open"),
        prevent_initial_call=True,
    )


def sure(name: str, title: str, text: str, keep: html.Button, go: html.Button) -> dbc.Modal:
    """The last question before something goes for good; `text` is where it is put."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title, id=f"{name}-title")),
            dbc.ModalBody(id=text),
            dbc.ModalFooter([keep, go]),
        ],
        id=name,
        is_open=False,
        centered=True,
        labelledby=f"{name}-title",
    )


def button(name: str, words: str, symbol: str = "", kind: str = "") -> html.Button:
    """A button of a form."""
    signs = [icon(symbol)] if symbol else []
    return html.Button(
        [*signs, html.Span(words)], id=name, type="button", className=f"btn {kind}".strip(),
        n_clicks=0,
    )  # fmt: skip


def opener(to: str, about: str, inside: Sequence[Component], kind: str) -> html.Button:
    """A button in a list: assets/admin.js writes into the store `to` whom it is about.

    Lists are drawn anew while they are looked at; a callback that named their buttons would be
    called each time.
    """
    whom: dict[str, Any] = {"data-admin-to": to, "data-admin-of": about}
    return html.Button(list(inside), type="button", className=kind, **whom)
