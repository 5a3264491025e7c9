"""The table under a comparison: the figures of each client, sorted by any of them."""

import math
from collections.abc import Sequence

import numpy as np

from dashboard.compare.lines import Line
from dashboard.compare.looks import looks_of
from dashboard.compare.panels import by_unit
from dashboard.digits import Notation, notation
from dashboard.display import NOTHING, count_text, mean_text, printable
from dashboard.page import Json

_NUMBERS = (
    ("mean", "Mean", "The mean of all readings, not of buckets"),
    ("least", "Min", "The least of them"),
    ("greatest", "Max", "The greatest of them"),
    ("p95", "p95", "95 % of the readings do not exceed it"),
    ("count", "n", "Readings that are numbers"),
    ("gaps", "Gaps", "Silences that are longer than a line may cross"),
    ("coverage", "Coverage", "Readings that arrived, of those expected"),
)
"""A phone shows the first beside the name."""


def columns() -> list[Json]:
    """The columns: each number is sorted as such and written in its client's notation."""
    client = {
        "field": "client", "headerName": "Client", "minWidth": 110, "width": 150, "pinned": "left",
        "tooltipField": "client_text",
        "valueFormatter": {"function": "params.data.client_text"},
        "cellStyle": {"function": "({'borderLeft': '4px solid ' + params.data.colour})"},
    }  # fmt: skip
    unit = {"field": "unit", "headerName": "Unit", "minWidth": 80, "flex": 1}
    return [client, *(_column(*number) for number in _NUMBERS), unit]


def _column(field: str, title: str, words: str) -> Json:
    return {
        "field": field, "headerName": title, "headerTooltip": words, "minWidth": 88, "flex": 1,
        "type": "rightAligned", "sortingOrder": ["desc", "asc", None],
        "valueFormatter": {"function": f"params.data.{field}_text"},
    }  # fmt: skip


def rows(lines: Sequence[Line]) -> list[Json]:
    """A row for each client, in order."""
    looks = looks_of([line.client for line in lines])
    written = {unit: _notation(some, unit) for unit, some in by_unit(lines).items()}
    return [_row(line, written[line.unit], looks[line.client].colour) for line in lines]


def _notation(lines: Sequence[Line], unit: str) -> Notation:
    """All numbers of one unit stand in a column alike."""
    every = [(one.totals.least, one.totals.greatest, one.latest.value) for one in lines]
    numbers = np.array([value for some in every for value in some if isinstance(value, float)])
    return notation(numbers[np.isfinite(numbers)], unit)


def _row(line: Line, written: Notation, colour: str) -> Json:
    figures = line.totals
    numbers = {
        "count": float(figures.count), "least": figures.least, "mean": figures.mean,
        "p95": figures.p95[1], "greatest": figures.greatest,
        "gaps": math.nan if figures.gaps is None else float(figures.gaps),
        "coverage": figures.coverage,
    }  # fmt: skip
    texts = {
        "count_text": count_text(figures.count),
        "least_text": _value(figures.least, written),
        "mean_text": mean_text(figures.mean, written),
        "p95_text": _range(figures.p95, written),
        "greatest_text": _value(figures.greatest, written),
        "gaps_text": NOTHING if figures.gaps is None else str(figures.gaps),
        "coverage_text": NOTHING if math.isnan(figures.coverage) else f"{figures.coverage:.0%}",
    }
    known = {name: None if math.isnan(number) else number for name, number in numbers.items()}
    who = {"id": line.client, "client": line.client, "client_text": printable(line.client)}
    return known | texts | who | {"colour": colour, "unit": printable(written.unit)}


def _value(number: float, written: Notation) -> str:
    return NOTHING if math.isnan(number) else written.value(number)


def _range(ends: tuple[float, float], written: Notation) -> str:
    low, high = (mean_text(end, written) for end in ends)
    return low if low == high else f"{low} – {high}"
