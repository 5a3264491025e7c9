"""How many exports a process sends at once."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

MOST = 4  # of the eight threads of a worker: the others answer everything else


class TooManyExports(Exception):
    """As many exports as may be are under way; the message says what to do."""


class Stream(Iterator[bytes]):
    """An export under way. Its place is free when it ends, fails or is closed."""

    def __init__(self, body: Iterator[bytes], place: ExitStack) -> None:
        self._body = body
        self._place = place

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        with ExitStack() as failed:
            failed.callback(self.close)
            part = next(self._body)
            failed.pop_all()
        return part

    def close(self) -> None:
        """The place is free; closing again changes nothing. The server calls it at any end."""
        self._place.close()


class Exports:
    """Places for exports: a reader that stalls holds a thread of the server as long as it likes."""

    def __init__(self, most: int = MOST) -> None:
        self._places = threading.BoundedSemaphore(most)

    def place(self) -> ExitStack:
        """A place, free again once it is closed.

        Raises:
            TooManyExports: If there is none.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyExports("too many exports at once; try again shortly")
        place = ExitStack()
        place.callback(self._places.release)
        return place
