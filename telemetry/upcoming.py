"""When what is left of a series goes on: readings, or rollups of those that are over."""

from telemetry.interface import Snapshot
from telemetry.reading import Series
from telemetry.window import HOUR_US, Window

_HOURS_AHEAD = 2000


def next_us(snapshot: Snapshot, series: Series, rest: Window) -> int:
    """Before then `Snapshot.buckets` has nothing of the rest; at most where it ends.

    It may come later still: no more than some months of rollups are looked through.
    """
    found_us = snapshot.boundary(series, rest.start_us, 0)
    read_us = rest.end_us if found_us is None else min(found_us, rest.end_us)
    extent = snapshot.extent(series) if snapshot.grain_us(series, rest) else None
    if extent is None:
        return read_us
    begin_us = max(rest.start_us, extent.start_us - extent.start_us % HOUR_US)
    if begin_us >= read_us:
        return read_us
    ahead = Window(begin_us, min(begin_us + HOUR_US * _HOURS_AHEAD, read_us))
    hours = snapshot.buckets(series, ahead, HOUR_US).frame["time_us"]
    return max(begin_us, int(hours.iloc[0])) if len(hours) else ahead.end_us
