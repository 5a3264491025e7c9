"""Where a request comes from: of what headers say, only what trusted proxies wrote is believed."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from dashboard.app import create_app
from dashboard.visitor import Forwarded, address_of, is_trusted
from mosquitto.access_sessions import Sessions
from telemetry.settings import Settings
from tests.dashboard.visits import PASSWORD, form_token, log_in
from tests.telemetry.builders import NOON_US

PROXY, MAPPED = "10.0.0.1", "::ffff:10.0.0.1"
UNREADABLE = "an address that cannot be read"


@pytest.fixture
def behind(settings: Settings) -> Settings:
    """The settings of a dashboard behind proxies of one network."""
    return Settings(**(settings.model_dump() | {"trusted_proxies": ["10.0.0.0/24", "fd00::/64"]}))


@pytest.fixture
def proxied(behind: Settings) -> Flask:
    """The application behind them, at noon."""
    return create_app(behind, lambda: NOON_US)


def seen(settings: Settings, peer: str, forwarded: str | None = None) -> str:
    """The address that is taken for the visitor's."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    asked = EnvironBuilder(headers=headers, environ_overrides={"REMOTE_ADDR": peer}).get_request()
    return address_of(asked, settings)


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        *((PROXY, True), (MAPPED, True), ("::FFFF:0a00:0001", True), (f"[{MAPPED}]:443", True)),
        *(("10.0.0.1:443", True), ("fd00::7", True), ("fd00::7%eth0", True)),
        *(("10.0.1.1", False), ("::ffff:10.0.1.1", False), ("::10.0.0.1", False)),
        *(("fd00:0:0:1::7", False), ("", False), ("10.0.0", False), ("10.0.0.1.evil", False)),
    ],
)
def test_proxy_is_trusted_however_its_address_is_written(
    behind: Settings, peer: str, *, trusted: bool
) -> None:
    """A server that listens on IPv6 sees a peer of IPv4 as `::ffff:…` (RFC 4291, 2.5.5.2)."""
    assert is_trusted(peer, behind) is trusted
    assert (seen(behind, peer, "192.0.2.7") == "192.0.2.7") is trusted


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("::ffff:10.0.0.0/120", "10.0.0.0/24"),
        (MAPPED, "10.0.0.1/32"),
        ("10.0.0.0/24", "10.0.0.0/24"),
        ("::a00:0/120", "::a00:0/120"),
        ("::/0", "::/0"),
    ],
)
def test_network_of_proxies_may_be_written_as_addresses_are_logged(
    behind: Settings, written: str, network: str
) -> None:
    """One of IPv4 that IPv6 writes is that of IPv4, as are the addresses that are sought in it."""
    own = Settings(**(behind.model_dump() | {"trusted_proxies": [written]}))
    assert own.trusted_proxies == (network,)
    assert is_trusted(MAPPED, own) is ("." in network)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:5123", "192.0.2.7"),
        ("192.0.2.7:5123", "192.0.2.7"),
        (f"198.51.100.9, 192.0.2.7, {MAPPED}, 10.0.0.2", "192.0.2.7"),
        (f"{PROXY}, {PROXY}", PROXY),
        ("2001:db8::7", "2001:db8::/64"),
        ("[2001:db8::7]:5123", "2001:db8::/64"),
        (None, PROXY),
        ("", PROXY),
        (" , ,", PROXY),
        ("192.0.2.7,", PROXY),
        ("192.0.2.7, , 10.0.0.2", "10.0.0.2"),
        ("unknown", UNREADABLE),
        ("192.0.2.7, <script>", UNREADABLE),
        ("192.0.2.256", UNREADABLE),
        ("192.0.2.7, \u0661\u0669\u0662.0.2.7", UNREADABLE),
        ("192.0.2.7 198.51.100.9", UNREADABLE),
        (",".join(["x"] * 4000), UNREADABLE),
        (",".join([*["192.0.2.7"] * 4000, PROXY]), "192.0.2.7"),
        (",".join(["192.0.2.7", *[PROXY] * 4000]), "192.0.2.7"),
    ],
)
def test_address_behind_proxies_is_the_last_that_none_of_them_has(
    behind: Settings, forwarded: str | None, address: str
) -> None:
    """One address has one way of writing; what cannot be read is told as that and not kept."""
    for peer in (PROXY, MAPPED):
        assert seen(behind, peer, forwarded) == address
    assert seen(behind, "192.0.2.99", forwarded) == "192.0.2.99", "of a stranger, nothing counts"


