"""Erasing: readings leave the head in steps, each a transaction, so that it needs little room."""

from functools import partial
from pathlib import Path

import pandas as pd

from telemetry.interface import StoreUnavailable
from telemetry.job import Erase
from telemetry.ledger import Account
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.store.archive import Archive
from telemetry.store.books import Books
from telemetry.store.head import Connection, Transaction, note_change
from telemetry.store.layout import blocks_folder
from telemetry.store.manifest import forget_dense
from telemetry.store.readings import SeriesReadings
from telemetry.store.reserve import Reserve
from telemetry.store.table import Doomed, Erased, ReadingTable
from telemetry.window import ALL_TIME

_LONG_AGO_US = -(1 << 62)


class Eraser:
    """Removes from the head what a job names, and settles what that leaves of series.

    On a full disk the room that was set aside for it is used.

    Args:
        path: The SQLite file.
        connection: The writer's.
        table: The writer's, which must forget what it knows of what is erased.
        transaction: Runs a step as one.
        reserve: What is set aside.
    """

    def __init__(
        self,
        path: Path,
        connection: Connection,
        table: ReadingTable,
        transaction: Transaction,
        reserve: Reserve,
    ) -> None:
        self._path = path
        self._connection = connection
        self._table = table
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
        return sum(map(self._erase_series, doomed))

    def settle(self, job: Erase, erased: int) -> None:
        """Says of each series what its newest reading is now; one with none left is gone."""
        before = self._connection.total_changes
        archive = Archive(blocks_folder(self._path))
        for series in self._table.newest_of(job.client, int(job.flags)):
            left = SeriesReadings(self._connection, archive, series)
            newest = left.tail(ALL_TIME, 1) if job.flags else left.tail_of_head(1)
            if len(newest) or not archive.damage:
                self._transaction(partial(self._renew, series, newest))
        archive.close()
        if erased or self._connection.total_changes > before:
            self._transaction(partial(note_change, self._connection))

    def _renew(self, series: Series, newest: pd.DataFrame) -> None:
        self._table.renew(series, newest)
        self._table.forget()
        if newest.empty:
            forget_dense(self._connection, series)

    def _erase_series(self, doomed: Doomed) -> int:
        start_us: int | None = _LONG_AGO_US
        erased = 0
        while start_us is not None:
            step = partial(self._erase_step, doomed, start_us)
            try:
                done = self._transaction(step)
            except StoreUnavailable:
                if not self._reserve.release():
                    raise
                done = self._transaction(step)
            erased += sum(done.hours.values())
            start_us = done.next_us
        return erased

    def _erase_step(self, doomed: Doomed, start_us: int) -> Erased:
        books = Books()
        done = self._table.erase(doomed, start_us)
        if doomed.client not in RESERVED_CLIENTS:
            for hour_us, number in done.hours.items():
                books.erase(Account(doomed.client, hour_us), number)
        books.write(self._connection)
        self._table.forget()
        if done.hours:
            note_change(self._connection)
        return done
