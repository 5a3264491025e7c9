"""Fixtures that every room uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import initialise
from telemetry.settings import Settings
from tests.support import Process, make_settings, start_broker


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
