"""How lines are put into panels: each unit has a scale of its own, and nobody else's. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dashboard.compare.lines import Line
from dashboard.compare.looks import Look, looks_of
from dashboard.compare.numbers import Points, differences
from dashboard.compare.question import Comparison
from dashboard.digits import Notation, notation
from telemetry.exact import Floats

MOST_LINES = 8
"""So many lines are drawn over each other."""

_MARGIN = 0.06
_FEWEST = 2


class Mode(StrEnum):
    """How clients are compared."""

    OVERLAY = "overlay"
    MULTIPLES = "multiples"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines on one pair of axes.

    Attributes:
        title: What stands above it.
        detail: What is said after that, less loud.
        unit: In what its clients measure.
        notation: How its numbers are written.
        lines: Whose.
        looks: Of each how it is drawn.
        points: Of each what is drawn: its numbers, or how far they are from a median.
        scale: The range of y that panels side by side share.
    """

    title: str
    detail: str
    unit: str
    notation: Notation
    lines: Sequence[Line]
    looks: Sequence[Look]
    points: Sequence[Points]
    scale: tuple[float, float]


def by_unit(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines of each unit, in the order in which they come."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.unit, []).append(line)
    return found


def panels_of(comparison: Comparison, mode: Mode) -> Sequence[Panel]:
    """The panels of a comparison, from the top left."""
    if mode is Mode.MULTIPLES:
        return _side_by_side(comparison)
    apart = mode is Mode.DIFFERENCE
    looks = looks_of([line.client for line in comparison.lines])
    drawn = {line.client: looks[line.client] for line in comparison.lines[:MOST_LINES]}
    fewest = _FEWEST if apart else 1
    panels = [
        _stacked(comparison.metric, unit, lines, drawn, apart=apart)
        for unit, lines in by_unit(comparison.lines).items()
        if len(lines) >= fewest
    ]
    return [panel for panel in panels if panel.lines]


def _stacked(
    metric: str, unit: str, lines: Sequence[Line], drawn: Mapping[str, Look], *, apart: bool
) -> Panel:
    """Those that are drawn of one unit; the median is of all."""
    points = [line.points for line in lines]
    detail = ""
    if apart:
        points = list(differences(points))
        detail = f": difference to the median of {len(lines)} clients"
    some = [pair for pair in zip(lines, points, strict=True) if pair[0].client in drawn]
    written = notation(_values(points), unit)
    return Panel(
        title=metric,
        detail=detail,
        unit=unit,
        notation=written,
        lines=[line for line, _ in some],
        looks=[drawn[line.client] for line, _ in some],
        points=[one for _, one in some],
        scale=(0.0, 1.0),
    )


def _side_by_side(comparison: Comparison) -> Sequence[Panel]:
    units = by_unit(comparison.lines)
    looks = looks_of([line.client for line in comparison.lines])
    panels = {}
    for unit, lines in units.items():
        values = _values([line.points for line in lines])
        written = notation(values, unit)
        scale = _scale(written.scaled(values))
        for line in lines:
            panels[line.client] = Panel(
                line.client, "", unit, written, [line], [looks[line.client]], [line.points], scale
            )
    return [panels[line.client] for lines in units.values() for line in lines]


def _values(points: Sequence[Points]) -> Floats:
    return np.concatenate([np.zeros(0), *(one.values for one in points)])


def _scale(values: Floats) -> tuple[float, float]:
    """From the least to the greatest number, with a margin."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) or abs(high) * _MARGIN or 1.0
    return low - margin, high + margin
