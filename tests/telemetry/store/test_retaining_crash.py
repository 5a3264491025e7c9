"""Crashes while what is over goes: each reading is counted once, as itself or in its rollup."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.batch import Arrival, Batch
from telemetry.interface import Snapshot
from telemetry.job import Retain, Seal
from telemetry.ledger import Account
from telemetry.reading import Reading, Series
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import DROPPED
from telemetry.store.head import open_reader
from telemetry.store.layout import blocks_folder
from telemetry.store.manifest import every_block, every_dropped
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, MINUTE_US
from tests.telemetry.builders import NOON_US, ROOT, SECOND_US, looking, values
from tests.telemetry.store.crashing import (
    FOREVER,
    LATER_US,
    NOW_US,
    RETENTION,
    Crash,
    Failpoint,
    Task,
    small,
)

pytestmark = pytest.mark.crash

F = Failpoint
SERIES = [Series(FOREVER, "temperature"), Series("boiler", "power"), Series("cellar", "power")]
DEADLINE_S = 120

CRASHES = [
    Crash(Task.RETAIN, point, passes)
    for point, passes in (
        (F.STATEMENT, 3),
        (F.STATEMENT, 9),
        (F.WRITING, 1),
        (F.FINISHING, 0),
        (F.SYNCING, 0),
        (F.RENAMED, 0),
        (F.SWAPPING, 0),
        (F.SWAPPED, 0),
        (F.SWAPPING, 2),
        (F.SWAPPED, 2),
        (F.PUTTING_ASIDE, 1),
    )
]

Left = dict[Series, set[tuple[int, float | str]]]


def name_of(crash: Crash) -> str:
    """Of a test, and of a folder."""
    return f"{crash.point}-{crash.passes}"


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Everything in small pieces, as in the program."""
    with small():
        yield


def history() -> list[Reading]:
    """Of three days, every fifteen seconds for an hour, in eighths."""
    return [
        Reading(series, NOON_US + day * DAY_US + n * 15 * SECOND_US, n % 89 / 8, delay_us=1000)
        for day in range(3)
        for n in range(240)
        for series in SERIES
    ]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store all of whose readings are in blocks."""
    path = tmp_path_factory.mktemp("sealed") / "culex.db"
    with small(), closing(StoreAppender(path)) as writer:
        arrivals = [
            Arrival(Account(one.series.client, one.time_us - one.time_us % HOUR_US), [one])
            for one in history()
        ]
        writer.append(Batch(arrivals=arrivals))
        writer.do(Seal(NOW_US))
    return path


@pytest.fixture(scope="module")
def crashed(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Crash, Path]:
    """A store for each crash, after it."""
    folder = tmp_path_factory.mktemp("crashed")
    found = {}
    for crash in CRASHES:
        shutil.copytree(sealed.parent, folder / name_of(crash))
        found[crash] = folder / name_of(crash) / sealed.name
    words = [
        word
        for crash, path in found.items()
        for word in (crash.point, str(crash.passes), crash.task, str(path))
    ]
    program = [sys.executable, "-m", "tests.telemetry.store.crashing", *words]
    ran = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )
    lines = [line.split() for line in ran.stdout.splitlines()]
    ended = [int(rest[0]) for first, *rest in lines if first == "ended"]
    assert ended == [-signal.SIGKILL] * len(CRASHES), ran.stderr
    return found


def left(snapshot: Snapshot) -> Left:
    """The readings of each series."""
    return {one: {*values(snapshot.read(one, ALL_TIME))} for one in SERIES}


def check(path: Path) -> Left:
    """Rollups say what there ever was, readings what is left, and the ledger adds up."""
    with looking(path) as snapshot:
        assert snapshot.recount() == []
        for series in SERIES:
            every = [one for one in history() if one.series == series]
            for width_us in (HOUR_US, MINUTE_US):
                frame = snapshot.buckets(series, ALL_TIME, width_us).frame
                assert frame["count"].sum() == len(every)
                assert frame["sum"].sum() == sum(float(one.value) for one in every)
            count = snapshot.count(series, ALL_TIME, 1 << 40)
            assert count == len(snapshot.read(series, ALL_TIME).frame)
        return left(snapshot)


@pytest.mark.parametrize("crash", CRASHES, ids=name_of)
def test_crash_while_something_goes_leaves_nothing_counted_twice_or_lost(
    crashed: dict[Crash, Path], crash: Crash
) -> None:
    """At once, and after it was begun anew; nothing of what is kept is missing at any time."""
    path = crashed[crash]
    there = check(path)
    assert all(days_of(some) <= {0, 1, 2} for some in there.values())
    with closing(StoreAppender(path)) as writer:
        writer.do(Retain(NOW_US, RETENTION))
        then = check(path)
        assert len(then[SERIES[0]]) == 3 * 240
        assert [len(then[series]) for series in SERIES[1:]] == [0, 0]
        writer._keeper.sweep(LATER_US)
        check_files(path)


def days_of(some: set[tuple[int, float | str]]) -> set[int]:
    """Which days are there; each is there as a whole."""
    days = [(time_us - NOON_US) // DAY_US for time_us, _ in some]
    assert all(days.count(day) == 240 for day in days[:1])
    return {*days}


def check_files(path: Path) -> None:
    """Below data/blocks are the files of the manifest, and no other."""
    root = blocks_folder(path)
    with closing(open_reader(path)) as connection:
        assert every_dropped(connection) == []
        listed = {one.path for one in every_block(connection)}
    found = {str(one.relative_to(root)) for one in root.rglob("*") if one.is_file()}
    assert found == listed
    assert not [*(root / DROPPED).iterdir()]
