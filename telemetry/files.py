"""How a file appears on disk: whole, durable and with the right mode, or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from telemetry.fault import Fault


class FileRefused(Fault):
    """A file that cannot be made; the message says why and what to do."""


def publish_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Leaves `path` holding `content`, on disk, even if the power fails right after.

    Readers see the old file or the new one, never a part: a temporary sibling is written,
    synced and renamed, then the folder is synced.

    Raises:
        OSError: If the folder cannot be written; a file that was there is unchanged.
    """
    _publish(path, content, mode, Path.rename)


def publish_new(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Leaves `path` holding `content`, on disk, unless it was there: then it stays as it is.

    Of several who publish at once the first wins.

    Raises:
        OSError: If the folder cannot be written.
    """
    with suppress(FileExistsError):
        _publish(path, content, mode, _link)


@contextmanager
def claimed(*paths: Path) -> Iterator[None]:
    """The names are ours in the block, which publishes files there; if it fails, they are free.

    For what can be had only once: first it is certain that there is a place for it.

    Raises:
        FileRefused: If there is such a file, or none can be made.
    """
    ours: list[Path] = []
    try:
        for path in paths:
            _claim(path)
            ours.append(path)
        yield
    except BaseException:
        for path in ours:
            path.unlink(missing_ok=True)
        raise


def _claim(path: Path) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise FileRefused(f"{path} is there already; move it, or name another place") from None
    except OSError as error:
        raise FileRefused(f"cannot write {path}: {error.strerror}; name another place") from None


def _link(sibling: Path, path: Path) -> None:
    path.hardlink_to(sibling)
    sibling.unlink()


def _publish(path: Path, content: bytes, mode: int, move: Callable[[Path, Path], object]) -> None:
    sibling = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(sibling, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        move(sibling, path)
    except BaseException:
        sibling.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_owned(folder: Path, mode: int) -> None:
    """The folder is there; if root makes it, it belongs to whom its parent belongs.

    What root does to a data folder for once must not keep its owner out.
    """
    if folder.is_dir():
        return
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
