"""`python -m tests.telemetry.store.crashing POINT PASSES TASK STORE ...`: a writer that dies.

It is the real writer, patched from outside. It does the task to the store, passes the point
`PASSES` times and is killed there the next time, as by kill -9. Each group of four arguments has
its own fork of this program. At the end a line `ended` for each says how: minus the signal, or 0
if it never got there.
"""

import os
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from telemetry.job import Compact, Erase, Retain, Seal
from telemetry.reading import Flag
from telemetry.retention import Keep, Retention, Rule
from telemetry.store import (
    appender,
    block,
    chores,
    encoding,
    keeper,
    part,
    publishing,
    sealing,
    table,
)
from telemetry.store.appender import StoreAppender
from telemetry.store.block import BlockWriter
from telemetry.store.erasing import Eraser
from telemetry.store.keeper import GRACE_US, Keeper
from telemetry.store.publishing import Publisher
from telemetry.window import DAY_US, HOUR_US
from tests.dying import Fuse, Owner, dying_after, dying_before
from tests.telemetry.builders import NOON_US

FOREVER = "attic"
"""The client whose readings are never over."""

END_US = NOON_US + DAY_US + HOUR_US
"""What was measured before is sealed."""

NOW_US = NOON_US + 40 * DAY_US
"""When it happens: every day that has readings is over, and their month."""

LATER_US = NOW_US + 2 * GRACE_US
"""When no reader can need any more what was dropped."""

RETENTION = Retention((Rule(FOREVER, "*", Keep()),), Keep(DAY_US, DAY_US, None))
"""How long things are kept: of one client for ever, of the others rollups by the hour."""

THEIRS = "boiler"
"""The client that is erased: others come before it and after."""

_PATIENCE_S = 60
_AT_ONCE = 2


class Task(StrEnum):
    """What a writer does when it dies."""

    SEAL = "seal"
    COMPACT = "compact"
    ERASE = "erase"
    UNFLAG = "unflag"
    SWEEP = "sweep"
    RETAIN = "retain"
    TEND = "tend"


class Failpoint(StrEnum):
    """Where it can die; what begins with a verb in -ing is before the deed, the others after."""

    STATEMENT = "statement"
    COMMITTED = "committed"
    WRITING = "writing"
    FINISHING = "finishing"
    SYNCING = "syncing"
    RENAMED = "renamed"
    FINISHED = "finished"
    UNDOUBLING = "undoubling"
    UNDOUBLED = "undoubled"
    ADDING = "adding"
    ADDED = "added"
    LEAVING = "leaving"
    DELETED = "deleted"
    LEFT = "left"
    SWAPPING = "swapping"
    SWAPPED = "swapped"
    PUTTING_ASIDE = "putting-aside"
    PUT_ASIDE = "put-aside"
    SWEEPING = "sweeping"
    UNLINKED = "unlinked"
    DISCARDING = "discarding"
    SWEPT = "swept"
    ERASING = "erasing"
    ERASED = "erased"
    RENEWING = "renewing"
    RENEWED = "renewed"
    BUILDING = "building"


BEFORE: dict[Failpoint, tuple[Owner, str]] = {
    Failpoint.WRITING: (BlockWriter, "write"),
    Failpoint.FINISHING: (BlockWriter, "finish"),
    Failpoint.SYNCING: (block, "sync_folder"),
    Failpoint.UNDOUBLING: (Publisher, "_remove_doubles"),
    Failpoint.ADDING: (Publisher, "_add"),
    Failpoint.LEAVING: (Publisher, "_leave"),
    Failpoint.SWAPPING: (Publisher, "_swap"),
    Failpoint.PUTTING_ASIDE: (Keeper, "_put_aside"),
    Failpoint.SWEEPING: (Keeper, "sweep"),
    Failpoint.DISCARDING: (keeper, "forget_dropped"),
    Failpoint.ERASING: (Eraser, "_erase_step"),
    Failpoint.RENEWING: (Eraser, "_renew"),
}
AFTER: dict[Failpoint, tuple[Owner, str]] = {
    Failpoint.COMMITTED: (StoreAppender, "_transaction"),
    Failpoint.RENAMED: (Path, "rename"),
    Failpoint.FINISHED: (BlockWriter, "finish"),
    Failpoint.UNDOUBLED: (Publisher, "_remove_doubles"),
    Failpoint.ADDED: (Publisher, "_add"),
    Failpoint.DELETED: (Publisher, "_leave_head"),
    Failpoint.LEFT: (Publisher, "_leave"),
    Failpoint.SWAPPED: (Publisher, "_swap"),
    Failpoint.PUT_ASIDE: (Keeper, "_put_aside"),
    Failpoint.UNLINKED: (Path, "unlink"),
    Failpoint.SWEPT: (Keeper, "sweep"),
    Failpoint.ERASED: (Eraser, "_erase_step"),
    Failpoint.RENEWED: (Eraser, "_renew"),
    Failpoint.BUILDING: (keeper, "Build"),
}


