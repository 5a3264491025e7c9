"""The archive: reads a series out of blocks, and passes by those that are damaged."""

import errno
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from telemetry.buckets import Buckets
from telemetry.condition import Damage
from telemetry.interface import StoreUnavailable
from telemetry.ledger import Account
from telemetry.reading import Series
from telemetry.rollup import COLUMNS, Floats, Ints
from telemetry.store.block import UNREADABLE, identity_of, open_block
from telemetry.store.counting import microseconds, receipts, shown
from telemetry.store.layout import READINGS, ROLLUPS, Block, Tier
from telemetry.window import Window

DROPPED = ".dropped"
"""Where files lie that are no part of the store any more, until no reader can need them."""

_SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_OPEN_FILES = 64  # of each thread that asks
_KEPT_BYTES = 16_000_000  # of each thread that asks
_READING = ["time", "value", "text", "delay_ms", "flags"]
_RECEIPT = ["client", "metric", "time", "delay_ms"]
_OF_NUMBERS = ["sum", "min", "max", "count"]
_EMPTY_READINGS = READINGS.empty_table()
_EMPTY_ROLLUPS = ROLLUPS.empty_table()
_ROLLUP = ["time", *(name.replace("_us", "_time") for name in COLUMNS)]


@dataclass(frozen=True, slots=True)
class _Group:
    """What a row group holds, by its statistics: names from first to last, and its times."""

    first: Series
    last: Series
    start_us: int
    end_us: int

    def may_hold(self, series: Series, window: Window) -> bool:
        """Whether there can be something of the series in that window."""
        return (
            self.first.client <= series.client <= self.last.client
            and self.first.metric <= series.metric <= self.last.metric
            and self.start_us < window.end_us
            and self.end_us >= window.start_us
        )


@dataclass(frozen=True, slots=True)
class _File:
    reader: pq.ParquetFile
    groups: Sequence[_Group]


