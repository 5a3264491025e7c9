"""Runs deploy/Procfile in the foreground: honcho, which also stops all when its terminal is closed.

Closing a terminal sends SIGHUP, and ends the program that `make run | tee` writes to. honcho by
itself would die of either and leave four processes behind.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile  # type: ignore[import-untyped]  # honcho has no types
from honcho.manager import SIGNALS, Manager  # type: ignore[import-untyped]  # the same
from honcho.printer import Message, Printer  # type: ignore[import-untyped]  # the same


class LastingPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """A printer that goes on when nobody reads any more."""

    def write(self, message: Message) -> None:
        """Prints the message, or drops it if it cannot.

        The reader may be gone (OSError), or a signal came while a line was printed and honcho's
        handler prints too (RuntimeError).
        """
        with contextlib.suppress(OSError, RuntimeError):
            super().write(message)


def run(procfile: Path) -> int:
    """Runs all processes until one ends or a signal comes.

    Returns:
        0 after a signal, else the status of the process that ended first.
    """
    manager = Manager(LastingPrinter(sys.stdout))
    for name, command in parse_procfile(procfile.read_text("utf-8")).processes.items():
        manager.add_process(name, command)
    signal.signal(signal.SIGHUP, _stop)
    manager.loop()
    stopped = manager.returncode in {known["rc"] for known in SIGNALS.values()}
    return 0 if stopped else int(manager.returncode)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Treats the end of the terminal as SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def _forget_output() -> None:
    """Keeps the interpreter from complaining about output that nobody can read any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    status = run(Path(sys.argv[1]))
    _forget_output()
    sys.exit(status)
