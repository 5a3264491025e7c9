"""A fleet for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.fleet.looks import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A store without clients, whose collector runs."""
    made = Fleet(tmp_path)
    yield made
    made.close()