class Archive:
    """Reads blocks below `root`; for one thread of one process.

    Attributes:
        damage: The blocks that could not be read, by path, until their files change.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._tables: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()
        self._bytes = 0
        self._end_s = math.inf
        self.damage: dict[str, Damage] = {}
        self._damaged: dict[str, object] = {}

    def limit_time(self, seconds: float) -> None:
        """Lets questions from now on end within `seconds`, with `StoreUnavailable` if need be."""
        self._end_s = time.monotonic() + seconds

    def readings(self, blocks: Iterable[Block], series: Series, window: Window) -> pd.DataFrame:
        """The readings of a series in a window, as `telemetry.interface.Answer` has them.

        They come in the order of the blocks, and in each by time.
        """
        parts = [*self._parts(blocks, series, window, _READING)]
        table = pa.concat_tables(parts) if parts else _EMPTY_READINGS
        times = microseconds(table["time"])
        return pd.DataFrame(
            {
                "time_us": times,
                "value": table["value"].to_numpy(),
                "text": _texts(table["text"]),
                "delay_us": table["delay_ms"].to_numpy() * 1000,
                "flags": table["flags"].to_numpy().astype(np.int64),
            }
        )

    def times(self, blocks: Iterable[Block], series: Series, window: Window) -> Ints:
        """When the readings of a series in a window were measured, in the order of the blocks."""
        parts = [*self._parts(blocks, series, window, ["time"])]
        return microseconds(pa.concat_tables(parts)["time"]) if parts else np.zeros(0, np.int64)

    def numbers(
        self, blocks: Iterable[Block], series: Series, window: Window
    ) -> tuple[Ints, Floats]:
        """Times and values of the numbers in a window, in the order of the blocks."""
        parts = [*self._parts(blocks, series, window, ["time", "value"])]
        table = pa.concat_tables(parts) if parts else _EMPTY_READINGS
        if table["value"].null_count:
            table = table.filter(pc.is_valid(table["value"]))
        return microseconds(table["time"]), table["value"].to_numpy()

    def buckets(self, blocks: Iterable[Block], series: Series, window: Window) -> Buckets:
        """What rollups that begin in a window say of numbers, in the order of the blocks."""
        parts = [*self._parts(blocks, series, window, ["time", *_OF_NUMBERS])]
        table = pa.concat_tables(parts) if parts else _EMPTY_ROLLUPS
        if table["min"].null_count:
            table = table.filter(pc.is_valid(table["min"]))
        columns = {name: table[name].to_numpy() for name in _OF_NUMBERS}
        return {"time_us": microseconds(table["time"]), **columns}

    def rollups(self, blocks: Iterable[Block], series: Series, window: Window) -> pd.DataFrame:
        """Rollups that begin in a window, as `telemetry.rollup.roll` has them; `series` is 0."""
        parts = [*self._parts(blocks, series, window, _ROLLUP)]
        table = pa.concat_tables(parts) if parts else _EMPTY_ROLLUPS
        frame = {"series": np.zeros(len(table), np.int64), "time_us": microseconds(table["time"])}
        for name in COLUMNS:
            column = table[name.replace("_us", "_time")]
            if name.endswith("_us"):
                frame[name] = microseconds(column.fill_null(0))
            else:
                frame[name] = column.to_numpy()
        return pd.DataFrame(frame)

    def receipts(self, blocks: Iterable[Block]) -> Counter[Account]:
        """How many readings of each client arrived in each hour, by what the blocks hold."""
        found: Counter[Account] = Counter()
        for block in blocks:
            if block.tier is Tier.READINGS:
                try:
                    found += self._receipts_of(block)
                except UNREADABLE as error:
                    self._give_up(block, error)
        return found

    def _receipts_of(self, block: Block) -> Counter[Account]:
        found: Counter[Account] = Counter()
        file = self._open(block)
        for number in range(len(file.groups)):
            table = file.reader.read_row_group(number, columns=_RECEIPT)
            found += receipts(shown(table, block))
        return found

    def _parts(
        self, blocks: Iterable[Block], series: Series, window: Window, columns: list[str]
    ) -> Iterator[pa.Table]:
        for block in blocks:
            if not block.shows(series) or self._is_damaged(block):
                continue
            try:
                yield from self._found(block, series, window, columns)
            except UNREADABLE as error:
                self._give_up(block, error)

    def _is_damaged(self, block: Block) -> bool:
        """Whether it could not be read, and its file is still the same."""
        if block.path not in self.damage:
            return False
        if self._damaged[block.path] == identity_of(self._root / block.path):
            return True
        del self.damage[block.path]
        return False

    def _give_up(self, block: Block, error: Exception) -> None:
        """Notes that a block is damaged; it is not, if this process is short of something."""
        if isinstance(error, OSError) and error.errno in _SHORT:
            raise StoreUnavailable(f"{block.path}: {error.strerror}") from error
        missing = isinstance(error, FileNotFoundError)
        reason = "it is missing" if missing else str(error).partition("\n")[0]
        self.damage[block.path] = Damage(block.path, reason)
        self._damaged[block.path] = identity_of(self._root / block.path)

    def _found(
        self, block: Block, series: Series, window: Window, columns: list[str]
    ) -> list[pa.Table]:
        """All that one block has, so that a damaged one gives nothing and not a part."""
        file = self._open(block)
        found = []
        for number, group in enumerate(file.groups):
            if group.may_hold(series, window):
                alone = group.first == group.last
                names = columns if alone else ["client", "metric", *columns]
                table = self._table(block.path, file, number, names)
                part = table if alone else _of_series(table, series)
                found.append(_between(part, window).select(columns))
        return found

    def _open(self, block: Block) -> _File:
        self._check_time()
        file = self._files.get(block.path)
        if file is None:
            reader = self._reader(block)
            metadata = reader.metadata
            groups = [_group(metadata.row_group(n)) for n in range(metadata.num_row_groups)]
            file = self._files[block.path] = _File(reader, groups)
            if len(self._files) > _OPEN_FILES:
                self._files.popitem(last=False)[1].reader.close()
        self._files.move_to_end(block.path)
        return file

    def _check_time(self) -> None:
        if time.monotonic() > self._end_s:
            raise StoreUnavailable("the question took too long; ask for a shorter time")

    def keep(self, paths: Container[str]) -> None:
        """Closes all other files: space and content of a removed one stay while it is open."""
        for path in [one for one in self._files if one not in paths]:
            self._files.pop(path).reader.close()
        for key in [one for one in self._tables if one[0] not in paths]:
            self._bytes -= self._tables.pop(key).nbytes

    def _reader(self, block: Block) -> pq.ParquetFile:
        path = self._root / block.path
        try:
            return open_block(path, block.tier)
        except FileNotFoundError:  # others have taken its place since our snapshot
            return open_block(self._root / DROPPED / path.name, block.tier)

    def _table(self, path: str, file: _File, number: int, columns: list[str]) -> pa.Table:
        """A row group, from memory if it was read just now: charts and exports come again."""
        self._check_time()
        key = (path, number)
        table = self._tables.pop(key, None)
        self._bytes -= table.nbytes if table is not None else 0
        if table is None or not {*columns} <= {*table.column_names}:
            table = file.reader.read_row_group(number, columns=columns, use_threads=False)
        self._bytes += table.nbytes
        self._tables[key] = table
        while self._bytes > _KEPT_BYTES and len(self._tables) > 1:
            self._bytes -= self._tables.popitem(last=False)[1].nbytes
        return table

    def close(self) -> None:
        """Closes the files; safe to call twice."""
        while self._files:
            self._files.popitem()[1].reader.close()
        self._tables.clear()
        self._bytes = 0


def _group(metadata: pq.RowGroupMetaData) -> _Group:
    client, metric, time = (metadata.column(n).statistics for n in range(3))
    return _Group(
        Series(client.min, metric.min),
        Series(client.max, metric.max),
        int(time.min_raw),
        int(time.max_raw),
    )


def _of_series(table: pa.Table, series: Series) -> pa.Table:
    theirs = pc.and_(
        pc.equal(table["client"], series.client), pc.equal(table["metric"], series.metric)
    )
    found = np.flatnonzero(theirs.to_numpy())
    return table.slice(found[0], len(found)) if len(found) else table.slice(0, 0)


def _between(table: pa.Table, window: Window) -> pa.Table:
    """The rows of one series that lie in the window; they are sorted by time."""
    times = microseconds(table["time"])
    start, end = np.searchsorted(times, [window.start_us, window.end_us])
    return table.slice(start, end - start)


def _texts(column: pa.ChunkedArray) -> pd.Series:
    if column.null_count == len(column):
        return pd.Series(np.full(len(column), None), dtype=object)
    return pd.Series(column.to_pylist(), dtype=object)
