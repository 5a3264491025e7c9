"""Upkeep: what the keeper does by itself, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import structlog

from telemetry.retention import KEEP_EVERYTHING, Policy
from telemetry.store.building import Task
from telemetry.store.head import Connection
from telemetry.store.layout import Tier, blocks_folder, day_of
from telemetry.store.manifest import block_version, last_beat_us, oldest_block, overlapping
from telemetry.store.reserve import Reserve, free_bytes
from telemetry.store.retaining import Retain
from telemetry.store.scrubbing import SCRUB_US, Scrub, Suspects
from telemetry.store.sealing import Seal
from telemetry.store.steadiness import Steadiness
from telemetry.store.tasks import Compact
from telemetry.window import DAY_US, HOUR_US, SECOND_US, Window

NEVER_US = 7 * DAY_US
"""Readings that are younger never go before their time."""

_SHORT_BYTES = 256_000_000
_PATIENCE_US = 600 * SECOND_US
_ASKED_US = 60 * SECOND_US
_LONG_AGO_US = -(1 << 62)

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
        self._steadiness = Steadiness(last_beat_us(connection))
        self._suspects = Suspects(connection, self._root)
        self._was_steady = True
        self._relieved = (0, 0, 0)
        self._reliever: Retain | None = None
        self._asked_us = _LONG_AGO_US
        self._asked_version = (0, 0)
        self._oldest_us: int | None = None
        self._held_us = _LONG_AGO_US

    @property
    def short(self) -> bool:
        """Whether there is so little room that files nobody needs go at once."""
        return free_bytes(self._folder) < (self._policy.low_disk_bytes or _SHORT_BYTES)

    def tasks(self, now_us: int) -> list[Task]:
        """What is to be done by then, the most urgent first; what was done is so again.

        Where room is short, the oldest readings go. Sealing is due each hour; retaining and
        compacting are each day, and some files are read again now and then. Nothing goes by a
        clock that was just set.
        """
        before_us = now_us - self._keep_us
        steady = self._is_steady(now_us)
        tasks: list[Task] = [*self._relief(now_us)] if steady else []
        tasks.append(Seal(before_us - before_us % HOUR_US))
        recheck = self._suspects.recheck(now_us)
        if recheck is not None:
            tasks.append(recheck)
        if steady and self._policy.retention != KEEP_EVERYTHING:
            tasks.append(Retain(self._policy.retention, day_of(now_us)))
        return [*tasks, Compact(day_of(before_us)), Scrub(now_us - now_us % SCRUB_US)]

    def _is_steady(self, now_us: int) -> bool:
        steady = self._steadiness.holds(now_us)
        if steady is not self._was_steady:
            self._was_steady = steady
            if not steady:
                log.warning("the clock was set: for a day nothing goes because it is old")
        return steady

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
        """The oldest day of readings if it may go; looked for each minute, and after changes."""
        version = block_version(self._connection)
        if version != self._asked_version or not 0 <= now_us - self._asked_us < _ASKED_US:
            self._oldest_us = self._find_oldest(now_us)
            self._asked_us, self._asked_version = now_us, version
        return self._oldest_us

    def _find_oldest(self, now_us: int) -> int | None:
        """The oldest day of readings of which there are files, if that may go and makes room."""
        from_us, end_us = _LONG_AGO_US, day_of(now_us) - NEVER_US
        while block := oldest_block(self._connection, Tier.READINGS, from_us):
            day_us = day_of(block.last_us)
            from_us = day_us + DAY_US
            if from_us > end_us:
                break
            blocks = overlapping(self._connection, Tier.READINGS, Window(day_us, from_us))
            links = {one.path: _links(self._root / one.path) for one in blocks}
            held = [path for path, number in links.items() if number > 1]
            if held:
                self._tell_held(held[0], now_us)
                break
            if any(links.values()):
                return day_us
        return None

    def _tell_held(self, path: str, now_us: int) -> None:
        """Says once a day why nothing goes."""
        if self._held_us != day_of(now_us):
            self._held_us = day_of(now_us)
            log.warning(
                "short of room, but the oldest readings stay: their files have other hard links, as"
                " a backup on this disk has, and would make no room; remove or move old backups",
                path=path,
            )


def _links(path: Path) -> int:
    try:
        return path.stat().st_nlink
    except OSError:
        return 0
