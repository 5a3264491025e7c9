"""A folder of backups: what lies where in it, which are whole, and who may change it.

`blocks/` holds the files of the history that backups share, for they never change; each backup has
a folder of its own, named by its time, with everything else and a listing of all its files.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from telemetry.fault import Fault
from telemetry.files import publish_file, sync_folder
from telemetry.store.copying import Facts

FORMAT = 1
"""Of the listing and the folders; another number means others."""

BLOCKS = "blocks"
_STORE = "culex.db"
_LISTING = "backup.json"
_LOCK = ".culex-backup"
_UNFINISHED = ".unfinished"
_REMOVING = ".removing"
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z")
_BLOCK = re.compile(r"\.?[0-9a-f]{16}-[0-9a-f]{16}\.parquet(\.tmp)?")

Progress = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and how much there is."""


class BackupError(Fault):
    """A backup that cannot be made or used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What belongs to a backup.

    Attributes:
        made_us: When its moment was.
        schema: The version of its SQLite file.
        sequence: Of the store at that moment.
        files: By path; those below `blocks/` are shared with other backups.
        missing: Files of the history that could not be read when it was made, and why.
        format: Of the listing itself.
    """

    made_us: int
    schema: int
    sequence: int
    files: Mapping[str, Facts]
    missing: Mapping[str, str]
    format: int = FORMAT

    @property
    def name(self) -> str:
        """Of its folder; names sort by age."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.made_us)
        return f"{moment:%Y-%m-%dT%H-%M-%S.%f}Z"

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(one.size for one in self.files.values())


class BackupFolder:
    """Backups of one store, in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def unfinished(self) -> Path:
        """Where a backup is made that is none yet."""
        return self.path / _UNFINISHED

    def names(self) -> list[str]:
        """The backups there are, oldest first."""
        with suppress(FileNotFoundError):
            return sorted(one.name for one in self.path.iterdir() if _NAME.fullmatch(one.name))
        return []

    def place(self, name: str, file: str) -> Path:
        """Where a file of a backup lies."""
        return self.path / file if file.startswith(f"{BLOCKS}/") else self.path / name / file

    def read(self, name: str) -> Listing:
        """What belongs to that backup.

        Raises:
            BackupError: If it is not whole, or of a later version of Culex.
        """
        place = self.path / name / _LISTING
        try:
            content = json.loads(place.read_bytes())
            if content["format"] > FORMAT:
                raise BackupError(f"{place.parent} was made by a later version of Culex; update it")
            files = {_inside(path): Facts(*facts) for path, facts in content["files"].items()}
            listing = Listing(**content | {"files": files})
        except (FileNotFoundError, NotADirectoryError):
            raise BackupError(_incomplete(place.parent, "it has no backup.json")) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackupError(_incomplete(place.parent, "its backup.json is broken")) from None
        numbers = (listing.made_us, listing.schema, listing.sequence)
        if not all(isinstance(one, int) for one in numbers) or _STORE not in files:
            raise BackupError(_incomplete(place.parent, "its backup.json is broken"))
        return listing

    def publish(self, listing: Listing) -> Path:
        """What lies in `unfinished` becomes that backup, at once and durably."""
        publish_file(self.unfinished / _LISTING, json.dumps(asdict(listing)).encode(), 0o600)
        place = self.path / listing.name
        self.unfinished.rename(place)
        sync_folder(self.path)
        return place

    def prune(self, keep: int) -> list[str]:
        """Removes all backups but the newest `keep`, and files that none needs; names the former.

        While one of those left is incomplete, nobody can tell which files it needs.
        """
        old = self.names()[:-keep]
        for name in old:
            shutil.rmtree(self.path / _REMOVING, ignore_errors=True)
            (self.path / name).rename(self.path / _REMOVING)
            sync_folder(self.path)
        shutil.rmtree(self.path / _REMOVING, ignore_errors=True)
        with suppress(BackupError):
            self._clean({path for name in self.names() for path in self.read(name).files})
        return old

    def _clean(self, needed: Container[str]) -> None:
        for path in self.path.glob(f"{BLOCKS}/*/*/*"):
            ours = _BLOCK.fullmatch(path.name)
            if ours and path.relative_to(self.path).as_posix() not in needed:
                path.unlink()
                with suppress(OSError):  # others are in there
                    path.parent.rmdir()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The folder is there and ours alone for the length of the block.

        Raises:
            BackupError: If it holds something else, or another backup is being made.
        """
        lock = self.path / _LOCK
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not lock.exists() and any(one.name != "lost+found" for one in self.path.iterdir()):
            raise BackupError(
                f"{self.path} holds something else; name an empty folder or one with backups"
            )
        with _locked(lock, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Nobody changes the folder for the length of the block.

        Raises:
            BackupError: If it is being changed, or is no folder of backups.
        """
        lock = self.path / _LOCK
        if not lock.exists() and self.names():  # copied by names that are not hidden
            yield
            return
        if not lock.exists():
            raise BackupError(
                f"{self.path} holds no backup; name the folder that the backup was made to"
            )
        with _locked(lock, os.O_RDONLY, fcntl.LOCK_SH):
            yield


def found(path: Path) -> tuple[BackupFolder, str]:
    """The backup that is meant by `path`: its own folder, or one with backups for the newest.

    Raises:
        BackupError: If there is none.
    """
    path = path.absolute()
    if _NAME.fullmatch(path.name):
        return BackupFolder(path.parent), path.name
    folder = BackupFolder(path)
    names = folder.names()
    if not names:
        begun = " finished" if folder.unfinished.exists() else ""
        raise BackupError(
            f"{path} holds no{begun} backup; make one: .venv/bin/python -m telemetry backup {path}"
        )
    return folder, names[-1]


@contextmanager
def _locked(lock: Path, flags: int, kind: int) -> Iterator[None]:
    descriptor = os.open(lock, flags, 0o600)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"{lock.parent} is in use by another command; wait for it") from None
        yield
    finally:
        os.close(descriptor)


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(path)
    return path


def _incomplete(place: Path, reason: str) -> str:
    return f"{place} is incomplete ({reason}); copy it again, or name an older one beside it"
