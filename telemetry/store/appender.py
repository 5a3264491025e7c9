"""The write side of the store: one transaction for everything that belongs together."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from telemetry.batch import Batch, Committed, Release, Skew
from telemetry.clock import now_us
from telemetry.interface import StoreError, StoreUnavailable
from telemetry.ledger import Account
from telemetry.presence import Connection
from telemetry.quarantine import Choice, Entry
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.store import presence
from telemetry.store.archive import Archive
from telemetry.store.books import Books
from telemetry.store.building import Task
from telemetry.store.head import faults, history_faults, open_writer
from telemetry.store.keeper import Done, Keeper
from telemetry.store.layout import blocks_folder
from telemetry.store.manifest import forget_dense
from telemetry.store.quarantine import QuarantineTable, read_entries
from telemetry.store.readings import SeriesReadings
from telemetry.store.recall import Recall, read_skews
from telemetry.store.reserve import Reserve
from telemetry.store.sealing import Seal
from telemetry.store.table import Doomed, Erased, ReadingTable
from telemetry.store.tasks import Compact, Forget
from telemetry.window import ALL_TIME

Result = TypeVar("Result")

KEEP_US = 3 * 3_600_000_000
"""How long readings stay in the head, unless somebody says otherwise."""

_PATIENCE_S = 60.0
_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?)"
_BUMP = "UPDATE state SET value = value + 1 WHERE key = 'sequence'"


class StoreAppender:
    """The write side of the store; implements `telemetry.interface.Appender`."""

    def __init__(self, path: Path, reserve_bytes: int = 0, keep_us: int = KEEP_US) -> None:
        self._path = path
        self._connection = open_writer(path)
        self._reserve = Reserve(path.with_name("reserve"), reserve_bytes)
        self._reserve.fill()
        self._table = ReadingTable(self._connection)
        self._recall = Recall(self._connection)
        self._task: Task | None = None
        self._asked_s = 0.0
        self._erased = 0
        self._keeper = Keeper(path, self._connection, self._transaction, keep_us)
        with history_faults(path):
            self._quarantine = QuarantineTable(self._connection)
            self._keeper.sweep(now_us())
            self._keeper.clean()

    def append(self, batch: Batch) -> Committed:
        """Stores the batch durably, each reading once, or nothing of it."""
        return self._transaction(lambda: self._append(batch))

    def deliveries(self) -> Sequence[bytes]:
        """The deliveries remembered from before, oldest first."""
        with faults(self._path):
            return self._recall.deliveries()

    def identified(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """The digests of those keys that are remembered."""
        with faults(self._path):
            return self._recall.identified(keys)

    def memory(self) -> Mapping[str, bytes]:
        """What earlier payloads said that later ones need."""
        with faults(self._path):
            return self._recall.memory()

    def series(self) -> Sequence[Series]:
        """Every series there is."""
        with faults(self._path):
            return self._recall.series()

    def skews(self) -> Mapping[str, Skew]:
        """How far clients' clocks are off, by client."""
        with faults(self._path):
            return read_skews(self._connection)

    def open_connections(self) -> Sequence[Connection]:
        """Every connection that was open when the last change was written, oldest first."""
        with faults(self._path):
            return presence.read_open(self._connection)

    def quarantined(self, choice: Choice, after: int, at_most: int) -> Sequence[Entry]:
        """Messages in quarantine with a number above `after`, lowest first."""
        with faults(self._path):
            return read_entries(self._connection, choice, after, at_most)

    def report(self, state: Mapping[str, int | str]) -> None:
        """Leaves the writer's own state for readers, beside what was reported before."""
        self._reserve.fill()
        self._transaction(lambda: self._connection.executemany(_STATE, state.items()))

    def erase(self, *, client: str | None = None, flags: int = 0) -> int:
        """Removes the readings of `client`, or all that carry one of `flags`; returns how many.

        Does so in steps, each a transaction, so that it needs little room on a full disk; there
        the room that was set aside for it is used.
        """
        if client is None and not flags:
            return 0
        erased = self._erase_head(client, flags)
        with history_faults(self._path):
            erased += self._keeper.run(Forget(client, int(flags)), now_us()).removed
            self._settle_erased(client, flags, erased)
        return erased

    def erase_step(self, *, client: str | None = None, flags: int = 0) -> int | None:
        """Does a part of `erase`; `None` if it is to be called again, between other work."""
        task = Forget(client, int(flags))
        if not self._goes_on(task):
            self._erased += self._erase_head(client, flags)
        done = self._task_step(task)
        if done is None:
            return None
        erased, self._erased = self._erased + done.removed, 0
        with history_faults(self._path):
            self._settle_erased(client, flags, erased)
        return erased

    def _goes_on(self, task: Task) -> bool:
        """Whether somebody waits for this task still; the same again later is another."""
        return self._task == task and time.monotonic() - self._asked_s < _PATIENCE_S

    def _task_step(self, task: Task) -> Done | None:
        """Begins a task, or looks whether it is done."""
        with history_faults(self._path):
            if not self._goes_on(task):
                self._keeper.start(task)
                self._task = task
            self._asked_s = time.monotonic()
            try:
                if self._keeper.busy(task):
                    return None
            except StoreError:
                self._task = None
                raise
        self._task = None
        return self._keeper.done

    def _erase_head(self, client: str | None, flags: int) -> int:
        self._reserve.release_if_short()
        with history_faults(self._path):
            self._keeper.settle()  # or what is built already would bring it back
            rows = self._connection.execute("SELECT id, client FROM series").fetchall()
        doomed = [Doomed(number, name, flags) for number, name in rows if client in (None, name)]
        return sum(map(self._erase_series, doomed))

    def _settle_erased(self, client: str | None, flags: int, erased: int) -> None:
        before = self._connection.total_changes
        archive = Archive(blocks_folder(self._path))
        for series in self._table.newest_of(client, flags):
            left = SeriesReadings(self._connection, archive, series)
            newest = left.tail(ALL_TIME, 1) if flags else left.tail_of_head(1)
            if len(newest) or not archive.damage:
                self._transaction(partial(self._renew, series, newest))
        archive.close()
        if erased or self._connection.total_changes > before:
            self._transaction(lambda: self._connection.execute(_BUMP))

    def _renew(self, series: Series, newest: pd.DataFrame) -> None:
        """The newest reading of a series is what is left; one of which nothing is left is gone."""
        self._table.renew(series, newest)
        self._table.forget()
        if newest.empty:
            forget_dense(self._connection, series)

    def _erase_series(self, doomed: Doomed) -> int:
        start_us: int | None = -(1 << 62)
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
            self._connection.execute(_BUMP)
        return done

    def tend(self, now_us: int) -> bool:
        """Does a little of what keeps the head small; whether there is more to do at once."""
        with history_faults(self._path):
            return self._keeper.tend(now_us)

    def seal(self, end_us: int) -> int:
        """Moves every reading before `end_us` into blocks; returns how many."""
        with history_faults(self._path):
            return self._keeper.run(Seal(end_us), now_us()).sealed

    def seal_step(self, end_us: int) -> int | None:
        """Does a part of `seal`; `None` if it is to be called again, between other work."""
        done = self._task_step(Seal(end_us))
        return None if done is None else done.sealed

    def compact(self, before_us: int) -> int:
        """Makes one of the blocks of each day and month that ended by then; returns of how many."""
        with history_faults(self._path):
            return self._keeper.run(Compact(before_us), now_us()).swaps

    def compact_step(self, before_us: int) -> int | None:
        """Does a part of `compact`; `None` if it is to be called again, between other work."""
        done = self._task_step(Compact(before_us))
        return None if done is None else done.swaps

    def close(self) -> None:
        """Checkpoints and releases the file; safe to call twice."""
        self._keeper.close()
        self._connection.close()

    def _transaction(self, work: Callable[[], Result]) -> Result:
        with faults(self._path):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                result = work()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._table.forget()
                self._quarantine.load()
                raise
        return result

    def _append(self, batch: Batch) -> Committed:
        books = Books()
        committed = self._store(batch, books)
        for message in batch.quarantined:
            self._quarantine.add(message)
        for release in batch.releases:
            committed = committed.plus(self._release(release, books))
        books.write(self._connection)
        self._recall.remember(batch.deliveries, anew=batch.forget_deliveries)
        self._recall.identify(batch.identities)
        self._recall.keep(batch.memory)
        self._recall.describe(batch.descriptions)
        self._recall.set_skews(batch.skews)
        presence.apply(self._connection, batch.presence)
        if committed.stored:
            self._connection.execute(_BUMP)
        return committed

    def _store(self, batch: Batch, books: Books) -> Committed:
        parts = [arrival.readings for arrival in batch.arrivals]
        counts = self._table.store([*parts, batch.readings])
        for arrival, stored in zip(batch.arrivals, counts, strict=False):
            books.add(arrival, stored)
        stored = sum(counts)
        return Committed(stored, sum(map(len, parts)) + len(batch.readings) - stored)

    def _release(self, release: Release, books: Books) -> Committed:
        entry = self._quarantine.find(release.id)
        if entry is None:
            return Committed(0, 0)  # it has left before, and has its outcome
        readings = release.arrival.readings
        (stored,) = self._table.store([readings])
        good = books.settle(entry.message, release.arrival, stored)
        if release.again is None:
            self._quarantine.remove(entry)
        else:
            self._quarantine.renew(entry, replace(release.again, good=good))
        return Committed(stored, len(readings) - stored)
