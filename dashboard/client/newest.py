"""The newest readings of a client in a window, as rows of a grid that grows at its top."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dashboard.digits import Notation
from dashboard.display import clock_text, printable, value_text
from dashboard.question import MetricPicture, Picture
from dashboard.recent import columns_of
from dashboard.style import Style
from telemetry.exact import Ints
from telemetry.interface import Snapshot
from telemetry.kept import Columns
from telemetry.reading import Latest, flag_names
from telemetry.window import SECOND_US, Window

Row = dict[str, Any]  # by the fields of COLUMNS, beside its `id`

MOST_ROWS = 2000
"""So many readings are in the grid; what is older is in the export."""

RENEWED_US = 60 * SECOND_US
"""So often the grid gets all rows anew: what slid out of the window goes, and what came late is put
in its place."""

COLUMNS: Sequence[dict[str, Any]] = (
    {"field": "time", "headerName": "Time", "minWidth": 210, "sortable": False},
    {"field": "metric", "headerName": "Metric", "minWidth": 130},
    {"field": "value", "headerName": "Value", "minWidth": 110, "type": "rightAligned"},
    {"field": "unit", "headerName": "Unit", "minWidth": 80},
    {"field": "delay", "headerName": "Delay", "minWidth": 100, "type": "rightAligned"},
    {"field": "flags", "headerName": "Flags", "minWidth": 130},
)


def rows(
    snapshot: Snapshot, picture: Picture, style: Style, since_us: int | None = None
) -> tuple[list[Row], int]:
    """The newest readings in the picture's window, newest first, and when the last of them arrived.

    Args:
        snapshot: The store.
        picture: Its metrics are shown.
        style: Its zone is that of the times.
        since_us: Only those that arrived later; `None` for all.
    """
    found: list[tuple[int, Row]] = []
    arrived_us = since_us or 0
    window = picture.question.window
    for one in picture.pictures:
        latest, notation = one.latest, one.notation
        if since_us is not None and latest.received_us <= since_us:
            continue
        some = _columns(snapshot, one, window, since_us)
        arrived_us = max(arrived_us, int(_arrived(some).max(initial=0)))
        found += _rows(latest, some, notation, style)
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [row for _, row in found[:MOST_ROWS]], arrived_us


def _columns(
    snapshot: Snapshot, one: MetricPicture, window: Window, since_us: int | None
) -> Columns:
    """The newest of one metric; of those that came since then, no more than can be new."""
    series = one.latest.series
    if since_us is None:
        return columns_of(snapshot.tail(series, window, MOST_ROWS).frame)
    if one.readings is not None:
        return _since(one.readings.within(window), since_us)
    few = 50
    found = columns_of(snapshot.tail(series, window, few).frame)
    while len(found["time_us"]) == few < MOST_ROWS and _arrived(found).min() > since_us:
        few *= 10
        found = columns_of(snapshot.tail(series, window, few).frame)
    return _since(found, since_us)


def _since(columns: Columns, since_us: int) -> Columns:
    """Those that arrived later."""
    later = np.flatnonzero(_arrived(columns) > since_us)
    return {name: column[later] for name, column in columns.items()}


def _arrived(columns: Columns) -> Ints:
    arrived: Ints = columns["time_us"] + columns["delay_us"]
    return arrived


def _rows(
    latest: Latest, found: Columns, notation: Notation, style: Style
) -> Iterator[tuple[int, Row]]:
    metric, unit = printable(latest.series.metric), printable(notation.unit)
    columns = (found[name].tolist() for name in ("time_us", "value", "text", "delay_us", "flags"))
    for time_us, number, text, delay_us, flags in zip(*columns, strict=True):
        value = number if text is None else text
        key = f"{time_us} {latest.series.metric} {value}"
        row = {
            "id": hashlib.blake2b(key.encode(errors="replace"), digest_size=9).hexdigest(),
            "time": clock_text(time_us, style.zone),
            "metric": metric,
            "value": value_text(value, latest.kind, notation),
            "unit": unit,
            "delay": f"{delay_us / 1e6:.3f} s" if delay_us else "",
            "flags": flag_names(flags),
        }
        yield time_us, row
