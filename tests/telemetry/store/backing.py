"""`python -m tests.telemetry.store.backing DEED POINT PASSES DATA_DIR FOLDER ...`: one that dies.

It is the real backup or restore, patched from outside: it passes the point `PASSES` times and is
killed there the next time, as by kill -9. Each group of five arguments has its own fork of this
program. At the end a line `ended` for each says how: minus the signal, or 0 if it never got there.
"""

import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from telemetry import switching
from telemetry.settings import Settings
from telemetry.store import backup, backup_blocks, backup_folder, restoring
from telemetry.store.backup import Wish, back_up
from telemetry.store.restoring import restore
from tests.dying import Fuse, Owner, dying_after, dying_before


class Deed(StrEnum):
    """What dies."""

    BACKUP = "backup"
    RESTORE = "restore"


class Failpoint(StrEnum):
    """Where it can die; what begins with a verb in -ing is before the deed, the others after."""

    COPYING_DATABASE = "copying-database"
    COPIED_DATABASE = "copied-database"
    COPIED_SECRET = "copied-secret"  # noqa: S105  # a point, not a password
    BROUGHT = "brought"
    LINKED = "linked"
    PUBLISHING = "publishing"
    RENAMED = "renamed"
    PRUNING = "pruning"
    UNLINKED = "unlinked"
    REMOVED = "removed"
    RESTORED_FILE = "restored-file"
    SWITCHING = "switching"
    SYNCED = "synced"


BEFORE: dict[Failpoint, tuple[Owner, str]] = {
    Failpoint.COPYING_DATABASE: (backup, "copy_database"),
    Failpoint.PUBLISHING: (backup_folder.BackupFolder, "publish"),
    Failpoint.PRUNING: (backup_folder.BackupFolder, "prune"),
    Failpoint.SWITCHING: (restoring, "switch"),
}
AFTER: dict[Failpoint, tuple[Owner, str]] = {
    Failpoint.COPIED_DATABASE: (backup, "copy_database"),
    Failpoint.COPIED_SECRET: (backup, "copy_file"),
    Failpoint.BROUGHT: (backup_blocks, "copy_file"),
    Failpoint.LINKED: (backup_blocks, "link_file"),
    Failpoint.RENAMED: (Path, "rename"),
    Failpoint.UNLINKED: (Path, "unlink"),
    Failpoint.REMOVED: (shutil, "rmtree"),
    Failpoint.RESTORED_FILE: (restoring, "copy_file"),
    Failpoint.SYNCED: (switching, "sync_folder"),
}


def unheard(_label: str, _done: int, _all: int) -> None:
    """Nobody watches."""


def _run(deed: Deed, data_dir: Path, folder: Path) -> None:
    settings = Settings(data_dir=data_dir)
    if deed is Deed.BACKUP:
        back_up(settings, folder, Wish(keep=1), unheard)
    else:
        restore(settings, folder, replace=True, progress=unheard)


def _fork(deed: Deed, point: Failpoint, passes: int, places: tuple[Path, Path]) -> int:
    """The number of a process that does it."""
    child = os.fork()
    if child:
        return child
    fuse = Fuse(passes)
    try:
        with (
            dying_before(*BEFORE[point], fuse)
            if point in BEFORE
            else dying_after(*AFTER[point], fuse)
        ):
            _run(deed, *places)
        os._exit(0)
    except BaseException:  # noqa: BLE001  # whatever it is, this fork must not go on as its parent
        traceback.print_exc()
        os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Runs them one after the other."""
    for deed, point, passes, *places in zip(*[iter(arguments)] * 5, strict=True):
        data_dir, folder = map(Path, places)
        child = _fork(Deed(deed), Failpoint(point), int(passes), (data_dir, folder))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
