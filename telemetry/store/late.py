"""Late readings of hours whose readings are over: nobody can tell any more whether they are new."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Ints
from telemetry.reading import Series
from telemetry.store.archive import Archive
from telemetry.store.head import Connection
from telemetry.store.head_readings import find
from telemetry.store.layout import Block, Tier
from telemetry.store.manifest import overlapping
from telemetry.window import HOUR_US, Window


def too_late(
    archive: Archive, hours: Sequence[Block], series: Series, found: pd.DataFrame, earlier: Ints
) -> NDArray[np.bool_]:
    """Which readings are of an hour of which a rollup is left and no reading.

    Such an hour is closed: to add to it what it may have in it already would count that twice.

    Args:
        archive: Reads the rollups.
        hours: The blocks of hours that may have them.
        series: Whose readings they are.
        found: The readings; they are all from a time whose readings are over, sorted by time.
        earlier: The times of readings that are there.
    """
    return _too_late(archive, hours, series, (found["time_us"].to_numpy(), earlier))


def hours_of(times: Ints) -> Window:
    """The whole hours from the first of these times to the last; they are sorted."""
    first_us, last_us = int(times[0]), int(times[-1])
    return Window(first_us - first_us % HOUR_US, last_us - last_us % HOUR_US + HOUR_US)


def too_late_of_day(
    connection: Connection,
    archive: Archive,
    window: Window,
    series: Sequence[Series],
    frames: tuple[pd.DataFrame, pd.DataFrame],
) -> NDArray[np.bool_]:
    """The same of many series at once, in any order.

    Args:
        connection: In a snapshot.
        archive: Reads the rollups.
        window: The day.
        series: Whose readings they are.
        frames: The readings and those that are there, with `time_us` and `series`: a place among
            these series.
    """
    found, earlier = (_by_series(frame, len(series)) for frame in frames)
    late = np.zeros(len(frames[0]), dtype=bool)
    hours = overlapping(connection, Tier.HOURS, window.widened(HOUR_US))
    for one, (rows, times), (_, there) in zip(series, found, earlier, strict=True):
        if find(connection, one).readings_from_us > window.start_us:
            late[rows] = _too_late(archive, hours, one, (times, there))
    return late


def _by_series(frame: pd.DataFrame, series: int) -> Iterator[tuple[Ints, Ints]]:
    """Of each of so many series, by its place: its rows in order of time, and their times."""
    places, times = (frame[name].to_numpy() for name in ("series", "time_us"))
    order = np.lexsort((times, places))
    ends = np.searchsorted(places[order], np.arange(1, series))
    return zip(np.split(order, ends), np.split(times[order], ends), strict=True)


def _too_late(
    archive: Archive, hours: Sequence[Block], series: Series, times: tuple[Ints, Ints]
) -> NDArray[np.bool_]:
    found, earlier = times
    if not len(found):
        return np.zeros(0, dtype=bool)
    rolled = archive.times(hours, series, hours_of(found))
    closed = np.setdiff1d(rolled // HOUR_US, earlier // HOUR_US)
    return np.isin(found // HOUR_US, closed)
