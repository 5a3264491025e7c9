"""Dying at a named point: production code has no hooks, tests wrap its functions."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any
from unittest import mock

Owner = type | ModuleType


class Fuse:
    """Kills this process the next time it is passed after so many times."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._counter = count(1)

    def burnt(self) -> bool:
        """Counts one pass; whether it is the last."""
        return next(self._counter) > self._passes

    def burn(self) -> None:
        """Counts one pass, and kills if it is the last."""
        if self.burnt():
            die()


def die() -> None:
    """Ends this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def dying_before(owner: Owner, name: str, fuse: Fuse) -> Iterator[None]:
    """Within the block, `fuse` is passed before each call of the function."""
    real = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        fuse.burn()
        return real(*arguments, **named)

    with mock.patch.object(owner, name, call):
        yield


@contextmanager
def dying_after(owner: Owner, name: str, fuse: Fuse) -> Iterator[None]:
    """Within the block, `fuse` is passed after each call of the function."""
    real = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        fuse.burn()
        return result

    with mock.patch.object(owner, name, call):
        yield
