"""The read side of the store: one consistent view, many questions."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from telemetry.batch import Skew
from telemetry.condition import AsOf, Damage, WriterState
from telemetry.interface import Answer, Chunk, StreamQuery
from telemetry.interval import GAPS, Cadence, IntervalRules
from telemetry.ledger import Discrepancy, LedgerRow
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Choice, Entry, Group
from telemetry.reading import Latest, Series
from telemetry.retention import Expiring, Retention
from telemetry.store import presence
from telemetry.store.archive import Archive
from telemetry.store.block import fault_of
from telemetry.store.books import read_begun, read_ledger, recount
from telemetry.store.cadences import Cadences
from telemetry.store.changes import changes
from telemetry.store.head import Connection as Database
from telemetry.store.head import faults, limit_time, open_reader
from telemetry.store.lateness import late_readings
from telemetry.store.latest import Newest, newest_received_us
from telemetry.store.layout import Tier, blocks_folder
from telemetry.store.limits import MOST_ROWS
from telemetry.store.manifest import (
    block_version,
    every_block,
    is_listed,
    known_damage,
    overlapping,
)
from telemetry.store.quarantine import read_groups, read_newest
from telemetry.store.readings import SeriesReadings
from telemetry.store.recall import read_skews
from telemetry.store.recent import StoredKept
from telemetry.store.reserve import free_bytes
from telemetry.store.retaining import Retain
from telemetry.store.revision import Memories, Memory, origin_of
from telemetry.store.streaming import chunks
from telemetry.store.topics import StoredTopics, TopicNames
from telemetry.store.usage import expiring, weigh
from telemetry.usage import Usage
from telemetry.window import ALL_TIME, Window

_ANSWER_SECONDS = 5.0
_RECOUNT_SECONDS = 600.0  # every reading is counted

_GROUPS_SHOWN = 1000


class Reach(NamedTuple):
    """What one thread keeps from one snapshot to the next."""

    archive: Archive
    newest: Newest
    cadences: Cadences
    topics: TopicNames
    memory: Memory


class StoreSnapshot(StoredTopics):
    """A read transaction; implements `telemetry.interface.Snapshot`."""

    def __init__(self, connection: Database, reach: Reach, folder: Path) -> None:
        super().__init__(connection, reach.topics)
        self._archive = reach.archive
        self._newest = reach.newest
        self._cadences = reach.cadences
        self._memory = reach.memory
        self._folder = folder
        self._state = dict(connection.execute("SELECT key, value FROM state").fetchall())

    @property
    def sequence(self) -> int:
        """Grows with every commit that changed readings."""
        return int(self._state["sequence"])

    @property
    def as_of(self) -> AsOf:
        """The state of the store that all answers are of."""
        return AsOf(self.sequence, newest_received_us(self._connection))

    @property
    def kept(self) -> StoredKept:
        """What this process keeps of the store for later questions."""
        return StoredKept(self._connection, self._archive, self._memory, self._state)

    def writer(self) -> WriterState:
        """What the collector last said of itself."""
        state = self._state
        return WriterState(
            beat_us=state.get("beat_us"),
            broker=str(state.get("broker", "")),
            broker_since_us=state.get("broker_since_us"),
            broker_up=bool(state.get("broker_up", False)),
            broker_reason=str(state.get("broker_reason", "")),
            heard_us=state.get("heard_us"),
            store_reason=str(state.get("store_reason", "")),
            stopped=bool(state.get("stopped", False)),
            rejected=int(state.get("rejected", 0)),
            free_bytes=free_bytes(self._folder),
            relieved_us=state.get("relieved_us"),
        )

    def latest(self, client: str | None = None) -> Sequence[Latest]:
        """The newest reading of each series, of one client or of all, by client and metric."""
        if client is None:
            return self._newest.of_all(self._connection)
        return self._newest.of_client(self._connection, client)

    def read(self, series: Series, window: Window) -> Answer:
        """The readings of a series in a window, oldest first; empty if there are none."""
        return Answer(series, self._of(series).read(window))

    def extent(self, series: Series) -> Window | None:
        """From the oldest reading of a series to its newest; `None` if there are none."""
        return self._of(series).extent()

    def count(self, series: Series, window: Window, at_most: int) -> int:
        """How many readings the window holds; counting ends at `at_most`."""
        return self._of(series).count(window, at_most)

    def grain_us(self, series: Series, window: Window) -> int:
        """How coarse what is left of a window is, where its readings are over."""
        return self._of(series).grain_us(window)

    def buckets(self, series: Series, window: Window, bucket_us: int) -> Answer:
        """Aggregates of the numbers in a window over aligned intervals of `bucket_us`."""
        return Answer(series, self._of(series).buckets(window, bucket_us), bucket_us)

    def rollups(self, series: Series, window: Window, bucket_us: int) -> Answer:
        """The same with all that `telemetry.rollup.COLUMNS` say of numbers."""
        return Answer(series, self._of(series).rollups(window, bucket_us), bucket_us)

    def changes(self, series: Series, window: Window, gap_us: float) -> Answer:
        """What a series of states comes down to: where a state begins and where it ends."""
        return Answer(series, changes(self._of(series).read(window), gap_us))

    def tail(self, series: Series, window: Window, rows: int) -> Answer:
        """The newest readings of a window, at most `rows` of them, oldest first."""
        return Answer(series, self._of(series).tail(window, rows))

    def cadences(self, series: Iterable[Series], before_us: int) -> Mapping[Series, Cadence]:
        """How often each is expected to report, by settings and its newest readings before then."""
        found = {
            one: self._cadences.of(one, partial(self._of(one).times_before, before_us, GAPS + 1))
            for one in series
        }
        return {one: cadence for one, cadence in found.items() if cadence is not None}

    def ledger(self, client: str | None, window: Window) -> Sequence[LedgerRow]:
        """The ledger of the hours that begin in the window, by client and hour."""
        return read_ledger(self._connection, client, window)

    def recount(self) -> Sequence[Discrepancy]:
        """Where the ledger does not add up, or says other than the rows; empty if it is right."""
        limit_time(self._connection, _RECOUNT_SECONDS)
        self._archive.limit_time(_RECOUNT_SECONDS)
        sealed = self._archive.receipts(every_block(self._connection))
        return list(recount(self._connection, self.ledger(None, ALL_TIME), sealed))

    def begun(self) -> Mapping[Series, int]:
        """Since when readings of each series arrive."""
        return read_begun(self._connection)

    def late(self, window: Window) -> Mapping[str, int]:
        """How many late readings of each client were measured in the hours of a window."""
        blocks = overlapping(self._connection, Tier.READINGS, window)
        return late_readings(self._connection, self._archive.root, blocks, window)

    def quarantine(self) -> Sequence[Group]:
        """What is in quarantine, by topic, reason and client, the newest first."""
        return read_groups(self._connection, _GROUPS_SHOWN)

    def quarantined(self, choice: Choice, before: int, at_most: int) -> Sequence[Entry]:
        """Messages in quarantine with a number below `before`, newest first."""
        return read_newest(self._connection, choice, before, at_most)

    def skews(self) -> Mapping[str, Skew]:
        """How far clients' clocks are off, by client."""
        return read_skews(self._connection)

    def connections(self, client: str | None, window: Window) -> Sequence[Connection]:
        """Connections of a client, or of all, that were open in the window, oldest first."""
        return presence.read_connections(self._connection, client, window)

    def events(self, client: str | None, window: Window) -> Sequence[Event]:
        """Events of a client, or of all and of none, in the window, oldest first."""
        return presence.read_events(self._connection, client, window)

    def events_of(self, kind: EventKind, window: Window, at_most: int) -> Sequence[Event]:
        """The newest events of one kind in the window, at most so many, oldest first."""
        return presence.read_events_of(self._connection, kind, window, at_most)

    def boundary(self, series: Series, start_us: int, rows: int) -> int | None:
        """When the reading comes that is `rows` after the first since `start_us`, or `None`."""
        return self._of(series).boundary(start_us, rows)

    def damage(self) -> Sequence[Damage]:
        """The blocks that could not be read so far, and why: what they hold is missing."""
        known = {one.path: one for one in known_damage(self._connection)}
        found = self._archive.damage.items()
        return [*(known | {path: one for path, one in found if self.lists(path)}).values()]

    def lists(self, path: str) -> bool:
        """Whether the file is part of the store: another may have taken its place."""
        return is_listed(self._connection, path)

    def _of(self, series: Series) -> SeriesReadings:
        return SeriesReadings(self._connection, self._archive, series)