class Crash(NamedTuple):
    """A writer that does a task and dies at a point, after it has passed it so many times."""

    task: Task
    point: Failpoint
    passes: int


@contextmanager
def dying_at_statement(fuse: Fuse) -> Iterator[None]:
    """Within the block, `fuse` is passed before each statement that changes the SQLite file."""
    real = sqlite3.connect

    def note(statement: str) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            fuse.burn()

    def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **named)
        connection.set_trace_callback(note)
        return connection

    with mock.patch.object(sqlite3, "connect", connect):
        yield


def dying(point: Failpoint, passes: int) -> Any:  # a context manager, of several makers
    """What makes a writer die there, as a context manager."""
    fuse = Fuse(passes)
    if point is Failpoint.STATEMENT:
        return dying_at_statement(fuse)
    if point in BEFORE:
        return dying_before(*BEFORE[point], fuse)
    return dying_after(*AFTER[point], fuse)


@contextmanager
def small() -> Iterator[None]:
    """Within the block everything is done in many small pieces, at `NOW_US`."""

    def row_groups(rows: Sequence[int], _least: int = 0) -> list[int]:
        return encoding.row_groups(rows, 100, 200)

    with ExitStack() as stack:
        for owner, name, value in (
            (publishing, "STEP_ROWS", 100),
            (sealing, "PART_ROWS", 400),
            (part, "DENSE_PER_MINUTE", 2),
            (part, "row_groups", row_groups),
            (table, "ERASED_AT_ONCE", 4),
            (appender, "now_us", lambda: NOW_US),
            (chores, "now_us", lambda: NOW_US),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def do(task: Task, writer: StoreAppender) -> None:
    """Does the task from its beginning to its end."""
    deeds: dict[Task, Callable[[], object]] = {
        Task.SEAL: lambda: writer.do(Seal(END_US))["sealed"],
        Task.COMPACT: lambda: writer.do(Compact(NOW_US))["compacted"],
        Task.ERASE: lambda: writer.do(Erase(client=THEIRS))["erased"],
        Task.UNFLAG: lambda: writer.do(Erase(flags=Flag.SIMULATED.value))["erased"],
        Task.SWEEP: lambda: writer.tend(LATER_US),
        Task.RETAIN: lambda: writer.do(Retain(NOW_US, RETENTION)),
        Task.TEND: lambda: _tend(writer),
    }
    deeds[task]()


def _tend(writer: StoreAppender) -> None:
    """As the collector does it, with a process that builds; it has an end only if it dies."""
    end_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end_s:
        writer.tend(NOW_US)
        time.sleep(0.01)


def _run(crash: Crash, store: Path) -> None:
    with small(), dying(crash.point, crash.passes), closing(StoreAppender(store)) as writer:
        do(crash.task, writer)


def _fork(crash: Crash, store: Path) -> int:
    """The number of a process that does it."""
    child = os.fork()
    if child:
        return child
    try:
        _run(crash, store)
        os._exit(0)
    except BaseException:  # noqa: BLE001  # whatever it is, this fork must not go on as its parent
        traceback.print_exc()
        os._exit(1)


def _wait() -> tuple[int, int]:
    """The number of the next process that ends and how: an exit code, or minus a signal."""
    child, status = os.wait()
    return child, os.waitstatus_to_exitcode(status)


def main(arguments: Sequence[str]) -> None:
    """Runs the writers, two at a time."""
    children: list[int] = []
    ended: dict[int, int] = {}
    for point, passes, task, store in zip(*[iter(arguments)] * 4, strict=True):
        if len(children) - len(ended) == _AT_ONCE:
            ended.update([_wait()])
        children.append(_fork(Crash(Task(task), Failpoint(point), int(passes)), Path(store)))
    while len(ended) < len(children):
        ended.update([_wait()])
    for child in children:
        sys.stdout.write(f"ended {ended[child]}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
