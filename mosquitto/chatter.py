"""What Mosquitto writes of each message, sifted for the publishes that it refused. Pure.

It tells them only among its debug lines, four or five for each message at QoS 1: measured on
2.0.11, they take 20 to 50 % off the most it can do (ADR 18). So it is let to say them while that
is little, and once a message rate is high only for a moment now and then.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from telemetry.denials import MOST_KINDS, Denial

MOST_BYTES_PER_S = 400_000
"""What Mosquitto may write in a second before it is told to be quiet: a thousand messages or so."""

LOOK_S = 1.0
"""For so long it is listened to before that is judged."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 20.0, 80.0
"""How long it is quiet then; twice as long each time that it was too much again."""

CUT_BYTES = 999
"""Mosquitto cuts its lines to this length, so a longer one has lost its right end."""

_DENIED = b"Denied PUBLISH from "
# A message is told by lines that begin like these. No line that we want does, for of the types
# whose lines begin with what a client chose none is switched on.
_LINE = re.compile(rb"^(?!Received |Sending |No will |Will message |\t|\n)[^\n]+", re.M)
_DULL = (b"Saving in-memory database", b"Reloading config.")  # each time, and nothing to learn
_BETWEEN = re.compile(rb" \(d[01], q[0-2], r[01], m\d{1,5}, '")
_END = re.compile(rb"', \.\.\. \(\d{1,10} bytes\)\)$")


class Sifted(NamedTuple):
    """What is left of a piece of output.

    Attributes:
        lines: Lines for the log.
        denied: Client identifier and topic of each publish that was refused, as in `Denial`.
    """

    lines: list[str]
    denied: list[tuple[str, ...]]


class Sieve:
    """Takes output piece by piece, wherever it is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def sift(self, piece: bytes) -> Sifted:
        """The lines that end in this piece, without those of single messages."""
        whole, newline, rest = (self._rest + piece).rpartition(b"\n")
        self._rest = rest if newline else self._rest + piece
        found = Sifted([], [])
        for match in _LINE.finditer(whole if newline else b""):
            line = match[0].rstrip(b"\r ")
            if line.startswith(_DENIED):
                found.denied.extend(_denied(line))
            elif not line.startswith(_DULL):
                found.lines.append(line.decode("utf-8", "replace"))
        return found


def _denied(line: bytes) -> Iterable[tuple[str, ...]]:
    """What a line says of a refused publish.

    >>> list(_denied(b"Denied PUBLISH from d (d0, q1, r0, m7, 'clients/x/t', ... (3 bytes))"))
    [('d', 'clients/x/t')]
    """
    end = _END.search(line)
    if end is None and len(line) < CUT_BYTES:
        return
    said = line[len(_DENIED) : end.start()] if end else line[len(_DENIED) :] + "…".encode()
    yield tuple(part.decode("utf-8", "replace") for part in _BETWEEN.split(said))


class Heap:
    """Gathers refused publishes, those alike together, and of too many kinds only the number."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, ...], Denial] = {}

    def __bool__(self) -> bool:
        return bool(self._alike)

    def add(self, denied: Iterable[tuple[str, ...]], time_us: int) -> None:
        """Notes those that were read of at that time."""
        for parts in denied:
            key = parts if parts in self._alike or len(self._alike) < MOST_KINDS else ()
            before = self._alike.get(key)
            self._alike[key] = Denial(time_us, key, before.times + 1 if before else 1)

    def denials(self) -> list[Denial]:
        """What was noted since `clear`."""
        return list(self._alike.values())

    def clear(self) -> None:
        """Forgets them."""
        self._alike.clear()


class Verbosity:
    """Whether Mosquitto is to say what becomes of each message, by how much it says.

    Args:
        now_s: The time, by any clock that only goes forward.

    Attributes:
        wanted: Whether it is to say it.
    """

    def __init__(self, now_s: float) -> None:
        self.wanted = True
        self._since_s = now_s
        self._heard = 0
        self._pause_s = FIRST_PAUSE_S

    def hear(self, count: int, now_s: float) -> bool:
        """Notes so many bytes of output; returns whether what is wanted has changed."""
        self._heard += count
        lasted_s = now_s - self._since_s
        if not self.wanted:
            return lasted_s >= self._pause_s and self._turn(now_s, 2 * self._pause_s)
        if lasted_s < LOOK_S:
            return False
        if self._heard > MOST_BYTES_PER_S * lasted_s:
            return self._turn(now_s, self._pause_s)
        self._since_s, self._heard, self._pause_s = now_s, 0, FIRST_PAUSE_S
        return False

    def _turn(self, now_s: float, pause_s: float) -> bool:
        self.wanted, self._since_s, self._heard = not self.wanted, now_s, 0
        self._pause_s = min(pause_s, LONGEST_PAUSE_S)
        return True
