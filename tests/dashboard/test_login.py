"""Logging in: by a password, with limits; through a proxy; through a provider."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs

from dashboard.app import create_app
from dashboard.login import limits
from dashboard.vouched import vouched_user
from mosquitto.access_file import AccessError
from mosquitto.access_sessions import Sessions
from mosquitto.access_users import Users
from telemetry.login import SecretError
from telemetry.settings import Settings
from tests.dashboard.provider import SECRET, Provider
from tests.dashboard.visits import (
    PASSWORD,
    callback_headers,
    form_token,
    log_in,
    log_out,
    quick_hash,
)
from tests.telemetry.builders import NOON_US

MINUTE_US = 60_000_000
Make = Callable[..., FlaskClient]


class Clock:
    """A clock that goes when it is told to."""

    now_us = NOON_US

    def __call__(self) -> int:
        """The present, in microseconds since 1970 UTC."""
        return self.now_us


@pytest.fixture
def clock() -> Clock:
    """The present."""
    return Clock()


@pytest.fixture
def make(settings: Settings, clock: Clock) -> Make:
    """Makes a browser of an application with other settings; each is a process of its own."""

    def browser(**changes: object) -> FlaskClient:
        chosen = settings.model_dump() | changes
        return create_app(Settings(**chosen), clock).test_client()

    return browser


def test_guesses_of_a_password_are_limited(make: Make, clock: Clock) -> None:
    """Five for a name, then even the right one has to wait; a restart forgets nothing."""
    browser = make()
    guesses = [log_in(browser, password=f"guess {number}").status_code for number in range(8)]
    assert guesses == [401] * 5 + [429] * 3
    again = make()
    answer = log_in(again)
    assert answer.status_code == 429
    assert "try again in 15 minutes" in answer.text
    clock.now_us += 15 * MINUTE_US
    assert log_in(again).status_code == 302


def test_name_stands_there_again_after_a_wrong_password(make: Make) -> None:
    """As text, whatever it holds; only the password is asked for anew."""
    answer = log_in(make(), username='a"><b>', password="wrong")  # noqa: S106  # a guess
    assert 'value="a&#34;&gt;&lt;b&gt;"' in answer.text
    assert 'value="wrong"' not in answer.text


def test_guesses_of_names_are_limited_by_the_address(make: Make) -> None:
    """Twenty attempts from one address, whatever names they are for."""
    browser = make()
    answers = [log_in(browser, username=f"user-{number}").status_code for number in range(25)]
    assert answers == [401] * 20 + [429] * 5


def test_ten_thousand_guesses_of_an_hour_are_eighty(settings: Settings, clock: Clock) -> None:
    """Whatever is tried from an address, a password is compared so often and no more."""
    sessions, let_try = Sessions(settings.access_path, clock=clock), 0
    for number in range(10_000):
        clock.now_us = NOON_US + number * 360_000
        let_try += not sessions.attempt(limits(f"user-{number % 7}", "192.0.2.7"))
    assert let_try == 80
    assert not sessions.attempt(limits("user-0", "192.0.2.8")), "elsewhere nobody has to wait"


def test_nobody_can_lock_somebody_out_elsewhere(make: Make) -> None:
    """Behind a proxy that is trusted, addresses are told apart by what it says."""
    browser = make(trusted_proxies=["127.0.0.1"])

    def answer(address: str, password: str) -> int:
        fields = {"username": "admin", "password": password, "csrf_token": form_token(browser)}
        forwarded = {"X-Forwarded-For": address}
        return browser.post("/login", data=fields, headers=forwarded).status_code

    for _ in range(30):
        last = answer("198.51.100.1, 203.0.113.66", "wrong")
    assert last == 429
    assert answer("203.0.113.66", PASSWORD) == 429
    assert answer("203.0.113.66, 192.0.2.7", PASSWORD) == 302, "what others wrote does not count"
    log_out(browser)
    for number in range(6):
        last = answer(f"2001:db8::{number}", "wrong")
    assert last == 429, "who has one address of IPv6 has the network around it"


def test_address_that_nobody_vouches_for_is_not_believed(make: Make) -> None:
    """Without a trusted proxy, the header is anybody's."""
    browser = make()
    for number in range(8):
        fields = {"username": "admin", "password": "x", "csrf_token": form_token(browser)}
        forwarded = {"X-Forwarded-For": f"192.0.2.{number}"}
        last = browser.post("/login", data=fields, headers=forwarded).status_code
    assert last == 429


def test_success_does_not_use_attempts_up(make: Make) -> None:
    """Whoever logs in properly thirty times is let in thirty times."""
    browser = make()
    for _ in range(30):
        assert log_in(browser).status_code == 302
        log_out(browser)


def test_session_rests_eight_hours_and_lasts_a_day(make: Make, clock: Clock) -> None:
    """Ticks of an open page keep it; after a day it ends at any rate."""
    browser = make()
    log_in(browser)
    for _ in range(3):
        clock.now_us += 8 * 60 * MINUTE_US - 1
        assert browser.get("/client").status_code == (
            200 if clock.now_us < NOON_US + 24 * 60 * MINUTE_US else 302
        )
    clock.now_us = NOON_US + 24 * 60 * MINUTE_US
    assert browser.get("/client").status_code == 302


