"""The guard: who has no login gets nothing, and answers carry what protects them."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from dashboard.people import hash_password
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from telemetry.settings import Settings
from tests.dashboard.visits import PASSWORD, callback_headers, form_token, log_in, log_out

OPEN = ("/login", "/login/oidc", "/login/oidc/callback", "/healthz", "/readyz")
CALLBACK = "/_dash-update-component"
Bearer = Callable[[], dict[str, str]]


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Every method and path that the application answers, holes filled in."""
    holes = {"<path:filename>": "x.css", "<path:path>": "any/page", "<path:rest>": "typo"}
    holes |= {"<string:package_name>": "dash", "<path:fingerprinted_path>": "a.js"}
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for hole, value in holes.items():
            path = path.replace(hole, value)
        assert "<" not in path, f"a rule of a new form: {path}"
        found += [(method, path) for method in sorted((rule.methods or set()) - {"OPTIONS"})]
    return found


def test_every_address_without_a_login_is_refused(app: Flask, stranger: FlaskClient) -> None:
    """Whatever is routed answers 302 to pages and 401 to programs, or is open on purpose."""
    assert ("POST", CALLBACK) in addresses(app)
    for method, path in addresses(app):
        answer = stranger.open(path, method=method)
        if path in OPEN or path.startswith("/assets/"):
            assert answer.status_code not in {302, 401}, path
        elif path.startswith(("/api", "/_dash-", "/metrics")) or method != "GET":
            assert answer.status_code == 401, (method, path)
        else:
            assert answer.status_code == 302, (method, path)
            assert answer.headers["Location"].startswith("/login"), path


@pytest.mark.parametrize(
    "path", ["/client?id=a%2Fb", "/_dash-layout", "/nothing", "/api/v1/clients"]
)
def test_refusal_shows_nothing_of_what_it_guards(stranger: FlaskClient, path: str) -> None:
    """A refused answer has neither layout nor readings in it."""
    assert "boiler" not in stranger.get(path).text
    assert "dash" not in stranger.get(path).text.lower().replace("dashboard", "")


def test_page_without_a_login_leads_back_to_it(stranger: FlaskClient) -> None:
    """After the login a person stands where they wanted to go, hostile names included."""
    answer = stranger.get("/client?id=a%2Fb%20%231%20%3Cb%3E&metric=x%26y")
    form = stranger.get(answer.headers["Location"]).text
    assert "<b>" not in form
    onward = form.split('name="next" value="')[1].split('"')[0]
    assert "id=a" in onward
    assert (
        log_in(stranger, next=onward.replace("&amp;", "&"))
        .headers["Location"]
        .startswith("/client?id=a%2Fb%20%231%20%3Cb%3E")
    )


def test_login_of_the_right_user_opens_every_page(person: FlaskClient) -> None:
    """Page, layout, API and metrics answer a person who is logged in."""
    for path in ("/", "/client", "/_dash-layout", "/_dash-dependencies", "/metrics"):
        assert person.get(path).status_code == 200, path
    assert person.get("/login").headers["Location"] == "/"


def test_login_with_a_wrong_password_says_the_same_as_of_an_unknown_user(
    stranger: FlaskClient,
) -> None:
    """Nobody learns from an answer which users there are."""
    wrong = log_in(stranger, password="wrong")  # noqa: S106  # that is the point
    nobody = log_in(stranger, username="nobody")
    said = [re.sub(r'csrf_token" value="[^"]+"', "", answer.text) for answer in (wrong, nobody)]
    assert said[0].replace('"admin"', '"nobody"') == said[1]
    nameless = log_in(stranger, username="", password="")
    assert [one.status_code for one in (wrong, nobody, nameless)] == [401] * 3
    assert stranger.get("/client").status_code == 302


def test_login_without_the_forms_token_is_refused(app: Flask, stranger: FlaskClient) -> None:
    """A form sent by another site does not log in, nor does one of another visitor."""
    fields = {"username": "admin", "password": PASSWORD}
    assert stranger.post("/login", data=fields).status_code == 400
    others = form_token(app.test_client())
    assert stranger.post("/login", data=fields | {"csrf_token": others}).status_code == 400
    assert stranger.get("/client").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:",
        "http:///evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\r\\evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "/client\r\nSet-Cookie: a=b",
        "//[",
        "http://[::1",
        "evil.example",
    ],
)
def test_login_never_leads_to_another_host(stranger: FlaskClient, target: str) -> None:
    """Whatever next= says, a person stays on this host; the form does not repeat it."""
    assert 'name="next" value=""' in stranger.get("/login", query_string={"next": target}).text
    answer = log_in(stranger, next=target)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_logout_ends_the_session(person: FlaskClient) -> None:
    """After it pages ask for the login again; a link, or a form of nobody knows whose, is none."""
    assert person.get("/logout").status_code == 404
    assert person.post("/logout").status_code == 400
    assert person.get("/client").status_code == 200
    assert log_out(person).headers["Location"] == "/login"
    assert person.get("/client").status_code == 302


def test_password_changed_ends_sessions_of_the_old_one(person: FlaskClient, users: Users) -> None:
    """Who logged in with the old password is a stranger at the next request."""
    assert person.get("/client").status_code == 200
    users.set_password("admin", hash_password("another"))
    assert person.get("/client").status_code == 302
    assert log_in(person).status_code == 401
    assert log_in(person, password="another").status_code == 302  # noqa: S106  # of this test


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: FlaskClient) -> None:
    """The session is HttpOnly and SameSite; a forged one is worth nothing."""
    cookie = log_in(stranger).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    stranger.set_cookie("culex_session", "eyJfdXNlcl9pZCI6ImFkbWluOngifQ.aaaa.bbbb")
    assert stranger.get("/client").status_code == 302


