"""Below a prefix: every address of ours begins with it, whether or not a proxy takes it off."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from werkzeug.test import TestResponse

from dashboard.app import create_app
from telemetry.settings import Settings
from tests.dashboard.pictures import every
from tests.dashboard.visits import PASSWORD, log_out
from tests.telemetry.builders import NOON_US, SECOND_US, fill

IOT = "/iot"
ADDRESS = re.compile(r'(?:href|src|action)\\?"?[=:] ?\\?"(/[^"\\]*)')


@pytest.fixture
def app(settings: Settings) -> Flask:
    """The application below /iot, at noon."""
    fill(settings.store_path, every(10 * SECOND_US, 3))
    return create_app(settings.model_copy(update={"http_prefix": IOT}), lambda: NOON_US)


def log_in(browser: FlaskClient, at: str) -> TestResponse:
    """Sends the form that is at that address."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(at).text)
    assert token is not None
    fields = {"username": "admin", "password": PASSWORD, "csrf_token": token[1]}
    return browser.post(at, data=fields)


def addresses(text: str) -> set[str]:
    """The paths that a document or an answer has."""
    return {path for path in ADDRESS.findall(text) if path != "/"}


def test_stranger_is_led_to_the_login_below_the_prefix_and_back(app: Flask) -> None:
    """Redirects, the form and its looks keep the prefix; the way back has it once."""
    browser = app.test_client()
    asked = browser.get(f"{IOT}/client?id=boiler")
    assert asked.status_code == 302
    assert asked.location == "/iot/login?next=/iot/client%3Fid%3Dboiler"
    page = browser.get(asked.location).text
    assert addresses(page)
    assert all(one.startswith("/iot/") for one in addresses(page))
    onward = log_in(browser, asked.location)
    assert onward.status_code == 302
    assert onward.location == "/iot/"
    assert log_out(browser, f"{IOT}/logout").location == "/iot/login"


def test_cookies_stay_below_the_prefix(app: Flask) -> None:
    """A neighbour on the same host is sent none of them."""
    browser = app.test_client()
    cookies = log_in(browser, f"{IOT}/login").headers.getlist("Set-Cookie")
    cookies += browser.get(f"{IOT}/client").headers.getlist("Set-Cookie")
    assert {one.split("=")[0] for one in cookies} == {"culex_session", "_csrf_token"}
    for one in cookies:
        assert re.search(r"Path=/iot/?(;|$)", one), one


def test_document_and_shell_ask_nothing_outside_the_prefix(app: Flask) -> None:
    """Scripts, styles, icon, navigation and the way out, in the document and in the layout."""
    browser = app.test_client()
    log_in(browser, f"{IOT}/login")
    for path in ("/client", "/_dash-layout"):
        answer = browser.get(f"{IOT}{path}")
        assert answer.status_code == 200
        found = addresses(answer.text if path == "/client" else json.dumps(answer.get_json()))
        assert found
        assert [one for one in found if not one.startswith("/iot/")] == []
    document = browser.get(f"{IOT}/client").text.replace("\\u002f", "/")
    assert '"requests_pathname_prefix":"/iot/"' in document, "the browser's side asks it"


@pytest.mark.parametrize("taken_off", [False, True])
def test_proxy_may_leave_the_prefix_or_take_it_off(app: Flask, *, taken_off: bool) -> None:
    """The browser sees no difference; probes of the machine itself need no prefix."""
    inner = app.wsgi_app

    def proxy(environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix(IOT) if taken_off else environ["PATH_INFO"]
        return inner(environ | {"PATH_INFO": path}, start)

    app.wsgi_app = proxy  # type: ignore[method-assign]  # Flask's own way
    browser = app.test_client()
    assert log_in(browser, f"{IOT}/login").location == "/iot/"
    assert browser.get(f"{IOT}/client").status_code == 200
    typo = browser.get(f"{IOT}/api/typo")
    assert (typo.status_code, typo.mimetype) == (404, "application/json")
    assert browser.get("/healthz").get_json() == {"status": "ok"}


def test_path_that_only_begins_like_the_prefix_is_no_page(app: Flask) -> None:
    """`/iotic` is somebody else's."""
    browser = app.test_client()
    log_in(browser, f"{IOT}/login")
    assert browser.get(f"{IOT}ic/client").status_code != 200


def test_manifest_names_the_address_below_the_prefix(app: Flask) -> None:
    """Whoever has the file finds it again."""
    browser = app.test_client()
    log_in(browser, f"{IOT}/login")
    query = "client=boiler&start=2026-11-01&end=2026-12-01&manifest=1"
    answer = browser.get(f"{IOT}/api/v1/readings?{query}")
    assert answer.status_code == 200
    told = {urlsplit(one).path for one in re.findall(r'"(https?://[^"]+)"', answer.text)}
    assert told
    assert all(one.startswith("/iot/") for one in told if "/api/" in one), told


@pytest.mark.parametrize("prefix", ["iot", "/iot/", "/", "//iot", "/i t", "/..", "/a?b"])
def test_prefix_that_is_no_path_is_refused(prefix: str) -> None:
    """It is said what to write."""
    with pytest.raises(ValidationError, match="write for example /iot"):
        Settings(http_prefix=prefix)
