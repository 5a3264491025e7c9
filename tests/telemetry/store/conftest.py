"""A store with its one writer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.interface import Appender
from telemetry.store import open_appender


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "culex.db"


@pytest.fixture
def appender(path: Path) -> Iterator[Appender]:
    """The store's one writer."""
    appender = open_appender(path)
    yield appender
    appender.close()