def test_login_and_its_refusal_are_logged_with_name_and_address(stranger: FlaskClient) -> None:
    """Neither a long nor a hostile name breaks a line; no password is in one."""
    with capture_logs() as lines:
        log_in(stranger, username="x\n" * 100, password="guessed")  # noqa: S106  # that is the point
        log_in(stranger)
    refused, accepted = lines
    assert (refused["event"], refused["user"]) == ("login refused", repr("x\n" * 32))
    assert (accepted["event"], accepted["user"]) == ("login", "'admin'")
    assert refused["address"] == accepted["address"] == "127.0.0.1"
    assert "guessed" not in str(lines)
    assert PASSWORD not in str(lines)


def test_broken_access_db_stops_no_probe(person: FlaskClient, settings: Settings) -> None:
    """Probes and looks do not ask who looks, also when a browser sends its session along."""
    settings.access_path.write_bytes(b"no database" * 1000)
    assert person.get("/healthz").get_json() == {"status": "ok"}
    assert "no store yet" in person.get("/readyz").text
    assert person.get("/assets/culex.css", buffered=True).status_code == 200


def test_broken_access_db_is_one_sentence_elsewhere(
    person: FlaskClient, stranger: FlaskClient, settings: Settings
) -> None:
    """503 without a path of this machine, in JSON for programs; strangers are still refused."""
    token = form_token(stranger)
    settings.access_path.write_bytes(b"no database" * 1000)
    answers = [
        person.get("/client"),
        person.get("/_dash-layout"),
        stranger.post("/login", data={"username": "admin", "csrf_token": token}),
        stranger.get("/api/v1/clients", headers={"Authorization": "Bearer x"}),
    ]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert all("Try again shortly" in answer.text for answer in answers)
    assert not any("access.db" in answer.text for answer in answers)
    assert answers[-1].get_json()["error"].startswith("Who may look")
    assert stranger.get("/client").status_code == 302


def test_token_opens_the_api_and_the_metrics_and_nothing_else(
    stranger: FlaskClient, bearer: Bearer
) -> None:
    """A program reads; it sees no page and runs no callback."""
    headers = bearer()
    assert stranger.get("/api/typo", headers=headers).status_code == 404
    assert stranger.get("/metrics", headers=headers).status_code == 200
    assert stranger.get("/client", headers=headers).status_code == 302
    assert stranger.get("/_dash-layout", headers=headers).status_code == 401
    assert stranger.post(CALLBACK, json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer culex_wrong", "Basic {}", "{}", "Bearer {}x"]
)
def test_token_that_is_none_opens_nothing(
    stranger: FlaskClient, bearer: Bearer, header: str
) -> None:
    """A wrong token, or a right one sent wrongly, is 401 in JSON."""
    token = bearer()["Authorization"].removeprefix("Bearer ")
    answer = stranger.get("/api/v1/clients", headers={"Authorization": header.format(token)})
    assert answer.status_code == 401
    assert "log in" in answer.get_json()["error"]


def test_token_removed_is_worth_nothing_at_once(
    stranger: FlaskClient, tokens: Tokens, bearer: Bearer
) -> None:
    """Removing it ends it, while the dashboard runs."""
    headers = bearer()
    assert stranger.get("/metrics", headers=headers).status_code == 200
    tokens.remove("program")
    assert stranger.get("/metrics", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/login", "/client", "/nothing", "/assets/culex.css", "/assets/typo", "/api/typo", "/healthz"],
)
def test_every_answer_carries_what_protects_it(
    person: FlaskClient, stranger: FlaskClient, path: str
) -> None:
    """A strict content policy and nosniff, for persons and strangers, found or not."""
    for browser in (person, stranger):
        headers = browser.get(path, buffered=True).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert "unsafe-eval" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert ("Cache-Control" in headers) or path.startswith("/assets/")


def test_callback_without_the_csrf_header_is_refused(person: FlaskClient) -> None:
    """Another site cannot run a callback in a person's name."""
    headers = callback_headers(person)
    assert person.post(CALLBACK, json={}).status_code == 400
    assert person.post(CALLBACK, json={}, headers={"X-CSRFToken": "x"}).status_code == 400
    assert "CSRF" in person.post(CALLBACK, json={}).text
    assert "CSRF" not in person.post(CALLBACK, json={}, headers=headers).text


def test_body_of_more_than_a_megabyte_is_refused(person: FlaskClient) -> None:
    """No request fills the memory."""
    headers = callback_headers(person) | {"Content-Type": "application/json"}
    assert person.post(CALLBACK, data="x" * 1_000_001, headers=headers).status_code == 413
    assert person.post("/login", data={"username": "x" * 1_000_001}).status_code in {400, 413}


@pytest.mark.parametrize("path", ["/favicon.ico", "/assets/", "/assets//etc/passwd"])
def test_path_that_only_looks_like_a_file_of_ours_is_refused(
    stranger: FlaskClient, path: str
) -> None:
    """Only files of assets/ are open; anything else is led to the login, not to Dash's page."""
    assert stranger.get(path).status_code == 302
