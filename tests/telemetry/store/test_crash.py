"""Crashes: wherever a writer dies, each acknowledged reading is there exactly once, and stays."""

import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pandas as pd
import pyarrow.parquet as pq
import pytest

from telemetry.batch import Arrival, Batch
from telemetry.interface import Answer, Snapshot
from telemetry.job import Compact, Seal
from telemetry.ledger import Account
from telemetry.reading import RESERVED_CLIENTS, Flag, Kind, Reading, Series
from telemetry.store import archive, open_querier, sealing
from telemetry.store import snapshot as snapshots
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import DROPPED
from telemetry.store.head import open_reader
from telemetry.store.keeper import Keeper
from telemetry.store.layout import Block, Tier, blocks_folder
from telemetry.store.manifest import every_block, every_dropped, unfinished
from telemetry.store.publishing import Publisher
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, MINUTE_US
from tests.telemetry.builders import NOON_US, ROOT, SECOND_US, looking, values
from tests.telemetry.store.crashing import (
    END_US,
    LATER_US,
    NOW_US,
    THEIRS,
    Crash,
    Failpoint,
    Task,
    do,
    small,
)

pytestmark = pytest.mark.crash

SERIES = [
    Series("attic", "temperature"),
    Series("boiler", "mode"),
    Series("boiler", "power"),
    Series("broker", "load"),
]
WIDTHS_US = (HOUR_US, MINUTE_US, 7 * SECOND_US)
FOREVER_US = 1 << 60
DEADLINE_S = 300

F = Failpoint


def crashes(task: Task, *points: tuple[Failpoint, int]) -> list[Crash]:
    """Crashes in a task at these points, after so many passes."""
    return [Crash(task, point, passes) for point, passes in points]


UNDONE = [
    *crashes(
        Task.SEAL,
        (F.STATEMENT, 0),
        *((F.WRITING, passes) for passes in (0, 1)),
        (F.FINISHING, 2),
        *((F.SYNCING, passes) for passes in (0, 2)),
        (F.RENAMED, 0),
        (F.FINISHED, 2),
        (F.UNDOUBLING, 0),
        (F.UNDOUBLED, 0),
    ),
    *crashes(Task.COMPACT, (F.WRITING, 4), (F.RENAMED, 1), (F.SWAPPING, 0), (F.SWAPPED, 0)),
    *crashes(Task.TEND, (F.BUILDING, 0)),
]
"""Before anything was committed."""

HALF_DONE = [
    *crashes(
        Task.SEAL,
        (F.ADDING, 0),
        (F.ADDED, 1),
        *((F.LEAVING, passes) for passes in (0, 1, 3, 5)),
        (F.DELETED, 2),
        (F.LEFT, 1),
        (F.STATEMENT, 70),
        (F.WRITING, 4),
    ),
    *crashes(
        Task.COMPACT, (F.STATEMENT, 40), (F.SWAPPING, 1), (F.SWAPPED, 2), (F.PUTTING_ASIDE, 3)
    ),
    *crashes(Task.SWEEP, (F.SWEEPING, 1), (F.UNLINKED, 3), (F.DISCARDING, 3)),
    *crashes(Task.TEND, (F.LEAVING, 1)),
]
ERASING = [
    *crashes(
        Task.ERASE,
        (F.ERASING, 1),
        (F.SWAPPING, 1),
        (F.SWAPPED, 2),
        (F.PUTTING_ASIDE, 1),
        (F.RENEWING, 0),
        (F.RENEWED, 0),
    ),
    *crashes(Task.UNFLAG, (F.ERASED, 2), (F.SWAPPING, 1)),
]
HALF_VISIBLE = [Crash(Task.SEAL, F.LEAVING, passes) for passes in (0, 1)]

Value = float | str
Identity = tuple[int, Value]
Bucket = tuple[int, float, float, float, int]


