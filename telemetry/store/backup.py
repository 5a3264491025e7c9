"""Backup: a copy of the store, its logins and keys, as they are at one moment, while all runs on.

A reader makes it. The SQLite file comes first, and then every file that the copy's manifest lists:
they never change, so they are linked or copied once and shared by all backups in a folder.
"""

import shutil
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from telemetry.clock import Clock, now_us
from telemetry.files import sync_folder
from telemetry.interface import StoreMissing
from telemetry.settings import Settings
from telemetry.store.backup_blocks import Swept, Taking
from telemetry.store.backup_folder import BLOCKS, BackupError, BackupFolder, Listing, Progress
from telemetry.store.copying import CannotRead, Facts, copy_file, facts_of, unheard
from telemetry.store.head import copy_database, open_reader, schema_of, sequence_of
from telemetry.store.manifest import every_block
from telemetry.store.reserve import free_bytes

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """How a backup is to be made.

    Attributes:
        keep: So many stay in the folder, the newest.
        verify: Whether to read again what is there from before, and to copy what is wrong of it.
    """

    keep: int = 7
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a backup.

    Attributes:
        path: Its own folder.
        listing: What belongs to it.
        taken: How the files of the history came there.
        removed: The names of older ones that were removed.
    """

    path: Path
    listing: Listing
    taken: Taking
    removed: list[str]


def back_up(
    settings: Settings, folder: Path, wish: Wish, progress: Progress, clock: Clock = now_us
) -> Made:
    """The store of these settings has one backup more in `folder`, which may be new.

    Until it is whole, those that were there are all there are, and none of them is touched. What
    one has brought there that was interrupted is not brought again.

    Raises:
        BackupError: If that is no place for it, or has no room.
        StoreError: If the store cannot be read.
        OSError: If something could not be written.
    """
    folder = folder.absolute()
    if folder.resolve().is_relative_to(settings.data_dir.resolve()):
        raise BackupError(f"{folder} is inside {settings.data_dir}; name a folder beside it")
    if not settings.store_path.exists():
        raise StoreMissing(f"{settings.store_path} does not exist yet; there is nothing to back up")
    backups = BackupFolder(folder)
    with backups.changing():
        for _ in range(_ATTEMPTS):
            try:
                return _made(settings, backups, wish, progress, clock)
            except Swept:
                continue
    raise BackupError(
        "files of the history are replaced faster than they can be copied; try again later"
    )


def _made(
    settings: Settings, backups: BackupFolder, wish: Wish, progress: Progress, clock: Clock
) -> Made:
    place = backups.unfinished
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(mode=0o700)
    (backups.path / BLOCKS).mkdir(mode=0o700, exist_ok=True)
    made_us = _moment(backups, clock)
    files = _copy_databases(settings, place, progress)
    with closing(open_reader(place / settings.store_path.name)) as copy:
        blocks, schema, sequence = every_block(copy), schema_of(copy), sequence_of(copy)
    files |= _copy_small(settings, place)
    taking = Taking(settings.store_path, backups.path / BLOCKS, progress)
    _check_room(taking.room_needed(blocks), backups.path)
    taking.take(blocks, verify=wish.verify)
    sync_folder(place)
    listing = Listing(made_us, schema, sequence, files | taking.facts, taking.missing)
    return Made(backups.publish(listing), listing, taking, backups.prune(wish.keep))


def _moment(backups: BackupFolder, clock: Clock) -> int:
    """Now, but after the newest backup: one made when the clock was put back is no older."""
    names = backups.names()
    try:
        return max(clock(), backups.read(names[-1]).made_us + 1) if names else clock()
    except BackupError:
        return clock()


def _copy_databases(settings: Settings, place: Path, progress: Progress) -> dict[str, Facts]:
    found = [one for one in (settings.store_path, settings.access_path) if one.exists()]
    _check_room(sum(one.stat().st_size for one in found), place)
    for one in found:
        copy_database(one, place / one.name, partial(progress, one.name))
    return {one.name: facts_of(place / one.name, unheard) for one in found}


def _copy_small(settings: Settings, place: Path) -> dict[str, Facts]:
    """Keys, logins and settings: what a restored machine needs beside the store."""
    secrets = settings.secrets_dir
    found = [settings.ca_file, settings.toml_file]
    copied: dict[str, Facts] = {}
    for source in [one for one in found if one.is_file()]:
        copied[source.name] = _copied(source, place / source.name)
    (place / secrets.name).mkdir(mode=0o700)
    for source in sorted(secrets.iterdir()) if secrets.is_dir() else []:
        if source.is_file() and not source.name.startswith("."):
            name = f"{secrets.name}/{source.name}"
            copied[name] = _copied(source, place / name)
    sync_folder(place / secrets.name)
    return copied


def _copied(source: Path, target: Path) -> Facts:
    try:
        return copy_file(source, target, None, unheard)
    except CannotRead as error:
        raise BackupError(f"{source}: {error}; run this as its owner") from None


def _check_room(needed: int, folder: Path) -> None:
    free = free_bytes(folder)
    if needed > free:
        raise BackupError(
            f"{folder} has room for {free / 1e6:.0f} MB and {needed / 1e6:.0f} MB are needed; "
            "free some or name another folder"
        )
