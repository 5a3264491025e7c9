"""Topics as a tree of which a few hundred rows are drawn, however many there are. Pure."""

import base64
import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

ROWS = 250
"""At most so many are drawn: the browser is told of each at every tick."""

DEEPEST = 16
"""What is below that level stands as one: a topic can have thousands of them."""

MARK = 4
"""Characters of a row's identifier that say which branch is meant: 24 bits."""

_ID_BYTES = 9
_FEW = 20


@dataclass(slots=True, eq=False)
class Branch:
    """A level of topics.

    Attributes:
        topics: How many topics there are at and below it.
        is_topic: Whether messages were heard on it itself.
        below: The next levels, by name.
    """

    topics: int = 0
    is_topic: bool = False
    below: dict[str, "Branch"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the tree.

    Attributes:
        path: The levels to it.
        level: Its own.
        depth: How many levels are above.
        topics: How many topics there are at and below it.
        is_topic: Whether messages were heard on it itself.
        open: Whether what is below it follows; None if there is nothing.
        left_out: It is none, but stands for so many beside it that are not drawn.
    """

    path: str
    level: str
    depth: int
    topics: int = 0
    is_topic: bool = False
    open: bool | None = None
    left_out: int = 0

    @property
    def id(self) -> str:
        """What the row is called; it begins with the mark of its branch."""
        return id_of(f"{self.path}\n" if self.left_out else self.path)


def id_of(path: str) -> str:
    """The identifier of the row of a path: twelve characters.

    >>> len(id_of("clients/a")), id_of("clients/a") == id_of("clients/b")
    (12, False)
    """
    digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()


@lru_cache(maxsize=4)
def grown(names: tuple[str, ...], search: str) -> Branch:
    """The tree of these topics, of those that contain a text; upper and lower case are one."""
    root, wanted = Branch(), search.casefold()
    for name in names:
        if wanted and wanted not in name.casefold():
            continue
        node = root
        node.topics += 1
        for level in name.split("/", DEEPEST - 1):
            below = node.below.get(level)
            if below is None:
                below = node.below[level] = Branch()
            node = below
            node.topics += 1
        node.is_topic = True
    _sort(root)
    return root


def _sort(branch: Branch) -> None:
    branch.below = dict(sorted(branch.below.items()))
    for one in branch.below.values():
        _sort(one)


def drawn(
    root: Branch, opened: Collection[str], shut: Collection[str], at_most: int = ROWS
) -> list[Node]:
    """The rows of a tree, from top to bottom.

    What a reader has opened has room first, then as many levels as fit. Where not all of a level
    has room, a row says how many are left out.

    Args:
        root: The tree.
        opened: The marks of branches that a reader has opened.
        shut: The marks of those that a reader has closed.
        at_most: How many rows there are, but for those that say what is left out, and for a few
            of each branch that a reader has opened.
    """
    shown = {root: min(len(root.below), at_most)}

    def asked(path: str, need: int, room: int) -> int:
        return min(need, max(room // 2, _FEW)) if id_of(path)[:MARK] in opened else 0

    def fitting(path: str, need: int, room: int) -> int:
        fits = need <= room and id_of(path)[:MARK] not in shut
        return need if fits else asked(path, need, room)

    _open(root, shown, at_most, asked)
    for branch, rows in shown.items():
        shown[branch] = min(len(branch.below), rows + max(0, at_most - sum(shown.values())))
    _open(root, shown, at_most, fitting)
    return list(_rows(root, None, 0, shown))


_Share = Callable[[str, int, int], int]
"""How many rows a branch gets, by its path, how many it has, and for how many there is room."""


def _open(root: Branch, shown: dict[Branch, int], at_most: int, share: _Share) -> None:
    """Gives branches their rows, level by level."""
    waiting: deque[tuple[str | None, Branch]] = deque([(None, root)])
    while waiting:
        path, branch = waiting.popleft()
        for level, below in islice(branch.below.items(), shown[branch]):
            inner = _joined(path, level)
            if below.below and below not in shown:
                rows = share(inner, len(below.below), at_most - sum(shown.values()))
                if rows:
                    shown[below] = rows
            if below in shown:
                waiting.append((inner, below))


def _rows(branch: Branch, path: str | None, depth: int, shown: dict[Branch, int]) -> Iterator[Node]:
    for level, below in islice(branch.below.items(), shown[branch]):
        inner = _joined(path, level)
        state = below in shown if below.below else None
        yield Node(inner, level, depth, below.topics, below.is_topic, state)
        if below in shown:
            yield from _rows(below, inner, depth + 1, shown)
    left_out = len(branch.below) - shown[branch]
    if left_out:
        yield Node(path or "", "", depth, left_out=left_out)


def _joined(path: str | None, level: str) -> str:
    return level if path is None else f"{path}/{level}"
