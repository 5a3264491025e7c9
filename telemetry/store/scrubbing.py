"""Scrubbing: files of the history are read again now and then, and what is wrong is marked.

A marked file is asked nothing, and its day is not made anew, until the file is as it was.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from telemetry.store.block import fault_of, identity_of
from telemetry.store.head import Connection, note_change, snapshot
from telemetry.store.layout import Block, Site
from telemetry.store.manifest import damaged_blocks, known_damage, mark_file, numbered_blocks
from telemetry.window import HOUR_US, SECOND_US

SCRUB_US = 6 * HOUR_US
"""So often some files are read; each comes once a week."""

_SHARES = 28  # of the history, in a week
_LEAST_BYTES = 64_000_000
_BYTES_PER_S = 32_000_000
_TOGETHER_BYTES = 64_000_000
_LOOK_US = 60 * SECOND_US

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        reasons: What is wrong with each file, by path; empty if nothing is.
        last: The number of the last block, if a round goes on behind it.
    """

    reasons: Mapping[str, str]
    last: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What of it nobody knew.

    Attributes:
        wrong: Why files cannot be read, by path.
        right: Files that were marked and are as they must be.
    """

    wrong: Mapping[str, str]
    right: Sequence[str]


@dataclass(frozen=True, slots=True)
class Scrub:
    """Reads the files whose turn it is: a share of them, first those that were not read longest.

    Attributes:
        due_us: Since when; one that is due later is another task.
    """

    due_us: int

    def build(self, connection: Connection, site: Site) -> Generator[Checked]:
        """What was found, some files at a time."""
        with snapshot(connection):
            blocks = numbered_blocks(connection, _last(connection))
        for some in _together(_share(blocks)):
            reasons = {block.path: _fault(site.root, block) for _, block in some}
            yield Checked(reasons, some[-1][0])


@dataclass(frozen=True, slots=True)
class Recheck:
    """Reads the files that are marked, for something has happened to one of them.

    Attributes:
        files: Their paths, each with what changes when its content does.
    """

    files: tuple[tuple[str, object], ...]

    def build(self, connection: Connection, site: Site) -> Generator[Checked]:
        """What was found."""
        with snapshot(connection):
            blocks = [block for block, _ in damaged_blocks(connection)]
        yield Checked({block.path: _fault(site.root, block) for block in blocks})


class Suspects:
    """Looks each minute what has become of the files that are marked."""

    def __init__(self, connection: Connection, root: Path) -> None:
        self._connection = connection
        self._root = root
        self._looked_us: int | None = None
        self._recheck: Recheck | None = None

    def recheck(self, now_us: int) -> Recheck | None:
        """The task that is due, the same until something happens; `None` if nothing is marked."""
        if self._looked_us is None or not 0 <= now_us - self._looked_us < _LOOK_US:
            self._looked_us = now_us
            paths = [one.path for one in known_damage(self._connection)]
            files = tuple((path, identity_of(self._root / path)) for path in paths)
            self._recheck = Recheck(files) if files else None
        return self._recheck


def news_of(connection: Connection, checked: Checked) -> News:
    """What changes by it.

    A part of which the head still has a half is right only as a whole.
    """
    marked = damaged_blocks(connection)
    before = {block.path: reason for block, reason in marked}
    found = checked.reasons
    wrong = {path: why for path, why in found.items() if why and before.get(path) != why}
    bad = {block.part for block, _ in marked if found.get(block.path) != ""}
    right = [
        block.path
        for block, _ in marked
        if found.get(block.path) == "" and (block.through is None or block.part not in bad)
    ]
    return News(wrong, right)


def note(connection: Connection, checked: Checked, news: News) -> None:
    """Marks what is wrong, and takes the mark from what is right again; in a transaction."""
    for path, reason in [*news.wrong.items(), *((path, "") for path in news.right)]:
        mark_file(connection, path, reason)
    if news.wrong or news.right:
        note_change(connection)
    if checked.last is not None:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('scrubbed', ?)", (checked.last,))


def tell(news: News) -> None:
    """Leaves it in the log."""
    for path, reason in news.wrong.items():
        log.error("a file of the history is damaged", path=path, reason=reason)
    for path in news.right:
        log.info("a file of the history is right again", path=path)


def _last(connection: Connection) -> int:
    """The number of the block that was read last."""
    row = connection.execute("SELECT value FROM state WHERE key = 'scrubbed'").fetchone()
    return int(row[0]) if row else 0


def _share(blocks: Sequence[tuple[int, Block]]) -> Iterator[tuple[int, Block]]:
    left = max(sum(block.size for _, block in blocks) // _SHARES, _LEAST_BYTES)
    for number, block in blocks:
        if left <= 0:
            return
        left -= block.size
        yield number, block


def _together(blocks: Iterable[tuple[int, Block]]) -> Iterator[list[tuple[int, Block]]]:
    """The same in lists of some size: each of them is a commit."""
    some: list[tuple[int, Block]] = []
    for one in blocks:
        some.append(one)
        if sum(block.size for _, block in some) >= _TOGETHER_BYTES:
            yield some
            some = []
    if some:
        yield some


def _fault(root: Path, block: Block) -> str:
    """What is wrong with a file, or an empty string; reads it slowly, for others read as well."""
    return fault_of(root, block, lambda more: time.sleep(more / _BYTES_PER_S))
