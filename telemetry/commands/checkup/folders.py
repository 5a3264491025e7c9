"""Whose the files are, who else can read them, and how much room there is for more."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from telemetry.finding import Finding, Severity
from telemetry.settings import Settings
from telemetry.words import counted

FAIL, WARN, OK = Severity.FAIL, Severity.WARN, Severity.OK

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WORLD = stat.S_IRWXO
_NAMED = 3
_PUBLIC = ".crt"  # Culex writes these for all to read: every peer is shown them
_SHARE_LEFT = 0.05


def check_folders(settings: Settings) -> Iterator[Finding]:
    """The folders are ours to write, and the world does not read the logs."""
    owner = settings.data_dir.stat().st_uid
    folders = (settings.data_dir, settings.logs_dir, settings.run_dir, settings.secrets_dir)
    there = [one for one in folders if one.is_dir()]
    closed = [one for one in there if not os.access(one, os.R_OK | os.W_OK | os.X_OK)]
    foreign = [one for one in _ours(settings) if one.stat().st_uid != owner]
    if closed:
        remedy = f"make it yours: chown -R $USER {settings.data_dir}"
        yield Finding("folders", FAIL, f"{_names(closed)} cannot be written", remedy=remedy)
    if foreign and os.geteuid() != 0:
        seen = f"{_names(foreign)} {_belong(foreign)} to somebody else than {settings.data_dir}"
        yield Finding("folders", WARN, seen, remedy="run all of Culex as one account")
    logs = settings.logs_dir
    if logs.is_dir() and logs.stat().st_mode & _WORLD:
        seen = f"Everybody on this machine can read {logs}, which names clients and addresses"
        yield Finding("logs", WARN, seen, remedy=f"run chmod o-rwx {logs}")
    if not closed and not foreign:
        yield Finding("folders", OK, f"The folders in {settings.data_dir} are in order")


def _ours(settings: Settings) -> list[Path]:
    """What the collector writes; the broker's folder may be another account's."""
    found = [settings.store_path, settings.access_path, settings.logs_dir, settings.run_dir]
    return [one for one in found if one.exists()]


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Keys and passwords are readable by their owner alone; a certificate is no secret."""
    folder = settings.secrets_dir
    if not folder.is_dir():
        remedy = "run .venv/bin/python -m mosquitto init, or make run"
        yield Finding("secrets", FAIL, f"There is no folder {folder}", remedy=remedy)
        return
    try:
        paths = [folder, *sorted(folder.rglob("*"))]
        modes = {one: one.lstat().st_mode for one in paths if one.suffix != _PUBLIC}
    except PermissionError:
        remedy = "run doctor as the account that runs Culex"
        yield Finding("secrets", WARN, f"{folder} cannot be read", remedy=remedy)
        return
    bare = [one for one, mode in modes.items() if mode & _OTHERS and not stat.S_ISLNK(mode)]
    if bare:
        remedy = f"run chmod -R go= {folder}, and give new passwords if somebody may have read them"
        yield Finding("secrets", FAIL, f"Others here can read {_names(bare)}", remedy=remedy)
        return
    files = sum(stat.S_ISREG(mode) for mode in modes.values())
    yield Finding("secrets", OK, f"{counted(files, 'secret')}, readable by their owner alone")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """There is room."""
    room = shutil.disk_usage(settings.data_dir)
    free_mb = room.free // 1_000_000
    seen = f"{free_mb} MB of the disk are free ({room.free / room.total:.0%})"
    remedy = "make room on the disk, or keep less: see keep_readings in culex.toml"
    if free_mb <= max(settings.reserve_mb, 1):
        yield Finding("disk", FAIL, seen, remedy=remedy)
    elif free_mb < settings.low_disk_mb:
        cause = "The oldest readings go before their time while it is below low_disk_mb"
        yield Finding("disk", WARN, seen, cause, remedy)
    elif room.free < _SHARE_LEFT * room.total:
        yield Finding("disk", WARN, seen, remedy=remedy)
    else:
        yield Finding("disk", OK, seen)


def _names(paths: list[Path]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(map(str, paths[:_NAMED])) + (f" and {more} more" if more > 0 else "")


def _belong(paths: list[Path]) -> str:
    return "belongs" if len(paths) == 1 else "belong"