def test_way_of_writing_an_address_gives_no_more_guesses(behind: Settings, proxied: Flask) -> None:
    """Of IPv4 as such, with a port, or as IPv6 writes it, there are five for a name in all."""
    browser = proxied.test_client()
    ways = ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7:1", "::FFFF:C000:0207", "[::ffff:c000:207]")

    def answer(forwarded: str, password: str) -> int:
        fields = {"username": "admin", "password": password, "csrf_token": form_token(browser)}
        return browser.post(
            "/login", data=fields,
            headers={"X-Forwarded-For": forwarded}, environ_overrides={"REMOTE_ADDR": MAPPED},
        ).status_code  # fmt: skip

    assert [answer(way, "guess") for way in ways] == [401] * 5
    assert [answer(way, PASSWORD) for way in ways] == [429] * 5
    assert answer("192.0.2.8", PASSWORD) == 302
    (session,) = Sessions(behind.access_path, clock=lambda: NOON_US).all()
    assert session.address == "192.0.2.8"


def test_addresses_that_cannot_be_read_share_their_guesses(proxied: Flask) -> None:
    """Else anything made up would be a new address."""
    browser = proxied.test_client()
    browser.environ_base["REMOTE_ADDR"] = PROXY
    answers = []
    for number in range(6):
        browser.environ_base["HTTP_X_FORWARDED_FOR"] = f"made-up-{number}"
        answers.append(log_in(browser, password="guess").status_code)  # noqa: S106  # none
    assert answers == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        (PROXY, "https", "https"),
        (MAPPED, "HTTPS", "https"),
        (PROXY, "http, https", "https"),
        (PROXY, "https, http", "http"),
        *((PROXY, said, "http") for said in ("", ",", "https,", "httpss", "wss", "x" * 8000)),
        *((peer, "https", "http") for peer in ("192.0.2.7", "::ffff:192.0.2.7", "127.0.0.1", "")),
    ],
)
def test_proxy_that_is_trusted_says_whether_a_visitor_came_by_https(
    behind: Settings, peer: str, said: str, scheme: str
) -> None:
    """Of several, the word of the nearest counts; of anybody else, none."""
    schemes = []

    def inner(environ: dict[str, str], _start: Callable[..., object]) -> Iterator[bytes]:
        schemes.append(environ["wsgi.url_scheme"])
        return iter(())

    environ = {
        "REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": said,
    }  # fmt: skip
    Forwarded(inner, behind)(environ, lambda *_: None)
    assert schemes == [scheme]
    assert environ["wsgi.url_scheme"] == "http", "what the server made is left alone"


@pytest.mark.parametrize(("peer", "secure"), [(PROXY, True), (MAPPED, True), ("192.0.2.7", False)])
def test_cookies_are_for_https_alone_where_a_trusted_proxy_says_so(
    proxied: Flask, peer: str, *, secure: bool
) -> None:
    """A stranger that says https cannot have the others' cookies bound to it."""
    browser: FlaskClient = proxied.test_client()
    browser.environ_base |= {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https"}
    browser.environ_base["HTTP_REFERER"] = "https://localhost/login"
    cookies = log_in(browser).headers.getlist("Set-Cookie")
    own = next(one for one in cookies if "culex_session" in one)
    assert own.startswith("__Host-") is secure
    assert ("Secure" in own.split("; ")) is secure
