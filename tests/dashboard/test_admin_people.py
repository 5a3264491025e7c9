"""Who may look, on the page Admin: what its forms do, what its lists say, who may use them."""

import json
from collections.abc import Mapping
from datetime import UTC
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from dashboard.admin import forms, lists, programs, visits
from dashboard.admin import person as people
from dashboard.admin.forms import EntryRefused, grants_of
from dashboard.admin.known import Known, Reader
from dashboard.admin.person import Entered, acted
from dashboard.admin.programs import days_of
from dashboard.engine import Engine
from dashboard.page import Json
from dashboard.people import hash_password, token_digest, user_of_login
from dashboard.view import View
from mosquitto.access_audit import Actor, Audited, audit_log
from mosquitto.access_seen import Grant
from mosquitto.access_sessions import Sessions
from mosquitto.access_tokens import METRICS, Tokens
from mosquitto.access_users import Users
from telemetry.settings import Settings
from telemetry.store import querier_of
from telemetry.window import SECOND_US
from tests.dashboard.test_admin import texts
from tests.dashboard.test_app import addressed, run
from tests.dashboard.visits import log_in
from tests.telemetry.builders import NOON_US

HOSTILE = "<img src=x onerror=alert(1)> %{x} 'a\" é"
DAY_US = 86_400 * SECOND_US


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """What callbacks of an admin have, at noon."""
    return Engine(querier_of(settings), settings, lambda: NOON_US)


@pytest.fixture
def kept(users: Users) -> Users:
    """Users of whom one, with a hostile name, sees one client."""
    users.add(HOSTILE, hash_password("look"), "viewer", [Grant("client", "tank")])
    return users


def entered(name: object = "", role: object = "viewer", sees: object = "") -> Entered:
    """The form of a new user."""
    return Entered(None, name, role, sees)


def of(name: str, role: object = "viewer", sees: object = "") -> Entered:
    """The form of a user that there is."""
    return Entered({"name": name, "enabled": True}, "", role, sees)


def pressed(browser: FlaskClient, button: str, values: Mapping[str, object]) -> Any:
    """What the form of people answers to a button, over HTTP."""
    known = browser.get("/_dash-dependencies").get_json()
    one = next(one for one in known if button in {part["id"] for part in one["inputs"]})
    body = {
        "output": one["output"],
        "outputs": [addressed(part) for part in one["output"].strip(".").split("...")],
        "inputs": [part | {"value": 1} for part in one["inputs"]],
        "state": [part | {"value": values.get(part["id"])} for part in one["state"]],
        "changedPropIds": [f"{button}.n_clicks"],
    }
    return run(browser, body)


def test_person_is_added_with_a_password_that_is_in_one_answer_alone(
    person: FlaskClient, users: Users, settings: Settings
) -> None:
    """It opens the login; it is in no log, no list, and no answer after."""
    values = {
        people.NAME: HOSTILE, people.ROLE: "operator",
        people.SEES: "tag:cellar\n client:tank \n\n", "view": {}, "browser": {},
    }  # fmt: skip
    with capture_logs() as lines:
        answer = pressed(person, people.SAVE, values)
    assert answer.status_code == 200
    response = answer.get_json()["response"]
    secret = response[people.ONCE]["children"]["props"]["children"][1]
    password = secret["props"]["children"][0]["props"]["children"]
    assert answer.text.count(password) == 1
    assert password not in json.dumps(lines, default=repr)
    user = user_of_login(users, HOSTILE, password)
    assert user is not None
    assert (user.role, list(map(str, user.seen))) == ("operator", ["client:tank", "tag:cellar"])
    noted = audit_log(settings.access_path, 1)[0]
    assert (noted.action, noted.actor, noted.object) == (
        "user added", Actor("admin", "web"), HOSTILE
    )  # fmt: skip
    again = pressed(person, people.SAVE, values)
    assert "exists already" in again.text
    assert password not in again.text


def test_own_new_password_leaves_who_asked_logged_in_and_ends_the_other_sessions(
    person: FlaskClient, app: Flask, users: Users
) -> None:
    """Else it would be gone before anybody had read it."""
    other = app.test_client()
    log_in(other)
    edited = {"name": "admin", "enabled": True}
    values = {people.EDITED: edited, "view": {}, "browser": {}}
    before = users.named("admin")
    answer = pressed(person, people.PASSWORD, values)
    assert "admin-person-secret" in answer.text
    assert users.named("admin") != before
    assert person.get("/admin").status_code == 200
    assert other.get("/admin").status_code == 302, "to the login"


