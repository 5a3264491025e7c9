"""Work on the next blocks of a file while the last one is taken."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

WORKERS = 2
"""Threads; pyarrow and numpy run beside each other, the rest takes turns."""
AHEAD = 4
"""Blocks that may wait, done or not."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What `work` makes of each item, in order, a few items ahead of who asks.

    What an item or its iterator raises comes where its result would have come.

    >>> list(ahead(str, range(10))) == [str(number) for number in range(10)]
    True
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(WORKERS, "import") as pool:
        try:
            for item in _failing_late(items, waiting):
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _failing_late(items: Iterable[Item], waiting: deque[Future[Result]]) -> Iterator[Item]:
    """The items; what their iterator raises is left to wait behind those that came before."""
    try:
        yield from items
    except Exception as error:  # noqa: BLE001  # raised again, in its place
        late: Future[Result] = Future()
        late.set_exception(error)
        waiting.append(late)
