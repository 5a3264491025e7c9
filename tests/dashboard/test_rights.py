"""Every address and every callback, asked for by everybody: what is open is open on purpose."""

import gc
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from dash import Dash
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from dashboard.people import add_token
from dashboard.rights import ENDPOINTS, OPEN, TOKENS, is_of_all, role_of_callback
from mosquitto.access_seen import Grant
from mosquitto.access_tokens import SCOPES, Tokens
from mosquitto.access_users import ROLES, Users
from tests.dashboard.visits import PASSWORD, callback_headers, log_in, quick_hash

CALLBACK = "/_dash-update-component"
HOLES = {
    "<path:filename>": "x.css",
    "<path:path>": "client",
    "<path:rest>": "typo",
    "<string:package_name>": "dash",
    "<path:fingerprinted_path>": "a.js",
}
CALLBACKS: Mapping[str, str] = {
    "dashboard.callbacks.show": "viewer",
    "dashboard.callbacks.zoom": "viewer",
    "dashboard.callbacks.travel": "viewer",
    "dashboard.frame.live": "viewer",
    "dashboard.topics.page.used": "viewer of all",
    "dashboard.topics.publishing.send": "operator of all",
    "dashboard.quality.drawer.open_group": "viewer of all",
    "dashboard.quality.drawer.turn": "viewer of all",
    "dashboard.quality.drawer.fill": "viewer of all",
    "dashboard.quality.replay.ask": "operator of all",
    "dashboard.quality.replay.poll": "operator of all",
    "dashboard.clients.page.add": "operator of all",
    "dashboard.clients.sure.ask": "operator of all",
    "dashboard.clients.sure.change": "operator of all",
    "dashboard.client.details.begin": "operator",
    "dashboard.client.details.end": "operator",
    "dashboard.admin.letting.dry_run": "admin",
    "dashboard.admin.letting.ask": "admin",
    "dashboard.admin.letting.confirm": "admin",
    "dashboard.admin.letting.watch": "admin",
    "dashboard.admin.people.choose": "admin",
    "dashboard.admin.people.act": "admin",
    "dashboard.admin.programs.choose": "admin",
    "dashboard.admin.programs.act": "admin",
    "dashboard.admin.visits.end": "admin",
}
"""Who may run what, said once more: a callback that is added or changes its role fails here."""


def dash_of(app: Flask) -> Dash:
    """The Dash on that Flask."""
    return next(one for one in gc.get_objects() if isinstance(one, Dash) and one.server is app)


def served(dash: Dash) -> dict[str, Mapping[str, Any]]:
    """The callbacks that the server runs, by what a browser calls them."""
    return {name: entry for name, entry in dash.callback_map.items() if "callback" in entry}


@pytest.fixture
def browser_of(app: Flask, users: Users) -> Callable[[str], FlaskClient]:
    """Makes a browser of somebody with a role."""

    def make(role: str) -> FlaskClient:
        if users.named(role) is None:
            users.add(role, quick_hash(PASSWORD), role)
        browser = app.test_client()
        assert log_in(browser, username=role).status_code == 302
        return browser

    return make


def test_every_address_and_callback_is_listed(app: Flask) -> None:
    """Nothing that answers is without a rule, and no rule is of what is gone."""
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ENDPOINTS)
    found = {}
    for entry in served(dash_of(app)).values():
        callback = entry["callback"]
        whole = " of all" if is_of_all(entry) else ""
        found[f"{callback.__module__}.{callback.__name__}"] = f"{role_of_callback(entry)}{whole}"
    assert found == CALLBACKS
    assert set(TOKENS) <= set(ENDPOINTS)
    assert {scope for scopes in TOKENS.values() for scope in scopes} == set(SCOPES)


@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_those_who_may(
    app: Flask, browser_of: Callable[[str], FlaskClient], role: str
) -> None:
    """Whoever has a lower role than an address asks for is refused, and nobody else is."""
    browser = browser_of(role)
    for rule in app.url_map.iter_rules():
        if rule.endpoint == CALLBACK or "GET" not in (rule.methods or ()):
            continue
        path = rule.rule
        for hole, value in HOLES.items():
            path = path.replace(hole, value)
        least = ENDPOINTS[rule.endpoint]
        may = least == OPEN or ROLES.index(role) >= ROLES.index(least)
        assert (browser.get(path, buffered=True).status_code != 403) is may, path


@pytest.mark.parametrize("role", ROLES)
def test_every_callback_runs_for_those_who_may(
    app: Flask, browser_of: Callable[[str], FlaskClient], role: str
) -> None:
    """The guard refuses by the role of the callback alone, whatever else was sent."""
    browser = browser_of(role)
    headers = callback_headers(browser)
    for output, entry in served(dash_of(app)).items():
        least = role_of_callback(entry)
        assert least is not None
        with_nothing = {"output": output, "inputs": [], "changedPropIds": []}
        answer = browser.post(CALLBACK, json=with_nothing, headers=headers)
        may = ROLES.index(role) >= ROLES.index(least)
        assert (answer.status_code != 403) is may, (output, answer.text)


