"""Restoring: a data folder gets back what a backup has, all of it or nothing."""

import os
import shutil
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from telemetry.daemon import pid_file, prepare_folders
from telemetry.files import sync_folder
from telemetry.settings import Settings
from telemetry.store.backup_folder import (
    BLOCKS,
    BackupError,
    BackupFolder,
    Listing,
    Progress,
    found,
)
from telemetry.store.copying import CannotRead, Facts, copy_file, difference
from telemetry.store.head import SCHEMA, open_reader
from telemetry.store.manifest import every_block
from telemetry.store.reserve import free_bytes
from telemetry.switching import finish_switch, incoming, switch

_PROCESSES = ("collector", "broker", "dashboard", "demo", "init")
"""Whoever uses the data folder, by the names of their PID files."""

_MODES = {"culex.db": 0o640, "ca.crt": 0o644}
_BLOCK_MODE = 0o640
_SECRET_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of restoring.

    Attributes:
        source: The backup's own folder.
        listing: What belongs to it.
        replaced: Where lies what was there before, or `None` if nothing was.
    """

    source: Path
    listing: Listing
    replaced: Path | None


def restore(settings: Settings, source: Path, *, replace: bool, progress: Progress) -> Restored:
    """The data folder of these settings holds what a backup has.

    Everything is copied beside what is there and compared with its checksum; only then they
    change places, by a rename that is finished by whoever looks next if this process ends.

    Args:
        settings: Whose data folder.
        source: A folder of backups, for the newest, or a backup's own folder.
        replace: Whether a store that is there may be moved aside.
        progress: Is told what is going on.

    Raises:
        BackupError: If the backup is not whole, or the data folder holds something.
        AlreadyRunning: If a process of Culex runs there.
        OSError: If something could not be written.
    """
    folder, name = found(source)
    with ExitStack() as stack:
        stack.enter_context(folder.reading())
        listing = folder.read(name)
        _check_version(folder.path / name, listing)
        _check_place(settings, folder)
        prepare_folders(settings)
        for process in _PROCESSES:
            stack.enter_context(pid_file(settings, process))
        finish_switch(settings.data_dir)
        _check_target(settings, listing, replace=replace)
        place = incoming(settings.data_dir)
        try:
            _Bringing(folder, name, place, progress).bring(listing)
            _check_manifest(place / settings.store_path.name, listing)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        aside = settings.data_dir / f"replaced-{_serial(settings.data_dir)}"
        switch(settings.data_dir, _names(settings), aside.name)
    return Restored(folder.path / name, listing, aside if aside.exists() else None)


def _names(settings: Settings) -> list[str]:
    """What gives way, the SQLite file first: without it nobody takes the rest for a store."""
    store, access = settings.store_path.name, settings.access_path.name
    return [
        store, f"{store}-wal", f"{store}-shm", access, f"{access}-journal", BLOCKS,
        settings.secrets_dir.name, settings.ca_file.name,
    ]  # fmt: skip


def _check_version(place: Path, listing: Listing) -> None:
    if listing.schema > SCHEMA:
        raise BackupError(f"{place} was made by a later version of Culex; update Culex first")


def _check_place(settings: Settings, folder: BackupFolder) -> None:
    if settings.data_dir.resolve().is_relative_to(folder.path.resolve()):
        raise BackupError(f"{settings.data_dir} is inside {folder.path}; name a folder beside it")


def _check_target(settings: Settings, listing: Listing, *, replace: bool) -> None:
    data_dir = settings.data_dir
    there = [data_dir / name for name in _names(settings) if _holds_something(data_dir / name)]
    if there and not replace:
        raise BackupError(
            f"{data_dir} holds {there[0].name} already; "
            "add --replace to move what is there aside, or name another folder with --to"
        )
    free = free_bytes(data_dir)
    if listing.size > free:
        raise BackupError(
            f"{data_dir} has room for {free / 1e6:.0f} MB and {listing.size / 1e6:.0f} MB are "
            "needed; free some"
        )


def _holds_something(path: Path) -> bool:
    with suppress(NotADirectoryError, FileNotFoundError):
        return any(path.iterdir())
    return path.exists()


def _serial(data_dir: Path) -> int:
    """The next number of a folder for what was replaced."""
    taken = {one.name for one in data_dir.glob("replaced-*")}
    return next(n for n in range(1, len(taken) + 2) if f"replaced-{n}" not in taken)


def _check_manifest(store: Path, listing: Listing) -> None:
    """Every file that the store will look for came along, or is known to be missing."""
    with closing(open_reader(store)) as connection:
        wanted = {one.path: Facts(one.size, one.sha256) for one in every_block(connection)}
    for path, facts in wanted.items():
        if path not in listing.missing and listing.files.get(f"{BLOCKS}/{path}") != facts:
            raise BackupError(f"the backup does not list {path}; use an older one")


def _mode_of(file: str) -> int:
    return _BLOCK_MODE if file.startswith(f"{BLOCKS}/") else _MODES.get(file, _SECRET_MODE)


class _Bringing:
    """Copies a backup to `place`, durably and with the modes that a data folder has."""

    def __init__(self, folder: BackupFolder, name: str, place: Path, progress: Progress) -> None:
        self._folder = folder
        self._name = name
        self._place = place
        self._progress = progress
        self._owner = place.parent.stat()
        self._folders = {place}
        self._done = 0

    def bring(self, listing: Listing) -> None:
        """Everything is there.

        Raises:
            BackupError: If a file is not what it must be; the message names it.
        """
        for file, facts in listing.files.items():
            if file != Settings.toml_file.name:  # belongs to the project's folder, not to the data
                self._bring(file, facts, listing.size)
        for path in sorted(self._folders, reverse=True):
            sync_folder(path)

    def _bring(self, file: str, wanted: Facts, all_bytes: int) -> None:
        source, target = self._folder.place(self._name, file), self._place / file
        self._make(target.parent)
        try:
            reason = difference(
                wanted, copy_file(source, target, wanted, lambda more: self._count(more, all_bytes))
            )
        except CannotRead as error:
            reason = str(error)
        if reason:
            raise BackupError(f"{source}: {reason}; nothing was restored, use another backup")
        target.chmod(_mode_of(file))
        self._hand_over(target)

    def _make(self, folder: Path) -> None:
        if folder in self._folders:
            return
        self._make(folder.parent)
        is_history = BLOCKS in folder.relative_to(self._place).parts
        folder.mkdir(mode=0o750 if is_history else 0o700)
        self._hand_over(folder)
        self._folders.add(folder)

    def _hand_over(self, path: Path) -> None:
        """What root restores belongs to whom the data folder belongs."""
        if os.geteuid() == 0:
            os.chown(path, self._owner.st_uid, self._owner.st_gid, follow_symlinks=False)

    def _count(self, more: int, all_bytes: int) -> None:
        self._done += more
        self._progress("files of the backup", self._done, all_bytes)
