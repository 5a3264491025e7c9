"""Tables of the page, and numbers as they stand in them."""

from collections.abc import Sequence
from typing import NamedTuple

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
    numbers = [isinstance(cell, Cell) for cell in rows[0]]
    head = [
        html.Th(name, scope="col", className="number" if number else "")
        for name, number in zip(heads, numbers, strict=True)
    ]
    body = [html.Tr([_cell(cell) for cell in row]) for row in rows]
    inside = html.Table(
        [
            html.Caption(title, className="visually-hidden"),
            html.Thead(html.Tr(head)),
            html.Tbody(body),
        ],
        className="table table-sm admin-table",
    )
    return html.Div(inside, className="table-box", tabIndex="0", role="region", **named(title))


def _cell(cell: Cell | Component | str) -> html.Td:
    if isinstance(cell, Cell):
        return html.Td(cell.text, className="number")
    return html.Td(cell)
