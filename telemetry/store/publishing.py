"""Publishing: parts become visible and their readings leave the head, a few series at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow.compute as pc

from telemetry.batch import Arrival
from telemetry.interface import StoreUnavailable
from telemetry.ledger import Account
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.store import manifest
from telemetry.store.archive import Archive
from telemetry.store.block import UNREADABLE, fault_of, open_block
from telemetry.store.books import Books
from telemetry.store.head import Connection, note_change
from telemetry.store.importing_days import Imported
from telemetry.store.layout import Block, Tier
from telemetry.store.part import Part, Run
from telemetry.store.rewriting import Swap
from telemetry.store.sealing import Double
from telemetry.store.table import ReadingTable
from telemetry.window import ALL_TIME, HOUR_US

STEP_ROWS = 10_000
"""Readings that leave the head in one transaction, if no series has more: that takes 10 ms."""

_ID = "SELECT id FROM series WHERE client = ? AND metric = ?"
_LEAVE = "DELETE FROM reading WHERE series = ? AND time_us >= ? AND time_us <= ?"
_LEAVE_ONE = "DELETE FROM reading WHERE series = ? AND time_us = ? AND value = ?"

Step = Callable[[], None]
"""What one transaction does."""


class Publisher:
    """Takes parts into the store, in steps that its owner runs as transactions, in order."""

    def __init__(self, connection: Connection, table: ReadingTable, root: Path) -> None:
        self._connection = connection
        self._table = table
        self._root = root

    def steps(self, part: Part | None, doubles: Sequence[Double]) -> Iterator[Step]:
        """The steps to a new part; after a crash between two of them `remaining` has the rest."""
        for start in range(0, len(doubles), STEP_ROWS):
            yield partial(self._remove_doubles, doubles[start : start + STEP_ROWS])
        if part is not None:
            yield partial(self._add, part)
            yield from self._leaving(part.blocks[0].path, part.runs)

    def bring(self, imported: Imported) -> Iterator[Step]:
        """The step that adds a day of files."""
        yield partial(self._bring, imported)

    def _bring(self, imported: Imported) -> None:
        books = Books()
        for account, number in imported.duplicate.items():
            if account.client not in RESERVED_CLIENTS:
                books.add_readings(Arrival(account, ()), imported.stored[account], number)
        books.write(self._connection)
        if imported.part is not None:
            manifest.add(self._connection, imported.part.blocks)
            manifest.mark_dense(self._connection, imported.part.dense)
            self._table.tell(imported.news)
            note_change(self._connection)

    def swap(self, swap: Swap, now_us: int) -> Iterator[Step]:
        """The step that puts blocks in the place of others."""
        yield partial(self._swap, swap, now_us)

    def _swap(self, swap: Swap, now_us: int) -> None:
        manifest.drop(self._connection, swap.dropped, now_us)
        manifest.add(self._connection, swap.added)
        manifest.mark_dense(self._connection, swap.dense)
        books = Books()
        for account, number in swap.erased.items():
            books.erase(account, number)
        for account, number in swap.repeated.items():
            books.repeat(account, number)
        for account, number in swap.expired.items():
            books.expire(account, number)
        manifest.expire(self._connection, swap.expiries)
        books.write(self._connection)
        note_change(self._connection)

    def remaining(self) -> Iterator[Step]:
        """The steps of parts that a crash left half visible."""
        for _, blocks in groupby(manifest.unfinished(self._connection), lambda one: one.part):
            for one in blocks:
                if one.tier is Tier.READINGS:
                    yield from self._rest(one)

    def _rest(self, block: Block) -> Iterator[Step]:
        try:
            runs = read_runs(self._root, block)
        except UNREADABLE:  # what it does not show yet is still in the head
            reason = fault_of(self._root, block)
            if reason:  # or it may be read the next time
                yield partial(self._mark, block.part, reason)
            return
        yield from self._leaving(block.path, [run for run in runs if not block.shows(run.series)])

    def _mark(self, part: int, reason: str) -> None:
        manifest.mark_damage(self._connection, part, reason)
        note_change(self._connection)

    def _leaving(self, path: str, runs: Iterable[Run]) -> Iterator[Step]:
        some: list[Run] = []
        for run in runs:
            if some and sum(one.rows for one in some) + run.rows > STEP_ROWS:
                yield partial(self._leave, path, some, some[-1].series)
                some = []
            some.append(run)
        yield partial(self._leave, path, some, None)

    def _add(self, part: Part) -> None:
        manifest.add(self._connection, part.blocks, hidden=True)
        manifest.mark_dense(self._connection, part.dense)

    def _leave(self, path: str, runs: Sequence[Run], through: Series | None) -> None:
        (block,) = (one for one in manifest.unfinished(self._connection) if one.path == path)
        for run in runs:
            self._leave_head(block, run)
        manifest.show(self._connection, block.part, through)
        note_change(self._connection)

    def _leave_head(self, block: Block, run: Run) -> None:
        """The readings of the run leave the head; one that came late, in between, stays."""
        row = self._connection.execute(_ID, run.series).fetchone()
        if row is None:
            return
        self._connection.execute("SAVEPOINT leaving")
        bounds = (row[0], run.first_us, run.last_us)
        if self._connection.execute(_LEAVE, bounds).rowcount > run.rows:
            self._connection.execute("ROLLBACK TO leaving")
            archive = Archive(self._root)
            frame = archive.readings([block.shown()], run.series, ALL_TIME)
            archive.close()
            for damage in archive.damage.values():  # which of them are in it, nobody can tell now
                raise StoreUnavailable(f"{damage.path}: {damage.reason}")
            values = frame["text"].where(frame["text"].notna(), frame["value"])
            keys = zip(frame["time_us"].tolist(), values, strict=True)
            self._connection.executemany(_LEAVE_ONE, [(row[0], *key) for key in keys])
        self._connection.execute("RELEASE leaving")

    def _remove_doubles(self, doubles: Iterable[Double]) -> None:
        books = Books()
        for one in doubles:
            (number,) = self._connection.execute(_ID, one.series).fetchone() or (-1,)
            key = (number, one.time_us, one.value)
            if self._connection.execute(_LEAVE_ONE, key).rowcount:
                hour_us = one.received_us - one.received_us % HOUR_US
                if one.series.client not in RESERVED_CLIENTS:
                    books.repeat(Account(one.series.client, hour_us), 1)
        books.write(self._connection)


def read_runs(root: Path, block: Block) -> list[Run]:
    """How many readings a block has of each series, in order.

    Raises:
        OSError: If it cannot be read.
    """
    runs: list[Run] = []
    file = open_block(root / block.path, block.tier)
    for number in range(file.num_row_groups):
        table = file.read_row_group(number, columns=["client", "metric", "time"])
        found = table.group_by(["client", "metric"]).aggregate(
            [("time", "count"), ("time", "min"), ("time", "max")]
        )
        for name in ("time_min", "time_max"):
            place = found.column_names.index(name)
            found = found.set_column(place, name, pc.cast(found[name], "int64"))
        for row in sorted(found.to_pylist(), key=lambda row: (row["client"], row["metric"])):
            runs.append(
                Run(Series(row["client"], row["metric"]), row["time_count"], row["time_min"],
                    row["time_max"])
            )  # fmt: skip
    return _joined(runs)


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Runs of which one series has no two: it may go on in the next row group."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].series == run.series:
            last = joined.pop()
            run = Run(run.series, last.rows + run.rows, last.first_us, run.last_us)
        joined.append(run)
    return joined
