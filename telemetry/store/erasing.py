"""Erasing: readings leave the head in steps, each a transaction, so that it needs little room."""

import math
from collections.abc import Callable, Mapping, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd

from telemetry.interface import StoreUnavailable
from telemetry.job import Erase
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.store.archive import Archive
from telemetry.store.books import Books
from telemetry.store.done import Done
from telemetry.store.head import Connection, Transaction, note_change
from telemetry.store.head_readings import find, frame_of
from telemetry.store.layout import Tier, blocks_folder
from telemetry.store.manifest import forget_dense, overlapping
from telemetry.store.readings import SeriesReadings
from telemetry.store.reserve import Reserve
from telemetry.store.table import LONG_AGO_US, Doomed, Erased, ReadingTable
from telemetry.store.topics import TopicTable
from telemetry.window import ALL_TIME, HOUR_US, Window

Made = TypeVar("Made")

_SERIES = 200
"""At most so many are changed in one transaction."""


class Tables(NamedTuple):
    """The writer's, which must forget what they know of what is erased."""

    readings: ReadingTable
    topics: TopicTable


class Eraser:
    """Removes from the head what a job names, and settles what that leaves of series.

    On a full disk the room that was set aside for it is used.

    Args:
        path: The SQLite file.
        connection: The writer's.
        tables: What it removes from.
        transaction: Runs a step as one.
        reserve: What is set aside.
    """

    def __init__(
        self,
        path: Path,
        connection: Connection,
        tables: Tables,
        transaction: Transaction,
        reserve: Reserve,
    ) -> None:
        self._path = path
        self._connection = connection
        self._table = tables.readings
        self._topics = tables.topics
        self._transaction = transaction
        self._reserve = reserve

    def make_room(self) -> None:
        """Gives the reserve free if there is too little room to begin."""
        self._reserve.release_if_short()

    def erase_head(self, job: Erase) -> int:
        """Removes it from the head; returns how many readings."""
        rows = self._connection.execute("SELECT id, client FROM series").fetchall()
        doomed = [
            Doomed(number, name, int(job.flags)) for number, name in rows
            if job.client in (None, name)
        ]  # fmt: skip
        self._with_reserve(partial(self._topics.erase, job.client, int(job.flags)))
        erased, start_us = 0, LONG_AGO_US
        while doomed:
            done = self._with_reserve(partial(self._erase_step, doomed[:_SERIES], start_us))
            erased += done.readings.total()
            doomed, start_us = doomed[done.series :], done.next_us
        return erased

    def _with_reserve(self, step: Callable[[], Made]) -> Made:
        try:
            return self._transaction(step)
        except StoreUnavailable:
            if not self._reserve.release():
                raise
            return self._transaction(step)

    def _erase_step(self, doomed: Sequence[Doomed], start_us: int) -> Erased:
        books = Books()
        done = self._table.erase(doomed, start_us)
        for account, number in done.readings.items():
            if account.client not in RESERVED_CLIENTS:
                books.erase(account, number)
        books.write(self._connection)
        self._table.forget()
        if done.readings:
            note_change(self._connection)
        return done

    def settle(self, job: Erase, done: Done) -> None:
        """Says of each series what its newest reading is now; one with none left is gone.

        If files could not be read, all stay as they are: whose readings those have, and whether
        newer ones, is known when they are back and it is erased again.
        """
        before = self._connection.total_changes
        if not done.missed:
            archive = Archive(blocks_folder(self._path))
            every = self._table.newest_of(job.client, int(job.flags))
            for start in range(0, len(every), _SERIES):
                some = {one: self._left(job, archive, one) for one in every[start:][:_SERIES]}
                self._transaction(partial(self._renew_all, some, archive.damage))
            archive.close()
        if done.removed or self._connection.total_changes > before:
            self._transaction(partial(note_change, self._connection))

    def _left(self, job: Erase, archive: Archive, series: Series) -> pd.DataFrame:
        """The newest reading of a series, or what stands for it where only rollups are left."""
        left = SeriesReadings(self._connection, archive, series)
        if not job.flags:  # blocks have nothing of it any more
            return left.tail_of_head(1)
        newest = left.tail(ALL_TIME, 1)
        rolled = _rolled(self._connection, archive, series)
        if newest.empty or (len(rolled) and rolled["time_us"][0] > newest["time_us"][0]):
            return rolled
        return newest

    def _renew_all(self, newest: Mapping[Series, pd.DataFrame], damage: Sized) -> None:
        for series, left in newest.items():
            if len(left) or not damage:
                self._renew(series, left)

    def _renew(self, series: Series, newest: pd.DataFrame) -> None:
        self._table.renew(series, newest)
        self._table.forget()
        if newest.empty:
            forget_dense(self._connection, series)


def _rolled(connection: Connection, archive: Archive, series: Series) -> pd.DataFrame:
    """What the last rollup says of readings that are over, as one reading, or empty.

    That is the last number. Of an hour of states it is known when it began, and not which they
    were: the text is empty then.
    """
    span = find(connection, series)
    if span.oldest_us >= span.readings_from_us:
        return frame_of([])
    window = Window(span.oldest_us - HOUR_US, span.readings_from_us)
    found: list[tuple[int, float | str]] = []
    for tier in (Tier.HOURS, Tier.MINUTES):
        blocks = overlapping(connection, tier, window)
        for block in sorted(blocks, key=lambda one: one.last_us, reverse=True):
            if found and block.last_us < found[0][0] - HOUR_US:
                break
            last = _last_of(archive.rollups([block], series, window))
            found = sorted([*found, *last], key=lambda one: one[0])[-1:]
    return frame_of([(time_us, value, 0, 0) for time_us, value in found])


def _last_of(rollups: pd.DataFrame) -> list[tuple[int, float | str]]:
    """The time and value of the last of them, if there is any."""
    if rollups.empty:
        return []
    times = rollups["last_us"].where(rollups["count"] > 0, rollups["time_us"])
    place = times.argmax()
    value = float(rollups["last"].iloc[place])
    return [(int(times.iloc[place]), "" if math.isnan(value) else value)]
