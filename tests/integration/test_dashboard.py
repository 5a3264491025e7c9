"""The dashboard as a process: it says what is wrong, stops in time, and heals."""

import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dashboard.people import add_token
from mosquitto.access_tokens import Tokens
from telemetry.settings import Settings
from tests.dashboard.pictures import every
from tests.dashboard.visits import prepared
from tests.support import Process, culex, make_settings, wait_until
from tests.telemetry.builders import SECOND_US, fill

pytestmark = pytest.mark.broker  # processes, though none of them is a broker

Serve = Callable[[Settings], Process]
STOP_S = 5.0
WHOLE = "/api/v1/readings?client=boiler&start=2026-01-01&end=2027-01-01"
SHORT = "/api/v1/readings?client=boiler&start=2026-01-01&end=2026-01-02"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on a data folder with the user admin and no store yet."""
    return prepared(tmp_path)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts the dashboard; whatever was started ends with the test."""
    started: list[Process] = []

    def start(settings: Settings) -> Process:
        process = Process(settings, "dashboard", "run").start()
        started.append(process)
        wait_until(lambda: not process.running or "Culex is ready" in process.output, 30)
        return process

    yield start
    for process in started:
        process.stop()


@contextmanager
def asked(settings: Settings, path: str, token: str = "") -> Iterator[http.client.HTTPResponse]:
    """The answer of a running dashboard, unread."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.http_port, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def status(settings: Settings, path: str, token: str = "") -> int:
    """The status of an answer."""
    with asked(settings, path, token) as answer:
        answer.read()
        return answer.status


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(child) for child in path.read_text("ascii").split()}


def test_port_that_is_taken_ends_run_and_check_with_one_sentence(settings: Settings) -> None:
    """It names the port and the setting that changes it; status 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.http_port))
        taken.listen()
        for command in ("run", "check"):
            ran = culex(settings, "dashboard", command)
            assert ran.returncode == 1
            (sentence,) = ran.stderr.splitlines()
            assert f":{settings.http_port}" in sentence
            assert "CULEX_HTTP_PORT" in sentence


def test_first_start_tells_a_password_once_and_writes_it_nowhere(
    tmp_path: Path, serve: Serve
) -> None:
    """It is on the console of the first start, in no log file, and not told again."""
    settings = make_settings(tmp_path)
    first = serve(settings)
    told = [line for line in first.output.splitlines() if "with the password" in line]
    assert len(told) == 1
    password = told[0].split("password ")[1].split()[0]
    assert first.stop() == 0
    for file in settings.data_dir.rglob("*"):
        assert not file.is_file() or password.encode() not in file.read_bytes(), file
    serve(settings)
    assert first.output.count("with the password") == 1


def test_given_password_is_never_told(tmp_path: Path, serve: Serve) -> None:
    """Who chose it knows it."""
    settings = make_settings(tmp_path, admin_password="chosen-by-hand")  # noqa: S106  # of this test
    process = serve(settings)
    assert "password" not in process.output
    assert "chosen-by-hand" not in process.output


def test_stop_signal_ends_master_and_workers_in_time(settings: Settings, serve: Serve) -> None:
    """SIGTERM leaves no process and no PID file, also while a browser holds its connection."""
    process = serve(settings)
    wait_until(lambda: len(children(process.pid)) == 2)
    assert status(settings, "/healthz") == 200
    family = {process.pid, *children(process.pid)}
    assert (settings.run_dir / "dashboard.pid").read_text("ascii").strip() == str(process.pid)
    with socket.create_connection(("127.0.0.1", settings.http_port)):
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(STOP_S) == 0
    wait_until(lambda: not any(map(alive, family)), STOP_S)
    assert not (settings.run_dir / "dashboard.pid").exists()
    assert "Traceback" not in process.output


def test_worker_that_is_killed_is_replaced(settings: Settings, serve: Serve) -> None:
    """After kill -9 of a worker pages are answered, by as many workers."""
    process = serve(settings)
    wait_until(lambda: len(children(process.pid)) == 2)
    victim = min(children(process.pid))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(children(process.pid) - {victim}) == 2)
    for _ in range(4):
        assert status(settings, "/healthz") == 200


def test_two_instances_run_side_by_side(tmp_path: Path, serve: Serve) -> None:
    """Folders and ports of their own are all they need; one more on the same folder is refused."""
    one, other = prepared(tmp_path / "one"), prepared(tmp_path / "other")
    serve(one)
    serve(other)
    token = add_token(Tokens(one.access_path), "script")
    assert status(one, "/metrics", token) == 200
    assert status(other, "/metrics", token) == 401
    again = culex(make_settings(tmp_path / "one"), "dashboard", "run")
    assert again.returncode == 1
    assert "already running" in again.stderr


def test_session_key_readable_by_others_ends_run_with_one_sentence(settings: Settings) -> None:
    """The fault is told before there are workers."""
    key = settings.secrets_dir / "session.key"
    key.write_bytes(bytes(32))
    key.chmod(0o644)
    ran = culex(settings, "dashboard", "run")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("Error: ")
    assert "chmod 600" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_export_broken_in_the_middle_does_not_look_whole(settings: Settings, serve: Serve) -> None:
    """A store that fails half way ends the connection without the mark of a complete answer."""
    path = fill(settings.store_path, every(SECOND_US // 1000, 200_000))
    token = add_token(Tokens(settings.access_path), "script")
    process = serve(settings)
    address = f"{WHOLE}&format=json"
    with asked(settings, address, token) as answer:
        assert answer.status == 200
        assert answer.read(1000).startswith(b"[")
        os.truncate(path, 8192)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
    assert process.running
    assert status(settings, "/healthz") == 200
    assert status(settings, "/api/v1/clients", token) == 503


def test_export_of_a_whole_store_is_complete(settings: Settings, serve: Serve) -> None:
    """The same export without a fault ends as JSON does, while other requests are answered."""
    fill(settings.store_path, every(SECOND_US // 1000, 50_000))
    token = add_token(Tokens(settings.access_path), "script")
    serve(settings)
    address = f"{WHOLE}&format=json"
    bodies: list[bytes] = []

    def read() -> None:
        with asked(settings, address, token) as answer:
            bodies.append(answer.read())

    reader = threading.Thread(target=read)
    reader.start()
    assert status(settings, "/healthz") == 200
    reader.join(30)
    assert len(json.loads(bodies[0])) == 50_000


def test_exports_that_stall_leave_threads_for_everything_else(
    settings: Settings, serve: Serve
) -> None:
    """Four of a worker are sent at once, others are told so; the ends of some let others begin."""
    fill(settings.store_path, every(SECOND_US // 1000, 200_000))
    token = add_token(Tokens(settings.access_path), "script")
    process = serve(settings)
    wait_until(lambda: len(children(process.pid)) == 2)
    with ExitStack() as stalled:
        statuses = [stalled.enter_context(unread(settings, token)) for _ in range(24)]
        assert set(statuses) == {200, 503}
        assert 4 <= statuses.count(200) <= 8
        for _ in range(8):
            assert status(settings, "/healthz") == 200
    for _ in range(8):
        wait_until(lambda: status(settings, SHORT, token) == 200)
    assert "Traceback" not in process.output


@contextmanager
def unread(settings: Settings, token: str) -> Iterator[int]:
    """The status of an export whose rest nobody reads."""
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(20)
        peer.connect(("127.0.0.1", settings.http_port))
        lines = (f"GET {WHOLE} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "", "")
        peer.sendall("\r\n".join(lines).encode())
        yield int(peer.recv(12, socket.MSG_WAITALL).split()[1])
