"""Blocks as files: written whole and durable, or not at all."""

import hashlib
import os
from collections.abc import Container, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from telemetry.files import sync_folder
from telemetry.store.copying import CannotRead, Counted, Facts, difference, facts_of, unheard
from telemetry.store.encoding import write_options
from telemetry.store.layout import SCHEMA, Block, Site, Tier, folder_of, schema_of

_UNFINISHED = ".{}.tmp"
UNREADABLE = (OSError, pa.ArrowException, ValueError)
"""What reading a damaged or foreign file raises."""

_METADATA = {b"culex.schema": str(SCHEMA).encode()}


class BlockWriter:
    """Writes a new file, table by table; it is no part of the store before the manifest says so.

    Args:
        site: Where, and as part of which build.
        tier: What the rows are.
        day_us: The day, or a day of the month, whose folder it lies in.
    """

    def __init__(self, site: Site, tier: Tier, day_us: int) -> None:
        self._tier = tier
        self._place = folder_of(tier, day_us) / f"{site.build}-{uuid4().hex[:16]}.parquet"
        self._path = site.root / self._place
        self._unfinished = self._path.with_name(_UNFINISHED.format(self._path.name))
        self._top = site.root.parent
        self._writer: pq.ParquetWriter | None = None
        self._times_us = (1 << 62, -(1 << 62))
        self.rows = 0

    def write(self, table: pa.Table, groups: Sequence[int] | None = None) -> None:
        """Adds rows, with the columns of the tier and in its order throughout.

        Args:
            table: What the first one is like decides how all are encoded.
            groups: How many rows each row group has; by default there is one.

        Raises:
            OSError: If it could not be written.
        """
        if not len(table):
            return
        table = table.cast(schema_of(self._tier))
        if self._writer is None:
            self._writer = self._open(table)
        start = 0
        for rows in groups or [len(table)]:
            self._writer.write_table(table.slice(start, rows), row_group_size=rows)
            start += rows
        times = pc.min_max(table["time"].cast(pa.int64()))
        first_us, last_us = self._times_us
        self._times_us = (min(first_us, times["min"].as_py()), max(last_us, times["max"].as_py()))
        self.rows += len(table)

    def _open(self, sample: pa.Table) -> pq.ParquetWriter:
        make_folder(self._path.parent, self._top)
        descriptor = os.open(self._unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
        os.close(descriptor)
        _hand_over(self._unfinished, self._top)
        schema = schema_of(self._tier).with_metadata(_METADATA)
        return pq.ParquetWriter(self._unfinished, schema, **write_options(sample))

    def finish(self) -> Block | None:
        """The file is on disk, durably, under its name; `None` if there was nothing to write.

        Raises:
            OSError: If it could not be written.
        """
        if self._writer is None:
            return None
        self._writer.close()
        with self._unfinished.open("rb") as file:
            os.fsync(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        self._unfinished.rename(self._path)
        sync_folder(self._path.parent)
        return Block(self._tier, str(self._place), sha256, size, self.rows, *self._times_us)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.give_up()

    def give_up(self) -> None:
        """Nothing is left of it; safe to call at any time."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
        self._unfinished.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


def make_folder(folder: Path, top: Path) -> None:
    """The folder is there, durably, with the parents it needs below `top`, which is there."""
    if folder.is_dir() or folder == top:
        return
    make_folder(folder.parent, top)
    folder.mkdir(mode=0o750, exist_ok=True)
    _hand_over(folder, top)
    sync_folder(folder.parent)


def _hand_over(path: Path, top: Path) -> None:
    """What root makes belongs to whom the data folder belongs: the collector need not be root."""
    if os.geteuid() == 0:
        owner = top.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def identity_of(path: Path) -> object:
    """What changes with the content of a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_ctime_ns


def open_block(path: Path, tier: Tier) -> pq.ParquetFile:
    """The file of a block, its checksums to be checked.

    Raises:
        OSError, pa.ArrowException, ValueError: If it cannot be read or is no block of that tier.
    """
    file = pq.ParquetFile(path, page_checksum_verification=True)
    if file.schema_arrow.names != schema_of(tier).names:
        file.close()
        raise ValueError("it has other columns than a block")
    return file


def fault_of(root: Path, block: Block, counted: Counted = unheard) -> str:
    """What is wrong with the file of a block, by its size and checksum; or an empty string."""
    try:
        found = facts_of(root / block.path, counted)
    except CannotRead as error:
        return str(error)
    return difference(Facts(block.size, block.sha256), found)


def remove_unfinished(root: Path, builds: Container[str], listed: Container[str]) -> list[str]:
    """Removes what builds have left that were given up, and returns the paths.

    Files that no build of ours has named are not touched.

    Args:
        root: The folder data/blocks.
        builds: Those that are over.
        listed: Whether a path is part of the store.
    """
    removed = []
    for path in root.glob("*/*/*"):
        place = path.relative_to(root).as_posix()
        build = path.name.lstrip(".").partition("-")[0]
        if build in builds and place not in listed:
            with suppress(OSError):  # the next time will do
                path.unlink(missing_ok=True)
                removed.append(place)
    return removed