@dataclass
class Model:
    """What was acknowledged.

    Attributes:
        readings: The flags of each reading, by series and identity.
    """

    readings: Mapping[Series, dict[Identity, int]] = field(
        default_factory=lambda: {series: {} for series in SERIES}
    )

    def arrive(self, writer: StoreAppender, some: Iterable[Reading]) -> None:
        """Appends them, a message each; what Culex writes itself comes without one."""
        arrivals, own = [], []
        for one in some:
            self.readings[one.series].setdefault((one.time_us, one.value), one.flags)
            received_us = one.time_us + one.delay_us
            account = Account(one.series.client, received_us - received_us % HOUR_US)
            if one.series.client in RESERVED_CLIENTS:
                own.append(one)
            else:
                arrivals.append(Arrival(account, [one]))
        writer.append(Batch(own, arrivals=arrivals))

    def copy(self) -> "Model":
        """Another that says the same."""
        return Model({series: dict(some) for series, some in self.readings.items()})

    def after(self, task: Task) -> "Model":
        """What is left when that is done."""
        return Model(
            {
                series: {
                    identity: flags
                    for identity, flags in some.items()
                    if not (task is Task.UNFLAG and flags & Flag.SIMULATED)
                }
                for series, some in self.readings.items()
                if not (task is Task.ERASE and series.client == THEIRS)
            }
        )


def measured(day: int) -> list[Reading]:
    """Readings of every series: an hour of three a minute, then three hours of nine each."""
    seconds = [*range(0, 3600, 20), *range(3600, 4 * 3600, 400)]
    times_us = [NOON_US + day * DAY_US + second * SECOND_US for second in seconds]
    return [measure(series, time_us) for time_us in times_us for series in SERIES] + [
        # other values of a time that is there
        measure(SERIES[0], NOON_US + day * DAY_US + 40 * SECOND_US, 99.5),
        measure(SERIES[1], NOON_US + day * DAY_US + 40 * SECOND_US, 99.5),
    ]


def measure(series: Series, time_us: int, value: Value | None = None) -> Reading:
    """A number in eighths, so that every sum is exact; of `mode` also texts."""
    second = time_us // SECOND_US
    if value is None:
        text = series.metric == "mode" and second % 60
        value = f"m{second % 7}" if text else second % 89 / 8
    kind = Kind.NUMBER if isinstance(value, float) else Kind.STATE
    flags = Flag.SIMULATED.value if second % 45 == 0 and series.metric != "power" else 0
    return Reading(series, time_us, value, kind, "", 1_234_567 + second % 7, flags)


LATE = [
    measure(series, NOON_US + day * DAY_US + second * SECOND_US + 4321)
    for series in SERIES
    for day, second in ((0, 61), (0, 4000), (1, 62))
]
"""What arrives between crash and recovery, amid what is sealed or being sealed."""


@dataclass(frozen=True)
class Stage:
    """A store that a writer dies with, and what it must say."""

    store: Path
    model: Model

    def copy(self, folder: Path) -> "Stage":
        """Another that is the same, in that folder."""
        shutil.copytree(self.store.parent, folder)
        return Stage(folder / self.store.name, self.model.copy())


def build_stages(folder: Path) -> dict[Task, Stage]:
    """What each task begins with."""
    stage = Stage(folder / "work" / "culex.db", Model())
    stage.store.parent.mkdir()
    with closing(StoreAppender(stage.store)) as writer:
        before_sealing(stage.model, writer)
    seal = stage.copy(folder / "seal")
    with closing(StoreAppender(stage.store)) as writer:
        writer.do(Seal(END_US))
    compact = stage.copy(folder / "compact")
    with closing(StoreAppender(stage.store)) as writer:
        stage.model.arrive(writer, measured(0)[::13] + LATE[::3])
    erase = stage.copy(folder / "erase")
    with closing(StoreAppender(stage.store)) as writer:
        writer.do(Seal(END_US))
        writer.do(Compact(NOW_US))
        build = writer._keeper._site().build  # of which this is left
    folder = next(blocks_folder(stage.store).glob("readings/*"))
    for stray in (f"{build}-1.parquet", f".{build}-2.parquet.tmp"):
        (folder / stray).write_bytes(b"PAR1")
    return {
        Task.SEAL: seal,
        Task.TEND: seal,
        Task.COMPACT: compact,
        Task.ERASE: erase,
        Task.UNFLAG: erase,
        Task.SWEEP: stage,
    }


