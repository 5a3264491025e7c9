"""Marks: where the broker lost the collector's session, as lines across all charts."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

import pandas as pd

from dashboard.display import clock_text, wall_texts
from dashboard.style import FONTS, Style, mark_colours
from telemetry.interface import Snapshot
from telemetry.presence import Event, EventKind
from telemetry.window import Window

MOST_MARKS = 20
"""The newest so many are shown: more lines than that would hide the readings."""

_APART = 0.45
"""Marks nearer to each other than this share of the window are named together.

On a phone the words with a count take 0.3 of the charts: with these two numbers none meet.
"""

_EDGE = 0.16
_HOVER = "The broker lost the collector's session:<br>what it held for the collector is gone."
_TIMES_NAMED = 5


def lost_sessions(snapshot: Snapshot, window: Window) -> Sequence[Event]:
    """Where the broker lost the collector's session, oldest first: the newest few."""
    return snapshot.events_of(EventKind.SESSION_LOST, window, MOST_MARKS)


def lines(marks: Sequence[Event], style: Style) -> list[dict[str, Any]]:
    """A dashed line across all panels for each mark, as plotly.js takes shapes."""
    colour, _ = mark_colours(dark=style.dark)
    return [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": wall, "x1": wall, "y0": 0, "y1": 1,
            "layer": "below", "line": {"color": colour, "width": 1.5, "dash": "dash"},
        }
        for wall in _walls(marks, style.zone)
    ]  # fmt: skip


def labels(marks: Sequence[Event], window: Window, style: Style) -> list[dict[str, Any]]:
    """What the lines mean, on top of them, as plotly.js takes annotations; near ones share one."""
    return [_label(group, window, style) for group in _groups(marks, window)]


def _groups(marks: Sequence[Event], window: Window) -> Iterator[Sequence[Event]]:
    """The marks in order, each with those that are too near to have words of their own."""
    group: list[Event] = []
    for mark in marks:
        if group and mark.time_us - group[0].time_us >= _APART * window.length_us:
            yield group
            group = []
        group.append(mark)
    if group:
        yield group


def _label(group: Sequence[Event], window: Window, style: Style) -> dict[str, Any]:
    colour, ground = mark_colours(dark=style.dark)
    share = (group[0].time_us - window.start_us) / window.length_us
    times = f" ×{len(group)}" if len(group) > 1 else ""  # the sign is meant
    return {
        "text": f"session lost{times}", "hovertext": _hover(group, style.zone),
        "hoverlabel": {"bgcolor": ground, "bordercolor": colour,
                       "font": {"family": FONTS, "size": 12, "color": colour}},
        "xref": "x", "yref": "paper", "x": _walls(group, style.zone)[0], "y": 1,
        "xanchor": "left" if share < _EDGE else "right" if share > 1 - _EDGE else "center",
        "yanchor": "top", "showarrow": False, "borderpad": 3, "bgcolor": ground,
        "font": {"size": 11, "color": colour},
    }  # fmt: skip


def _hover(group: Sequence[Event], zone: tzinfo) -> str:
    """When, to the second, and what that means for what is seen."""
    times = [clock_text(mark.time_us, zone)[:19] for mark in group[-_TIMES_NAMED:]]
    more = len(group) - len(times)
    return "<br>".join([*times, *([f"and {more} before"] if more else []), _HOVER])


def _walls(marks: Sequence[Event], zone: tzinfo) -> list[str]:
    if not marks:
        return []
    return wall_texts(pd.Series([mark.time_us for mark in marks], dtype="int64"), zone)
