"""The read side of the head: one consistent view, many questions."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from telemetry.batch import Skew
from telemetry.interface import Answer, Chunk, StreamQuery, WriterState
from telemetry.interval import GAPS, expected_interval_us
from telemetry.ledger import Discrepancy, LedgerRow
from telemetry.lookback import Lookback
from telemetry.presence import Connection, Event, EventKind
from telemetry.quarantine import Group
from telemetry.reading import Kind, Latest, Series
from telemetry.store import presence
from telemetry.store.books import read_ledger, recount
from telemetry.store.head import Connection as Database
from telemetry.store.head import faults, limit_time, open_reader
from telemetry.store.quarantine import read_groups
from telemetry.store.recall import read_skews
from telemetry.store.reserve import free_bytes
from telemetry.window import ALL_TIME, Window

_ANSWER_SECONDS = 5.0
_RECOUNT_SECONDS = 600.0  # every reading is counted

_READ = """SELECT time_us, value, delay_us, flags FROM reading
    WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us"""
_COUNT = """SELECT count(*) FROM
    (SELECT 1 FROM reading WHERE series = ? AND time_us >= ? AND time_us < ? LIMIT ?)"""
_BUCKETS = """SELECT time_us - (time_us % ?1 + ?1) % ?1 AS start_us,
    sum(value), min(value), max(value), count(*)
    FROM reading WHERE series = ?2 AND time_us >= ?3 AND time_us < ?4 AND typeof(value) <> 'text'
    GROUP BY start_us ORDER BY start_us"""
_TAIL = """SELECT time_us, value, delay_us, flags FROM reading
    WHERE series = ? AND time_us >= ? AND time_us < ? ORDER BY time_us DESC LIMIT ?"""
_EXTENT = """SELECT (SELECT min(time_us) FROM reading WHERE series = ?1),
    (SELECT max(time_us) FROM reading WHERE series = ?1)"""
_CHANGES = """SELECT time_us, value, time_us - before_us FROM (
        SELECT time_us, value, lag(time_us) OVER one AS before_us, lag(value) OVER one AS before,
            lead(time_us) OVER one AS after_us
        FROM reading WHERE series = ? AND time_us >= ? AND time_us < ?
        WINDOW one AS (ORDER BY time_us)
    ) WHERE before IS NOT value OR after_us IS NULL
        OR time_us - before_us > ? OR after_us - time_us > ? ORDER BY time_us"""
_TIMES = (
    "SELECT time_us FROM reading WHERE series = ? AND time_us < ? ORDER BY time_us DESC LIMIT ?"
)
_NTH = """SELECT time_us FROM reading WHERE series = ? AND time_us >= ?
    ORDER BY time_us LIMIT 1 OFFSET ?"""
_LATEST = """SELECT series.client, series.metric, kind,
    coalesce(nullif(series.unit, ''), description.unit, ''), newest_us, newest_value,
    newest_received_us, newest_flags, coalesce(name, '')
    FROM series LEFT JOIN description USING (client, metric)
    WHERE series.client = coalesce(?, series.client) ORDER BY 1, 2"""
_GROUPS_SHOWN = 1000


class HeadSnapshot:
    """A read transaction; implements `telemetry.interface.Snapshot`."""

    def __init__(self, connection: Database, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._state = dict(connection.execute("SELECT key, value FROM state").fetchall())

    @property
    def sequence(self) -> int:
        """Grows with every commit that changed readings."""
        return int(self._state["sequence"])

    def writer(self) -> WriterState:
        """What the collector last said of itself."""
        state = self._state
        return WriterState(
            beat_us=state.get("beat_us"),
            broker_since_us=state.get("broker_since_us"),
            broker_up=bool(state.get("broker_up", False)),
            broker_reason=str(state.get("broker_reason", "")),
            heard_us=state.get("heard_us"),
            store_reason=str(state.get("store_reason", "")),
            stopped=bool(state.get("stopped", False)),
            rejected=int(state.get("rejected", 0)),
            free_bytes=free_bytes(self._folder),
        )

    def latest(self, client: str | None = None) -> Sequence[Latest]:
        """The newest reading of each series, of one client or of all, by client and metric."""
        rows = self._connection.execute(_LATEST, (client,))
        return [
            Latest(Series(name, metric), Kind(kind), *rest) for name, metric, kind, *rest in rows
        ]

    def read(self, series: Series, window: Window) -> Answer:
        """The readings of a series in a window, oldest first; empty if there are none."""
        bounds = (self._id(series), window.start_us, window.end_us)
        return Answer(series, _readings(self._connection.execute(_READ, bounds).fetchall()))

    def extent(self, series: Series) -> Window | None:
        """From the oldest reading of a series to its newest; `None` if there are none."""
        first_us, last_us = self._connection.execute(_EXTENT, (self._id(series),)).fetchone()
        return None if first_us is None else Window(int(first_us), int(last_us) + 1)

    def count(self, series: Series, window: Window, at_most: int) -> int:
        """How many readings the window holds; counting ends at `at_most`."""
        bounds = (self._id(series), window.start_us, window.end_us, at_most)
        return int(self._connection.execute(_COUNT, bounds).fetchone()[0])

    def buckets(self, series: Series, window: Window, bucket_us: int) -> Answer:
        """Aggregates of the numbers in a window over aligned intervals of `bucket_us`."""
        bounds = (bucket_us, self._id(series), window.start_us, window.end_us)
        rows = self._connection.execute(_BUCKETS, bounds).fetchall()
        return Answer(series, _buckets(rows), bucket_us)

    def changes(self, series: Series, window: Window, gap_us: float) -> Answer:
        """What a series of states comes down to: where a state begins and where it ends."""
        bounds = (self._id(series), window.start_us, window.end_us, gap_us, gap_us)
        rows = self._connection.execute(_CHANGES, bounds).fetchall()
        frame = _readings([(time_us, value, 0, 0) for time_us, value, _ in rows])
        frame["after_gap"] = [bool(gap and gap > gap_us) for _, _, gap in rows]
        return Answer(series, frame[["time_us", "value", "text", "after_gap"]])

    def tail(self, series: Series, window: Window, rows: int) -> Answer:
        """The newest readings of a window, at most `rows` of them, oldest first."""
        bounds = (self._id(series), window.start_us, window.end_us, rows)
        return Answer(series, _readings(self._connection.execute(_TAIL, bounds).fetchall()[::-1]))

    def intervals(self, series: Iterable[Series], before_us: int) -> Mapping[Series, int]:
        """The expected reporting interval in µs, learned from the newest readings before then."""
        found = {one: self._interval(one, before_us) for one in series}
        return {one: interval for one, interval in found.items() if interval is not None}

    def ledger(self, client: str | None, window: Window) -> Sequence[LedgerRow]:
        """The ledger of the hours that begin in the window, by client and hour."""
        return read_ledger(self._connection, client, window)

    def recount(self) -> Sequence[Discrepancy]:
        """Where the ledger does not add up, or says other than the rows; empty if it is right."""
        limit_time(self._connection, _RECOUNT_SECONDS)
        return list(recount(self._connection, self.ledger(None, ALL_TIME)))

    def quarantine(self) -> Sequence[Group]:
        """What is in quarantine, by topic and reason, the newest first."""
        return read_groups(self._connection, _GROUPS_SHOWN)

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
        found = self._connection.execute(_NTH, (self._id(series), start_us, rows)).fetchone()
        return int(found[0]) if found else None

    def _interval(self, series: Series, before_us: int) -> int | None:
        rows = self._connection.execute(_TIMES, (self._id(series), before_us, GAPS + 1))
        return expected_interval_us([time_us for (time_us,) in rows])

    def _id(self, series: Series) -> int:
        row = self._connection.execute(
            "SELECT id FROM series WHERE client = ? AND metric = ?", (series.client, series.metric)
        ).fetchone()
        return int(row[0]) if row else -1


class HeadQuerier:
    """The read side of the head; implements `telemetry.interface.Querier`.

    Each thread of each process opens its own connection, when it first asks: SQLite connections
    must not cross a fork. It opens another once another file has the path, from a backup say.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    @contextmanager
    def snapshot(self) -> Iterator[HeadSnapshot]:
        """A consistent view for the length of a `with` block."""
        connection = self._connection()
        with faults(self._path):
            limit_time(connection, _ANSWER_SECONDS)
            connection.execute("BEGIN")
            try:
                yield HeadSnapshot(connection, self._path.parent)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def stream(self, query: StreamQuery) -> Iterator[Chunk]:
        """Everything the query names, oldest first, in parts of bounded size.

        Each part is a snapshot of its own: a long export holds nothing back from the writer. The
        look-back is read once, in such parts too, and carried along.
        """
        lookback = Lookback(query.lookback_us)
        start_us = query.window.start_us - query.lookback_us
        while start_us < query.window.end_us:
            with self.snapshot() as snapshot:
                chunk = _chunk(snapshot, query, start_us)
            lookback.take(chunk.window, chunk.answers)
            if start_us >= query.window.start_us:
                yield Chunk(chunk.window, lookback.widened(chunk.window, chunk.answers))
            start_us = chunk.window.end_us

    def close(self) -> None:
        """Closes this thread's connection; safe to call twice."""
        connection: Database | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> Database:
        connection: Database | None = getattr(self._local, "connection", None)
        origin = (os.getpid(), _file_identity(self._path))
        if connection is not None and self._local.origin == origin:
            return connection
        if connection is not None and self._local.origin[0] == os.getpid():
            self.close()
        connection = self._local.connection = open_reader(self._path)
        self._local.origin = origin
        return connection


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _chunk(snapshot: HeadSnapshot, query: StreamQuery, start_us: int) -> Chunk:
    """A part that begins there: of the window, or of the look-back before it."""
    begun = start_us >= query.window.start_us
    end_us = query.window.end_us if begun else query.window.start_us
    series = [
        latest.series
        for latest in snapshot.latest(query.client)
        if not query.metrics or latest.series.metric in query.metrics
    ]
    rows = max(1, query.chunk_rows // max(1, len(series)))
    ends = (snapshot.boundary(one, start_us, rows) for one in series)
    first_end_us = min((end for end in ends if end is not None), default=end_us)
    window = Window(start_us, min(max(first_end_us, start_us + 1), end_us))
    return Chunk(window, [snapshot.read(one, window) for one in series])


def _readings(rows: list[tuple[int, float | str, int, int]]) -> pd.DataFrame:
    times, values, delays, flags = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pd.DataFrame(
        {
            "time_us": np.array(times, dtype=np.int64),
            "value": np.array(
                [np.nan if isinstance(v, str) else v for v in values], dtype=np.float64
            ),
            "text": pd.Series([v if isinstance(v, str) else None for v in values], dtype=object),
            "delay_us": np.array(delays, dtype=np.int64),
            "flags": np.array(flags, dtype=np.int64),
        }
    )


def _buckets(rows: list[tuple[int, float, float, float, int]]) -> pd.DataFrame:
    times, sums, lows, highs, counts = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return pd.DataFrame(
        {
            "time_us": np.array(times, dtype=np.int64),
            "sum": np.array(sums, dtype=np.float64),
            "min": np.array(lows, dtype=np.float64),
            "max": np.array(highs, dtype=np.float64),
            "count": np.array(counts, dtype=np.int64),
        }
    )