def before_sealing(model: Model, writer: StoreAppender) -> None:
    """A sealed hour, late readings and repetitions of it, and what has not been sealed at all."""
    early = [one for number, one in enumerate(measured(0)) if number % 7]
    model.arrive(writer, early)
    writer.do(Seal(NOON_US + HOUR_US))
    model.arrive(writer, measured(0)[::7] + early[::11] + measured(1))


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Everything in small pieces, as in the program."""
    with small():
        yield


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Stage]:
    """What each task begins with."""
    with small():
        return build_stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture(scope="module")
def crashed(
    stages: dict[Task, Stage], tmp_path_factory: pytest.TempPathFactory
) -> dict[Crash, Stage]:
    """A store for each crash, after it; and what it must say."""
    folder = tmp_path_factory.mktemp("crashed")
    every = sorted([*UNDONE, *HALF_DONE, *ERASING], key=lambda one: one.task is not Task.TEND)
    found = {crash: stages[crash.task].copy(folder / name_of(crash)) for crash in every}
    arguments = [
        word
        for crash, stage in found.items()
        for word in (crash.point, str(crash.passes), crash.task, str(stage.store))
    ]
    program = [sys.executable, "-m", "tests.telemetry.store.crashing", *arguments]
    ran = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    words = [line.split() for line in ran.stdout.splitlines()]
    ended = [int(rest[0]) for first, *rest in words if first == "ended"]
    for crash, code in zip(every, ended, strict=True):
        if code != -signal.SIGKILL:
            sys.stdout.write(f"{name_of(crash)} never got there: {code}\n{ran.stderr}")
            del found[crash]
    return found


def name_of(crash: Crash) -> str:
    """Of a test, and of a folder."""
    return f"{crash.task}-{crash.point}-{crash.passes}"


def at(some: Sequence[Crash]) -> pytest.MarkDecorator:
    """Runs a test for each of the crashes."""
    return pytest.mark.parametrize("crash", some, ids=name_of)


def check(stage: Stage) -> None:
    """Readers see each reading exactly once, whatever they ask; the ledger adds up."""
    with looking(stage.store) as snapshot:
        assert [latest.series for latest in snapshot.latest()] == [*stage.model.readings]
        for series, readings in stage.model.readings.items():
            check_answers(snapshot, series, readings)
        assert snapshot.damage() == []
        assert snapshot.recount() == []


def check_answers(snapshot: Snapshot, series: Series, expected: Iterable[Identity]) -> None:
    """Each question about a series has the answer that its readings give."""
    readings = sorted(expected, key=by_time)
    assert sorted(values(snapshot.read(series, ALL_TIME)), key=by_time) == readings
    assert snapshot.count(series, ALL_TIME, FOREVER_US) == len(readings)
    for width_us in WIDTHS_US:
        assert buckets_of(snapshot.buckets(series, ALL_TIME, width_us)) == bucketed(
            readings, width_us
        )


def by_time(one: Identity) -> tuple[int, bool, Value]:
    """Numbers before texts, each in order."""
    return one[0], isinstance(one[1], str), one[1]


def bucketed(readings: Iterable[Identity], width_us: int) -> list[Bucket]:
    """Buckets as they are defined, without any help of the store."""
    groups: dict[int, list[float]] = {}
    for time_us, value in readings:
        if not isinstance(value, str):
            groups.setdefault(time_us - time_us % width_us, []).append(value)
    return [(at, sum(some), min(some), max(some), len(some)) for at, some in groups.items()]


def buckets_of(answer: Answer) -> list[Bucket]:
    """The buckets of an answer."""
    return [*answer.frame.itertuples(index=False, name=None)]


def resume(writer: StoreAppender, now_us: int) -> None:
    """Tends until what a crash left is done; begins nothing new."""
    with mock.patch.object(Keeper, "_due", return_value=None):
        while writer.tend(now_us):
            pass


def manifest(store: Path) -> list[Block]:
    """All blocks of a store."""
    with closing(open_reader(store)) as connection:
        assert unfinished(connection) == []
        return every_block(connection)


def check_files(store: Path) -> None:
    """Below data/blocks are the files of the manifest and those that were dropped, and no other."""
    root = blocks_folder(store)
    with closing(open_reader(store)) as connection:
        dropped = {f"{DROPPED}/{Path(path).name}" for path, _ in every_dropped(connection)}
    listed = {one.path for one in manifest(store)}
    found = {str(one.relative_to(root)) for one in root.rglob("*") if one.is_file()}
    assert listed <= found <= listed | dropped


def check_swept(writer: StoreAppender, store: Path) -> None:
    """Once no reader can need them, the files that were dropped are gone too."""
    resume(writer, LATER_US)
    check_files(store)
    with closing(open_reader(store)) as connection:
        assert every_dropped(connection) == []


def sequence(store: Path) -> int:
    """How often readings have changed."""
    with looking(store) as snapshot:
        return snapshot.sequence


def finish(writer: StoreAppender, stage: Stage) -> None:
    """Seals and compacts to the end; to do so again changes nothing."""
    writer.do(Seal(END_US))
    writer.do(Compact(NOW_US))
    check(stage)
    check_files(stage.store)
    blocks, before = manifest(stage.store), sequence(stage.store)
    days = Counter(one.first_us - one.first_us % DAY_US for one in blocks if is_readings(one))
    assert {*days.values()} <= {1}
    assert sum(one.tier is Tier.HOURS for one in blocks) == 1
    assert (writer.do(Seal(END_US))["sealed"], writer.do(Compact(NOW_US))["compacted"]) == (0, 0)
    assert (manifest(stage.store), sequence(stage.store)) == (blocks, before)
    check_files(stage.store)


def is_readings(one: Block) -> bool:
    """Whether it is of the finest tier."""
    return one.tier is Tier.READINGS


def rows_of(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that the SQLite file holds, table by table, but for the name of the last build."""
    with closing(open_reader(store)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608  # of this file
            for (name,) in tables.fetchall()
        }
    rows["state"] = [row for row in rows["state"] if row[0] != "builds"]
    return rows


