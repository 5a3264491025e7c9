"""Upkeep: while room is short the oldest readings go, day by day, and never the newest."""

import errno
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from telemetry.batch import Arrival, Batch
from telemetry.job import Erase, Seal
from telemetry.ledger import Account
from telemetry.reading import Reading
from telemetry.retention import NO_POLICY, Keep, Policy, Retention
from telemetry.store import keeper, sweeping
from telemetry.store import upkeep as upkeep_module
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import DROPPED
from telemetry.store.building import BuildError, Product, Task
from telemetry.store.head import open_reader
from telemetry.store.keeper import GRACE_US
from telemetry.store.layout import Block, Site, Tier, blocks_folder, day_of
from telemetry.store.manifest import every_block, every_dropped, oldest_block
from telemetry.store.retaining import Retain
from telemetry.store.sealing import Seal as SealTask
from telemetry.store.steadiness import Steadiness
from telemetry.store.upkeep import Upkeep
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, MINUTE_US
from tests.support import wait_until
from tests.telemetry import builders
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, looking

DAYS = 12
ALWAYS = Policy(low_disk_bytes=1 << 60)
TEN_MINUTES_US = 601 * SECOND_US
DROPPED_FILES = 5


def fill(path: Path, per_day: int) -> None:
    """So many readings of each of the last days, in blocks; today's are the last."""
    noise = random.Random(1)
    with closing(StoreAppender(path)) as appender:
        for day in range(DAYS):
            start_us = NOON_US + (day + 1 - DAYS) * DAY_US
            readings = [
                Reading(SERIES, start_us + n * SECOND_US // 4, noise.random())
                for n in range(per_day)
            ]
            arrivals = [
                Arrival(Account(SERIES.client, one.time_us - one.time_us % HOUR_US), [one])
                for one in readings
            ]
            appender.append(Batch(arrivals=arrivals))
        appender.do(Seal(NOON_US + DAY_US))


def days_left(path: Path) -> list[int]:
    """Of which days there are readings, before today."""
    with closing(open_reader(path)) as connection:
        blocks = [one for one in every_block(connection) if one.tier is Tier.READINGS]
    return sorted((day_of(one.first_us) - day_of(NOON_US)) // DAY_US for one in blocks)


@pytest.fixture
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is believed, however tests set it."""
    monkeypatch.setattr(Steadiness, "holds", lambda *_: True)


@pytest.fixture
def short(_steady: None, tmp_path: Path) -> Iterator[StoreAppender]:
    """The writer of a store whose disk has never room enough."""
    fill(tmp_path / "culex.db", 20)
    with closing(StoreAppender(tmp_path / "culex.db", policy=ALWAYS)) as appender:
        yield appender


def upkeep_of(appender: StoreAppender) -> Upkeep:
    """What decides what it does."""
    return appender._keeper._upkeep


def test_oldest_days_go_one_by_one_but_never_the_last_seven(
    short: StoreAppender, tmp_path: Path
) -> None:
    """As long as room is short; rollups stay, and the ledger counts them as expired."""
    path, clock = tmp_path / "culex.db", iter(range(NOON_US, 1 << 62, TEN_MINUTES_US))
    expected = [*range(-7, 1)]

    def done() -> bool:
        short.tend(next(clock) if short._keeper._build is None else NOON_US)
        return days_left(path) == expected

    wait_until(done, 120)
    with looking(path) as snapshot:
        assert snapshot.recount() == []
        assert snapshot.count(SERIES, ALL_TIME, 1 << 40) == len(expected) * 20
        assert sum(row.expired for row in snapshot.ledger(None, ALL_TIME)) == (DAYS - 8) * 20
        hours = snapshot.buckets(SERIES, ALL_TIME, HOUR_US).frame
        assert hours["count"].tolist() == [20] * DAYS
        assert snapshot.writer().relieved_us is not None
    assert not any(isinstance(one, Retain) for one in upkeep_of(short).tasks(NOON_US))


def test_next_day_goes_once_the_last_has_made_room_or_ten_minutes_later(
    short: StoreAppender, tmp_path: Path
) -> None:
    """Somebody may still read the files of a day that is gone."""
    upkeep, path = upkeep_of(short), tmp_path / "culex.db"
    first, *_ = upkeep.tasks(NOON_US)
    assert upkeep.tasks(NOON_US)[0] == first  # the same, until it is done
    assert isinstance(first, Retain)
    assert upkeep.relieves(first)
    short._keeper.run(first, NOON_US)
    assert days_left(path) == [*range(2 - DAYS, 1)]
    upkeep._relieved = (*upkeep._relieved[:2], 1 << 60)  # as if it had made no room
    assert isinstance(upkeep.tasks(NOON_US + SECOND_US)[0], SealTask)
    assert isinstance(upkeep.tasks(NOON_US + TEN_MINUTES_US)[0], Retain)


def oldest(path: Path, number: int = 0) -> Path:
    """The file of the readings of a day, counted from the oldest."""
    with closing(open_reader(path)) as connection:
        blocks = [one for one in every_block(connection) if one.tier is Tier.READINGS]
    return blocks_folder(path) / sorted(blocks, key=lambda one: one.first_us)[number].path


def test_nothing_goes_while_somebody_else_has_files_of_the_oldest_day(
    short: StoreAppender, tmp_path: Path
) -> None:
    """To remove them would make no room, nor may a later day take them along; said once a day."""
    path, upkeep = tmp_path / "culex.db", upkeep_of(short)
    os.link(oldest(path), tmp_path / "backup")
    with capture_logs() as logs:
        for minute in (0, 2, 4):
            tasks = upkeep.tasks(NOON_US + minute * MINUTE_US)
            assert not any(isinstance(one, Retain) for one in tasks)
    assert [one["log_level"] for one in logs] == ["warning"]
    (tmp_path / "backup").unlink()
    task, *_ = upkeep.tasks(NOON_US + 6 * MINUTE_US)
    assert isinstance(task, Retain)
    short._keeper.run(task, NOON_US)
    assert days_left(path) == [*range(2 - DAYS, 1)]


def test_links_of_a_later_day_do_not_hold_up_the_oldest(
    short: StoreAppender, tmp_path: Path
) -> None:
    """And where the files are missing, there is no room to be made."""
    path = tmp_path / "culex.db"
    os.link(oldest(path, 2), tmp_path / "backup")
    oldest(path).unlink()
    task, *_ = upkeep_of(short).tasks(NOON_US)
    assert isinstance(task, Retain)
    assert task.retention.rest.readings_us == (DAYS - 3) * DAY_US


def test_oldest_day_is_looked_for_each_minute_and_when_the_manifest_changes(
    short: StoreAppender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each time somebody asks what is to be done, and only that block is read."""
    asked = []

    def noted(*arguments: Any) -> Block | None:
        asked.append(arguments)
        return oldest_block(*arguments)

    monkeypatch.setattr(upkeep_module, "oldest_block", noted)
    upkeep = upkeep_of(short)
    upkeep.tasks(NOON_US)
    task, *_ = upkeep.tasks(NOON_US + MINUTE_US - 1)
    assert len(asked) == 1
    upkeep.tasks(NOON_US + MINUTE_US)
    assert len(asked) == 2
    assert isinstance(task, Retain)
    short._keeper.run(task, NOON_US)
    upkeep.tasks(NOON_US + MINUTE_US + 1)
    assert len(asked) == 3


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreAppender]:
    """The writer of a store with some dropped files, all put aside."""
    path = tmp_path / "culex.db"
    with closing(StoreAppender(path)) as appender:
        for name in range(DROPPED_FILES):
            file = blocks_folder(path) / DROPPED / f"{name}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            row = (f"readings/day=2026-01-01/{name}.parquet", NOON_US)
            appender._connection.execute("INSERT INTO dropped VALUES (?, ?)", row)
        appender._keeper._swept_us = NOON_US
        yield appender


def files_dropped(path: Path) -> int:
    """How many there are; each is listed."""
    with closing(open_reader(path)) as connection:
        found = len(every_dropped(connection))
    assert len([*(blocks_folder(path) / DROPPED).iterdir()]) == found
    return found


def test_tending_removes_dropped_files_a_few_at_a_time(
    writer: StoreAppender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there is time for, but one at least."""
    monkeypatch.setattr(keeper, "_BUDGET_S", 0)
    for left in reversed(range(DROPPED_FILES)):
        assert writer.tend(NOON_US + 2 * GRACE_US) is (left > 0)
        assert files_dropped(tmp_path / "culex.db") == left


def test_file_is_put_aside_once_and_those_that_are_over_are_forgotten_together(
    writer: StoreAppender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a rename nor a transaction for each file at each sweep."""
    moved, steps = [], []
    real_put, real_step = sweeping.put_aside, writer._keeper._transaction

    def put(root: Path, path: str) -> bool:
        moved.append(path)
        return real_put(root, path)

    def step(work: Callable[[], Any]) -> Any:
        steps.append(work)
        return real_step(work)

    monkeypatch.setattr(keeper, "put_aside", put)
    monkeypatch.setattr(writer._keeper, "_transaction", step)
    for _ in range(3):
        writer._keeper.sweep(NOON_US)
    assert len(moved) == DROPPED_FILES
    assert files_dropped(tmp_path / "culex.db") == DROPPED_FILES
    writer._keeper.sweep(NOON_US + 2 * GRACE_US)
    assert len(steps) == 1
    assert files_dropped(tmp_path / "culex.db") == 0


def test_file_that_could_not_be_put_aside_is_removed_all_the_same(
    short: StoreAppender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk has no room for the folder; what cannot be removed is not forgotten."""
    file = oldest(tmp_path / "culex.db")
    task, *_ = upkeep_of(short).tasks(NOON_US)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "make_folder", fail)
        patch.setattr(Path, "unlink", fail)
        short._keeper.run(task, NOON_US)
    assert file.exists()
    assert len(every_dropped(short._connection)) == 1
    short._keeper.sweep(NOON_US)
    assert not file.exists()
    assert every_dropped(short._connection) == []


class InProcess:
    """Builds here what else a process of its own does; of what is to fail nothing."""

    fails: type[Any] | None = None

    def __init__(self, path: Path, site: Site, task: Task) -> None:
        self.task = task
        self.ready = True
        self._connection = open_reader(path)
        self._products = task.build(self._connection, site)

    def receive(self) -> Product | None:
        """The next, as `Build` does it."""
        if self.fails and isinstance(self.task, self.fails):
            raise BuildError("it was killed")
        product = next(self._products, None)
        if product is None:
            self.stop()
        return product

    def go_on(self) -> None:
        """It does anyway."""

    def stop(self) -> None:
        """Lets go of the store."""
        self._connection.close()


@pytest.mark.parametrize("fails", [None, Retain])
def test_job_says_what_it_did_whatever_is_done_before_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: type[Any] | None
) -> None:
    """Nothing was erased; whether something else went meanwhile, or failed to, is no matter."""
    path, erase = tmp_path / "culex.db", Erase("nobody-of-that-name")
    fill(path, 20)
    monkeypatch.setattr(keeper, "Build", InProcess)
    monkeypatch.setattr(InProcess, "fails", fails)
    policy = Policy(Retention((), Keep(DAY_US, DAY_US, None)))
    with closing(StoreAppender(path, policy=policy)) as appender:
        assert appender.step(erase) is None
        for _ in range(100):
            appender.tend(NOON_US)
        assert (days_left(path) == [-1, 0]) is (fails is None)
        assert (appender._keeper._failed_us is None) is (fails is None)
        assert appender.step(erase) == {"erased": 0}


@pytest.mark.parametrize("policy", [NO_POLICY, Policy(Retention((), Keep(DAY_US)), 1)])
def test_nothing_goes_before_its_time_while_there_is_room(tmp_path: Path, policy: Policy) -> None:
    """Neither with room enough, nor when it is switched off."""
    fill(tmp_path / "culex.db", 2)
    with closing(StoreAppender(tmp_path / "culex.db", policy=policy)) as appender:
        tasks = upkeep_of(appender).tasks(NOON_US)
        assert isinstance(tasks[0], SealTask)
        assert [one.retention for one in tasks if isinstance(one, Retain)] == (
            [] if policy is NO_POLICY else [policy.retention]
        )


RELIEVED = """
import json, sys
from contextlib import closing
from pathlib import Path
from telemetry.retention import Policy
from telemetry.store.appender import StoreAppender
from telemetry.store.reserve import free_bytes
from tests.support import wait_until
from tests.telemetry.builders import NOON_US
from tests.telemetry.store.test_upkeep import days_left, fill

folder = Path(sys.argv[1])
fill(folder / "culex.db", 20_000)
free = free_bytes(folder)
enough = free + 250_000
with closing(StoreAppender(folder / "culex.db", policy=Policy(low_disk_bytes=enough))) as appender:
    def relieved():
        appender.tend(NOON_US)
        return free_bytes(folder) >= enough
    wait_until(relieved, 100)
    print(json.dumps({"days": days_left(folder / "culex.db"), "files": [
        str(one) for one in folder.glob("blocks/.dropped/*")]}))
"""


def test_small_disk_has_room_again_after_as_few_days_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one: the files of the oldest days are gone at once, those of the others stay."""
    monkeypatch.setattr(builders, "DEADLINE_S", 120)
    ran = builders.on_small_disk(str(tmp_path), 64, RELIEVED)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["files"] == []
    assert -7 > found["days"][0] > 1 - DAYS
    assert found["days"] == [*range(found["days"][0], 1)]


def test_nothing_goes_by_a_clock_that_jumped(tmp_path: Path) -> None:
    """Not even everything, when it is months ahead for a moment, nor right after it is back."""
    path = tmp_path / "culex.db"
    fill(path, 20)
    policy = Policy(Retention((), Keep(30 * DAY_US, 30 * DAY_US, None)), 1 << 60)
    with closing(StoreAppender(path, policy=policy)) as appender:
        appender.report({"beat_us": NOON_US})
    with closing(StoreAppender(path, policy=policy)) as appender:
        upkeep = upkeep_of(appender)

        def goes(now_us: int) -> bool:
            return any(isinstance(one, Retain) for one in upkeep.tasks(now_us))

        assert goes(NOON_US + SECOND_US)
        assert not goes(NOON_US + 100 * DAY_US)
        assert not goes(NOON_US + 2 * SECOND_US)


@pytest.mark.usefixtures("_steady")
def test_day_that_cannot_be_read_does_not_hold_up_relief(tmp_path: Path) -> None:
    """It is marked as damaged, and the next day goes."""
    path, clock = tmp_path / "culex.db", iter(range(NOON_US, 1 << 62, TEN_MINUTES_US))
    fill(path, 20)
    with closing(open_reader(path)) as connection:
        blocks = [one for one in every_block(connection) if one.tier is Tier.READINGS]
    oldest = min(blocks, key=lambda one: one.first_us)
    file = blocks_folder(path) / oldest.path
    file.write_bytes(file.read_bytes()[:100])
    with closing(StoreAppender(path, policy=ALWAYS)) as appender:

        def done() -> bool:
            appender.tend(next(clock) if appender._keeper._build is None else NOON_US)
            return len(days_left(path)) < DAYS - 1

        wait_until(done, 120)
    with looking(path) as snapshot:
        assert [one.path for one in snapshot.damage()] == [oldest.path]
