"""The store on this machine: a SQLite head, read and written through telemetry.interface."""

from pathlib import Path

from telemetry.interface import Appender, Querier
from telemetry.store.head import HeadAppender
from telemetry.store.snapshot import HeadQuerier


def open_appender(path: Path) -> Appender:
    """The write side of the store at `path`, made if it is not there.

    Raises:
        StoreError: If the file cannot be used; `StoreUnavailable` if that may pass.
    """
    return HeadAppender(path)


def open_querier(path: Path) -> Querier:
    """The read side of the store at `path`, which need not exist yet."""
    return HeadQuerier(path)
