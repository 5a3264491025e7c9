"""The write side of the store: one transaction for everything that belongs together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from telemetry.batch import Batch, Committed, Release, Skew
from telemetry.clock import now_us
from telemetry.job import Result as JobResult
from telemetry.job import StoreJob, Tell, silent
from telemetry.presence import Connection
from telemetry.quarantine import Choice, Entry
from telemetry.reading import Series
from telemetry.retention import NO_POLICY, Policy
from telemetry.store import presence
from telemetry.store.books import Books
from telemetry.store.chores import Chores
from telemetry.store.erasing import Eraser, Tables
from telemetry.store.head import faults, history_faults, note_growth, open_writer
from telemetry.store.keeper import Keeper
from telemetry.store.quarantine import QuarantineTable, read_entries
from telemetry.store.recall import Recall, read_skews
from telemetry.store.reserve import Reserve
from telemetry.store.table import ReadingTable
from telemetry.store.topics import TopicTable
from telemetry.store.upkeep import Upkeep

Result = TypeVar("Result")

KEEP_US = 3 * 3_600_000_000
"""How long readings stay in the head, unless somebody says otherwise."""

_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?)"


class StoreAppender:
    """The write side of the store; implements `telemetry.interface.Appender`."""

    def __init__(
        self,
        path: Path,
        reserve_bytes: int = 0,
        keep_us: int = KEEP_US,
        policy: Policy = NO_POLICY,
    ) -> None:
        self._path = path
        self._connection = open_writer(path)
        self._reserve = Reserve(path.with_name("reserve"), reserve_bytes)
        self._reserve.fill()
        self._table = ReadingTable(self._connection)
        self._recall = Recall(self._connection)
        upkeep = Upkeep(path, self._connection, keep_us, policy, self._reserve)
        self._keeper = Keeper(path, self._connection, self._table, self._transaction, upkeep)
        with history_faults(path):
            self._topics = TopicTable(self._connection)
            self._quarantine = QuarantineTable(self._connection)
            self._keeper.sweep(now_us())
            self._keeper.clean()
        tables = Tables(self._table, self._topics)
        eraser = Eraser(path, self._connection, tables, self._transaction, self._reserve)
        self._chores = Chores(path, self._keeper, eraser)

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

    def tend(self, now_us: int) -> bool:
        """Does a little of what keeps the head small; whether there is more to do at once."""
        with history_faults(self._path):
            return self._keeper.tend(now_us)

    def do(self, job: StoreJob, tell: Tell = silent) -> JobResult:
        """Does a job at once; returns what became of it, as `{"erased": 3}`."""
        return self._chores.do(job, tell)

    def step(self, job: StoreJob) -> JobResult | None:
        """Does a part of a job; `None` if it is to be called again, between other work."""
        return self._chores.step(job)

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
                self._topics.load()
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
            note_growth(self._connection)
        return committed

    def _store(self, batch: Batch, books: Books) -> Committed:
        parts = [arrival.readings for arrival in batch.arrivals]
        counts = self._table.store([*parts, batch.readings])
        if batch.topics:
            self._topics.note(batch.topics, batch.arrivals, counts)
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
