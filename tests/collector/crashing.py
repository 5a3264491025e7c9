"""`python -m tests.collector.crashing POINT PASSES`: a collector that dies at a named point.

It is the real collector, patched from outside. It passes the point `PASSES` times and is killed
there the next time, as by kill -9. Without arguments it dies between commit and acknowledgement.
"""

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from unittest import mock

from collector.daemon import run
from collector.intake import Intake
from collector.message import Message
from collector.session import Session
from collector.subscriptions import Subscriptions
from collector.translate import Translator
from telemetry.settings import load_settings
from tests.dying import Fuse, die, dying_after, dying_before

PASSES = 3
_LEAVING_S = 0.1


class Failpoint(StrEnum):
    """Where a collector can die, in the order in which it gets there."""

    STARTING = "starting"
    SUBSCRIBING = "subscribing"
    RECEIVED = "received"
    TRANSLATED = "translated"
    TRANSACTION = "transaction"
    COMMITTED = "committed"
    ACKNOWLEDGING = "acknowledging"
    STOPPING = "stopping"
    STOPPED = "stopped"


BEFORE: dict[Failpoint, tuple[type, str]] = {
    Failpoint.STARTING: (Session, "start"),
    Failpoint.SUBSCRIBING: (Subscriptions, "asking"),
    Failpoint.COMMITTED: (Session, "acknowledge"),
    Failpoint.STOPPING: (Session, "finish"),
    Failpoint.STOPPED: (Session, "stop"),
}
AFTER: dict[Failpoint, tuple[type, str]] = {
    Failpoint.RECEIVED: (Intake, "put"),
    Failpoint.TRANSLATED: (Translator, "translate"),
}


@contextmanager
def dying_in_acknowledging(fuse: Fuse) -> Iterator[None]:
    """Within the block, the last batch is acknowledged by half, which reaches the broker."""
    real = Session.acknowledge

    def acknowledge(session: Session, messages: Sequence[Message]) -> None:
        if not fuse.burnt():
            return real(session, messages)
        real(session, messages[: (len(messages) + 1) // 2])
        threading.Event().wait(_LEAVING_S)  # the network thread sends them meanwhile
        return die()

    with mock.patch.object(Session, "acknowledge", acknowledge):
        yield


@contextmanager
def dying_in_transaction(fuse: Fuse) -> Iterator[None]:
    """Within the block, `fuse` is passed by each row that is written, and by each commit."""
    real = sqlite3.connect

    def note(statement: str) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "COMMIT")):
            fuse.burn()

    def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **named)
        connection.set_trace_callback(note)
        return connection

    with mock.patch.object(sqlite3, "connect", connect):
        yield


def patches(point: Failpoint, passes: int) -> Any:  # a context manager, of several makers
    """What makes a collector die there, as a context manager."""
    fuse = Fuse(passes)
    special: dict[Failpoint, Callable[[Fuse], Any]] = {
        Failpoint.TRANSACTION: dying_in_transaction,
        Failpoint.ACKNOWLEDGING: dying_in_acknowledging,
    }
    if point in special:
        return special[point](fuse)
    if point in BEFORE:
        return dying_before(*BEFORE[point], fuse)
    return dying_after(*AFTER[point], fuse)


def main(point: str = Failpoint.COMMITTED, passes: str = str(PASSES)) -> None:
    """Runs the collector until it dies at that point, or in order if it never gets there."""
    with patches(Failpoint(point), int(passes)):
        run(load_settings())


if __name__ == "__main__":
    main(*sys.argv[1:])
