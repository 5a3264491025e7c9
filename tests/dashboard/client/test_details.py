"""Details of a client on its page: what is shown, who may change it, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask_login import LoginManager, login_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard.client.details import FIELDS, opened, save, shown
from dashboard.engine import Engine
from dashboard.people import Person
from mosquitto.access import Access
from mosquitto.access_audit import Actor
from mosquitto.access_seen import Grant
from mosquitto.access_users import User
from mosquitto.detail import Detail, Kept
from telemetry.settings import Settings
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
BOB = Actor("bob", "web")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An access.db whose clock ticks with each change."""
    ticks = iter(range(1, 1000))
    return Engine(None, Settings(data_dir=tmp_path), lambda: next(ticks))  # type: ignore[arg-type]  # no store is asked


@pytest.fixture
def request_of(tmp_path: Path) -> Flask:
    """An application in whose requests somebody can be logged in."""
    app = Flask("people", root_path=str(tmp_path))
    app.secret_key = "of tests alone"  # noqa: S105  # signs nothing that counts
    LoginManager(app).user_loader(lambda _: None)
    return app


def log_in_as(role: str, *seen: Grant) -> None:
    """Logs somebody of that role in, who sees those clients alone, if any are named."""
    login_user(Person(User("ann", "hash", role, 0, seen=seen)))


def test_operator_keeps_what_was_entered(engine: Engine, request_of: Flask) -> None:
    """Tidied, with who said so."""
    with request_of.test_request_context():
        log_in_as("operator")
        assert save(engine, NEW, SAID) == ""
    kept = engine.access.detail("tank")
    assert kept is not None
    assert (kept.detail, kept.changed_by) == (FULL, "ann")


def test_who_sees_other_clients_changes_nothing(engine: Engine, request_of: Flask) -> None:
    """Whatever their page sent; the guard knows roles, not clients."""
    with request_of.test_request_context():
        log_in_as("operator", Grant("client", "boiler"))
        assert "does not see this client" in save(engine, NEW, SAID)
        assert "does not see this client" in str(opened(engine, "tank")[1])
        assert save(engine, NEW | {"client": "boiler"}, SAID) == ""
    assert [*engine.access.details()] == ["boiler"]


def test_form_opens_with_what_is_known(engine: Engine, request_of: Flask) -> None:
    """And remembers which state of it that was."""
    Access(engine.settings.access_path, BOB, engine.clock).put_detail(FULL)
    with request_of.test_request_context():
        log_in_as("admin")
        is_open, fault, title, edited, *values = opened(engine, "tank")
    assert (is_open, fault, title) == (True, "", "Details of tank")
    assert edited == {"client": "tank", "changed_us": 1}
    assert values == ["Oil tank", "SN-7", "00:1b:44:11:3a:b7", "roof, new", "one\ntwo"]
    assert len(values) == len(FIELDS)


def test_what_another_changed_meanwhile_is_not_overwritten(
    engine: Engine, request_of: Flask
) -> None:
    """The form was opened before; it says who was faster."""
    with request_of.test_request_context():
        log_in_as("operator")
        edited = opened(engine, "tank")[3]
        Access(engine.settings.access_path, BOB, engine.clock).put_detail(
            Detail("tank", "Water tank")
        )
        assert save(engine, edited, SAID) == (
            "These details were changed by bob meanwhile; close the form and open it again."
        )
    kept = engine.access.detail("tank")
    assert kept is not None
    assert kept.detail.description == "Water tank"


def test_of_many_who_save_at_once_one_is_first(engine: Engine, request_of: Flask) -> None:
    """The others are told so; none of them writes over the first without having seen it."""

    def saved(number: int) -> str:
        with request_of.test_request_context():
            log_in_as("operator")
            return save(engine, NEW, SAID | {"description": f"pump {number}"})

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(saved, range(4)))
    kept = engine.access.detail("tank")
    assert kept is not None
    assert kept.detail.description == f"pump {told.index('')}"
    assert sum("changed by ann meanwhile" in one for one in told) == 3


def test_file_that_cannot_be_used_is_a_sentence_in_the_form(
    engine: Engine, request_of: Flask
) -> None:
    """When it opens, and when it is saved."""
    engine.settings.access_path.write_bytes(b"no database" * 1000)
    with request_of.test_request_context():
        log_in_as("operator")
        is_open, fault, _, edited, *_ = opened(engine, "tank")
        assert (is_open, edited, str(fault).startswith("Cannot use ")) == (True, None, True)
        assert save(engine, NEW, SAID).startswith("Cannot use ")


@pytest.mark.parametrize(
    "edited", [None, [], {"client": 7}, {}, {"client": "tank"}, NEW | {"changed_us": None}]
)
def test_form_of_no_client_is_refused(engine: Engine, request_of: Flask, edited: object) -> None:
    """A browser can send anything."""
    with request_of.test_request_context():
        log_in_as("operator")
        assert "belongs to no client" in save(engine, edited, SAID)


def test_fault_is_a_sentence(engine: Engine, request_of: Flask) -> None:
    """With a capital letter and a full stop, and nothing is kept."""
    with request_of.test_request_context():
        log_in_as("operator")
        said = save(engine, NEW, SAID | {"mac_address": "<b>"})
    assert said == "'<b>' is not a MAC address; write for example 00:1b:44:11:3a:b7."
    assert engine.access.details() == {}


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
