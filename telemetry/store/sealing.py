"""Sealing: readings that are old enough leave the head as parts, each reading exactly once.

Building reads only and may take its time, in a process of its own. Publishing is short transactions
of the one writer: in each the next series of a part become visible and leave the head.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.kept import Columns
from telemetry.reading import Flag, Series
from telemetry.store.archive import Archive
from telemetry.store.head import Connection, snapshot
from telemetry.store.head_readings import find
from telemetry.store.identity import known
from telemetry.store.late import too_late
from telemetry.store.layout import Block, Site, Tier, day_of
from telemetry.store.manifest import dense_days, is_damaged, overlapping
from telemetry.store.part import READING, Part, PartWriter, Pile
from telemetry.store.tables import frame_of
from telemetry.window import DAY_US, HOUR_US, Window

PART_ROWS = 2_000_000
"""A part is cut before it has more, at the next series: what is built must fit into memory."""

_DOUBLE_ROWS = 20
"""So many times as much memory as another reading takes one that came twice."""

_LONG_AGO_US = -(1 << 62)
_SERIES = "SELECT id, client, metric FROM series ORDER BY client, metric"
_NEXT = "SELECT min(time_us) FROM reading WHERE series = ? AND time_us >= ? AND time_us < ?"
_ROWS = """SELECT time_us, CASE typeof(value) WHEN 'text' THEN NULL ELSE value END, delay_us, flags
    FROM reading WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us, value"""
_TEXTS = """SELECT CASE typeof(value) WHEN 'text' THEN value ELSE NULL END
    FROM reading WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us, value"""

_ROW = np.dtype([("time_us", "i8"), ("value", "f8"), ("delay_us", "i8"), ("flags", "i8")])


_NOTHING = frame_of([])


class Double(NamedTuple):
    """A reading in the head that is in a block already: it came twice, long after each other."""

    series: Series
    time_us: int
    value: float | str
    received_us: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """What can be published: a part, if there is anything new, and what came twice."""

    part: Part | None
    doubles: Sequence[Double]


@dataclass(frozen=True, slots=True)
class Seal:
    """Moves readings out of the head.

    Attributes:
        end_us: Those that were measured before.
    """

    end_us: int

    def build(self, connection: Connection, site: Site) -> Generator[Sealed]:
        """Parts of what the head holds, by day, oldest first, and by series.

        Each day is a snapshot of its own, so that the write-ahead log need not wait for all.
        """
        builder = _Builder(connection, site)
        with snapshot(connection):
            days = builder.days(self.end_us)
        for day_us, series in sorted(days.items()):
            with snapshot(connection):
                yield from builder.sealed(Window(day_us, min(day_us + DAY_US, self.end_us)), series)


class _Builder:
    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection = connection
        self._archive = Archive(site.root)
        self._site = site

    def days(self, end_us: int) -> dict[int, list[tuple[int, Series]]]:
        """Which series have readings on which days."""
        days: defaultdict[int, list[tuple[int, Series]]] = defaultdict(list)
        for number, *name in self._connection.execute(_SERIES).fetchall():
            next_us = self._next(number, _LONG_AGO_US, end_us)
            while next_us is not None:
                days[day_of(next_us)].append((number, Series(*name)))
                next_us = self._next(number, day_of(next_us) + DAY_US, end_us)
        return days

    def _next(self, number: int, start_us: int, end_us: int) -> int | None:
        found: int | None = self._connection.execute(_NEXT, (number, start_us, end_us)).fetchone()[
            0
        ]
        return found

    def sealed(self, window: Window, series: Iterable[tuple[int, Series]]) -> Iterator[Sealed]:
        """What the head has of these series on a day, or of the part of it that is old enough."""
        if is_damaged(self._connection, window):  # what it has cannot be told from what is new
            return
        blocks = overlapping(self._connection, Tier.READINGS, window)
        pile, doubles = Pile(window.start_us), list[Double]()
        for number, one in series:
            columns = head_columns(self._connection, number, window)
            times = columns["time_us"]
            if not len(times):
                continue
            earlier = earlier_rows(self._archive, blocks, one, (times[0], times[-1]))
            if any(block.path in self._archive.damage for block in blocks):
                return
            sorted_out = self._sorted_out(window, one, columns, earlier)
            if sorted_out is None:
                return
            new, again = sorted_out
            doubles += again
            if len(new["time_us"]):
                pile.add(one, new, earlier)
                pile.note_dense(dense_days(self._connection, one, window))
            if pile.rows + _DOUBLE_ROWS * len(doubles) >= PART_ROWS:
                yield Sealed(self._part(pile, window), doubles)
                doubles = []
        yield Sealed(self._part(pile, window), doubles)

    def _sorted_out(
        self, window: Window, series: Series, columns: Columns, earlier: pd.DataFrame
    ) -> tuple[Columns | pd.DataFrame, Sequence[Double]] | None:
        """What is new of a series, and what is not or of hours that are over; `None` if unclear.

        Mostly all of it is new: then no frame is made, which takes longer than to read a few rows.
        """
        is_over = window.start_us < find(self._connection, series).readings_from_us
        if earlier.empty and not is_over:
            return columns, ()
        found = _framed(columns)
        closed = self._closed(window, series, found, earlier) if is_over else _no_row_of(found)
        if closed is None:
            return None
        new, again = split(found[~closed], earlier)
        return new, [*_doubles(series, again), *_doubles(series, found[closed])]

    def _closed(
        self, window: Window, series: Series, found: pd.DataFrame, earlier: pd.DataFrame
    ) -> NDArray[np.bool_] | None:
        """Which are of hours whose readings are over; `None` if that cannot be told now."""
        if is_damaged(self._connection, window, Tier.HOURS):
            return None
        hours = overlapping(self._connection, Tier.HOURS, window.widened(HOUR_US))
        closed = too_late(self._archive, hours, series, found, earlier["time_us"].to_numpy())
        return None if any(one.path in self._archive.damage for one in hours) else closed

    def _part(self, pile: Pile, window: Window) -> Part | None:
        if not pile.rows:
            return None
        with PartWriter(self._site, window.start_us) as writer:
            writer.add(pile.take())
            return writer.finish()


def earlier_rows(
    archive: Archive, blocks: Sequence[Block], series: Series, times_us: tuple[int, int]
) -> pd.DataFrame:
    """What blocks have of the series in the hours from the first of these times to the last."""
    first_us, last_us = times_us
    hours = Window(first_us - first_us % HOUR_US, last_us - last_us % HOUR_US + HOUR_US)
    touched = [one for one in blocks if one.last_us >= hours.start_us]
    return archive.readings(touched, series, hours) if touched else _NOTHING


def _doubles(series: Series, again: pd.DataFrame) -> Iterator[Double]:
    received_us = again["time_us"] + again["delay_us"]
    for (time_us, value), received in zip(_identities(again), received_us.tolist(), strict=True):
        yield Double(series, time_us, value, received)


def split(found: pd.DataFrame, earlier: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is new of the readings of a series, and what is among earlier ones already.

    A new one is flagged if another value stands at its time.
    """
    if earlier.empty:
        return found, found[:0]
    again = known(found, earlier)
    new = found[~again]
    beside = new["time_us"].isin(earlier["time_us"]).to_numpy()
    return new.assign(flags=new["flags"] | np.where(beside, Flag.CONFLICT.value, 0)), found[again]


