"""Switching: what a folder holds gives way to other things as a whole, whenever the power fails.

A rename commits it; what comes after is finished by whoever looks next.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from telemetry.files import publish_file, sync_folder

_INCOMING = ".incoming"
_SWITCHING = ".switching"
_PLAN = "switch.json"


def incoming(folder: Path) -> Path:
    """An empty place in `folder` for what is to come; what an earlier try left there is gone."""
    place = folder / _INCOMING
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(mode=0o700)
    return place


def switch(folder: Path, names: Sequence[str], aside: str) -> None:
    """What lies in `incoming(folder)` takes the place of `names`.

    Args:
        folder: Both are in it.
        names: What goes, whether or not something new has its name. While there are both old and
            new ones the first is not there.
        aside: The folder for what goes, below `folder`; made if anything does.

    Raises:
        OSError: If nothing was changed, or if it is to be finished the next time.
    """
    place = folder / _INCOMING
    plan = {"aside": aside, "names": {name: (place / name).exists() for name in names}}
    publish_file(place / _PLAN, json.dumps(plan).encode(), 0o600)
    place.rename(folder / _SWITCHING)
    sync_folder(folder)
    finish_switch(folder)


def finish_switch(folder: Path) -> None:
    """No switch of that folder is half done.

    Raises:
        OSError: If something could not be moved; it is tried again the next time.
    """
    if not (folder / _SWITCHING).exists():
        return
    with _alone(folder):
        if not (folder / _SWITCHING).exists():  # another has finished it meanwhile
            return
        plan = json.loads((folder / _SWITCHING / _PLAN).read_bytes())
        _move_old(folder, plan["names"], folder / plan["aside"])
        _move_new(folder, plan["names"])
        (folder / _SWITCHING).rename(folder / _INCOMING)
        sync_folder(folder)
        shutil.rmtree(folder / _INCOMING)


def _move_old(folder: Path, names: Mapping[str, bool], aside: Path) -> None:
    for name, has_new in names.items():
        old = folder / name
        is_old = not has_new or (folder / _SWITCHING / name).exists()
        if not is_old or not old.exists():
            continue
        if old.is_dir() and not any(old.iterdir()):
            old.rmdir()
            continue
        aside.mkdir(mode=0o700, exist_ok=True)
        old.rename(aside / name)
        sync_folder(aside)
    sync_folder(folder)


def _move_new(folder: Path, names: Mapping[str, bool]) -> None:
    for name in reversed([*names]):
        new = folder / _SWITCHING / name
        if new.exists():
            new.rename(folder / name)
            sync_folder(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Others that want the same wait until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
