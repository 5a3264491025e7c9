"""What a task has done, as far as its products were published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from telemetry.job import Tell
from telemetry.store.importing import Read
from telemetry.store.layout import Block
from telemetry.store.rewriting import Swap


@dataclass(slots=True)
class Done:
    """What a task has done: readings sealed, readings removed from blocks, blocks made anew.

    Of an import `read` is what was read of files, `days` how many days of it are published.
    `freed` are the bytes that files have fewer now, `missed` are files that could not be read.
    """

    sealed: int = 0
    removed: int = 0
    swaps: int = 0
    freed: int = 0
    missed: Sequence[str] = ()
    read: Read | None = None
    days: int = 0
    stored: int = 0
    duplicate: int = 0

    def removing(self, more: int) -> "Done":
        """The same, and that many readings removed besides."""
        return replace(self, removed=self.removed + more)

    def tell(self, tell: Tell) -> None:
        """Tells how far an import is."""
        if self.read is not None and self.read.days:
            tell("storing, by day", self.days, self.read.days)
        elif self.read is not None:
            tell("reading rows", self.read.rows, 0)

    def note(self, swap: Swap) -> None:
        """Counts what a swap has done."""
        self.removed += swap.fewer
        self.freed += _bytes(swap.dropped) - _bytes(swap.added)
        self.swaps += 1


def _bytes(blocks: Iterable[Block]) -> int:
    return sum(one.size for one in blocks)
