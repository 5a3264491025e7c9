"""Fixtures that every room uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import initialise
from telemetry.settings import Settings
from tests.support import Process, make_settings, start_broker

TOGETHER = ("browser", "broker", "crash")
"""Kinds of tests that would slow each other down, if several of a kind ran side by side."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hands tests out to workers: all of such a kind to one, the longest first; others by file."""

    def group(item: pytest.Item) -> str:
        kinds = (kind for kind in TOGETHER if item.get_closest_marker(kind))
        return next(kinds, item.nodeid.partition("::")[0])

    items.sort(key=lambda item: group(item) not in TOGETHER)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on an own data folder and free ports, without the simulated fleet."""
    return make_settings(tmp_path)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Process]:
    """A real broker on those settings; its logins are in `settings.secrets_dir`."""
    initialise(settings)
    process = start_broker(settings)
    yield process
    process.stop()
    end_orphan(settings)
