"""What a store does, said without SQL or files: Appender writes, Querier reads.

`telemetry/store/` implements both on SQLite; Parquet blocks and PostgreSQL implement the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from telemetry.batch import Batch, Committed, Skew
from telemetry.condition import AsOf, Damage, WriterState
from telemetry.fault import Fault
from telemetry.interval import Cadence
from telemetry.job import Result, StoreJob, Tell, silent
from telemetry.kept import Kept
from telemetry.ledger import LedgerBook
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Choice, Entry, QuarantineBook
from telemetry.reading import Latest, Series
from telemetry.retention import Expiring, Retention
from telemetry.topic import TopicBook
from telemetry.usage import Usage
from telemetry.window import Window


class StoreError(Fault):
    """The store cannot answer or accept now; the message says why and what to do."""


class StoreMissing(StoreError):
    """There is no store yet: no collector has run on this data folder."""


class StoreUnavailable(StoreError):
    """A fault that may pass (disk full, locked): nothing was written, try the same again."""


class TooMuch(StoreError):
    """An answer would be too large to be held; it says what to ask for instead."""


class Appender(Protocol):
    """The write side; one process holds it, on one thread."""

    def append(self, batch: Batch) -> Committed:
        """Stores the batch durably, each reading once, or nothing of it.

        Raises:
            StoreUnavailable: If nothing was stored and the same batch may be tried again.
        """
        ...

    def deliveries(self) -> Sequence[bytes]:
        """The deliveries remembered from before, oldest first."""
        ...

    def identified(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """The digests of those keys that are remembered."""
        ...

    def memory(self) -> Mapping[str, bytes]:
        """What earlier payloads said that later ones need."""
        ...

    def series(self) -> Sequence[Series]:
        """Every series there is."""
        ...

    def skews(self) -> Mapping[str, Skew]:
        """How far clients' clocks are off, by client."""
        ...

    def open_connections(self) -> Sequence[Connection]:
        """Every connection that was open when the last change was written, oldest first."""
        ...

    def quarantined(self, choice: Choice, after: int, at_most: int) -> Sequence[Entry]:
        """Messages in quarantine with a number above `after`, lowest first."""
        ...

    def report(self, state: Mapping[str, int | str]) -> None:
        """Leaves the writer's own state for readers, beside what was reported before.

        Raises:
            StoreUnavailable: If it could not be written.
        """
        ...

    def tend(self, now_us: int) -> bool:
        """Does a little of what keeps the history small and fast, for about 20 ms.

        It is called again and again, on the thread of the writer. Returns whether there is more
        to do at once.

        Raises:
            StoreUnavailable: If it cannot go on now; it does when it is called again.
        """
        ...

    def do(self, job: StoreJob, tell: Tell = silent) -> Result:
        """Does a job at once; returns what became of it, as `{"erased": 3}`.

        A long one tells how far it is.

        Raises:
            StoreError: If it cannot be done.
        """
        ...

    def step(self, job: StoreJob) -> Result | None:
        """Does a part of a job; `None` if it is to be called again, between other work.

        Raises:
            StoreError: If it cannot be done.
        """
        ...

    def close(self) -> None:
        """Releases the store; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Readings or buckets of one series over a window.

    Attributes:
        series: Whose they are.
        frame: Sorted by `time_us` (int64). Readings have the columns `time_us, value (float64),
            text (object), delay_us, flags (int64)`; in a text state `value` is NaN. Buckets have
            `time_us, sum, min, max (float64), count (int64)` where `time_us` is the bucket's
            start; buckets without readings are absent.
        bucket_us: The width of a bucket, or 0 for readings.
    """

    series: Series
    frame: pd.DataFrame
    bucket_us: int = 0


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """What to export: `metrics` empty means all of the client's."""

    client: str
    window: Window
    metrics: Sequence[str] = ()
    lookback_us: int = 0
    chunk_rows: int = field(default=20_000)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of an export: what `window` covers; the frames reach `lookback_us` further back."""

    window: Window
    answers: Sequence[Answer]


class Snapshot(TopicBook, LedgerBook, QuarantineBook, Protocol):
    """One consistent view of the store; everything read through it belongs together."""

    @property
    def sequence(self) -> int:
        """Grows with every commit that changed readings; equal means nothing changed."""
        ...

    @property
    def as_of(self) -> AsOf:
        """The state of the store that all answers of this snapshot are of."""
        ...

    @property
    def kept(self) -> Kept:
        """What this process keeps of the store for later questions."""
        ...

    def writer(self) -> WriterState:
        """What the collector last said of itself."""
        ...

    def latest(self, client: str | None = None) -> Sequence[Latest]:
        """The newest reading of each series, of one client or of all, by client and metric."""
        ...

    def read(self, series: Series, window: Window) -> Answer:
        """The readings of a series in a window, oldest first; empty if there are none."""
        ...

    def extent(self, series: Series) -> Window | None:
        """From the oldest reading of a series to its newest; `None` if there are none."""
        ...

    def count(self, series: Series, window: Window, at_most: int) -> int:
        """How many readings the window holds; counting ends at `at_most`."""
        ...

    def grain_us(self, series: Series, window: Window) -> int:
        """How coarse what is left of a window is: 0 if no reading of it is over.

        Else it is the width of the widest rollups that `buckets` answers from in their place.
        """
        ...

    def buckets(self, series: Series, window: Window, bucket_us: int) -> Answer:
        """Aggregates over aligned intervals, of what the window has of each; see `grain_us`."""
        ...

    def rollups(self, series: Series, window: Window, bucket_us: int) -> Answer:
        """The same with all columns of `telemetry.rollup.COLUMNS` but `states`."""
        ...

    def changes(self, series: Series, window: Window, gap_us: float) -> Answer:
        """What a series of states comes down to: where a state begins and where it ends.

        The frame has the columns `time_us (int64), value (float64), text (object)` and
        `after_gap (bool)`: whether more than `gap_us` passed without a reading before.
        """
        ...

    def skews(self) -> Mapping[str, Skew]:
        """How far clients' clocks are off, by client."""
        ...

    def connections(self, client: str | None, window: Window) -> Sequence[Connection]:
        """Connections of a client, or of all, that were open in the window, oldest first."""
        ...

    def events(self, client: str | None, window: Window) -> Sequence[Event]:
        """Events of a client, or of all and of none, in the window, oldest first."""
        ...

    def events_of(self, kind: EventKind, window: Window, at_most: int) -> Sequence[Event]:
        """The newest events of one kind in the window, at most so many, oldest first."""
        ...

    def damage(self) -> Sequence[Damage]:
        """Files of the history that cannot be read; what they hold is missing from answers."""
        ...

    def boundary(self, series: Series, start_us: int, rows: int) -> int | None:
        """When the reading comes that is `rows` after the first since `start_us`, or `None`."""
        ...

    def tail(self, series: Series, window: Window, rows: int) -> Answer:
        """The newest readings of a window, at most `rows` of them, oldest first."""
        ...

    def cadences(self, series: Iterable[Series], before_us: int) -> Mapping[Series, Cadence]:
        """How often each is expected to report, by settings and its newest readings before then.

        A series that has fewer than three instants and no setting is left out.
        """
        ...


class Querier(Protocol):
    """The read side; any number of processes and threads may hold one."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A consistent view for the length of a `with` block, which should be short.

        Raises:
            StoreMissing: If no collector has run yet.
            StoreUnavailable: If the store cannot be read now.
        """
        ...

    def stream(self, query: StreamQuery) -> Iterator[Chunk]:
        """Everything the query names, oldest first, in parts of bounded size.

        Raises:
            StoreUnavailable: In the middle too; what came before is then not the whole.
        """
        ...

    def usage(self, retention: Retention, now_us: int) -> Usage:
        """What the history weighs, by client, and what it will weigh if so much is kept."""
        ...

    def expiring(self, retention: Retention, now_us: int) -> Sequence[Expiring]:
        """What a `telemetry.job.Retain` of the same would leave out, by rule and tier."""
        ...

    def inspect(self) -> Iterator[Damage | None]:
        """Reads every file of the history; says of each what is wrong with it, or `None`."""
        ...

    def close(self) -> None:
        """Releases the store; safe to call twice."""
        ...