def _identities(frame: pd.DataFrame) -> Iterator[tuple[int, float | str]]:
    columns = (frame[name].tolist() for name in ("time_us", "value", "text"))
    for time_us, value, text in zip(*columns, strict=True):
        yield time_us, value if text is None else text


def head_rows(connection: Connection, number: int, window: Window) -> pd.DataFrame:
    """What the head has of a series in a window, by time and value, numbers before texts."""
    return _framed(head_columns(connection, number, window))


def head_columns(connection: Connection, number: int, window: Window) -> Columns:
    """The same as columns."""
    bounds = (number, window.start_us, window.end_us)
    rows = np.fromiter(connection.execute(_ROWS, bounds), _ROW)
    texts = np.full(len(rows), None)
    if np.isnan(rows["value"]).any():
        texts[:] = [text for (text,) in connection.execute(_TEXTS, bounds)]
    return {"text": texts, **{name: rows[name] for name in _ROW.fields or ()}}


def _framed(columns: Columns) -> pd.DataFrame:
    texts = pd.Series(columns["text"], dtype=object)
    return pd.DataFrame({name: columns[name] for name in READING} | {"text": texts})


def _no_row_of(found: pd.DataFrame) -> NDArray[np.bool_]:
    return np.zeros(len(found), dtype=bool)
