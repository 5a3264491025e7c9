"""Tables of a tab: they scroll sideways inside their own box, also by the keyboard."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import named

Cell = str | Component | Sequence[str | Component]


def table(name: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> html.Div:
    """A table of that name; its first column says what a row is of."""
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    body = html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows])
    made = dbc.Table([head, body], size="sm", hover=True, className="readings client-table")
    return html.Div(made, className="table-box", role="region", tabIndex="0", **named(name))


def note(text: str) -> html.P:
    """What has to be known to read a table."""
    return html.P(text, className="client-note")


def nothing(text: str) -> html.Div:
    """What is said in place of a table without rows."""
    return html.Div(text, className="empty-row")
