"""Tasks: what keeps blocks few, and what leaves readings out of them."""

from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from telemetry.store.contents import may_have
from telemetry.store.head import Connection, snapshot
from telemetry.store.layout import Block, Site, Tier, day_of, month_of
from telemetry.store.manifest import damaged_blocks, whole_blocks
from telemetry.store.rewriting import Day, Swap, Unreadable, merged_hours, without_rows

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Compact:
    """Makes one part of the parts of each day, and one block of the hours of each month.

    Attributes:
        before_us: Only of days and months that have ended by then.
    """

    before_us: int

    def build(self, connection: Connection, site: Site) -> Generator[Swap]:
        """A swap for everything that should be one and is several; each is to be made before next.

        What cannot be read is passed by.
        """
        passed: set[Hashable] = set()
        while True:
            with snapshot(connection):
                found = self._next(connection, site, passed)
            if found is None:
                return
            yield found

    def _next(self, connection: Connection, site: Site, passed: set[Hashable]) -> Swap | None:
        blocks = [one for one in whole_blocks(connection) if one.last_us < self.before_us]
        for day_us, readings in _grouped(blocks, Tier.READINGS, day_of).items():
            if len(readings) > 1 and day_us not in passed:
                passed.add(day_us)
                with suppress(Unreadable):
                    swap = Day(connection, site, day_us).compacted()
                    if swap is not None:
                        return swap
        for month, hours in _grouped(blocks, Tier.HOURS, month_of).items():
            if len(hours) > 1 and month < month_of(self.before_us) and month not in passed:
                passed.add(month)
                with suppress(Unreadable):
                    return merged_hours(site, hours)
        return None


@dataclass(frozen=True, slots=True)
class Missed:
    """Blocks that could not be read, so that nobody knows what they hold.

    Attributes:
        reasons: The path of each, and why if that is news.
    """

    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Forget:
    """Leaves out what a client measured, or every reading with one of some flags.

    Attributes:
        client: Whose readings; `None` for every client.
        flags: Only readings with one of these flags; 0 for all.
    """

    client: str | None
    flags: int

    def build(self, connection: Connection, site: Site) -> Generator[Swap | Missed]:
        """A swap for each block or day that has something of it; each to be made before the next.

        At the end it says which blocks could not be read: they may hold more of it.
        """
        with snapshot(connection):
            blocks = whole_blocks(connection)
            damaged = [block for block, _ in damaged_blocks(connection)]
        missed = [block.path for block in damaged if self._may_be_in(site, block)]
        for one in blocks if not self.flags else _grouped(blocks, Tier.READINGS, day_of):
            swaps = list[Swap]()
            try:
                swaps += self._swaps(connection, site, one)
            except Unreadable as error:
                missed.append(str(error))
            yield from swaps
        if missed:
            yield Missed(missed)

    def _swaps(self, connection: Connection, site: Site, one: Block | int) -> Iterator[Swap]:
        """Of a block, or of a day if only readings with a flag go: its rollups change then."""
        if isinstance(one, Block):
            if self._may_be_in(site, one):
                yield from without_rows(site, one, self._is_theirs)
            return
        with snapshot(connection):
            swap = Day(connection, site, one).without(self.dooms, self.flags)
        if swap is not None:
            yield swap

    def _may_be_in(self, site: Site, block: Block) -> bool:
        return self.client is None or may_have(site.root, block, self.client)

    def dooms(self, table: pa.Table) -> pa.Array:
        """Which readings it leaves out."""
        flagged = pc.not_equal(pc.bit_wise_and(table["flags"], self.flags), 0)
        return flagged if self.client is None else pc.and_(flagged, self._is_theirs(table))

    def _is_theirs(self, table: pa.Table) -> pa.Array:
        return pc.equal(table["client"], self.client)


def _grouped(
    blocks: Iterable[Block], tier: Tier, key: Callable[[int], Key]
) -> dict[Key, list[Block]]:
    """The blocks of a tier by day or month, oldest first."""
    groups: defaultdict[Key, list[Block]] = defaultdict(list)
    for block in sorted(blocks, key=lambda one: one.first_us):
        if block.tier is tier:
            groups[key(block.first_us)].append(block)
    return groups
