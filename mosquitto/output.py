"""What the supervisor does with Mosquitto's output: to the log with it, or on to the collector."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from mosquitto.chatter import Heap, Sieve, Verbosity
from telemetry.clock import now_us
from telemetry.denials import leave

_LEAVE_S = 1.0
_PIECE_BYTES = 65_536

log = structlog.stdlib.get_logger("broker")


class Output:
    """Reads what a child writes until it ends.

    Args:
        pipe: The descriptor from which to read.
        folder: Where refused publishes are left for the collector.
        configure: Tells Mosquitto whether to say what becomes of each message.
    """

    def __init__(self, pipe: int, folder: Path, configure: Callable[[bool], None]) -> None:
        self._pipe = pipe
        self._folder = folder
        self._configure = configure
        self._sieve, self._heap = Sieve(), Heap()
        self._verbosity = Verbosity(time.monotonic())
        self._left_s = 0.0
        self._excused = False

    def read(self) -> None:
        """Everything the child has written is dealt with; it has closed its end of the pipe."""
        ended = False
        while not ended:
            ready, _, _ = select.select([self._pipe], [], [], _LEAVE_S)
            piece = os.read(self._pipe, _PIECE_BYTES) if ready else b""
            ended = bool(ready) and not piece
            self._take(piece)
        self._leave()

    def _take(self, piece: bytes) -> None:
        now_s = time.monotonic()
        found = self._sieve.sift(piece)
        self._heap.add(found.denied, now_us())
        for line in found.lines:
            _log(line)
        if self._heap and now_s - self._left_s >= _LEAVE_S:
            self._left_s = now_s
            self._leave()
        if self._verbosity.hear(len(piece), now_s):
            self._tell(self._verbosity.wanted)

    def _tell(self, wanted: bool) -> None:
        try:
            self._configure(wanted)
        except OSError as error:
            log.warning("cannot tell mosquitto how much to say", error=str(error))

    def _leave(self) -> None:
        """Leaves what was refused; if there is no room, it is added to and left later."""
        if not self._heap:
            return
        try:
            if leave(self._folder, self._heap.denials(), now_us()):
                self._heap.clear()
        except OSError as error:
            if not self._excused:
                log.warning("cannot hand on refused publishes", error=str(error))
            self._excused = True


def _log(line: str) -> None:
    if line.startswith("Error"):
        log.error(line)
    elif line.startswith("Warning"):
        log.warning(line)
    else:
        log.info(line)
