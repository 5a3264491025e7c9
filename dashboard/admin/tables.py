"""Tables of the page, and numbers as they stand in them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from dashboard.parts import named

_UNITS = ("B", "kB", "MB", "GB", "TB")
_NEXT_UNIT = 999.95
"""What is rounded to a thousand."""


class Cell(NamedTuple):
    """A cell whose text stands at the right, as numbers do."""

    text: str


def bytes_text(size: int) -> str:
    """A size in the unit that leaves at most three digits before the point.

    >>> bytes_text(0), bytes_text(999), bytes_text(1_000_000), bytes_text(15_400_000_000)
    ('0 B', '999 B', '1.0 MB', '15.4 GB')
    """
    place, value = 0, float(size)
    while value >= _NEXT_UNIT and place < len(_UNITS) - 1:
        place, value = place + 1, value / 1000
    return f"{size} B" if place == 0 else f"{value:.1f} {_UNITS[place]}"


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell | Component | str]], none: str
) -> html.Div:
    """A table that scrolls inside its own box; `none` is said where there is no row."""
    if not rows:
        return html.Div(none, className="empty-row")
    inside = html.Table(_parts(title, heads, rows), className="table table-sm admin-table")
    return html.Div(inside, className="table-box", tabIndex="0", role="region", **named(title))


def cards(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell | Component | str]], none: str
) -> html.Div:
    """A table whose rows stand one below the other on a phone, each value behind its head.

    Roles are said: a browser takes a table that is shown otherwise for none.
    """
    if not rows:
        return html.Div(none, className="empty-row")
    style = "table table-sm admin-table admin-cards"
    inside = html.Table(_parts(title, heads, rows), className=style, role="table")
    return html.Div(inside, className="table-box", tabIndex="0", role="region", **named(title))


def _parts(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell | Component | str]]
) -> list[Component]:
    numbers = [isinstance(cell, Cell) for cell in rows[0]]
    head = [
        html.Th(name, scope="col", className="number" if number else "", role="columnheader")
        for name, number in zip(heads, numbers, strict=True)
    ]
    body = [
        html.Tr([_cell(name, cell) for name, cell in zip(heads, row, strict=True)], role="row")
        for row in rows
    ]
    return [
        html.Caption(title, className="visually-hidden"),
        html.Thead(html.Tr(head, role="row"), role="rowgroup"),
        html.Tbody(body, role="rowgroup"),
    ]


def _cell(head: str, cell: Cell | Component | str) -> html.Td:
    label: dict[str, Any] = {"data-label": head}
    if isinstance(cell, Cell):
        return html.Td(cell.text, className="number", role="cell", **label)
    return html.Td(cell, role="cell", **label)
