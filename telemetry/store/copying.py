"""Copying: files arrive whole and durable, or not at all, and say what they are."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_CHUNK = 1 << 20

Counted = Callable[[int], object]
"""Is told how many bytes more were read."""


def unheard(_: int) -> None:
    """For whom nobody waits."""


class Facts(NamedTuple):
    """What a file is: its size in bytes, and its SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


class CannotRead(Exception):
    """A file that cannot be read; the message says why.

    Attributes:
        missing: Whether there is none.
    """

    def __init__(self, error: OSError) -> None:
        self.missing = isinstance(error, FileNotFoundError)
        super().__init__(
            "it is missing" if self.missing else f"it cannot be read: {error.strerror}"
        )


def facts_of(path: Path, counted: Counted) -> Facts:
    """What a file is.

    Raises:
        CannotRead: If nobody can tell.
    """
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
        counted(len(chunk))
    return Facts(size, digest.hexdigest())


def copy_file(source: Path, target: Path, expected: Facts | None, counted: Counted) -> Facts:
    """What a file is; it is copied to `target` if that is as expected, or nothing is.

    The folder of `target` is still to be synced. The copy is readable by its owner alone.

    Raises:
        CannotRead: If `source` cannot be read.
        OSError: If `target` cannot be written; one that was there is unchanged.
    """
    sibling = _sibling(target)
    sibling.unlink(missing_ok=True)
    try:
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(sibling, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in _chunks(source):
                digest.update(chunk)
                size += file.write(chunk)
                counted(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        facts = Facts(size, digest.hexdigest())
        if expected in (None, facts):
            sibling.rename(target)
        return facts
    finally:
        sibling.unlink(missing_ok=True)


def link_file(source: Path, target: Path) -> bool:
    """Gives a file a second name, if both are on one disk and that is allowed; whether it did."""
    sibling = _sibling(target)
    sibling.unlink(missing_ok=True)
    try:
        with suppress(OSError):
            sibling.hardlink_to(source)
            sibling.rename(target)
            return True
    finally:
        sibling.unlink(missing_ok=True)  # renaming one name of a file to another leaves both
    return False


def difference(wanted: Facts, found: Facts) -> str:
    """What is wrong with a file, or an empty string.

    >>> difference(Facts(3, "ab"), Facts(2, "cd"))
    'it has 2 bytes instead of 3'
    >>> difference(Facts(3, "ab"), Facts(3, "cd"))
    'its checksum is wrong'
    """
    if found.size != wanted.size:
        return f"it has {found.size} bytes instead of {wanted.size}"
    return "" if found == wanted else "its checksum is wrong"


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise CannotRead(error) from error


def _sibling(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp")
