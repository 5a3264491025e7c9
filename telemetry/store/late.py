"""Late readings of hours whose readings are over: nobody can tell any more whether they are new."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.reading import Series
from telemetry.rollup import HOUR_US, Ints
from telemetry.store.archive import Archive
from telemetry.store.head import Connection
from telemetry.store.head_readings import find
from telemetry.store.layout import Block, Tier
from telemetry.store.manifest import overlapping
from telemetry.window import Window


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
    times = found["time_us"].to_numpy()
    if not len(times):
        return np.zeros(0, dtype=bool)
    begin_us, end_us = times[0] - times[0] % HOUR_US, times[-1] - times[-1] % HOUR_US + HOUR_US
    rolled = archive.rollups(hours, series, Window(int(begin_us), int(end_us)))["time_us"]
    closed = np.setdiff1d(rolled.to_numpy() // HOUR_US, earlier // HOUR_US)
    return np.isin(times // HOUR_US, closed)


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
    found, earlier = frames
    places, times = (found[name].to_numpy() for name in ("series", "time_us"))
    late = np.zeros(len(found), dtype=bool)
    hours = overlapping(connection, Tier.HOURS, window.widened(HOUR_US))
    for place, one in enumerate(series):
        if find(connection, one).readings_from_us > window.start_us:
            rows = np.flatnonzero(places == place)
            rows = rows[np.argsort(times[rows], kind="stable")]
            there = earlier.loc[earlier["series"] == place, "time_us"].to_numpy()
            late[rows] = too_late(archive, hours, one, found.iloc[rows], there)
    return late