@pytest.mark.parametrize(
    ("which", "form", "sentence"),
    [
        (people.SAVE, entered(), "cannot be a user's name"),
        (people.SAVE, entered("a\u202eb"), "cannot be a user's name"),
        (people.SAVE, entered("eve", "root"), "no such role"),
        (people.SAVE, entered("eve", 7), "no such role"),
        (people.SAVE, entered("eve", sees="tank"), "names no clients"),
        (people.SAVE, entered("eve", sees="tag:x\n" * 201), "at most 200"),
        (people.SAVE, entered("eve", "admin", "tag:x"), "an admin sees all"),
        (people.SAVE, entered("admin"), "exists already"),
        (people.SAVE, of("admin"), "last admin"),
        (people.TURN, of("admin"), "last admin"),
        (people.GO, of("admin"), "last admin"),
        (people.PASSWORD, of("nobody"), "there is no user"),
        (people.LOGOUT, of("nobody"), "there is no user"),
        (people.GO, Entered(7, 7, 7, 7), "there is no user"),
    ],
)
def test_what_cannot_be_is_a_sentence_in_the_form_and_changes_nothing(
    engine: Engine, users: Users, which: str, form: Entered, sentence: str
) -> None:
    """The form stays open with what was entered; the log has no line of it."""
    before = users.all(), audit_log(engine.settings.access_path)
    found = acted(engine, which, form)
    assert sentence in texts(found["said"]).lower()
    assert found.keys() == {"said", "asks"}
    assert found["asks"] is False
    assert (users.all(), audit_log(engine.settings.access_path)) == before


def begin(engine: Engine) -> None:
    """Somebody logs in."""
    path = engine.settings.access_path
    user = Users(path).named(HOSTILE)
    assert user is not None
    Sessions(path, clock=engine.clock).begin(user, "192.0.2.7", "")


def test_role_grants_login_and_sessions_of_a_person_change(engine: Engine, kept: Users) -> None:
    """Each button does what it says, and the form says what became of it."""
    sessions = Sessions(engine.settings.access_path, clock=engine.clock)
    begin(engine)
    opened = people.chosen(engine, HOSTILE)
    assert (opened["role"], opened["sees"], opened["turn"]) == ("viewer", "client:tank", "Disable")
    assert acted(engine, people.SAVE, of(HOSTILE, "operator", "")) == {"open": False}
    user = kept.named(HOSTILE)
    assert user is not None
    assert (user.role, user.seen) == ("operator", ())
    assert "1 session of" in texts(acted(engine, people.LOGOUT, of(HOSTILE))["said"])
    assert sessions.all() == []
    off = acted(engine, people.TURN, of(HOSTILE))
    assert (off["turn"], off["edited"]) == ("Enable", {"name": HOSTILE, "enabled": False})
    on = acted(engine, people.TURN, Entered(off["edited"], "", "", ""))
    assert on["turn"] == "Disable"
    asked = acted(engine, people.REMOVE, of(HOSTILE))
    assert asked["asks"] is True
    assert HOSTILE in asked["question"]
    assert kept.named(HOSTILE) is not None, "it was only asked"
    assert acted(engine, people.GO, of(HOSTILE)) == {"asks": False, "open": False}
    assert kept.named(HOSTILE) is None


def test_token_is_added_shown_once_and_removed(engine: Engine, tokens: Tokens) -> None:
    """For so many days, with its scope and grants; only the answer has it."""
    form = programs.Entered(None, "grafana", METRICS, 30, "tag:cellar")
    found = programs.acted(engine, programs.SAVE, form)
    (kept,) = tokens.all()
    assert (kept.name, kept.scope, kept.expires_us) == ("grafana", METRICS, NOON_US + 30 * DAY_US)
    assert kept.seen == (Grant("tag", "cellar"),)
    secret = next(word for word in texts(found["once"]).split() if word.startswith("culex_"))
    assert Tokens(engine.settings.access_path, clock=engine.clock).of_digest(token_digest(secret))
    assert "exists already" in texts(programs.acted(engine, programs.SAVE, form)["said"])
    assert programs.asked("grafana")["asks"] is True
    chosen = programs.Entered({"of": "grafana"}, "", "", "", "")
    assert programs.acted(engine, programs.GO, chosen)["asks"] is False
    assert tokens.all() == []
    assert "There is no token" in texts(programs.acted(engine, programs.GO, chosen)["list_said"])


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "x" * 65, None])
def test_token_without_a_readable_name_is_refused(
    engine: Engine, tokens: Tokens, name: object
) -> None:
    """As a user is."""
    form = programs.Entered(None, name, METRICS, None, "")
    assert "token's name" in texts(programs.acted(engine, programs.SAVE, form)["said"])
    assert tokens.all() == []


