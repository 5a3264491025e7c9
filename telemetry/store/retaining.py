"""Retaining: what has been kept as long as it should be leaves the history, block by block.

Readings and minutes go by whole days, hours by whole months, so that a block is made anew only if
rules tell its series apart. The head is not touched: what is too old goes once it is sealed.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from telemetry.ledger import Account
from telemetry.reading import Series
from telemetry.retention import Keep, Retention
from telemetry.store.archive import Archive
from telemetry.store.block import UNREADABLE, fault_of
from telemetry.store.contents import rows_of
from telemetry.store.head import Connection, snapshot
from telemetry.store.layout import Block, Site, Tier, day_of, month_start
from telemetry.store.manifest import Expiry, whole_blocks
from telemetry.store.rewriting import Mask, Swap, Unreadable, rows_in, without_rows
from telemetry.store.scrubbing import Checked
from telemetry.window import DAY_US, Window

_LONG_AGO_US = -62_000_000_000_000_000  # in the year 5, when months have names still


@dataclass(frozen=True, slots=True)
class Over:
    """What is over in a block.

    Attributes:
        block: The block.
        rows: How many rows of which series.
        whole: Whether that is all of it.
    """

    block: Block
    rows: Counter[Series]
    whole: bool


@dataclass(frozen=True, slots=True)
class Retain:
    """Leaves out what is over.

    Attributes:
        retention: How long what is kept.
        now_us: When that is.
    """

    retention: Retention
    now_us: int

    def build(self, connection: Connection, site: Site) -> Generator[Swap | Checked]:
        """A swap for each block of which something is over, oldest first.

        What cannot be read is passed by and said, or it would be tried again and again.
        """
        for block in self._old(connection):
            try:
                over = self._over(site.root, block)
                swap = self._swap(site, over) if over.rows else None
            except (*UNREADABLE, Unreadable):
                reason = fault_of(site.root, block)
                if reason:
                    yield Checked({block.path: reason})
                continue
            if swap is not None:
                yield swap

    def over(self, connection: Connection, root: Path) -> Iterator[Over]:
        """What is over, block by block, oldest first."""
        for block in self._old(connection):
            with suppress(*UNREADABLE):
                found = self._over(root, block)
                if found.rows:
                    yield found

    def _old(self, connection: Connection) -> Iterator[Block]:
        """Blocks of which something may be over, oldest first."""
        with snapshot(connection):
            blocks = whole_blocks(connection)
        for block in sorted(blocks, key=lambda one: one.first_us):
            if block.first_us < max(self._bounds(block.tier)):
                yield block

    def _over(self, root: Path, block: Block) -> Over:
        rows = rows_of(root, block)
        bounds_us = self._bounds(block.tier)
        theirs = {one: bounds_us[self.retention.place(one)] for one in rows}
        gone = {one: number for one, number in rows.items() if block.first_us < theirs[one]}
        whole = all(block.last_us < bound_us for bound_us in theirs.values())
        return Over(block, Counter(gone), whole)

    def _bounds(self, tier: Tier) -> Sequence[int]:
        """What begins before is over, rule by rule."""
        return [self._bound(tier, rule.keep) for rule in self.retention.every]

    def _bound(self, tier: Tier, keep: Keep) -> int:
        keep_us = keep[[*Tier].index(tier)]
        if keep_us is None:
            return _LONG_AGO_US
        begin_us = max(self.now_us - keep_us, _LONG_AGO_US)
        return month_start(begin_us) if tier is Tier.HOURS else day_of(begin_us)

    def _swap(self, site: Site, over: Over) -> Swap:
        expiries = [self._expiry(over.block, one) for one in over.rows]
        if over.whole:
            expired = receipts_of(site.root, over.block)
            return Swap([over.block], [], expired=expired, expiries=expiries)
        (swap,) = without_rows(site, over.block, self._mask(over))
        return replace(swap, erased={}, expired=swap.erased, expiries=expiries)

    def _expiry(self, block: Block, series: Series) -> Expiry:
        bound_us = self._bounds(block.tier)[self.retention.place(series)]
        return Expiry(block.tier, series, min(bound_us, day_of(block.last_us) + DAY_US))

    def _mask(self, over: Over) -> Mask:
        """The rows that are over: of each rule what begins before its bound."""
        tier, masks = over.block.tier, list[Mask]()
        for place, bound_us in enumerate(self._bounds(tier)):
            theirs = [one for one in over.rows if self.retention.place(one) == place]
            if theirs:
                masks.append(rows_in(theirs, Window(over.block.first_us, bound_us)))

        def chosen(table: pa.Table) -> pa.Array:
            first, *others = (mask(table) for mask in masks)
            for other in others:
                first = pc.or_(first, other)
            return first

        return chosen


def receipts_of(root: Path, block: Block) -> Counter[Account]:
    """How many readings of a block arrived when, by client and hour; rollups have none.

    Raises:
        Unreadable: If it cannot be read.
    """
    archive = Archive(root)
    found = archive.receipts([block])
    archive.close()
    for damage in archive.damage.values():
        raise Unreadable(f"{damage.path}: {damage.reason}")
    return found
