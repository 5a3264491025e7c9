"""The newest readings of a client in a window, as rows of a grid that grows at its top."""

import hashlib
from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from dashboard.display import clock_text, printable, value_text
from dashboard.question import MetricPicture, Picture
from dashboard.recent import columns_of
from dashboard.style import Style
from telemetry.exact import Ints
from telemetry.interface import Snapshot
from telemetry.kept import Columns
from telemetry.reading import flag_names
from telemetry.window import SECOND_US, Window

Row = dict[str, Any]  # by the fields of COLUMNS, beside its `id`
Values = tuple[float, str | None, int, int]  # number, text, delay in microseconds, flags

MOST_ROWS = 500
"""So many readings are in the grid; what is older is in the export."""

RENEWED_US = 60 * SECOND_US
"""So often the grid gets all rows anew: what slid out of the window goes, and what came late is put
in its place."""

COLUMNS: Sequence[dict[str, Any]] = (
    {"field": "metric", "headerName": "Metric", "minWidth": 116},
    {"field": "value", "headerName": "Value", "minWidth": 96, "type": "rightAligned"},
    {"field": "unit", "headerName": "Unit", "minWidth": 68},
    {"field": "time", "headerName": "Time", "minWidth": 210, "sortable": False},
    {"field": "delay", "headerName": "Delay", "minWidth": 100, "type": "rightAligned"},
    {"field": "flags", "headerName": "Flags", "minWidth": 130},
)
"""What a phone shows without being scrolled comes first."""


class Heading(NamedTuple):
    """What the rows of a metric share: its picture, and how its name and unit are shown."""

    one: MetricPicture
    metric: str
    unit: str


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
    found: list[tuple[int, Heading, Values]] = []
    arrived_us = since_us or 0
    window = picture.question.window
    for one in picture.pictures:
        if since_us is not None and one.latest.received_us <= since_us:
            continue
        some = _columns(snapshot, one, window, since_us)
        arrived_us = max(arrived_us, int(_arrived(some).max(initial=0)))
        columns = [some[name].tolist() for name in ("value", "text", "delay_us", "flags")]
        times, metric = some["time_us"].tolist(), one.latest.series.metric
        of = Heading(one, printable(metric), printable(one.notation.unit))
        found += zip(times, repeat(of), zip(*columns, strict=True), strict=False)
    newest = sorted(found, key=itemgetter(0), reverse=True)[:MOST_ROWS]
    return [_row(time_us, of, values, style) for time_us, of, values in newest], arrived_us


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


def _row(time_us: int, of: Heading, values: Values, style: Style) -> Row:
    number, text, delay_us, flags = values
    latest, value = of.one.latest, number if text is None else text
    key = f"{time_us} {latest.series.metric} {value}"
    return {
        "id": hashlib.blake2b(key.encode(errors="replace"), digest_size=9).hexdigest(),
        "time": clock_text(time_us, style.zone),
        "metric": of.metric,
        "value": value_text(value, latest.kind, of.one.notation),
        "unit": of.unit,
        "delay": f"{delay_us / 1e6:.3f} s" if delay_us else "",
        "flags": flag_names(flags),
    }
