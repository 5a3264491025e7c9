"""Changes of clients from the page."""

import pytest
from flask import Flask

from dashboard.clients.changing import rotated
from dashboard.engine import Engine
from telemetry.settings import Settings
from tests.telemetry.builders import NOON_US


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """The page's engine; no store is asked."""
    return Engine(None, settings, lambda: NOON_US)  # type: ignore[arg-type]  # see above


@pytest.mark.usefixtures("deaf_broker")
def test_new_password_that_the_broker_did_not_take_is_shown(engine: Engine, app: Flask) -> None:
    """With a sentence that says when it counts."""
    with app.test_request_context():
        shown, said = rotated(engine, "tank")
    assert "Copy password" in str(shown)
    assert "takes the new password within a minute" in str(said)


def test_new_password_of_a_client_that_is_not_there_is_a_sentence(
    engine: Engine, app: Flask
) -> None:
    """And no login."""
    with app.test_request_context():
        _, said = rotated(engine, "ghost")
    assert "no client ghost" in str(said)
