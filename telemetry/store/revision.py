"""What changed, so that readers need not read again what did not.

Readings that are newer than all before are no change: whoever asks again asks for those. What
else a batch brings, the row of its series tells; all other commits are a change of everything.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path

from telemetry.store.head import Connection
from telemetry.window import ALL_TIME

_REVISE = """UPDATE series SET
    revised_from_us = iif(now - revised_since > 64, ?2, min(revised_from_us, ?2)),
    revised_since = iif(now - revised_since > 64, revised, revised_since),
    revised = now
    FROM (SELECT value + 1 AS now FROM state WHERE key = 'sequence') WHERE id = ?1"""
"""What changed is told for 64 commits or more, to readers who missed some."""

_BEGIN = f"""UPDATE series SET revised = now, revised_since = now,
    revised_from_us = {ALL_TIME.end_us}
    FROM (SELECT value + 1 AS now FROM state WHERE key = 'sequence') WHERE id = ?"""  # noqa: S608  # a constant

_MOST = 200  # of a page with four metrics a quarter of a megabyte each


def revise(connection: Connection, number: int, time_us: int) -> None:
    """Readings of a series came that may not be newer than all before, from then on.

    It is part of the transaction in which they do, before the sequence grows.
    """
    connection.execute(_REVISE, (number, time_us))


def begin(connection: Connection, number: int) -> None:
    """A series was made: another may have had its number before.

    It is part of the transaction in which it was, before the sequence grows.
    """
    connection.execute(_BEGIN, (number,))


class Memory:
    """Values by key, for all threads; the one that was not asked for longest goes first.

    Attributes:
        store: Another word for each file.

    >>> memory = Memory(most=1)
    >>> memory.put("a", 1)
    >>> memory.put("b", 2)
    >>> memory.get("a"), memory.get("b")
    (None, 2)
    """

    def __init__(self, store: str = "", most: int = _MOST) -> None:
        self.store = store
        self._most = most
        self._values: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> object:
        """What was put there, if it is still there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: object) -> None:
        """It takes the place of what was there."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._most:
                self._values.popitem(last=False)


Origin = tuple[int, tuple[int, int] | None]
"""A process, and a file that it reads."""


class Memories:
    """The memory of a file; of the one before it nothing is left."""

    def __init__(self) -> None:
        self._known: tuple[Origin | None, Memory] = (None, Memory())

    def of(self, origin: Origin) -> Memory:
        """That of a file in this process."""
        known = self._known
        if known[0] != origin:
            self._known = known = (origin, Memory(str(origin[1])))
        return known[1]


def origin_of(path: Path) -> Origin:
    """Equal while a process reads one file: another may have its path, from a backup say."""
    try:
        status = path.stat()
    except OSError:
        return os.getpid(), None
    return os.getpid(), (status.st_dev, status.st_ino)
