"""Space set aside, so that something can still be deleted when the disk is full.

A delete writes before it frees: SQLite needs room in its write-ahead log for every page it touches.
"""

import os
from contextlib import suppress
from pathlib import Path

_PLENTY = 4
"""As much as that many reserves must be free before one is taken."""


def free_bytes(folder: Path) -> int:
    """What an account without privileges can still write there."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


class Reserve:
    """A file of `size` bytes that only takes up room; of size 0 there is none."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def fill(self) -> None:
        """Takes the room if it is not taken, and there is plenty."""
        if not self._size or self._path.exists():
            return
        if free_bytes(self._path.parent) >= _PLENTY * self._size:
            with suppress(OSError):  # another took the space just now; the next time will do
                self._allocate()

    def _allocate(self) -> None:
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def release_if_short(self) -> None:
        """Gives the room free where there is no plenty: something is about to be deleted."""
        if self._size and free_bytes(self._path.parent) < _PLENTY * self._size:
            self.release()

    def release(self) -> bool:
        """Gives the room free; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
