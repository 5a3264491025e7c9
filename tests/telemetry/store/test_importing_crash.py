"""Importing that dies: the same command again gives each reading once, wherever it was killed.

`python -m tests.telemetry.store.test_importing_crash POINT PASSES STORE ...`: the writers that die.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from telemetry.job import Import, Seal
from telemetry.store import importing_days, importing_runs, part
from telemetry.store.appender import StoreAppender
from telemetry.store.block import BlockWriter
from telemetry.store.head import open_reader
from telemetry.store.importing_runs import Runs
from telemetry.store.layout import blocks_folder
from telemetry.store.manifest import every_block
from telemetry.store.part import PartWriter
from telemetry.store.publishing import Publisher
from telemetry.window import DAY_US
from tests.dying import Fuse, Owner, dying_after, dying_before
from tests.telemetry.builders import NOON_US, ROOT, SECOND_US, looking
from tests.telemetry.store.crashing import dying_at_statement
from tests.telemetry.store.test_history import SERIES, Model, check_rollups

pytestmark = pytest.mark.crash

BEFORE: dict[str, tuple[Owner, str]] = {
    "spilling": (Runs, "spill"),
    "reading": (Runs, "read"),
    "writing": (BlockWriter, "write"),
    "adding": (PartWriter, "add"),
    "bringing": (Publisher, "_bring"),
}
AFTER: dict[str, tuple[Owner, str]] = {
    "renamed": (Path, "rename"),
    "finished": (PartWriter, "finish"),
    "brought": (Publisher, "_bring"),
    "committed": (StoreAppender, "_transaction"),
}
POINTS = [
    ("spilling", 0), ("spilling", 2), ("reading", 1), ("writing", 3), ("adding", 1), ("renamed", 1),
    ("finished", 0), ("finished", 1), ("bringing", 0), ("bringing", 1), ("brought", 0),
    ("brought", 2), ("committed", 1), ("committed", 2), ("statement", 12), ("statement", 25),
]  # fmt: skip

DEADLINE_S = 120

Row = tuple[int, int, float | str]


def rows() -> list[Row]:
    """Three days, with repetitions."""
    found: list[Row] = [
        (place, second, f"m{second % 3}" if place == 1 else second % 11 / 8)
        for day in (-1, 0, 1)
        for second in range(day * 86_400, day * 86_400 + 9_000, 45)
        for place in range(3)
    ]
    return [*found, *found[::7]]


def job(store: Path) -> Import:
    """The job to import what lies beside the store."""
    received_us = NOON_US + 60 * DAY_US
    return Import((str(store.with_name("a.csv")),), received_us, received_us)


@contextmanager
def small() -> Iterator[None]:
    """Within the block everything is done in many small pieces."""
    with ExitStack() as stack:
        for owner, name, value in (
            (part, "DENSE_PER_MINUTE", 1),
            (importing_runs, "RUN_ROWS", 700),
            (importing_days, "DRAFT_ROWS", 400),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        stack.enter_context(mock.patch("telemetry.sources.piece.PIECE_ROWS", 300))
        stack.enter_context(mock.patch("telemetry.sources.blocks.BLOCK_BYTES", 10_000))
        yield


def die(point: str, passes: int, store: Path) -> None:
    """Imports until it dies."""
    fuse = Fuse(passes)
    dying: AbstractContextManager[None]
    if point == "statement":
        dying = dying_at_statement(fuse)
    else:
        how = dying_before if point in BEFORE else dying_after
        dying = how(*(BEFORE | AFTER)[point], fuse)
    with small(), dying, closing(StoreAppender(store)) as writer:
        writer.do(job(store))


def main(arguments: Sequence[str]) -> None:
    """Each writer in a process of its own, one after the other; says how it ended."""
    for point, passes, store in zip(*[iter(arguments)] * 3, strict=True):
        child = os.fork()
        if not child:
            try:
                die(point, int(passes), Path(store))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")


def build(folder: Path) -> Model:
    """A store with something of the file in the head and in a block, and the file beside it."""
    store = folder / "culex.db"
    lines = [
        f"{SERIES[place].client},{SERIES[place].metric},{NOON_US + second * SECOND_US},{value}"
        for place, second, value in rows()
    ]
    store.with_name("a.csv").write_text("\n".join(["client,metric,time,value", *lines]))
    model = Model(StoreAppender(store), store)
    model.arrive([(*row, 0) for row in rows()[5:1200:31]])
    model.appender.do(Seal(NOON_US))
    model.arrive([(*row, 0) for row in rows()[7:1500:43]])
    return model


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Model]:
    """For each point a store whose writer died there, closed; and what it must say."""
    folder = tmp_path_factory.mktemp("importing")
    (folder / "start").mkdir()
    model = build(folder / "start")
    model.appender.close()
    stores = {one: folder / f"{one[0]}-{one[1]}" / "culex.db" for one in POINTS}
    for store in stores.values():
        shutil.copytree(model.path.parent, store.parent)
    words = [str(word) for (point, n), store in stores.items() for word in (point, n, store)]
    program = [sys.executable, "-m", "tests.telemetry.store.test_importing_crash", *words]
    ran = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    ended = [line for line in ran.stdout.splitlines() if line.startswith("ended")]
    found = {
        one: Model(model.appender, store, {key: {*some} for key, some in model.readings.items()})
        for (one, store), how in zip(stores.items(), ended, strict=True)
        if how == f"ended {-signal.SIGKILL}"
    }
    assert found.keys() == stores.keys(), ran.stderr
    return found


@pytest.mark.parametrize("point", POINTS, ids=lambda one: f"{one[0]}-{one[1]}")
def test_import_killed_anywhere_and_done_again_gives_each_reading_once(
    crashed: dict[tuple[str, int], Model], point: tuple[str, int]
) -> None:
    """It adds up before and after, and nothing is left behind."""
    model = crashed[point]
    with looking(model.path) as snapshot:
        assert snapshot.recount() == []
    with closing(StoreAppender(model.path)) as model.appender:
        with small():
            result = model.appender.do(job(model.path))
        assert result["read"] == len(rows())
        for place, second, value in rows():
            some = model.readings.setdefault(SERIES[place], set())
            some.add((NOON_US + second * SECOND_US, value))
        assert left_over(model) == set()
        model.appender.do(Seal(NOON_US + 3 * DAY_US))
        model.check()
        check_rollups(model)


def left_over(model: Model) -> set[str]:
    """Files below data/blocks that are no part of the store."""
    root = blocks_folder(model.path)
    files = {one.relative_to(root).as_posix() for one in root.rglob("*") if one.is_file()}
    with closing(open_reader(model.path)) as connection:
        return files - {one.path for one in every_block(connection)}


if __name__ == "__main__":
    main(sys.argv[1:])
