"""Details of a client on its page: what is shown, who may change it, and what is refused."""

from pathlib import Path

import pytest
from flask import Flask
from flask_login import LoginManager, login_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard.client.details import FIELDS, opened, save, shown
from dashboard.people import Person
from mosquitto.access import Access, User
from mosquitto.detail import Detail, Kept
from tests.dashboard.pictures import HOSTILE, texts

FULL = Detail("tank", "Oil tank", "SN-7", "00:1b:44:11:3a:b7", ("roof", "new"), "one\ntwo")
SAID: dict[str, object] = {
    "description": " Oil tank",
    "serial_number": "SN-7",
    "mac_address": "00-1B-44-11-3A-B7",
    "tags": "roof, new",
    "notes": "one\ntwo",
}
NEW = {"client": "tank", "changed_us": 0}


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """An access.db whose clock ticks with each question."""
    ticks = iter(range(1, 1000))
    return Access(tmp_path / "access.db", clock=lambda: next(ticks))


@pytest.fixture
def request_of(tmp_path: Path) -> Flask:
    """An application in whose requests somebody can be logged in."""
    app = Flask("people", root_path=str(tmp_path))
    app.secret_key = "of tests alone"  # noqa: S105  # signs nothing that counts
    LoginManager(app).user_loader(lambda _: None)
    return app


def log_in_as(role: str) -> None:
    """Logs somebody of that role in."""
    login_user(Person(User("ann", "hash", role, 0)))


def test_operator_keeps_what_was_entered(access: Access, request_of: Flask) -> None:
    """Tidied, with who said so."""
    with request_of.test_request_context():
        log_in_as("operator")
        assert save(access, NEW, SAID) == ""
    kept = access.detail("tank")
    assert kept is not None
    assert (kept.detail, kept.changed_by) == (FULL, "ann")


@pytest.mark.parametrize("role", ["viewer", "", "<b>"])
def test_others_change_nothing(access: Access, request_of: Flask, role: str) -> None:
    """Whatever their page sent, and they are told who can."""
    with request_of.test_request_context():
        log_in_as(role)
        assert "ask an operator" in save(access, NEW, SAID)
        assert "ask an operator" in str(opened(access, "tank")[1])
    assert access.details() == {}


def test_nobody_without_a_login_changes_anything(access: Access, request_of: Flask) -> None:
    """A request that carries no session has no role."""
    with request_of.test_request_context():
        assert "ask an operator" in save(access, NEW, SAID)
    assert access.details() == {}


def test_form_opens_with_what_is_known(access: Access, request_of: Flask) -> None:
    """And remembers which state of it that was."""
    access.put_detail(FULL, "bob")
    with request_of.test_request_context():
        log_in_as("admin")
        is_open, fault, title, edited, *values = opened(access, "tank")
    assert (is_open, fault, title) == (True, "", "Details of tank")
    assert edited == {"client": "tank", "changed_us": 1}
    assert values == ["Oil tank", "SN-7", "00:1b:44:11:3a:b7", "roof, new", "one\ntwo"]
    assert len(values) == len(FIELDS)


def test_what_another_changed_meanwhile_is_not_overwritten(
    access: Access, request_of: Flask
) -> None:
    """The form was opened before; it says who was faster."""
    with request_of.test_request_context():
        log_in_as("operator")
        edited = opened(access, "tank")[3]
        access.put_detail(Detail("tank", "Water tank"), "bob")
        assert save(access, edited, SAID).startswith("bob changed these details meanwhile")
    kept = access.detail("tank")
    assert kept is not None
    assert kept.detail.description == "Water tank"


@pytest.mark.parametrize("edited", [None, [], {"client": 7}, {}])
def test_form_of_no_client_is_refused(access: Access, request_of: Flask, edited: object) -> None:
    """A browser can send anything."""
    with request_of.test_request_context():
        log_in_as("operator")
        assert "belongs to no client" in save(access, edited, SAID)


def test_fault_is_a_sentence(access: Access, request_of: Flask) -> None:
    """With a capital letter and a full stop, and nothing is kept."""
    with request_of.test_request_context():
        log_in_as("operator")
        said = save(access, NEW, SAID | {"mac_address": "<b>"})
    assert said == "'<b>' is not a MAC address; write for example 00:1b:44:11:3a:b7."
    assert access.details() == {}


def test_details_are_shown_to_all_and_edited_by_some() -> None:
    """Who may not edit has no button."""
    kept = Kept(FULL, 1, "ann")
    seen = list(texts(shown(kept, editable=False)))
    assert seen == [
        "Oil tank", "roof", "new", "Serial number", "SN-7", "MAC address", "00:1b:44:11:3a:b7",
        "Notes", "one", "two",
    ]  # fmt: skip
    assert list(texts(shown(kept, editable=True)))[len(seen) :] == ["Edit details"]
    assert list(texts(shown(None, editable=True))) == ["Add details"]
    assert shown(None, editable=False) == []


def test_hostile_details_are_text() -> None:
    """Their invisible characters are written as numbers; the rest is escaped by the browser."""
    kept = Kept(Detail("tank", HOSTILE, notes=HOSTILE), 1, "ann")
    assert "<U+202E>" in "".join(texts(shown(kept, editable=False)))
