"""A data folder with a user, and what a browser does to log in there."""

import re
from functools import cache
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from mosquitto.access_users import Users
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings
from tests.support import make_settings

PASSWORD = "correct horse battery"  # noqa: S105  # the password of tests alone


@cache
def quick_hash(password: str) -> str:
    """What is kept of a password, of the dashboard's own kind but quickly compared."""
    return generate_password_hash(password, "scrypt:1024:8:1")


def prepared(folder: Path) -> Settings:
    """Settings on a data folder with the user admin and no store yet."""
    settings = make_settings(folder)
    prepare_folders(settings)
    Users(settings.access_path).add("admin", quick_hash(PASSWORD), "admin")
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


def log_out(browser: FlaskClient, path: str = "/logout") -> TestResponse:
    """Sends the form of the button Log out, from the page that is below the same address."""
    folder = path.removesuffix("logout")
    browser.get(folder)
    token = browser.get_cookie("_csrf_token", path=folder)
    assert token is not None
    return browser.post(path, data={"csrf_token": token.value})


def callback_headers(browser: FlaskClient) -> dict[str, str]:
    """What the page's script sends with each callback."""
    browser.get("/client")
    cookie = browser.get_cookie("_csrf_token")
    assert cookie is not None
    return {"X-CSRFToken": cookie.value}