def test_session_that_is_revoked_is_over(make: Make, settings: Settings, clock: Clock) -> None:
    """By an administrator, at the next request; the cookie is worth nothing."""
    browser = make()
    log_in(browser)
    sessions = Sessions(settings.access_path, clock=clock)
    (session,) = sessions.all()
    assert (session.user, session.address) == ("admin", "127.0.0.1")
    sessions.end(session.digest)
    assert browser.get("/client").status_code == 302


def test_logout_ends_the_session_on_the_server(make: Make, settings: Settings) -> None:
    """A copy of the cookie does not bring it back."""
    browser = make()
    log_in(browser)
    copied = browser.get_cookie("culex_session")
    assert copied is not None
    log_out(browser)
    browser.set_cookie("culex_session", copied.value)
    assert browser.get("/client").status_code == 302
    assert Sessions(settings.access_path).all() == []


def test_password_is_changed_by_whoever_knows_the_old_one(make: Make) -> None:
    """The session that changed it goes on, others end; a guess is limited as at the login."""
    browser, other = make(), make()
    for one in (browser, other):
        log_in(one)
    new = "another horse battery"

    def change(**fields: str) -> str:
        token = callback_headers(browser)["X-CSRFToken"]
        sent = {"old": PASSWORD, "new": new, "again": new, "csrf_token": token} | fields
        return browser.post("/password", data=sent).text

    assert "not your password of now" in change(old="wrong")
    assert "not the same both times" in change(again="typo")
    assert "10 to 200 characters" in change(new="short", again="short")
    assert "Your password is changed" in change()
    assert browser.get("/client").status_code == 200
    assert other.get("/client").status_code == 302
    assert log_in(other).status_code == 401
    assert log_in(other, password=new).status_code == 302


