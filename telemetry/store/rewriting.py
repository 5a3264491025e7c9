"""Rewriting: blocks made anew from blocks, to have fewer of them or to leave something out.

It takes memory for one series of one day at a time, whatever the size of the history.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.interface import StoreError
from telemetry.ledger import Account
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.rollup import combine
from telemetry.store.archive import Archive
from telemetry.store.block import UNREADABLE, BlockWriter, fault_of, open_block
from telemetry.store.contents import rows_of, series_of
from telemetry.store.counting import receipts
from telemetry.store.encoding import ROLLUP_ROWS_AT_LEAST, row_groups
from telemetry.store.head import Connection
from telemetry.store.layout import Block, Site, Tier, day_of
from telemetry.store.manifest import (
    Dense,
    Expiry,
    dense_days,
    expired_series,
    is_damaged,
    whole_blocks,
)
from telemetry.store.part import Part, PartWriter, Pile, rollup_table
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, Window

_CHUNK_ROWS = 1_000_000
_HOURS_AT_ONCE = 100_000
_IDENTITY = ["time_us", "value", "text"]

Mask = Callable[[pa.Table], pa.Array]
"""Which rows of a table are to be left out."""


class Unreadable(StoreError):
    """A block that is to be made anew cannot be read; it stays as it is."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Blocks in place of others, in one transaction.

    Attributes:
        dropped: What leaves the store.
        added: What comes in their place.
        dense: The hours of which there are minutes.
        erased: Readings that are in no new block, by client and hour of receipt.
        repeated: Readings that were in two of the old ones, likewise.
        expired: Readings that are over, likewise.
        expiries: What is over of which series.
    """

    dropped: Sequence[Block]
    added: Sequence[Block]
    dense: Sequence[Dense] = ()
    erased: Mapping[Account, int] = field(default_factory=dict)
    repeated: Mapping[Account, int] = field(default_factory=dict)
    expired: Mapping[Account, int] = field(default_factory=dict)
    expiries: Sequence[Expiry] = ()

    @property
    def fewer(self) -> int:
        """How many readings are in no new block."""
        return _readings(self.dropped) - _readings(self.added)


class Day:
    """One day of the history while it is made anew, in one snapshot.

    Series whose readings of that day are over stay as they are: their rollups say more than what
    is left of their readings.

    Raises:
        Unreadable: If a block of it is damaged: once that is put back it must fit the others.
    """

    def __init__(self, connection: Connection, site: Site, day_us: int) -> None:
        self._connection = connection
        self._site = site
        self._archive = Archive(site.root)
        self._window = Window(day_us, day_us + DAY_US)
        self._blocks = [
            one for one in whole_blocks(connection)
            if one.first_us < self._window.end_us and one.last_us >= day_us
        ]  # fmt: skip
        if any(is_damaged(connection, self._window, tier) for tier in Tier):
            raise Unreadable(
                "a block of the day is damaged; see .venv/bin/python -m telemetry verify"
            )
        check_sound(site.root, self._blocks)
        self._readings = [one for one in self._blocks if one.tier is Tier.READINGS]
        self._over = expired_series(connection, day_us)
        self._repeated: Counter[Account] = Counter()
        self._erased: Counter[Account] = Counter()

    def compacted(self) -> Swap | None:
        """The day as one part; `None` if nothing of it can be one.

        Raises:
            Unreadable: If not all of it can be read.
        """
        every = {series for one in self._readings for series in _series(self._site.root, one)}
        return self._anew(every - self._over, lambda frame: frame)

    def without(self, doomed: Mask, flags: int) -> Swap | None:
        """The day without the readings that are doomed; `None` if it has none of them.

        Args:
            doomed: Which they are, in tables of readings.
            flags: Each of them has one, and no other reading of their series.

        Raises:
            Unreadable: If not all of it can be read.
        """
        found: set[Series] = set()
        for block in self._readings:
            for table in _tables(self._site.root, block):
                found |= series_of(table.filter(doomed(table)))
        return self._anew(found - self._over, lambda frame: frame[frame["flags"] & flags == 0])

    def _anew(
        self, series: Collection[Series], keep: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> Swap | None:
        """The readings of these series that are kept as a new part, and all others as they were."""
        if not series:
            return None
        part = self._written(sorted(series), keep)
        doomed = rows_in(series, self._window)
        swaps = [swap for one in self._blocks for swap in without_rows(self._site, one, doomed)]
        return Swap(
            [block for swap in swaps for block in swap.dropped],
            [*part.blocks, *(block for swap in swaps for block in swap.added)],
            part.dense,
            self._erased,
            self._repeated,
        )

    def _written(
        self, series: Sequence[Series], keep: Callable[[pd.DataFrame], pd.DataFrame]
    ) -> Part:
        pile = Pile(self._window.start_us)
        with PartWriter(self._site, self._window.start_us) as writer:
            for one in series:
                every = self._once(one)
                kept = keep(every)
                self._erased += _receipts(one, every.drop(kept.index))
                if len(kept):
                    pile.add(one, kept)
                    pile.note_dense(dense_days(self._connection, one, self._window))
                if pile.rows >= _CHUNK_ROWS:
                    writer.add(pile.take())
            if pile.rows:
                writer.add(pile.take())
            return writer.finish() or Part((), ())

    def _once(self, series: Series) -> pd.DataFrame:
        """The readings of a series in order, each once."""
        found = self._archive.readings(self._readings, series, self._window)
        for damage in self._archive.damage.values():
            raise Unreadable(f"{damage.path}: {damage.reason}")
        found = found.sort_values(_IDENTITY, ignore_index=True)
        again = found.duplicated(_IDENTITY)
        self._repeated += _receipts(series, found[again])
        return found[~again]


def rows_in(series: Iterable[Series], window: Window) -> Mask:
    """The rows of these series with times in the window."""
    names = pa.array(sorted("\0".join(one) for one in series), pa.string())

    def chosen(table: pa.Table) -> pa.Array:
        joined = pc.binary_join_element_wise(table["client"], table["metric"], "\0")
        times = table["time"].cast(pa.int64())
        inside = pc.and_(pc.greater_equal(times, window.start_us), pc.less(times, window.end_us))
        return pc.and_(pc.is_in(joined, names), inside)

    return chosen


def _tables(root: Path, block: Block) -> Iterator[pa.Table]:
    """The row groups of a block.

    Raises:
        Unreadable: If one cannot be read.
    """
    try:
        with open_block(root / block.path, block.tier) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number)
    except UNREADABLE as error:
        raise Unreadable(f"{block.path}: {error}") from error


def _series(root: Path, block: Block) -> set[Series]:
    """Whose rows a block has.

    Raises:
        Unreadable: If it cannot be read.
    """
    try:
        return {*rows_of(root, block)}
    except UNREADABLE as error:
        raise Unreadable(f"{block.path}: {error}") from error


def _receipts(series: Series, frame: pd.DataFrame) -> Counter[Account]:
    """How many of the readings arrived in each hour."""
    if series.client in RESERVED_CLIENTS:
        return Counter()
    received_us = (frame["time_us"] + frame["delay_us"]).to_numpy()
    hours_us, counts = np.unique(received_us - received_us % HOUR_US, return_counts=True)
    accounts = (Account(series.client, hour_us) for hour_us in hours_us.tolist())
    return Counter(dict(zip(accounts, counts.tolist(), strict=True)))


def check_sound(root: Path, blocks: Iterable[Block]) -> None:
    """These files are as they were written: pages have checksums of their own, footers have none.

    Raises:
        Unreadable: If one is not.
    """
    for one in blocks:
        reason = fault_of(root, one)
        if reason:
            raise Unreadable(f"{one.path}: {reason}")


def merged_hours(site: Site, blocks: Sequence[Block]) -> Swap:
    """The hours of several blocks as one block, series by series.

    Raises:
        Unreadable: If one cannot be read.
    """
    check_sound(site.root, blocks)
    archive = Archive(site.root)
    every = {series for one in blocks for series in _series(site.root, one)}
    with BlockWriter(site, Tier.HOURS, day_of(blocks[0].first_us)) as writer:
        some: list[Series] = []
        rows: list[pd.DataFrame] = []

        def write() -> None:
            groups = row_groups([*map(len, rows)], ROLLUP_ROWS_AT_LEAST)
            writer.write(rollup_table(some, pd.concat(rows)), groups)

        for series in sorted(every):
            found = archive.rollups(blocks, series, ALL_TIME)
            rows.append(combine(found).assign(series=len(some)))
            some.append(series)
            if sum(map(len, rows)) >= _HOURS_AT_ONCE:
                write()
                some, rows = [], []
        if rows:
            write()
        for damage in archive.damage.values():
            raise Unreadable(f"{damage.path}: {damage.reason}")
        block = writer.finish()
    return Swap(blocks, [block] if block else [])


def without_rows(site: Site, block: Block, doomed: Mask) -> Iterator[Swap]:
    """The block without some of its rows, if it has any of them."""
    if not any(pc.any(doomed(table)).as_py() for table in _tables(site.root, block)):
        return
    erased: Counter[Account] = Counter()
    with BlockWriter(site, block.tier, block.first_us) as writer:
        for table in _tables(site.root, block):
            gone = doomed(table)
            if block.tier is Tier.READINGS:
                erased += receipts(table.filter(gone))
            writer.write(table.filter(pc.invert(gone)))
        kept = writer.finish()
    yield Swap([block], [kept] if kept else [], (), erased)


def _readings(blocks: Iterable[Block]) -> int:
    return sum(one.rows for one in blocks if one.tier is Tier.READINGS)
