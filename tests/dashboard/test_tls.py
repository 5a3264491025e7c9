"""Sockets of https: no peer holds a thread for long. The server runs in test_dashboard_tls.py."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import cast

import pytest

from dashboard import tls
from dashboard.tls import tls_options
from mosquitto.renewal import prepare_http
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings

Make = Callable[[], ssl.SSLContext]


@pytest.fixture
def secured(settings: Settings) -> Settings:
    """The settings of a dashboard with a certificate."""
    prepare_folders(settings)
    own = settings.model_copy(update={"http_tls": True})
    prepare_http(own)
    return own


@pytest.fixture
def sides(
    secured: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ssl.SSLSocket, socket.socket]]:
    """The server's end of a connection, before TLS is agreed, and the peer's."""
    monkeypatch.setattr(tls, "ASKING_S", 0.2)
    monkeypatch.setattr(tls, "READING_S", 0.4)
    options = tls_options(secured)
    make = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    make.load_cert_chain(str(options["certfile"]), str(options["keyfile"]))
    hook = cast("Callable[[object, Make], ssl.SSLContext]", options["ssl_context"])
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    wrapped = hook(None, lambda: make).wrap_socket(
        ours, server_side=True, do_handshake_on_connect=False
    )
    with closing(wrapped), closing(theirs):
        yield wrapped, theirs


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"], ids=["nothing", "a part"])
def test_handshake_that_does_not_go_on_ends(
    sides: tuple[ssl.SSLSocket, socket.socket], sent: bytes
) -> None:
    """Python would read again and again; the connection counts as lost."""
    ours, theirs = sides
    theirs.sendall(sent)
    with pytest.raises(ConnectionResetError, match="too long"):
        ours.do_handshake()


def test_peer_that_goes_before_it_says_anything_is_no_plain_http(
    sides: tuple[ssl.SSLSocket, socket.socket],
) -> None:
    """A probe of the port gets an alert of TLS at most."""
    ours, theirs = sides
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(OSError, match="SSL"):
        ours.do_handshake()
    assert not theirs.recv(100).startswith(b"HTTP")


def test_plain_http_is_answered_in_plain(sides: tuple[ssl.SSLSocket, socket.socket]) -> None:
    """Who forgot the s reads what to write."""
    ours, theirs = sides
    theirs.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises(ssl.SSLEOFError):
        ours.do_handshake()
    answer = theirs.recv(1000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"write https://" in answer


def test_request_and_answer_that_do_not_go_on_end(
    sides: tuple[ssl.SSLSocket, socket.socket], secured: Settings
) -> None:
    """A peer that stops asking, or stops reading, after TLS was agreed."""
    ours, theirs = sides
    context = ssl.create_default_context(cafile=str(secured.ca_file))
    with ThreadPoolExecutor(1) as other:
        agreeing = other.submit(context.wrap_socket, theirs, server_hostname="localhost")
        ours.do_handshake()
        peer = agreeing.result(60)
    with closing(peer):
        peer.sendall(b"GET /")
        assert ours.recv(100) == b"GET /"
        with pytest.raises(ConnectionResetError, match="too long"):
            ours.recv(100)
        with pytest.raises(ConnectionResetError, match="too long"):
            ours.sendall(bytes(10_000_000))


def test_nothing_is_asked_of_gunicorn_by_default(settings: Settings) -> None:
    """Plain HTTP needs no file and no hook."""
    assert tls_options(settings) == {}