def test_cookies_are_bound_to_host_and_tls(make: Make) -> None:
    """Over TLS the session's cookie has the prefix that browsers hold to, and goes nowhere else."""
    browser = make()
    token = form_token_over(browser, "https://localhost")
    fields = {"username": "admin", "password": PASSWORD, "csrf_token": token}
    answer = browser.post(
        "/login", data=fields, base_url="https://localhost",
        headers={"Referer": "https://localhost/login"},
    )  # fmt: skip
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if "session" in one)
    assert cookie.startswith("__Host-culex_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def form_token_over(browser: FlaskClient, base: str) -> str:
    """The token of the login form, asked for over TLS."""
    return browser.get("/login", base_url=base).text.split('csrf_token" value="')[1].split('"')[0]


@pytest.mark.parametrize("trusted", [True, False])
def test_proxy_that_is_trusted_vouches_for_users(make: Make, users: Users, trusted: bool) -> None:
    """Its header is a login for those who are known; from anybody else it is nothing."""
    users.add("ann", "", "operator")
    users.add("gone", "")
    users.set_enabled("gone", enabled=False)
    users.add("local", quick_hash("x"))
    browser = make(
        trusted_proxies=["127.0.0.0/8"] if trusted else [], proxy_user_header="X-Forwarded-User"
    )

    def opens(name: str) -> bool:
        return browser.get("/client", headers={"X-Forwarded-User": name}).status_code == 200

    assert opens("ann") is trusted
    assert not opens("gone")
    assert not opens("local"), "it has a password here"
    assert not opens("admin")
    assert not opens("nobody")
    assert not opens("")


def test_proxy_can_bring_new_viewers(make: Make, users: Users) -> None:
    """If settings say so; what they may is what any viewer may."""
    browser = make(
        trusted_proxies=["127.0.0.1"], proxy_user_header="X-Forwarded-User", new_users="viewer"
    )
    headers = {"X-Forwarded-User": "eve"}
    assert browser.get("/client", headers=headers).status_code == 200
    eve = users.named("eve")
    assert eve is not None
    assert (eve.role, eve.password_hash) == ("viewer", "")
    assert browser.get("/admin/diagnostics.zip", headers=headers).status_code == 403


def test_first_visit_in_two_requests_at_once_makes_one_user(
    settings: Settings, users: Users
) -> None:
    """Whichever is second finds what the first has made."""

    class Overtaken(Users):
        """Between its look and its change another request comes."""

        def add(self, name: str, *rest: Any, **more: Any) -> None:
            users.add(name, "")
            super().add(name, *rest, **more)

    chosen = settings.model_copy(update={"new_users": "viewer"})
    user = vouched_user(Overtaken(settings.access_path), "eve", chosen)
    assert (user.name, user.role) == ("eve", "viewer")


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that vouches for ann."""
    with Provider() as found:
        yield found


@pytest.fixture
def with_provider(make: Make, settings: Settings, provider: Provider) -> Make:
    """Makes a browser of an application that asks the provider."""
    path = settings.secrets_dir / "oidc.secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return lambda **changes: make(oidc_issuer=provider.issuer, oidc_title="Acme", **changes)


def come_back(browser: FlaskClient, path: str = "/login/oidc") -> tuple[int, str]:
    """Goes to the provider and back, as a browser does: status and where it leads."""
    to_provider = browser.get(path).headers["Location"]
    back = requests.get(to_provider, allow_redirects=False, timeout=10).headers["Location"]
    answer = browser.get(back.removeprefix("http://localhost"))
    return answer.status_code, answer.headers.get("Location", answer.text)


def test_provider_lets_known_users_in(with_provider: Make, users: Users) -> None:
    """And leads them to where they wanted to go."""
    users.add("ann", "", "operator")
    browser = with_provider()
    assert "Log in with Acme" in browser.get("/login?next=/compare").text
    assert come_back(browser, "/login/oidc?next=/compare") == (302, "/compare")
    assert browser.get("/client").status_code == 200
    assert come_back(browser, "/login/oidc?next=//evil.example") == (302, "/")


def test_provider_lets_nobody_else_in(
    with_provider: Make, users: Users, provider: Provider
) -> None:
    """Unknown, disabled or nameless people are told to ask; a new viewer only by the settings."""
    status, text = come_back(with_provider())
    assert (status, "ask an administrator" in text) == (403, True)
    assert come_back(with_provider(new_users="viewer")) == (302, "/")
    users.set_enabled("ann", enabled=False)
    assert come_back(with_provider())[0] == 403
    provider.claims = {"preferred_username": ["ann"]}
    assert come_back(with_provider())[0] == 403


def test_provider_vouches_for_nobody_who_has_a_password_here(
    with_provider: Make, users: Users, provider: Provider
) -> None:
    """Whoever can be called admin there is not the admin here, whatever becomes of new users."""
    provider.claims = {"preferred_username": "admin"}
    for new_users in ("refuse", "viewer"):
        browser = with_provider(new_users=new_users)
        with capture_logs() as lines:
            status, text = come_back(browser)
        assert (status, "User admin logs in with a password here" in text) == (403, True)
        assert browser.get("/client").status_code == 302
        (told,) = [one for one in lines if one["event"] == "login refused"]
        assert (told["user"], "with a password here" in told["reason"]) == ("'admin'", True)
    assert [one.name for one in users.all()] == ["admin"]


def test_provider_login_that_cannot_be_kept_is_no_refusal(
    with_provider: Make, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is 503: who asks is no stranger because access.db is out of order."""
    users.add("ann", "")
    browser = with_provider()
    monkeypatch.setattr(Sessions, "begin", broken)
    status, text = come_back(browser)
    assert (status, "Try again shortly" in text) == (503, True)


def test_login_that_cannot_be_kept_is_no_wrong_password(
    make: Make, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a user that was changed in the moment of its login is told to try again."""
    browser = make()
    with monkeypatch.context() as patched:
        patched.setattr(Sessions, "begin", broken)
        answer = log_in(browser)
        assert (answer.status_code, "Try again shortly" in answer.text) == (503, True)
    begin = Sessions.begin

    def overtaken(sessions: Sessions, *known: Any) -> str:
        users.set_password("admin", quick_hash("another"))
        return begin(sessions, *known)

    monkeypatch.setattr(Sessions, "begin", overtaken)
    assert log_in(browser).status_code == 401


def broken(*_: object) -> str:
    """As if the disk was full."""
    raise AccessError("cannot use access.db: database or disk is full")


def test_answer_that_the_provider_did_not_sign_lets_nobody_in(
    with_provider: Make, users: Users, provider: Provider
) -> None:
    """Nor one for somebody else, or without the state that this browser was given."""
    users.add("ann", "")
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
    status, text = come_back(with_provider())
    assert (status, "failed; try again" in text) == (502, True)
    other = with_provider()
    assert other.get("/login/oidc/callback?code=x&state=y").status_code == 502
    assert other.get("/client").status_code == 302


def test_provider_that_does_not_answer_is_one_sentence(make: Make, settings: Settings) -> None:
    """The password is another way in meanwhile."""
    path = settings.secrets_dir / "oidc.secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    browser = make(oidc_issuer="http://127.0.0.1:9")
    answer = browser.get("/login/oidc")
    assert (answer.status_code, "failed; try again" in answer.text) == (502, True)
    assert log_in(browser).status_code == 302


def test_secret_that_others_may_read_stops_the_start(make: Make, settings: Settings) -> None:
    """So does one that is missing; each is one sentence."""
    path = settings.secrets_dir / "oidc.secret"
    with pytest.raises(SecretError, match=r"oidc\.secret is missing; write"):
        make(oidc_issuer="https://sso.example")
    path.write_text(SECRET)
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        make(oidc_issuer="https://sso.example")


def test_without_a_provider_its_addresses_are_nothing(app: Flask) -> None:
    """404, and the login page does not speak of it."""
    browser = app.test_client()
    assert browser.get("/login/oidc").status_code == 404
    assert browser.get("/login/oidc/callback").status_code == 404
    assert "Log in with" not in browser.get("/login").text