def test_who_may_see_some_clients_changes_nothing_of_all(app: Flask, users: Users) -> None:
    """An operator with grants can do nothing to clients that it does not see."""
    users.add("some", quick_hash(PASSWORD), "operator", [Grant("client", "boiler")])
    browser = app.test_client()
    assert log_in(browser, username="some").status_code == 302
    headers, refused = callback_headers(browser), set()
    for output, entry in served(dash_of(app)).items():
        answer = browser.post(CALLBACK, json=call_of(output, entry, 7), headers=headers)
        if answer.status_code == 403:
            refused.add(f"{entry['callback'].__module__}.{entry['callback'].__name__}")
    of_others = {name for name, role in CALLBACKS.items() if role == "admin" or "all" in role}
    assert refused == of_others


def test_strangers_run_no_callback(app: Flask, stranger: FlaskClient) -> None:
    """Whoever has no login is told to log in, for each of them."""
    for output in served(dash_of(app)):
        assert stranger.post(CALLBACK, json={"output": output}).status_code == 401


def test_callback_without_a_role_is_refused_to_everybody(app: Flask, person: FlaskClient) -> None:
    """What somebody forgets to mark is open to nobody."""
    dash = dash_of(app)
    output, entry = next(iter(served(dash).items()))

    def unmarked() -> None:
        """As a callback that was added in haste."""

    dash.callback_map[output] = {**entry, "callback": unmarked}
    headers = callback_headers(person)
    assert person.post(CALLBACK, json={"output": output}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "body", ["[]", "{}", "null", '{"output": 7}', '{"output": "x.y"}', "{", "[" * 100_000]
)
def test_body_that_names_no_callback_is_refused(person: FlaskClient, body: str) -> None:
    """400 and one sentence, no traceback."""
    headers = callback_headers(person) | {"Content-Type": "application/json"}
    answer = person.post(CALLBACK, data=body, headers=headers)
    assert answer.status_code == 400
    assert "no such callback" in answer.get_json()["error"]


def test_body_of_another_shape_is_refused(app: Flask, person: FlaskClient) -> None:
    """What lacks an input, or has one that is none, does not reach Dash."""
    headers = callback_headers(person)
    for output, entry in served(dash_of(app)).items():
        right = call_of(output, entry, 7)
        for wrong in (
            {"output": output},
            right | {"inputs": []},
            right | {"inputs": 7},
            right | {"state": [*right["state"], right["inputs"][0]]},
            right | {"outputs": 3},
            right | {"changedPropIds": [7]},
            right | {"inputs": [one | {"id": "other"} for one in right["inputs"]]},
            right | {"inputs": [one | {"id": json.dumps(one["id"])} for one in right["inputs"]]},
        ):
            answer = person.post(CALLBACK, json=wrong, headers=headers)
            assert (answer.status_code, "json" in answer.content_type) == (400, True), output


@pytest.mark.parametrize(
    "value",
    [
        *(7, None, {"$ne": 1}, [], [[1]], "x", True, 1e300, 1 << 70, {"view": 7, "path": {}}),
        {"number": 1 << 70, "group": '["a", "b", "c"]', "before": 1 << 63, "turn": 1 << 64},
    ],
)
def test_value_of_another_kind_is_no_fault_of_ours(
    app: Flask, person: FlaskClient, value: object
) -> None:
    """A browser can send anything: each callback answers, and none ends in a traceback."""
    headers = callback_headers(person)
    with capture_logs() as lines:
        for output, entry in served(dash_of(app)).items():
            called = call_of(output, entry, value)
            answer = person.post(CALLBACK, json=called, headers=headers)
            assert answer.status_code in {200, 204}, output
    assert [line for line in lines if line["log_level"] in {"error", "critical"}] == []


def id_of(name: str) -> object:
    """An identifier as a browser sends it."""
    return json.loads(name) if name.startswith("{") else name


def call_of(output: str, entry: Mapping[str, Any], value: object) -> dict[str, Any]:
    """A call of a callback as a browser sends it, with that value everywhere."""

    def parts(named: list[dict[str, str]]) -> list[dict[str, object]]:
        return [
            {"id": id_of(one["id"]), "property": one["property"], "value": value} for one in named
        ]

    named = [part.rsplit(".", 1) for part in output.strip(".").split("...")]
    outputs = [{"id": id_of(name), "property": prop} for name, prop in named]
    first = entry["inputs"][0]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": parts(entry["inputs"]),
        "state": parts(entry["state"]),
        "changedPropIds": [f"{first['id']}.{first['property']}"],
    }


def test_token_opens_what_its_scope_says(stranger: FlaskClient, tokens: Tokens) -> None:
    """The API and the figures, or the figures alone; no page and no callback."""
    expected = {"read": {"/api/v1/clients", "/metrics"}, "metrics": {"/metrics"}}
    paths = ("/api/v1/clients", "/metrics", "/client", "/_dash-layout", "/admin/diagnostics.zip")
    for scope in SCOPES:
        token = add_token(tokens, scope, scope)
        headers = {"Authorization": f"Bearer {token}"}
        answers = {path: stranger.get(path, headers=headers).status_code for path in paths}
        opened = {path for path, status in answers.items() if status in {200, 503}}
        assert opened == expected[scope]


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://iot.example"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_request_of_another_site_is_refused(
    person: FlaskClient, headers: dict[str, str], refused: bool
) -> None:
    """Callbacks, the login and the way out are for pages of this host."""
    sent = callback_headers(person) | headers
    for method, path in (("POST", CALLBACK), ("POST", "/login"), ("POST", "/logout")):
        answer = person.open(path, method=method, json={}, headers=sent)
        assert (answer.status_code == 403) is refused, path
    assert person.get("/client", headers=headers).status_code in {200, 302}, "links may lead here"
