"""The keeper: moves readings out of the head into blocks, and keeps the blocks few."""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from uuid import uuid4

import structlog

from telemetry.interface import StoreError
from telemetry.job import Tell, silent
from telemetry.store.block import remove_unfinished
from telemetry.store.building import Build, BuildError, Product, Task
from telemetry.store.done import Done
from telemetry.store.head import Connection, Transaction, open_reader
from telemetry.store.importing import Read
from telemetry.store.importing_days import Imported
from telemetry.store.layout import Site, blocks_folder
from telemetry.store.manifest import (
    Conflict,
    add_build,
    every_block,
    every_dropped,
    forget_dropped,
    last_builds,
    note_relief,
    unfinished,
)
from telemetry.store.publishing import Publisher, Step
from telemetry.store.retaining import Retain
from telemetry.store.rewriting import Swap
from telemetry.store.scrubbing import Checked, Scrub, news_of, note, tell
from telemetry.store.sweeping import put_aside, remove_dropped
from telemetry.store.table import ReadingTable
from telemetry.store.tasks import Missed
from telemetry.store.upkeep import Upkeep
from telemetry.window import SECOND_US

GRACE_US = 600 * SECOND_US
"""So long a reader may still need a file that is no part of the store any more."""

_BUDGET_S = 0.02
_RETRY_US = 60 * SECOND_US
_SWEEP_US = 60 * SECOND_US

log = structlog.get_logger("store")


