"""The dashboard over https, as a process: its certificate, its headers, what it refuses."""

import http.client
import re
import socket
import ssl
import urllib.parse
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server
from mosquitto.pem import load_certificates
from mosquitto.trust import authority_pair
from telemetry.clock import now_us
from telemetry.settings import Settings
from tests.dashboard.visits import PASSWORD, prepared
from tests.support import Process, wait_until

pytestmark = pytest.mark.broker  # a process, though it is no broker


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a dashboard that was started with --tls."""
    settings = prepared(tmp_path_factory.mktemp("tls"))
    process = Process(settings, "dashboard", "run", "--tls").start()
    try:
        wait_until(lambda: not process.running or "Culex is ready" in process.output)
        assert f"Culex is ready: https://127.0.0.1:{settings.http_port}" in process.output
        yield settings
    finally:
        assert process.stop() == 0
    assert "Traceback" not in process.output


@dataclass(frozen=True)
class Answer:
    """What came back, with its body read."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def all_of(self, name: str) -> list[str]:
        """The values of a header, each time it stands there."""
        return [value for key, value in self.headers if key == name]


def trusting(settings: Settings) -> ssl.SSLContext:
    """A client that trusts our authority alone, under the strictest rules Python has."""
    context = ssl.create_default_context(cafile=str(settings.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def ask(settings: Settings, method: str, path: str, body: str = "", cookie: str = "") -> Answer:
    """The answer over https, verified."""
    headers = {"Cookie": cookie, "Referer": f"https://localhost:{settings.http_port}/login"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    asking = http.client.HTTPSConnection(
        "localhost", settings.http_port, timeout=60, context=trusting(settings)
    )
    with closing(asking):
        asking.request(method, path, body or None, headers)
        with asking.getresponse() as answer:
            return Answer(answer.status, answer.getheaders(), answer.read().decode())


def shown(settings: Settings) -> x509.Certificate:
    """The certificate that the next connection gets."""
    pem = ssl.get_server_certificate(("127.0.0.1", settings.http_port), timeout=60)
    return x509.load_pem_x509_certificate(pem.encode())


def test_login_over_https_has_secure_cookies_and_hsts(served: Settings) -> None:
    """It verifies with ca.crt; every answer says https alone, every cookie too."""
    form = ask(served, "GET", "/login")
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    assert token is not None
    assert form.all_of("Strict-Transport-Security") == ["max-age=31536000"]
    cookie = form.all_of("Set-Cookie")[0].partition(";")[0]
    fields = {"username": "admin", "password": PASSWORD, "csrf_token": token[1]}
    done = ask(served, "POST", "/login", urllib.parse.urlencode(fields), cookie)
    assert done.status == 302
    session = done.all_of("Set-Cookie")[0].partition(";")[0]
    page = ask(served, "GET", "/admin", cookie=session)
    assert page.status == 200
    cookies = [value for one in (form, done, page) for value in one.all_of("Set-Cookie")]
    assert len(cookies) >= 3
    assert [value for value in cookies if "; Secure" not in value] == []


def test_plain_http_is_told_to_write_https(served: Settings) -> None:
    """One sentence instead of a connection that is reset; nothing else is answered."""
    asking = http.client.HTTPConnection("127.0.0.1", served.http_port, timeout=60)
    with closing(asking):
        asking.request("GET", "/login")
        with asking.getresponse() as answer:
            assert (answer.status, answer.getheader("Connection")) == (400, "close")
            assert (
                answer.read()
                == b"This port speaks https: write https:// in front of its address.\n"
            )


def test_old_tls_is_refused(served: Settings) -> None:
    """TLS 1.2 is spoken, 1.1 is not."""

    def speaks(version: ssl.TLSVersion) -> bool:
        context = trusting(served)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else this side refuses 1.1 itself
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        try:
            with (
                socket.create_connection(("127.0.0.1", served.http_port), 60) as plain,
                context.wrap_socket(plain, server_hostname="localhost"),
            ):
                return True
        except ssl.SSLError:
            return False

    versions = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert [speaks(version) for version in versions] == [False, True, True]


def test_renewed_certificate_is_shown_without_a_restart(served: Settings) -> None:
    """The next connection gets what is on disk."""
    before = shown(served)
    assert before == load_certificates(served.http_certificate)[0]
    served.http_certificate.unlink()
    authority = ensure_authority(authority_pair(served), now_us())
    pair = Pair(served.http_key, served.http_certificate)
    ensure_server(pair, authority, Server("Newer", frozenset({"localhost"})), now_us())
    assert shown(served) == load_certificates(served.http_certificate)[0] != before
    assert ask(served, "GET", "/healthz").status == 200


def test_key_is_for_its_owner_alone(served: Settings) -> None:
    """The key lies among the secrets."""
    assert Path(served.http_key).stat().st_mode & 0o777 == 0o600