class StoreQuerier:
    """The read side of the store; implements `telemetry.interface.Querier`.

    Each thread of each process opens its own connection, when it first asks: SQLite connections
    must not cross a fork. It opens another once another file has the path, from a backup say.
    """

    def __init__(self, path: Path, rules: IntervalRules = ()) -> None:
        self._path = path
        self._rules = rules
        self._local = threading.local()
        self._memories = Memories()

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        """A consistent view for the length of a `with` block."""
        connection = self._connection()
        with faults(self._path):
            limit_time(connection, _ANSWER_SECONDS)
            self._local.reach.archive.limit_time(_ANSWER_SECONDS)
            connection.execute("BEGIN")
            try:
                self._close_removed(connection)
                yield StoreSnapshot(connection, self._local.reach, self._path.parent)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def stream(self, query: StreamQuery) -> Iterator[Chunk]:
        """Everything the query names, oldest first, in parts of bounded size."""
        yield from chunks(self, query)

    def usage(self, retention: Retention, now_us: int) -> Usage:
        """What the history weighs, by client, and what it will weigh if so much is kept."""
        return weigh(self._path, retention, now_us)

    def expiring(self, retention: Retention, now_us: int) -> Sequence[Expiring]:
        """What a `telemetry.job.Retain` of the same would leave out, by rule and tier."""
        return expiring(self._path, Retain(retention, now_us))

    def inspect(self) -> Iterator[Damage | None]:
        """Reads every file of the history; says of each what is wrong with it, or `None`."""
        root = blocks_folder(self._path)
        with self.snapshot():
            blocks = every_block(self._connection())
        for block in blocks:
            reason = fault_of(root, block)
            with self.snapshot() as now:
                still = reason and now.lists(block.path)
            yield Damage(block.path, reason) if still else None

    def close(self) -> None:
        """Closes this thread's connection; safe to call twice."""
        connection: Database | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.reach.archive.close()
            self._local.connection = None

    def _close_removed(self, connection: Database) -> None:
        """Lets go of files that are no part of the store any more, when there are other ones."""
        version = block_version(connection)
        if version != self._local.version:
            self._local.version = version
            self._local.reach.archive.keep({one.path for one in every_block(connection)})

    def _connection(self) -> Database:
        connection: Database | None = getattr(self._local, "connection", None)
        origin = origin_of(self._path)
        if connection is not None and self._local.origin == origin:
            return connection
        if connection is not None and self._local.origin[0] == os.getpid():
            self.close()
        connection = self._local.connection = open_reader(self._path)
        archive = Archive(blocks_folder(self._path))
        archive.limit_rows(MOST_ROWS)
        cadences, memory = Cadences(self._rules), self._memories.of(origin)
        self._local.reach = Reach(archive, Newest(), cadences, TopicNames(), memory)
        self._local.version = None
        self._local.origin = origin
        return connection
