"""Fixtures: a prepared data folder, the application on it, and who visits it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_app
from dashboard.people import add_token
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from telemetry.settings import Settings
from tests.dashboard.visits import log_in, prepared
from tests.telemetry.builders import NOON_US


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on a data folder with the user admin and no store yet."""
    return prepared(tmp_path)


@pytest.fixture
def users(settings: Settings) -> Users:
    """Who may look there."""
    return Users(settings.access_path)


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    """Which programs may read there."""
    return Tokens(settings.access_path)


@pytest.fixture
def app(settings: Settings) -> Flask:
    """The application, at noon."""
    return create_app(settings, lambda: NOON_US)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser without a login."""
    return app.test_client()


@pytest.fixture
def person(app: Flask) -> FlaskClient:
    """A browser whose user is logged in."""
    browser = app.test_client()
    assert log_in(browser).status_code == 302
    return browser


@pytest.fixture
def bearer(tokens: Tokens) -> Callable[[], dict[str, str]]:
    """Makes the headers of a program with a token of its own."""
    return lambda: {"Authorization": f"Bearer {add_token(tokens, 'program')}"}