@at(UNDONE)
def test_crash_before_anything_was_committed_has_changed_nothing(
    crash: Crash, crashed: dict[Crash, Stage], stages: dict[Task, Stage], tmp_path: Path
) -> None:
    """Readers notice nothing, and what was being written is removed by the next writer."""
    stage = crashed[crash].copy(tmp_path / "store")
    check(stage)
    with closing(StoreAppender(stage.store)) as writer:
        assert rows_of(stage.store) == rows_of(stages[crash.task].store)
        check_files(stage.store)
        resume(writer, NOW_US)
        assert rows_of(stage.store) == rows_of(stages[crash.task].store)


@pytest.mark.parametrize("task", [Task.SEAL, Task.COMPACT])
def test_stage_before_a_crash_is_finished(
    task: Task, stages: dict[Task, Stage], tmp_path: Path
) -> None:
    """What has changed nothing leaves it like this."""
    recover(stages[task].copy(tmp_path / "store"))


@at(HALF_DONE)
def test_crash_shows_each_reading_once_before_and_after_recovery(
    crash: Crash, crashed: dict[Crash, Stage], tmp_path: Path
) -> None:
    """To readers of what the dead writer left, to the next writer's, and when all is sealed."""
    recover(crashed[crash].copy(tmp_path / "store"))


def recover(stage: Stage) -> None:
    """Each reading is there exactly once before, between and after."""
    check(stage)
    with closing(StoreAppender(stage.store)) as writer:
        stage.model.arrive(writer, LATE + measured(0)[::17])
        resume(writer, NOW_US)
        check(stage)
        finish(writer, stage)
        check_swept(writer, stage.store)


@at(ERASING)
def test_crash_of_erasing_leaves_the_rest_intact_and_erasing_again_completes_it(
    crash: Crash, crashed: dict[Crash, Stage], tmp_path: Path
) -> None:
    """What is erased is gone from head and blocks for good, all else is there exactly once."""
    stage = crashed[crash].copy(tmp_path / "store")
    check_partly(stage, crash.task)
    with closing(StoreAppender(stage.store)) as writer:
        resume(writer, NOW_US)
        check_partly(stage, crash.task)
        erase_and_finish(writer, stage, crash.task)


@pytest.mark.parametrize("task", [Task.ERASE, Task.UNFLAG])
@at(HALF_VISIBLE)
def test_erasing_after_a_crash_of_sealing_erases_what_was_half_visible(
    task: Task, crash: Crash, crashed: dict[Crash, Stage], tmp_path: Path
) -> None:
    """Each reading is erased and accounted for once, be it in the head yet or in a part."""
    stage = crashed[crash].copy(tmp_path / "store")
    with closing(StoreAppender(stage.store)) as writer:
        stage.model.arrive(writer, LATE)
        erase_and_finish(writer, stage, task)


