"""Sweeping: files that are no part of the store any more, for its owner."""

import time
from contextlib import suppress
from pathlib import Path

from telemetry.store.archive import DROPPED
from telemetry.store.block import make_folder


def put_aside(root: Path, path: str) -> bool:
    """Out of the way of tools that read every file there is; whether it is."""
    try:
        make_folder(root / DROPPED, root.parent)
        with suppress(FileNotFoundError):  # it was moved before
            (root / path).rename(root / DROPPED / Path(path).name)
    except OSError:  # the next sweep will do
        return False
    return True


def remove_dropped(root: Path, over: list[str], end_s: float) -> list[str]:
    """Takes files from the list until then, one at least; returns those that are gone for good."""
    gone = []
    while over:
        path = over.pop()
        with suppress(OSError):  # the next sweep will do
            for place in (path, f"{DROPPED}/{Path(path).name}"):  # moving it may have failed
                (root / place).unlink(missing_ok=True)
            gone.append(path)
        if time.monotonic() > end_s:
            break
    return gone
