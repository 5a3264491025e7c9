"""The store on this machine: a SQLite head, read and written through telemetry.interface."""

from pathlib import Path

from telemetry.interface import Appender, Querier
from telemetry.store.appender import HeadAppender
from telemetry.store.snapshot import HeadQuerier


def open_appender(path: Path, reserve_bytes: int = 0) -> Appender:
    """The write side of the store at `path`, made if it is not there.

    Args:
        path: The SQLite file.
        reserve_bytes: How much room to set aside for deleting on a full disk.

    Raises:
        StoreError: If the file cannot be used; `StoreUnavailable` if that may pass.
    """
    return HeadAppender(path, reserve_bytes)


def open_querier(path: Path) -> Querier:
    """The read side of the store at `path`, which need not exist yet."""
    return HeadQuerier(path)
