"""A data folder with a user, and what a browser does to log in there."""

import re
from functools import cache
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.people import hash_password
from mosquitto.access import Access
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings
from tests.support import make_settings

PASSWORD = "correct horse battery"  # noqa: S105  # the password of tests alone


@cache
def _hash() -> str:
    return hash_password(PASSWORD)  # slow on purpose, so once for all tests


def prepared(folder: Path) -> Settings:
    """Settings on a data folder with the user admin and no store yet."""
    settings = make_settings(folder)
    prepare_folders(settings)
    access = Access(settings.access_path)
    access.prepare()
    access.add_user("admin", _hash(), "admin")
    return settings


def form_token(browser: FlaskClient) -> str:
    """The token that the login form carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
    assert found is not None
    return found[1]


def log_in(browser: FlaskClient, **changes: str) -> TestResponse:
    """Sends the login form, with these changes."""
    fields = {"username": "admin", "password": PASSWORD, "csrf_token": form_token(browser)}
    return browser.post("/login", data=fields | changes)


def callback_headers(browser: FlaskClient) -> dict[str, str]:
    """What the page's script sends with each callback."""
    browser.get("/client")
    cookie = browser.get_cookie("_csrf_token")
    assert cookie is not None
    return {"X-CSRFToken": cookie.value}
