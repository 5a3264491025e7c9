"""The port of the web server, and peers that it ends; more is in tests/integration."""

import http.client
import multiprocessing
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from flask import Flask, request

from dashboard import server
from dashboard.server import PortTaken, Server, check_port
from telemetry.settings import Settings
from tests.support import accepts, wait_until

FOREVER_S = 60.0
HEAD = b"GET /quick HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


def small() -> Flask:
    """An application that answers at once, or as soon as nobody reads any more what is asked."""
    app = Flask("small")

    @app.route("/quick", methods=["GET", "POST"])
    def quick() -> str:
        return f"after {len(request.get_data())} bytes"

    @app.get("/late")
    def late() -> str:
        shut, _, _ = select.select([request.environ["gunicorn.socket"]], [], [], FOREVER_S)
        return "whole" if shut else "nobody looked after it"

    return app


@pytest.fixture
def one_thread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server with one thread, which a peer may hold a moment for what it asks."""
    for name, value in (("_WORKERS", 1), ("_THREADS", 1), ("_WHOLE_S", 0.1)):
        monkeypatch.setattr(server, name, value)
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=Server(settings, small, ready.set).run)
    process.start()
    try:
        assert ready.wait(FOREVER_S)
        yield settings.http_port
    finally:
        process.terminate()
        process.join(FOREVER_S)
    assert process.exitcode == 0


def answer(port: int, path: str) -> str:
    """What is answered to a request that comes at once."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=FOREVER_S)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def is_over(peer: socket.socket) -> bool:
    """Whether the server has ended the connection; if not, it gets one byte more."""
    try:
        peer.send(b"a")
        readable, _, _ = select.select([peer], [], [], 0)
        return bool(readable) and not peer.recv(65_536)
    except ConnectionError:
        return True


@pytest.mark.parametrize("begun", [HEAD, BODY], ids=["head", "body"])
def test_peer_that_asks_byte_after_byte_is_ended_and_others_are_answered(
    one_thread: int, begun: bytes
) -> None:
    """Each byte is in time, the whole is not: the one thread is free for whoever waits."""
    with (
        socket.create_connection(("127.0.0.1", one_thread), FOREVER_S) as peer,
        ThreadPoolExecutor(1) as other,
    ):
        peer.sendall(begun)
        asked = other.submit(answer, one_thread, "/quick")
        wait_until(lambda: is_over(peer))
        assert asked.result(FOREVER_S) == "after 0 bytes"


def test_answer_that_takes_longer_than_a_peer_may_ask_is_whole(one_thread: int) -> None:
    """Only reading ends."""
    assert answer(one_thread, "/late") == "whole"


def test_port_that_is_free_is_taken_by_nobody(settings: Settings) -> None:
    """Looking leaves the port free."""
    check_port(settings)
    check_port(settings)
    assert not accepts(settings.http_port)


def test_port_of_a_host_that_is_not_ours_is_refused(settings: Settings) -> None:
    """A host that cannot be bound is told as such."""
    for host in ("203.0.113.1", "no-such-host.invalid"):
        with pytest.raises(PortTaken, match="CULEX_HTTP_HOST"):
            check_port(settings.model_copy(update={"http_host": host}))
