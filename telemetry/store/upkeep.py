"""Upkeep: what the keeper does by itself, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import structlog

from telemetry.retention import KEEP_EVERYTHING, Policy
from telemetry.rollup import HOUR_US
from telemetry.store.building import Task
from telemetry.store.head import Connection
from telemetry.store.layout import DAY_US, Tier, blocks_folder, day_of
from telemetry.store.manifest import whole_blocks
from telemetry.store.reserve import Reserve, free_bytes
from telemetry.store.retaining import Retain
from telemetry.store.scrubbing import SCRUB_US, Scrub, Suspects
from telemetry.store.sealing import Seal
from telemetry.store.tasks import Compact
from telemetry.window import SECOND_US

NEVER_US = 7 * DAY_US
"""Readings that are younger never go before their time."""

_SHORT_BYTES = 256_000_000
_PATIENCE_US = 600 * SECOND_US

log = structlog.get_logger("store")


class Upkeep:
    """Decides what is to be done next; belongs to the thread of the store's writer.

    Args:
        path: The SQLite file.
        connection: The writer's.
        keep_us: How long readings stay in the head.
        policy: What the store may hold.
        reserve: Room that is given free so that something can be removed.
    """

    def __init__(
        self, path: Path, connection: Connection, keep_us: int, policy: Policy, reserve: Reserve
    ) -> None:
        self._folder = path.parent
        self._root = blocks_folder(path)
        self._connection = connection
        self._keep_us = keep_us
        self._policy = policy
        self._reserve = reserve
        self._suspects = Suspects(connection, self._root)
        self._relieved = (0, 0, 0)
        self._reliever: Retain | None = None

    @property
    def short(self) -> bool:
        """Whether there is so little room that files nobody needs go at once."""
        return free_bytes(self._folder) < (self._policy.low_disk_bytes or _SHORT_BYTES)

    def tasks(self, now_us: int) -> list[Task]:
        """What is to be done by then, the most urgent first; what was done is so again.

        Where room is short, the oldest readings go. Sealing is due each hour; retaining and
        compacting are each day, and some files are read again now and then.
        """
        before_us = now_us - self._keep_us
        tasks: list[Task] = [*self._relief(now_us), Seal(before_us - before_us % HOUR_US)]
        recheck = self._suspects.recheck(now_us)
        if recheck is not None:
            tasks.append(recheck)
        if self._policy.retention != KEEP_EVERYTHING:
            tasks.append(Retain(self._policy.retention, day_of(now_us)))
        return [*tasks, Compact(day_of(before_us)), Scrub(now_us - now_us % SCRUB_US)]

    def relieves(self, task: Task) -> bool:
        """Whether it leaves out what is not over yet."""
        return task == self._reliever

    def _relief(self, now_us: int) -> Iterator[Retain]:
        """Leaves out the oldest day of readings; the next once that has made room, or much later.

        A reader may have its files open still: then they take room until it lets go.
        """
        free = free_bytes(self._folder)
        day_us = self._oldest(now_us) if free < self._policy.low_disk_bytes else None
        if day_us is None:
            return
        last_us, then_us, before = self._relieved
        if day_us != last_us:
            if free <= before and 0 <= now_us - then_us < _PATIENCE_US:
                return
            log.warning("short of room: the oldest day of readings goes", free_mb=free // 1_000_000)
            self._relieved = (day_us, now_us, free)
            self._reserve.release_if_short()
        today_us = day_of(now_us)
        limited = self._policy.retention.limited(today_us - day_us - DAY_US)
        self._reliever = Retain(limited, today_us)
        yield self._reliever

    def _oldest(self, now_us: int) -> int | None:
        """The oldest day of readings that may go and would make room: nobody else has its files."""
        blocks = [one for one in whole_blocks(self._connection) if one.tier is Tier.READINGS]
        for block in sorted(blocks, key=lambda one: one.first_us):
            day_us = day_of(block.last_us)
            if day_us + DAY_US > day_of(now_us) - NEVER_US:
                return None
            if _links(self._root / block.path) == 1:
                return day_us
        return None


def _links(path: Path) -> int:
    try:
        return path.stat().st_nlink
    except OSError:
        return 0
