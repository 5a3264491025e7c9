"""The clients that may speak: the list, and the one that is chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import ids
from dashboard.clients import names
from dashboard.display import printable
from dashboard.parts import icon, page_link, since
from dashboard.view import View
from mosquitto.access import Client
from mosquitto.detail import Kept

MOST_ROWS = 100


def listing(view: View) -> html.Section:
    """The list before any data."""
    search = dbc.Input(
        id=ids.option(names.SEARCH),
        type="search",
        value=view.option(names.SEARCH),
        debounce=0.3,
        maxlength=100,
        placeholder="a part of a name, a description or a tag",
    )
    label = html.Label("Search clients", htmlFor=f'{{"option":"{names.SEARCH}"}}')
    return html.Section(
        [
            html.Div([html.H2("Clients"), html.Span(id=names.COUNTS)], className="panel-head"),
            html.Div([label, search], className="field clients-search"),
            html.Div(id=names.ROWS, className="clients-rows"),
        ],
        className="panel",
    )


def found(clients: Sequence[Client], details: Mapping[str, Kept], wanted: str) -> Sequence[Client]:
    """Those of which a name, a description or a tag has the words in it."""
    words = wanted.casefold().split()
    return [one for one in clients if all(word in _text(one, details) for word in words)]


def _text(one: Client, details: Mapping[str, Kept]) -> str:
    kept = details.get(one.name)
    more = (kept.detail.description, *kept.detail.tags) if kept else ()
    return " ".join((one.name, *more)).casefold()


def rows(
    clients: Sequence[Client], details: Mapping[str, Kept], heard: Mapping[str, int], view: View
) -> Component:
    """A table of the first of them.

    Args:
        clients: Which.
        details: What is known of them.
        heard: When a reading of each last arrived, in microseconds since 1970 UTC.
        view: What is shown; the client that is chosen is in it.
    """
    if not clients:
        return html.P("No client fits. Add one above.", className="clients-none")
    heads = ("Client", "State", "Role", "Last reading", "Password", "Added")
    body = [_row(one, details.get(one.name), heard.get(one.name), view)
            for one in clients[:MOST_ROWS]]  # fmt: skip
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    return html.Table([head, html.Tbody(body)], className="table clients-table")


def _row(one: Client, kept: Kept | None, heard_us: int | None, view: View) -> html.Tr:
    current: dict[str, Any] = {"aria-current": "true"} if view.client == one.name else {}
    link = dcc.Link(one.name, href=page_link("clients", view, [one.name]))
    words = printable(kept.detail.description) if kept else ""
    name = html.Th([link, html.Small(words)], scope="row")
    cells: list[Any] = [
        _state(one),
        [one.role],
        [since(heard_us)] if heard_us else ["none yet"],
        [since(one.credential_us)],
        [since(one.created_us), f" by {printable(one.created_by)}" if one.created_by else ""],
    ]
    return html.Tr([name, *(html.Td(cell) for cell in cells)], **current)


def _state(one: Client) -> list[Component]:
    if not one.enabled:
        return [icon("slash-circle"), html.Span("shut out")]
    return [icon("check-circle"), html.Span("simulated" if one.simulated else "may speak")]


def chosen(one: Client | None, view: View) -> list[Component]:
    """What the client that is chosen is, with a way to its charts."""
    if one is None:
        return [html.P("Choose a client below, or add one.", className="clients-none")]
    identifier = "its name" if one.bound else "any"
    charts = dcc.Link(
        [icon("graph-up"), "Charts"], href=page_link("client", view, [one.name]), className="btn"
    )
    facts = [*_state(one), html.Span(f"{one.role}, identifier: {identifier}")]
    return [html.Div([html.H3(one.name), *facts, charts], className="clients-head")]
