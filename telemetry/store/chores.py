"""Chores: what the writer of the store does when somebody asks for it, beside appending."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from telemetry.clock import now_us
from telemetry.interface import StoreError
from telemetry.job import Compact, Erase, Import, Result, Retain, Seal, StoreJob, Tell, Value
from telemetry.store import importing, retaining, sealing, tasks
from telemetry.store.building import Task
from telemetry.store.done import Done
from telemetry.store.erasing import Eraser
from telemetry.store.head import history_faults
from telemetry.store.keeper import Keeper

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Chore:
    """How a job is done.

    Attributes:
        task: What is done to blocks.
        begin: What is done to the head before; returns how many readings that removed.
        finish: What is done after, told what was done; returns what became of the job.
    """

    task: Task
    finish: Callable[[Done], Result]
    begin: Callable[[], int] = lambda: 0


class Chores:
    """Does jobs: at once, or a part at a time. Belongs to the thread of the store's writer."""

    def __init__(self, path: Path, keeper: Keeper, eraser: Eraser) -> None:
        self._path = path
        self._keeper = keeper
        self._eraser = eraser
        self._job: StoreJob | None = None
        self._asked_s = 0.0
        self._begun = 0

    def do(self, job: StoreJob, tell: Tell) -> Result:
        """Does the job at once, and tells how far it is.

        Raises:
            StoreError: If it cannot be done.
        """
        chore = self._chore(job)
        with history_faults(self._path):
            begun = chore.begin()
            done = self._keeper.run(chore.task, now_us(), tell)
            return chore.finish(done.removing(begun))

    def step(self, job: StoreJob) -> Result | None:
        """Does a part of the job; `None` if it is to be called again.

        Raises:
            StoreError: If it cannot be done.
        """
        chore = self._chore(job)
        with history_faults(self._path):
            if not self._goes_on(job):
                self._begun = chore.begin()
                self._keeper.start(chore.task)
                self._job = job
            self._asked_s = time.monotonic()
            try:
                if self._keeper.busy(chore.task):
                    return None
            except StoreError:
                self._job = None
                raise
            self._job = None
            return chore.finish(self._keeper.done.removing(self._begun))

    def _goes_on(self, job: StoreJob) -> bool:
        """Whether somebody waits for this job still; the same again later is another."""
        return self._job == job and time.monotonic() - self._asked_s < _PATIENCE_S

    def _chore(self, job: StoreJob) -> Chore:
        match job:
            case Seal(end_us):
                return Chore(sealing.Seal(end_us), lambda done: {"sealed": done.sealed})
            case Retain(now_us, retention):
                return Chore(retaining.Retain(retention, now_us), _retained)
            case Compact(before_us):
                return Chore(tasks.Compact(before_us), lambda done: {"compacted": done.swaps})
            case Import():
                return Chore(importing.task_of(job), _imported)
            case Erase():
                return Chore(
                    tasks.Forget(job.client, int(job.flags)),
                    partial(self._erased, job),
                    partial(self._erase_head, job),
                )

    def _erase_head(self, job: Erase) -> int:
        self._eraser.make_room()
        self._keeper.settle()  # or what is built already would bring it back
        return self._eraser.erase_head(job)

    def _erased(self, job: Erase, done: Done) -> Result:
        self._eraser.settle(job, done)
        result: dict[str, Value] = {"erased": done.removed}
        return result | {"unread": done.missed} if done.missed else result


def _imported(done: Done) -> Result:
    read = done.read or importing.Read()
    return {
        "read": read.rows,
        "stored": done.stored,
        "duplicates": done.duplicate,
        "skipped": read.skipped,
        "bad": read.bad_count,
        "bad_rows": [{"file": str(path), **row._asdict()} for path, row in read.bad],
        "faults": read.faults,
        "fault_count": read.fault_count,
    }


def _retained(done: Done) -> Result:
    return {"expired": done.removed, "files": done.swaps, "bytes": done.freed}
