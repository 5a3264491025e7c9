"""Runs deploy/Procfile in the foreground: honcho, which also stops all when its terminal is closed.

With an existing broker there is none of ours to run, and no simulated fleet, which plays there.

Closing a terminal sends SIGHUP, and ends the program that `make run | tee` writes to. honcho by
itself would die of either and leave four processes behind.
"""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Set
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile  # type: ignore[import-untyped]  # honcho has no types
from honcho.manager import SIGNALS, Manager  # type: ignore[import-untyped]  # the same
from honcho.printer import Message, Printer  # type: ignore[import-untyped]  # the same

from telemetry.fault import one_sentence
from telemetry.settings import load_settings

_OURS = {"broker", "demo"}
_ENDED = re.compile(r"(\w+) stopped \(rc=\d+\)")


class LastingPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """A printer that goes on when nobody reads any more, and knows who ended first.

    Attributes:
        ended: The process that ended first, with the last line it said.
    """

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.ended = ("", "")
        self._said: dict[str, str] = {}

    def write(self, message: Message) -> None:
        """Prints the message, or drops it if it cannot.

        The reader may be gone (OSError), or a signal came while a line was printed and honcho's
        handler prints too (RuntimeError).
        """
        self._remember(message)
        with contextlib.suppress(OSError, RuntimeError):
            super().write(message)

    def _remember(self, message: Message) -> None:
        if isinstance(message.data, bytes):
            self._said[message.name] = message.data.decode("utf-8", "replace").strip()
            return
        match = _ENDED.match(message.data)
        if match and not self.ended[0]:
            self.ended = (match[1], self._said.get(match[1], ""))


def run(procfile: Path, without: Set[str]) -> int:
    """Runs all processes, but those named, until one ends or a signal comes.

    Returns:
        0 after a signal, else the status of the process that ended first, whose last line is said
        again: by then it has scrolled by.
    """
    printer = LastingPrinter()
    manager = Manager(printer)
    for name, command in parse_procfile(procfile.read_text("utf-8")).processes.items():
        if name not in without:
            manager.add_process(name, command)
    signal.signal(signal.SIGHUP, _stop)
    manager.loop()
    if manager.returncode in {known["rc"] for known in SIGNALS.values()}:
        return 0
    with contextlib.suppress(OSError):
        print("culex: {} ended everything: {}".format(*printer.ended), file=sys.stderr)  # noqa: T201  # the runner's own word
    return int(manager.returncode)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Treats the end of the terminal as SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def _forget_output() -> None:
    """Keeps the interpreter from complaining about output that nobody can read any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    with one_sentence():
        existing = load_settings().existing_broker
    status = run(Path(sys.argv[1]), _OURS if existing else frozenset())
    _forget_output()
    sys.exit(status)
