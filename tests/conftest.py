"""Fixtures that every room uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import structlog

from mosquitto import live
from mosquitto.broker import end_orphan
from mosquitto.provision import add_client, initialise
from telemetry.settings import Settings
from tests.support import Process, make_settings, start_broker


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that runs within a test says where its log lines go; the next test does not ask."""
    yield
    structlog.reset_defaults()


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


@pytest.fixture
def deaf_broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that runs on those settings and does not listen; nobody waits until it does.

    It has a client tank.
    """
    initialise(settings)
    add_client(settings, "tank")
    monkeypatch.setattr(live, "_STARTING_S", 0.0)
    monkeypatch.setattr(live, "find_running", lambda _settings: psutil.Process(os.getpid()))