@pytest.mark.parametrize("sent", [0, 3651, 1.5, True, "7", [], 1e300, -1])
def test_days_that_are_none_are_refused(sent: object) -> None:
    """A whole number from 1 to ten years, or nothing at all."""
    with pytest.raises(EntryRefused):
        days_of(sent)
    assert (days_of(None), days_of(""), days_of(1), days_of(3650)) == (None, None, 1, 3650)


@pytest.mark.usefixtures("kept")
def test_session_is_ended_by_its_digest(engine: Engine) -> None:
    """And the log says so; what is no digest does nothing."""
    path = engine.settings.access_path
    sessions = Sessions(path, clock=engine.clock)
    begin(engine)
    for none in ("", "xy", "é", "7"):
        assert visits.ended(engine, none) == {}
    (session,) = sessions.all()
    assert "is over" in texts(visits.ended(engine, session.digest.hex())["said"])
    assert sessions.all() == []
    noted = audit_log(path, 1)[0]
    assert (noted.action, noted.object) == ("session ended", HOSTILE)


def test_reader_asks_again_only_after_a_change_or_five_seconds(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, users: Users
) -> None:
    """What another process reads has the same stamp."""
    now, asked = [NOON_US], []

    def read(*_: object) -> Known:
        asked.append(now[0])
        return Known(users.all(), (), (), audit_log(settings.access_path))

    monkeypatch.setattr("dashboard.admin.known.read", read)
    one, other = (Reader(settings.access_path, lambda: now[0]) for _ in range(2))
    first = one.newest()
    assert one.newest() is first
    assert other.newest() == first
    assert len(asked) == 2
    users.add("eve", "hash")
    assert one.newest()[1] != first[1]
    now[0] += 5 * SECOND_US
    assert one.newest()[1] == other.newest()[1]
    assert len(asked) == 5


@pytest.mark.usefixtures("kept")
def test_lists_are_sent_once_and_again_when_something_changed(engine: Engine) -> None:
    """In the zone of the reader; a tick without news brings nothing."""

    def tick(drawn: Json, view: View | None = None, zone: object = UTC) -> Json:
        look: Any = SimpleNamespace(
            engine=engine, now_us=NOON_US, drawn=drawn, view=view or View(),
            style=SimpleNamespace(zone=zone),
        )  # fmt: skip
        return lists.answer(look)

    first = tick({})
    assert first.keys() - {"drawn"} == lists.OUTPUTS.keys()
    assert HOSTILE in texts(first["people"])
    assert tick(first["drawn"]).keys() == {"drawn"}
    found = tick(first["drawn"], View(options={lists.FILTER: "nothing like it"}))
    assert "No change fits" in texts(found["log"])
    assert "14:00" not in texts(tick(first["drawn"])), "no list at all"
    begin(engine)
    berlin = texts(tick(first["drawn"], zone=ZoneInfo("Europe/Berlin"))["sessions"])
    assert "192.0.2.7" in berlin


def test_lists_that_cannot_be_read_say_why(engine: Engine) -> None:
    """The page stays; the next tick tries again."""
    path = engine.settings.access_path
    whole = path.read_bytes()
    path.write_bytes(b"no database" * 100)
    look: Any = SimpleNamespace(
        engine=engine, now_us=NOON_US, view=View(), style=SimpleNamespace(zone=UTC), drawn={}
    )
    broken = lists.answer(look)
    assert "cannot be read" in texts(broken["who_fault"])
    path.write_bytes(whole)
    look.drawn = broken["drawn"]
    assert lists.answer(look)["who_fault"] is None


def test_log_is_searched_by_words_and_shows_the_newest_200() -> None:
    """Each word anywhere in the line, in any case; what cannot be seen is written out."""
    ann, facts = Actor("ann", "web"), {"bytes": "2"}
    log = [Audited(NOON_US - n, ann, "replay asked for", f"a/{n}\u202e", facts) for n in range(300)]
    shown = texts(lists.log_list(log, UTC, ""))
    assert shown.count("replay asked for") == lists.LOG_SHOWN == 200
    assert "the newest 200 are shown" in shown.lower()
    found = texts(lists.log_list(log, UTC, "ANN a/299"))
    assert "1 of the newest 300 changes fit" in found
    assert "a/299<U+202E>" in found
    assert "bytes: 2" in found


def test_grants_are_one_a_line() -> None:
    """Client names may have commas and spaces in them."""
    assert grants_of("client:a, b\r\n\ntag: x ") == [Grant("client", "a, b"), Grant("tag", "x")]
    assert forms.grants_text(grants_of("client:a, b")) == "client:a, b"
    assert grants_of(None) == grants_of({"a": 1}) == []
