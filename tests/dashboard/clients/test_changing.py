"""Changes of clients from their page: what was seen counts, and what became of it is said."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.clients import names
from dashboard.clients.page import PAGE
from dashboard.view import View, view_to_json
from mosquitto.access import Access, NewClient
from mosquitto.access_audit import audit_log
from mosquitto.access_users import OPERATOR, VIEWER, Users
from mosquitto.passwords import hashed
from telemetry.settings import Settings
from tests.dashboard.looks import look_at
from tests.dashboard.pictures import texts
from tests.dashboard.test_app import run, sent
from tests.dashboard.visits import PASSWORD, log_in, quick_hash
from tests.telemetry.builders import fill, looking

Browsers = Callable[[str, str], FlaskClient]


@pytest.fixture
def access(settings: Settings) -> Access:
    """A client boiler that may speak; no broker runs."""
    found = Access(settings.access_path)
    found.add_clients(NewClient("boiler", hashed("0a1b2c")))
    return found


@pytest.fixture
def browser_of(app: Flask, users: Users) -> Browsers:
    """Makes a browser of somebody with a role."""

    def make(name: str, role: str) -> FlaskClient:
        users.add(name, quick_hash(PASSWORD), role)
        browser = app.test_client()
        assert log_in(browser, username=name).status_code == 302
        return browser

    return make


def press(browser: FlaskClient, seen: object) -> Any:
    """What is answered to the button that shuts out or lets in."""
    values = {names.SWITCH: 1, names.SWITCH_SEEN: seen}
    return run(browser, sent(browser, f"{names.SAID}.children", values))


def seen(settings: Settings) -> dict[str, Any]:
    """What the page shows of the client boiler now."""
    with looking(fill(settings.store_path, [])) as snapshot:
        return dict(PAGE.answer(look_at(settings, snapshot, view=View(("boiler",)))))


def test_two_who_shut_out_the_same_client_do_not_let_it_in(
    browser_of: Browsers, settings: Settings, access: Access
) -> None:
    """The second saw it let in, whatever it is by now; then the button lets it in again."""
    ann, bob = browser_of("ann", OPERATOR), browser_of("bob", OPERATOR)
    before = seen(settings)
    assert before["switch_text"] == "Shut out"
    for browser in (ann, bob):
        said = press(browser, before["switch_seen"]).text
        assert "Client boiler is shut out, and was disconnected." in said
        client = access.client("boiler")
        assert client is not None
        assert client.enabled is False
    after = seen(settings)
    assert after["switch_text"] == "Let in"
    assert "Client boiler may speak again." in press(ann, after["switch_seen"]).text
    client = access.client("boiler")
    assert client is not None
    assert client.enabled is True
    log = [f"{one.actor.name}: {one.action}" for one in audit_log(settings.access_path, 3)]
    assert log == ["ann: client enabled", "bob: client disabled", "ann: client disabled"]


@pytest.mark.parametrize("button", [names.ROTATE, names.REMOVE])
def test_what_cannot_be_taken_back_is_asked_about_first(
    browser_of: Browsers, access: Access, button: str
) -> None:
    """The button asks; only the answer changes something, of the client that was asked about."""
    ann = browser_of("ann", OPERATOR)
    before = access.client("boiler")
    asking = sent(
        ann, f"{names.SURE_OF}.data", {button: 1, "view": view_to_json(View(("boiler",)))}
    )
    asked = run(ann, asking | {"changedPropIds": [f"{button}.n_clicks"]})
    assert "Client boiler" in asked.text
    of = asked.get_json()["response"][names.SURE_OF]["data"]
    assert of == {"what": button, "client": "boiler"}
    assert access.client("boiler") == before
    done = sent(ann, f"{names.SAID}.children", {names.CONFIRM: 1, names.SURE_OF: of})
    assert run(ann, done | {"changedPropIds": [f"{names.CONFIRM}.n_clicks"]}).status_code == 200
    assert access.client("boiler") != before


def test_viewer_shuts_nobody_out(browser_of: Browsers, access: Access) -> None:
    """Whatever its browser sends."""
    guest = browser_of("guest", VIEWER)
    assert press(guest, {"client": "boiler", "enabled": True}).status_code == 403
    client = access.client("boiler")
    assert client is not None
    assert client.enabled is True


@pytest.mark.usefixtures("access")
@pytest.mark.parametrize("sent_by", [None, 7, {"client": 7}, {"client": "x", "enabled": 1}])
def test_client_that_is_not_there_is_a_sentence(person: FlaskClient, sent_by: object) -> None:
    """As one that somebody else removed meanwhile."""
    assert "There is no client" in press(person, sent_by).text


def test_button_without_a_client_does_nothing(settings: Settings) -> None:
    """It is there, but cannot be pressed."""
    found = seen(settings)
    assert (found["switch"], found["switch_seen"]) == (True, None)
    assert "Choose a client below" in "".join(texts(found["chosen_client"]))


def test_authority_that_is_not_there_is_not_found(person: FlaskClient, settings: Settings) -> None:
    """With an existing broker Culex has none; one sentence says whom to ask."""
    answer = person.get("/ca.crt")
    assert (answer.status_code, answer.content_type) == (404, "text/plain")
    assert "ask whoever runs the broker" in answer.text
    settings.ca_file.write_text("a certificate")
    assert person.get("/ca.crt").text == "a certificate"
