"""Upkeep: while room is short the oldest readings go, day by day, and never the newest."""

import json
import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.batch import Arrival, Batch
from telemetry.job import Seal
from telemetry.ledger import HOUR_US, Account
from telemetry.reading import Reading
from telemetry.retention import NO_POLICY, Keep, Policy, Retention
from telemetry.store.appender import StoreAppender
from telemetry.store.head import open_reader
from telemetry.store.layout import DAY_US, Tier, blocks_folder, day_of
from telemetry.store.manifest import every_block
from telemetry.store.retaining import Retain
from telemetry.store.sealing import Seal as SealTask
from telemetry.store.upkeep import Upkeep
from telemetry.window import ALL_TIME
from tests.support import wait_until
from tests.telemetry import builders
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, looking

DAYS = 12
ALWAYS = Policy(low_disk_bytes=1 << 60)
TEN_MINUTES_US = 601 * SECOND_US


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
def short(tmp_path: Path) -> Iterator[StoreAppender]:
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


def test_day_whose_files_somebody_else_has_too_stays(short: StoreAppender, tmp_path: Path) -> None:
    """To remove them would make no room: a backup by hard links holds it."""
    path = tmp_path / "culex.db"
    with closing(open_reader(path)) as connection:
        oldest = min(every_block(connection), key=lambda one: (one.tier, one.first_us))
    os.link(blocks_folder(path) / oldest.path, tmp_path / "backup")
    task, *_ = upkeep_of(short).tasks(NOON_US)
    assert isinstance(task, Retain)
    assert task.retention.rest.readings_us == (DAYS - 3) * DAY_US


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
