"""Two people and one store: who may see some clients learns nothing of the others."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_app
from dashboard.pages import PAGES
from dashboard.people import add_token
from dashboard.view import view_of_query, view_to_json
from mosquitto.access import Access, NewClient, Password
from mosquitto.access_seen import Grant
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from mosquitto.detail import Detail
from telemetry.batch import Arrival, Batch
from telemetry.ledger import Outcome, account
from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.dashboard.test_rights import CALLBACK, call_of, dash_of, served
from tests.dashboard.visits import PASSWORD, callback_headers, log_in, quick_hash
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading

SEEN, HIDDEN, NOBODY = "boiler", "vault", "vaulx"
"""One that may be seen, one that may not, and a name that nobody has."""

OF_NOBODY = {
    "fleet": "",
    "client": "",
    "compare": "?metric=temperature",
    "playground": "",
    "broker": "",
    "quality": "",
    "topics": "",
}
OF_ONE = {
    "client": "?id={}",
    "compare": f"?metric=temperature&clients={{}}&clients={SEEN}",
    "playground": "?id={}&metric=temperature",
    "quality": "?id={}",
}
"""What is in the address of a page that somebody asks for."""


OURS = ("broker", "clients.connected")
"""A figure about all clients, which Culex measures itself."""


@pytest.fixture
def app(settings: Settings) -> Flask:
    """The application on a store with two clients that differ in nothing but the name."""
    readings = [
        reading(NOON_US - number * SECOND_US, number, series=Series(client, metric))
        for client in (SEEN, HIDDEN)
        for metric in ("temperature", "pressure")
        for number in range(60)
    ]
    fill(settings.store_path, [*readings, reading(NOON_US, 2.0, series=Series(*OURS))])
    access = Access(settings.access_path)
    access.put_detail(Detail(HIDDEN, "The vault", tags=("deep",)))
    access.put_detail(Detail(SEEN, "The boiler", tags=("warm",)))
    return create_app(settings, lambda: NOON_US)


@pytest.fixture
def guest(app: Flask, users: Users) -> FlaskClient:
    """A browser of an operator who may see one client, by a tag; tokens see it by its name."""
    users.add("guest", quick_hash(PASSWORD), "operator", [Grant("tag", "warm")])
    browser = app.test_client()
    assert log_in(browser, username="guest").status_code == 302
    return browser


Asker = Callable[[FlaskClient, str, str], str]


@pytest.fixture
def ask(app: Flask) -> Asker:
    """Asks a page for its first answer, as a browser does, and returns what is sent back."""
    dash = dash_of(app)
    lives = {
        entry["inputs"][0]["id"]: (output, entry)
        for output, entry in served(dash).items()
        if entry["callback"].__name__ == "live"
    }

    def asked(browser: FlaskClient, name: str, search: str) -> str:
        headers = callback_headers(browser)
        output, entry = lives[f"{name}-ask"]
        call = call_of(output, entry, {})
        call["inputs"][0]["value"] = {
            "number": 1,
            "view": view_to_json(view_of_query(search)),
            "theme": "light",
            "zone": "UTC",
            "touch": False,
            "width": 1000,
        }
        answer = browser.post(CALLBACK, json=call, headers=headers)
        assert answer.status_code == 200
        return answer.text

    return asked


def test_person_who_may_see_all_does(app: Flask, person: FlaskClient, ask: Asker) -> None:  # noqa: ARG001  # filled
    """The other tests would find nothing hidden if nothing was there."""
    for name in ("fleet", "client", "compare", "quality"):
        assert HIDDEN in ask(person, name, OF_NOBODY[name]), name


def test_no_page_names_what_is_hidden(guest: FlaskClient, ask: Asker) -> None:
    """Neither its name nor its description or tags; what is seen is there."""
    for name, search in OF_NOBODY.items():
        text = ask(guest, name, search)
        assert not re.search("vault|deep", text), name
    for name in ("fleet", "client"):
        assert SEEN in ask(guest, name, OF_NOBODY[name])
    assert {page.name for page in PAGES} == {*OF_NOBODY, "clients", "admin"}


def test_fleet_has_clients_that_were_let_in_as_far_as_they_may_be_seen(
    person: FlaskClient, guest: FlaskClient, ask: Asker, settings: Settings
) -> None:
    """Before anything came of them, a grant hides them as it does later."""
    access = Access(settings.access_path)
    for name, tag in (("cold-store", "warm"), ("vault-annex", "deep")):
        access.add_clients(NewClient(name, Password("digest", "salt", 101)))
        access.put_detail(Detail(name, tags=(tag,)))
    whole, some = ask(person, "fleet", ""), ask(guest, "fleet", "")
    assert "vault-annex" in whole
    assert "cold-store" in some
    assert not re.search("vault|deep", some)


def test_messages_now_are_those_of_clients_that_may_be_seen(
    guest: FlaskClient, ask: Asker, settings: Settings
) -> None:
    """What arrives in all would tell of the others: two a minute are of the one that is seen."""
    received_us = NOON_US - 1800 * SECOND_US
    arrivals = [
        Arrival(account(client, received_us), (), Outcome.STORED)
        for client, number in ((SEEN, 120), (HIDDEN, 240))
        for _ in range(number)
    ]
    with closing(open_appender(settings.store_path)) as appender:
        appender.append(Batch(arrivals=arrivals))
    assert '"children":"0.0333' in ask(guest, "fleet", "")


def test_hidden_client_is_answered_as_one_that_does_not_exist(
    guest: FlaskClient, ask: Asker
) -> None:
    """Asked for by its name, it cannot be told from a client that nobody has heard of."""
    for name, search in OF_ONE.items():
        hidden, nobody = (ask(guest, name, search.format(one)) for one in (HIDDEN, NOBODY))
        assert without_numbers(hidden.replace(HIDDEN, NOBODY)) == without_numbers(nobody), name


@pytest.mark.parametrize("enabled", [True, False])
def test_reasons_why_there_is_no_data_do_not_tell_who_is_registered(
    person: FlaskClient, guest: FlaskClient, ask: Asker, settings: Settings, *, enabled: bool
) -> None:
    """A hidden client with a login, or one that is shut out, is told as one that nobody has."""
    appender = open_appender(settings.store_path)
    appender.report({"beat_us": NOON_US, "broker_up": 1})
    appender.close()
    access, fresh, nobody = Access(settings.access_path), "attic", "attix"
    access.add_clients(
        *(NewClient(one, Password("digest", "salt", 101)) for one in (fresh, HIDDEN))
    )
    for one in (fresh, HIDDEN):
        access.set_enabled(one, enabled=enabled)

    def told(browser: FlaskClient, client: str) -> str:
        answer = ask(browser, "client", OF_ONE["client"].format(client))
        return without_numbers(answer.replace(client, nobody))

    assert "There is no client of this name" in told(guest, nobody)
    assert told(guest, fresh) == told(guest, HIDDEN) == told(guest, nobody)
    assert "There is no client of this name" not in told(person, fresh)


def without_numbers(text: str) -> str:
    """The answer without the numbers by which the log finds a fault, and digests of parts."""
    return re.sub(r"\b[0-9a-f]{6}\b|\b[0-9a-f]{12}\b", "", text)


def test_pages_of_all_clients_say_so(guest: FlaskClient, ask: Asker) -> None:
    """Instead of a page that would be about some of them and look whole."""
    for name in ("broker", "quality", "topics"):
        assert "not for your login" in ask(guest, name, OF_NOBODY[name])


def test_pictures_are_not_shared_between_those_who_see_more_and_less(
    person: FlaskClient, guest: FlaskClient, ask: Asker
) -> None:
    """What one process keeps for all who ask for the same is kept apart."""
    for browser, sees in ((person, True), (guest, False), (person, True)):
        for name in ("fleet", "client", "compare"):
            assert (HIDDEN in ask(browser, name, OF_NOBODY[name])) is sees


def test_api_knows_no_hidden_client(guest: FlaskClient) -> None:
    """404 for its readings in every format, and no line in the list."""
    assert [one["client"] for one in guest.get("/api/v1/clients").get_json()] == [SEEN]
    assert guest.get(f"/api/v1/readings?client={SEEN}").status_code == 200
    for form in ("csv", "json", "parquet"):
        hidden, nobody = (
            guest.get(f"/api/v1/readings?client={one}&format={form}") for one in (HIDDEN, NOBODY)
        )
        assert hidden.status_code == nobody.status_code == 404
        assert hidden.text.replace(HIDDEN, NOBODY) == nobody.text


def test_figures_about_all_clients_are_of_nobody_who_sees_some(
    app: Flask, guest: FlaskClient, person: FlaskClient, tokens: Tokens
) -> None:
    """What broker and collector count of all is not theirs, whatever way they ask."""
    client, metric = OURS
    of_broker = f"/api/v1/readings?client={client}&metric={metric}&start=2000-01-01"
    assert guest.get(of_broker).status_code == 404
    assert guest.get("/metrics").status_code == 403
    assert person.get(of_broker).status_code == person.get("/metrics").status_code == 200
    for scope in ("read", "metrics"):
        some = add_token(tokens, f"some {scope}", scope, seen=[Grant("client", SEEN)])
        every = add_token(tokens, f"all {scope}", scope)
        answers = [
            app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
            for token in (some, every)
        ]
        assert [one.status_code for one in answers] == [403, 200]


def test_token_reads_what_it_may_see(app: Flask, tokens: Tokens) -> None:
    """A program is held to its grants as a person is, also while an export is streamed."""
    token = add_token(tokens, "script", seen=[Grant("client", SEEN)])
    headers = {"Authorization": f"Bearer {token}"}
    browser = app.test_client()
    shown = browser.get("/api/v1/clients", headers=headers).get_json()
    assert [one["client"] for one in shown] == [SEEN]
    start = "&start=2000-01-01"
    seen = browser.get(f"/api/v1/readings?client={SEEN}{start}", headers=headers)
    assert seen.text.count(f",{SEEN},") == 118
    hidden = browser.get(f"/api/v1/readings?client={HIDDEN}{start}", headers=headers)
    assert hidden.status_code == 404


def test_details_of_a_hidden_client_are_neither_shown_nor_changed(
    app: Flask, guest: FlaskClient, settings: Settings
) -> None:
    """An operator edits what it may see."""
    headers, texts = callback_headers(guest), []
    for output, entry in served(dash_of(app)).items():
        if entry["callback"].__module__ != "dashboard.client.details":
            continue
        call = call_of(output, entry, HIDDEN)
        for one in (*call["inputs"], *call["state"]):
            if one["id"] == "client-details-edited":
                one["value"] = {"client": HIDDEN, "changed_us": 0}
        if entry["callback"].__name__ == "end":
            call["changedPropIds"] = ["client-details-save.n_clicks"]
        texts.append(guest.post(CALLBACK, json=call, headers=headers).text)
    assert len(texts) == 2
    assert all("does not see this client" in text for text in texts)
    assert not any("The vault" in text for text in texts)
    kept = Access(settings.access_path).detail(HIDDEN)
    assert kept is not None
    assert kept.detail.description == "The vault"