def erase_and_finish(writer: StoreAppender, stage: Stage, task: Task) -> None:
    """Erases; to do so again changes nothing, nor does sealing bring anything back."""
    left = Stage(stage.store, stage.model.after(task))
    do(task, writer)
    check(left)
    check_erased(stage.store, task)
    blocks = manifest(stage.store)
    do(task, writer)
    assert manifest(stage.store) == blocks
    finish(writer, left)
    check_swept(writer, stage.store)
    check_erased(stage.store, task)


def check_partly(stage: Stage, task: Task) -> None:
    """Readings that are not to be erased are there exactly once, the others at most once."""
    left = stage.model.after(task)
    with looking(stage.store) as snapshot:
        for latest in snapshot.latest():
            found = values(snapshot.read(latest.series, ALL_TIME))
            assert max(Counter(found).values(), default=1) == 1
            assert {*found} <= {*stage.model.readings[latest.series]}
            kept = left.readings.get(latest.series)
            if kept is not None:
                assert {*found} >= {*kept}
                check_answers(snapshot, latest.series, found)
        assert {*left.readings} <= {latest.series for latest in snapshot.latest()}
        assert snapshot.damage() == []
        assert snapshot.recount() == []


def check_erased(store: Path, task: Task) -> None:
    """Nothing of what was erased is in the head or in any block, nor a series without readings."""
    with closing(open_reader(store)) as connection:
        flags = [row[0] for row in connection.execute("SELECT DISTINCT flags FROM reading")]
        clients = {row[0] for row in connection.execute("SELECT client FROM series")}
    for one in manifest(store):
        table = pq.read_table(blocks_folder(store) / one.path, partitioning=None)
        clients |= {*table["client"].to_pylist()}
        flags += table["flags"].to_pylist() if is_readings(one) else []
    if task is Task.ERASE:
        assert THEIRS not in clients
    else:
        assert not any(one & Flag.SIMULATED for one in flags)


def test_builder_that_outlives_its_writer_leaves_no_file(
    stages: dict[Task, Stage], tmp_path: Path
) -> None:
    """It writes on until it next asks its writer, which may be when another writer has begun."""
    stage = stages[Task.SEAL].copy(tmp_path / "store")
    with closing(open_reader(stage.store)) as connection:
        with closing(StoreAppender(stage.store)) as writer:
            orphan = sealing.Seal(END_US).build(connection, writer._keeper._site())
            next(orphan)
        with closing(StoreAppender(stage.store)) as writer:
            writer.do(Seal(NOON_US))
            assert [*orphan]
            finish(writer, stage)
            check_swept(writer, stage.store)


Everything = dict[Series, tuple[list[pd.DataFrame], int]]


def everything(snapshot: Snapshot) -> Everything:
    """All answers of a snapshot about all series."""
    return {
        latest.series: (
            [
                snapshot.read(latest.series, ALL_TIME).frame,
                *(snapshot.buckets(latest.series, ALL_TIME, each).frame for each in WIDTHS_US),
            ],
            snapshot.count(latest.series, ALL_TIME, FOREVER_US),
        )
        for latest in snapshot.latest()
    }


