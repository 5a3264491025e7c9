"""Readings of one series in the head: statements and the frames they answer with."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.buckets import Buckets, bucketed
from telemetry.exact import Ints
from telemetry.reading import Series
from telemetry.store.head import Connection
from telemetry.store.limits import MOST_ROWS, check_rows
from telemetry.window import ALL_TIME, Window

_SPAN = """SELECT id, oldest_us, newest_us, readings_from_us, revised, revised_since,
    revised_from_us FROM series WHERE client = ? AND metric = ?"""
_READ = """SELECT time_us, value, delay_us, flags FROM reading
    WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us LIMIT ?"""
_COUNT = """SELECT count(*) FROM
    (SELECT 1 FROM reading WHERE series = ? AND time_us >= ? AND time_us < ? LIMIT ?)"""
_NUMBERS = """SELECT time_us, value FROM reading
    WHERE series = ? AND time_us >= ? AND time_us < ? AND value < '' ORDER BY time_us LIMIT ?"""
"""In SQLite's order all numbers come before all texts; to ask for the type takes twice as long."""

_TAIL = """SELECT time_us, value, delay_us, flags FROM reading
    WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us DESC, value DESC LIMIT ?"""
_OLDEST = "SELECT min(time_us) FROM reading WHERE series = ?"
_TIMES = "SELECT time_us FROM reading WHERE series = ? AND time_us >= ? ORDER BY time_us LIMIT ?"

_ROWS_AT_ONCE = 50_000
_NO_TIMES, _NO_VALUES = np.zeros(0, np.int64), np.zeros(0)
_BEFORE = """SELECT DISTINCT time_us FROM reading WHERE series = ? AND time_us < ?
    ORDER BY time_us DESC LIMIT ?"""


Row = tuple[int, float | str, int, int]


class Span(NamedTuple):
    """A series as the catalog has it.

    Attributes:
        id: Its number; -1 if there is no such series, which no reading has.
        oldest_us: No reading of it is older.
        newest_us: When its newest reading was measured, be it in the head or not.
        readings_from_us: Of what was measured before, rollups are left at most.
        revised: The sequence at which other than newer readings came, or any went.
        revised_since: Another such sequence before.
        revised_from_us: What was measured before is as it was at that one.
    """

    id: int = -1
    oldest_us: int = 0
    newest_us: int = -1
    readings_from_us: int = -(1 << 62)
    revised: int = 0
    revised_since: int = 0
    revised_from_us: int = -(1 << 62)

    def changed_us(self, sequence: int) -> int:
        """What was measured before is as it was at that sequence; but for newer readings."""
        if self.id < 0 or sequence < self.revised_since:
            return ALL_TIME.start_us
        return self.revised_from_us if sequence < self.revised else ALL_TIME.end_us


def find(connection: Connection, series: Series) -> Span:
    """What the catalog says of a series."""
    row = connection.execute(_SPAN, series).fetchone()
    return Span(*row) if row else Span()


def read(connection: Connection, number: int, window: Window) -> pd.DataFrame:
    """The readings in a window, oldest first.

    Raises:
        TooMuch: If there are too many.
    """
    rows = rows_of(connection, number, window, MOST_ROWS + 1)
    check_rows(len(rows), MOST_ROWS)
    return frame_of(rows)


def rows_of(connection: Connection, number: int, window: Window, at_most: int) -> list[Row]:
    """The first readings of a window as rows: time, value, delay, flags."""
    return connection.execute(_READ, (number, window.start_us, window.end_us, at_most)).fetchall()


def tail(connection: Connection, number: int, window: Window, rows: int) -> pd.DataFrame:
    """The newest readings of a window, at most `rows` of them, oldest first."""
    bounds = (number, window.start_us, window.end_us, rows)
    return frame_of(connection.execute(_TAIL, bounds).fetchall()[::-1])


def count(connection: Connection, number: int, window: Window, at_most: int) -> int:
    """How many readings the window holds; counting ends at `at_most`."""
    bounds = (number, window.start_us, window.end_us, at_most)
    return int(connection.execute(_COUNT, bounds).fetchone()[0])


def times(connection: Connection, number: int, start_us: int, rows: int) -> Ints:
    """When the first readings since then were measured."""
    found = connection.execute(_TIMES, (number, start_us, rows))
    return np.array([time_us for (time_us,) in found], dtype=np.int64)


def times_before(connection: Connection, number: int, before_us: int, rows: int) -> list[int]:
    """When the newest readings before then were measured, each instant once, newest first."""
    return [time_us for (time_us,) in connection.execute(_BEFORE, (number, before_us, rows))]


def oldest_us(connection: Connection, number: int) -> int | None:
    """When the oldest reading was measured."""
    oldest: int | None = connection.execute(_OLDEST, (number,)).fetchone()[0]
    return oldest


def buckets(connection: Connection, number: int, window: Window, bucket_us: int) -> Buckets:
    """Aggregates of the numbers in a window over aligned intervals of `bucket_us`.

    They are made here and not by SQLite, whose sums are rounded at each step: 0.1 for an hour had a
    mean of 0.09999999999999991. Rows take 1.2 times as long as its aggregates.

    Raises:
        TooMuch: If there are too many numbers.
    """
    bounds = (number, window.start_us, window.end_us, MOST_ROWS + 1)
    found = connection.execute(_NUMBERS, bounds)
    times, values = [_NO_TIMES], [_NO_VALUES]
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        some_times, some_values = zip(*rows, strict=True)
        times.append(np.array(some_times, dtype=np.int64))
        values.append(np.array(some_values, dtype=np.float64))
    check_rows(sum(map(len, times)), MOST_ROWS)
    return bucketed(np.concatenate(times), np.concatenate(values), bucket_us)


def frame_of(rows: list[Row]) -> pd.DataFrame:
    """Rows as the frame of `telemetry.interface.Answer`."""
    columns = columns_of(rows)
    return pd.DataFrame({**columns, "text": pd.Series(columns["text"], dtype=object)})


def columns_of(rows: list[Row]) -> dict[str, NDArray[Any]]:  # Any: integers, floats and objects
    """The columns of that frame."""
    instants, values, delays, flags = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "time_us": np.array(instants, dtype=np.int64),
        "value": np.array([np.nan if isinstance(v, str) else v for v in values], dtype=np.float64),
        "text": np.array([v if isinstance(v, str) else None for v in values], dtype=object),
        "delay_us": np.array(delays, dtype=np.int64),
        "flags": np.array(flags, dtype=np.int64),
    }