class Keeper:
    """Seals, compacts and lets go what is over, on the thread of the store's writer.

    Args:
        path: The SQLite file.
        connection: The writer's.
        table: The writer's.
        transaction: Runs a step as one.
        upkeep: What is to be done, and when.

    Attributes:
        done: What the task that was asked for last has done so far, and nothing since.
        failure: Why it will do no more, or empty.
    """

    def __init__(
        self,
        path: Path,
        connection: Connection,
        table: ReadingTable,
        transaction: Transaction,
        upkeep: Upkeep,
    ) -> None:
        self._path = path
        self._root = blocks_folder(path)
        self._connection = connection
        self._publisher = Publisher(connection, table, self._root)
        self._transaction = transaction
        self._upkeep = upkeep
        self._steps: Iterator[Step] = self._publisher.remaining()
        self._step: Step | None = None
        self._build: Build | None = None
        self._done: set[Task] = set()
        self._failed_us: int | None = None
        self._swept_us = 0
        self._aside: set[str] = set()
        self._over: list[str] = []
        self.done = self._doing = Done()
        self.failure = ""

    def tend(self, now_us: int) -> bool:
        """Works for about 20 ms; whether there is more to do at once."""
        end_s = time.monotonic() + _BUDGET_S
        if self._over:
            self._discard(end_s)
        elif abs(now_us - self._swept_us) > _SWEEP_US:
            self._swept_us = now_us
            self.sweep(now_us, end_s)
        if not self._step_until(end_s) or self._over:
            return True
        if self._build is not None:
            return self._take(self._build, now_us)
        if self._waits(now_us):
            return False
        if unfinished(self._connection):  # reading its file failed: nothing is built before
            self._steps, self._failed_us = self._publisher.remaining(), now_us
            return False
        task = self._due(now_us)
        if task is not None:
            self._failed_us, self._doing = now_us, Done()
            self._build = Build(self._path, self._site(), task)
            self._failed_us = None
        return False

    def _waits(self, now_us: int) -> bool:
        """Whether something failed just now; a clock that was put back does not prolong that."""
        return self._failed_us is not None and 0 <= now_us - self._failed_us < _RETRY_US

    def _step_until(self, end_s: float) -> bool:
        """Does steps, each until it succeeds, before it begins another; whether all are done."""
        while True:
            if self._step is None:
                self._step = next(self._steps, None)
            if self._step is None:
                return True
            try:
                self._transaction(self._step)
            except Conflict as error:
                log.error("what was built is out of date; building it anew", error=str(error))  # noqa: TRY400  # the sentence says it all
                self._steps = iter(())
                self.close()
            self._step = None
            if time.monotonic() > end_s:
                return False

    def settle(self) -> None:
        """Gives up what is being built, and publishes what was built: head and blocks stand still.

        Raises:
            StoreUnavailable: If that is not possible now.
        """
        self.close()
        self._step_until(math.inf)

    def start(self, task: Task) -> None:
        """Begins a task in place of what is being done; `busy` until it is done."""
        self.settle()
        self.done = self._doing = Done()
        self.failure = ""
        self._build = Build(self._path, self._site(), task)

    def busy(self, task: Task) -> bool:
        """Whether the task is still being done.

        Raises:
            StoreError: If it could not be done.
        """
        if self.failure:
            raise StoreError(self.failure)
        return self._build is not None and self._build.task == task

    def run(self, task: Task, now_us: int, tell: Tell = silent) -> Done:
        """Does a task at once, in this process, and tells how far it is.

        Raises:
            StoreError: If that is not possible.
        """
        self.settle()
        self.done = self._doing = Done()
        with (
            closing(open_reader(self._path)) as connection,
            closing(task.build(connection, self._site())) as products,
        ):
            for product in products:
                self._steps = self._published(product, now_us)
                self._step_until(math.inf)
                self.done.tell(tell)
        self.sweep(now_us)
        return self.done

    def close(self) -> None:
        """Gives up what is being built; safe to call twice."""
        if self._build is not None:
            self._build.stop()
            self._build = None

    def sweep(self, now_us: int, end_s: float = math.inf) -> None:
        """Moves away what is no part of the store any more, and removes what nobody needs.

        Where room is short, that is at once: a reader that began before may then miss it.
        """
        dropped = every_dropped(self._connection)
        grace_us = 0 if dropped and self._upkeep.short else GRACE_US
        self._over = [path for path, then_us in dropped if not 0 <= now_us - then_us < grace_us]
        for path in {path for path, _ in dropped} - self._aside - {*self._over}:
            self._put_aside(path)
        self._discard(end_s)

    def _discard(self, end_s: float) -> None:
        """Removes files that are over until then, and forgets those that are gone."""
        gone = remove_dropped(self._root, self._over, end_s)
        if gone:
            self._transaction(partial(self._forget, gone))

    def _forget(self, paths: list[str]) -> None:
        for path in paths:
            forget_dropped(self._connection, path)
        self._aside.difference_update(paths)

    def _site(self) -> Site:
        """A place for a new build, after what was left of the last is gone."""
        self.clean()
        site = Site(self._root, uuid4().hex[:16])
        self._transaction(partial(add_build, self._connection, site.build))
        return site

    def clean(self) -> None:
        """Removes files that no build will finish; nothing is being built meanwhile."""
        listed = {one.path for one in every_block(self._connection)}
        for path in remove_unfinished(self._root, {*last_builds(self._connection)}, listed):
            log.info("removed a file that was not finished", path=path)

    def _put_aside(self, path: str) -> None:
        if put_aside(self._root, path):
            self._aside.add(path)

    def _due(self, now_us: int) -> Task | None:
        """What is to be done next."""
        tasks = self._upkeep.tasks(now_us)
        self._done &= {*tasks}
        return next((task for task in tasks if task not in self._done), None)

    def _take(self, build: Build, now_us: int) -> bool:
        """Takes the next product if it is ready; whether there was one."""
        if not build.ready:
            return False
        try:
            product = build.receive()
        except BuildError as error:
            log.error("cannot tend the history; trying again in a minute", error=str(error))  # noqa: TRY400  # the sentence says it all
            self._failed_us, self._build = now_us, None
            if self._doing is self.done:
                self.failure = str(error)
            return False
        if product is None:
            self._done.add(build.task)
            self._build = None
            self._let_go(build.task, now_us)
            return False
        self._steps = self._answered(build, product, now_us)
        return True

    def _let_go(self, task: Task, now_us: int) -> None:
        """After something went, its files go at once where room is short."""
        if isinstance(task, Retain):
            if self._upkeep.relieves(task):
                self._transaction(partial(note_relief, self._connection, now_us))
            self.sweep(now_us, time.monotonic() + _BUDGET_S)

    def _answered(self, build: Build, product: Product, now_us: int) -> Iterator[Step]:
        """The steps of a product. What it builds next may overlap with sealing, not with swaps."""
        if not isinstance(product, Swap):
            build.go_on()
        yield from self._published(product, now_us)
        if isinstance(product, Swap):
            build.go_on()
            if product.expiries:
                paths = [one.path for one in product.dropped]
                log.info("what was over is gone", paths=paths, readings=product.fewer)

    def _published(self, product: Product, now_us: int) -> Iterator[Step]:
        match product:
            case Read():
                self._doing.read = product
            case Missed():
                self._doing.missed = product.reasons
            case Checked():
                yield from self._noted(product)
            case Imported():
                yield from self._publisher.bring(product)
                self._doing.days += 1
                self._doing.stored += product.stored.total()
                self._doing.duplicate += product.duplicate.total()
            case Swap():
                yield from self._publisher.swap(product, now_us)
                self._doing.note(product)
                for one in product.dropped:
                    self._put_aside(one.path)
            case _:
                yield from self._publisher.steps(product.part, product.doubles)
                self._doing.sealed += product.part.rows if product.part else 0

    def _noted(self, checked: Checked) -> Iterator[Step]:
        """The step of what was read again; where a file is right again, what waited goes on."""
        news = news_of(self._connection, checked)
        yield partial(note, self._connection, checked, news)
        tell(news)
        if news.right:
            self._done = {task for task in self._done if isinstance(task, Scrub)}