def check_same(found: Everything, expected: Everything) -> None:
    """No answer has changed; rollups in other files may add up in another order."""
    assert [*found] == [*expected]
    for series, (frames, count) in expected.items():
        assert found[series][1] == count
        for frame, other in zip(frames, found[series][0], strict=True):
            pd.testing.assert_frame_equal(other, frame)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may take their time: a snapshot is held open here."""
    monkeypatch.setattr(snapshots, "_ANSWER_SECONDS", DEADLINE_S)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("task", [Task.SEAL, Task.COMPACT, Task.ERASE, Task.UNFLAG])
def test_open_snapshot_says_the_same_while_the_history_is_made_anew_under_it(
    task: Task, stages: dict[Task, Stage], tmp_path: Path
) -> None:
    """Files that leave the store meanwhile included, whether they were opened before or not."""
    stage = stages[task].copy(tmp_path / "store")
    with (
        closing(StoreAppender(stage.store)) as writer,
        closing(open_querier(stage.store)) as reader,
        closing(open_querier(stage.store)) as newcomer,
        reader.snapshot() as snapshot,
        newcomer.snapshot() as unread,
    ):
        before = everything(snapshot)
        do(task, writer)
        check_same(everything(snapshot), before)
        finish(writer, Stage(stage.store, stage.model.after(task)))
        check_same(everything(snapshot), before)
        check_same(everything(unread), before)
        assert [*snapshot.damage(), *unread.damage()] == []


def test_file_that_is_put_aside_while_a_reader_opens_it_is_read(
    stages: dict[Task, Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has found where the file is, and then the file is moved."""
    stage = stages[Task.COMPACT].copy(tmp_path / "store")
    real = archive.open_block
    with closing(StoreAppender(stage.store)) as writer:

        def open_late(path: Path, tier: Tier) -> pq.ParquetFile:
            if not moved:
                moved.append(path)
                writer.do(Compact(NOW_US))
                assert not path.exists()
            return real(path, tier)

        moved: list[Path] = []
        with looking(stage.store) as snapshot:
            monkeypatch.setattr(archive, "open_block", open_late)
            found = values(snapshot.read(SERIES[0], ALL_TIME))
            damage = snapshot.damage()
    assert moved
    assert [*damage] == []
    assert sorted(found, key=by_time) == sorted(stage.model.readings[SERIES[0]], key=by_time)


class Watcher:
    """Reads all series again and again, in a thread of its own.

    Attributes:
        torn: How often a part was half visible meanwhile.
        failure: What was not as the model says, if anything was not.
    """

    def __init__(self, stage: Stage) -> None:
        self._store = stage.store
        self._expected = {
            series: sorted(some, key=by_time) for series, some in stage.model.readings.items()
        }
        self._changed = threading.Condition()
        self._stopped = False
        self._reads = 0
        self._thread = threading.Thread(target=self._watch)
        self.torn = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join()

    def wait(self) -> None:
        """Returns when a read has ended that was going on."""
        with self._changed:
            before = self._reads
            self._changed.wait_for(lambda: self._reads > before or self.failure, DEADLINE_S)

    def _watch(self) -> None:
        try:
            with (
                closing(open_querier(self._store)) as querier,
                closing(open_reader(self._store)) as connection,
            ):
                while not self._stopped:
                    with querier.snapshot() as snapshot:
                        self._look(snapshot)
                    self.torn += bool(unfinished(connection))
                    self._note(None)
        except BaseException as error:  # noqa: BLE001  # for the thread that asserts
            self._note(error)

    def _look(self, snapshot: Snapshot) -> None:
        for series, readings in self._expected.items():
            assert sorted(values(snapshot.read(series, ALL_TIME)), key=by_time) == readings
            assert snapshot.count(series, ALL_TIME, FOREVER_US) == len(readings)
            hours = buckets_of(snapshot.buckets(series, ALL_TIME, HOUR_US))
            assert hours == bucketed(readings, HOUR_US)
        assert snapshot.damage() == []

    def _note(self, failure: BaseException | None) -> None:
        with self._changed:
            self._reads += 1
            self.failure = failure
            self._changed.notify_all()


@pytest.mark.usefixtures("patient")
def test_reader_sees_each_reading_once_at_every_instant_of_sealing_and_compacting(
    stages: dict[Task, Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread reads everything all the time, during and after each commit."""
    stage = stages[Task.SEAL].copy(tmp_path / "store")
    with closing(StoreAppender(stage.store)) as writer, Watcher(stage) as watcher:
        for name in ("_add", "_leave", "_swap"):
            monkeypatch.setattr(Publisher, name, waiting(getattr(Publisher, name), watcher))
        writer.do(Seal(NOON_US + 4 * HOUR_US))
        writer.do(Seal(END_US))
        writer.do(Compact(NOW_US))
    if watcher.failure is not None:
        raise watcher.failure
    assert watcher.torn > 3
    check(stage)


def waiting(real: Callable[..., None], watcher: Watcher) -> Callable[..., None]:
    """Before it does anything it waits until the watcher has read what was there before."""

    def call(*arguments: object) -> None:
        watcher.wait()
        real(*arguments)

    return call
