"""Files of the history on their way into a folder of backups, each once."""

from contextlib import closing, suppress
from pathlib import Path

from telemetry.files import sync_folder
from telemetry.store.archive import DROPPED
from telemetry.store.backup_folder import BLOCKS, Progress
from telemetry.store.copying import (
    CannotRead,
    Facts,
    copy_file,
    difference,
    facts_of,
    link_file,
)
from telemetry.store.head import open_reader
from telemetry.store.layout import Block, blocks_folder
from telemetry.store.manifest import is_listed


class Swept(Exception):
    """A file is gone, for it is no part of the store any more: the manifest is out of date."""


class Taking:
    """Takes files of the history into the folder `target`.

    Attributes:
        facts: What each file is that is there, by path.
        missing: Why others are not.
        linked: How many became a second name of those of the store.
        copied: How many were copied.
        kept: How many were there from before.
    """

    def __init__(self, store: Path, target: Path, progress: Progress) -> None:
        self._store = store
        self._root = blocks_folder(store)
        self._target = target
        self._progress = progress
        self._done = self._all = 0
        self.facts: dict[str, Facts] = {}
        self.missing: dict[str, str] = {}
        self.linked = self.copied = self.kept = 0

    def take(self, blocks: list[Block], *, verify: bool) -> None:
        """All these are there, durably, or known to be missing.

        Args:
            blocks: What the manifest lists.
            verify: Whether to read again what is there from before.

        Raises:
            Swept: If the manifest is out of date.
            OSError: If one could not be written.
        """
        self._all = sum(one.size for one in blocks)
        for block in blocks:
            done = self._done + block.size
            self._take(block, verify=verify)
            self._count(done - self._done)
        for folder in {(self._target / one.path).parent for one in blocks}:
            for one in (folder, folder.parent):
                if one.is_dir():
                    sync_folder(one)
        sync_folder(self._target)

    def room_needed(self, blocks: list[Block]) -> int:
        """How many bytes they take there, beside what is there; links take none."""
        if self._root.exists() and self._root.stat().st_dev == self._target.stat().st_dev:
            return 0
        return sum(one.size for one in blocks if not self._is_there(one))

    def _is_there(self, block: Block) -> bool:
        place = self._target / block.path
        return place.is_file() and place.stat().st_size == block.size

    def _take(self, block: Block, *, verify: bool) -> None:
        place, wanted = self._target / block.path, Facts(block.size, block.sha256)
        if self._is_there(block) and (not verify or self._is_right(place, wanted)):
            self.kept += 1
            reason = ""
        else:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            reason = self._arrive(block, place, wanted)
        if reason:
            self.missing[block.path] = reason
        else:
            self.facts[f"{BLOCKS}/{block.path}"] = wanted

    def _is_right(self, place: Path, wanted: Facts) -> bool:
        with suppress(CannotRead):
            return facts_of(place, self._count) == wanted
        return False

    def _arrive(self, block: Block, place: Path, wanted: Facts) -> str:
        """Links or copies a file that is as it must be; else says what is wrong with it."""
        while (source := self._source(block)) is not None:
            try:
                return self._bring(source, place, wanted)
            except CannotRead as error:
                if not error.missing:  # or the store has put it aside just now
                    return str(error)
        return "it is missing"

    def _source(self, block: Block) -> Path | None:
        """Where the file is now: the store may have put it aside since.

        Raises:
            Swept: If it has been removed since.
        """
        for place in (self._root / block.path, self._root / DROPPED / Path(block.path).name):
            if place.is_file():
                return place
        with closing(open_reader(self._store)) as connection:
            if not is_listed(connection, block.path):
                raise Swept(block.path)
        return None

    def _bring(self, source: Path, place: Path, wanted: Facts) -> str:
        if _disk_of(source) == place.parent.stat().st_dev:
            reason = difference(wanted, facts_of(source, self._count))
            if reason or link_file(source, place):
                self.linked += not reason
                return reason
        reason = difference(wanted, copy_file(source, place, wanted, self._count))
        self.copied += not reason
        return reason

    def _count(self, more: int) -> None:
        self._done = min(self._done + more, self._all)
        self._progress("files of the history", self._done, self._all)


def _disk_of(source: Path) -> int:
    try:
        return source.stat().st_dev
    except OSError as error:
        raise CannotRead(error) from error
