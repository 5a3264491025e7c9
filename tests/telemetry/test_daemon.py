"""Folders, locks, logs and signals of a process."""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog

from telemetry.daemon import (
    AlreadyRunning,
    DataFolderError,
    SharedFileHandler,
    pid_file,
    prepare_folders,
    start_logging,
    stop_on_signal,
    writer_lock,
)
from telemetry.settings import LogFormat, Settings
from tests.support import culex, make_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a data folder that is there."""
    settings = Settings(data_dir=tmp_path / "data", log_format=LogFormat.JSON)
    prepare_folders(settings)
    return settings


@pytest.fixture
def logs(settings: Settings) -> Iterator[Path]:
    """The log file of a process; logging is afterwards as it was."""
    root, level = logging.getLogger(), logging.getLogger().level
    before = list(root.handlers)
    root.handlers = []
    start_logging(settings, "collector")
    yield settings.logs_dir / "collector.log"
    for handler in root.handlers:
        handler.close()
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def fork(run: Callable[[], None]) -> int:
    """The identifier of a child process that runs and ends, with 0 if nothing was raised."""
    child = os.fork()
    if child == 0:
        try:
            run()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def lock_in_child(path: Path) -> int:
    """0 if another process gets the lock, 1 if it is told that it is taken."""
    child = os.fork()
    if child == 0:
        try:
            with writer_lock(path):
                os._exit(0)
        except AlreadyRunning:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_folders_prepared_twice_are_there_with_secrets_closed(settings: Settings) -> None:
    """Preparing what is prepared changes nothing; others cannot look at the secrets."""
    prepare_folders(settings)
    assert settings.logs_dir.is_dir()
    assert settings.run_dir.is_dir()
    assert settings.secrets_dir.stat().st_mode & 0o777 == 0o700


def test_folders_that_cannot_be_made_are_a_sentence(tmp_path: Path) -> None:
    """A data folder that cannot be is named, with the setting that changes it."""
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match=r"cannot write .*file.* set CULEX_DATA_DIR"):
        prepare_folders(Settings(data_dir=tmp_path / "file"))


def test_lock_that_is_held_names_the_process_that_holds_it(settings: Settings) -> None:
    """The second of two processes learns who is there; afterwards it may have its turn."""
    path = settings.run_dir / "collector.pid"
    with writer_lock(path):
        taken = pytest.raises(AlreadyRunning, match=f"already running as process {os.getpid()};")
        with taken, writer_lock(path):
            pass
        assert lock_in_child(path) == 1
    assert lock_in_child(path) == 0


def test_lock_of_a_process_that_died_is_free(settings: Settings) -> None:
    """A PID file left by a crash holds nobody up."""
    path = settings.run_dir / "collector.pid"
    path.write_text("999999999 and more than a number\n")
    with writer_lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_lock_on_a_file_that_was_removed_meanwhile_is_taken_on_the_new_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock on a file that its last holder just removed is not mistaken for the lock."""
    path, open_file = settings.run_dir / "collector.pid", Path.open
    opened: list[int] = []

    def open_late(self: Path, *args: str, **options: str) -> object:
        file = open_file(self, *args, **options)  # type: ignore[call-overload]  # passed through
        opened.append(file.fileno())
        if len(opened) == 1:
            self.unlink()
        return file

    monkeypatch.setattr(Path, "open", open_late)
    with writer_lock(path):
        assert len(opened) == 2
        assert path.read_text() == f"{os.getpid()}\n"


def test_pid_file_is_there_while_the_process_is(settings: Settings) -> None:
    """It holds the process identifier, and is gone afterwards, also after a fault."""
    path = settings.run_dir / "collector.pid"
    with pytest.raises(ValueError, match=str(os.getpid())), pid_file(settings, "collector"):
        raise ValueError(path.read_text())
    assert not path.exists()


def test_log_line_as_json_has_its_facts_and_the_stack_of_a_fault(logs: Path) -> None:
    """One line is one JSON object, with time in UTC, whoever logged it."""
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        structlog.get_logger("collector").exception("lost", topic="a\nb")
    logging.getLogger("elsewhere").warning("foreign %s", "line")
    first, second = (json.loads(line) for line in logs.read_text().splitlines())
    assert (first["event"], first["topic"], first["level"]) == ("lost", "a\nb", "error")
    assert "ZeroDivisionError" in first["exception"]
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("foreign line", "elsewhere")


def test_log_file_written_by_many_processes_loses_and_doubles_no_line(settings: Settings) -> None:
    """Forked processes rotate one file, and each of their lines is in one of those kept, once."""
    path = settings.logs_dir / "dashboard.log"
    parent = SharedFileHandler(path, maxBytes=2_000, backupCount=200, encoding="utf-8")

    def write(worker: int) -> None:
        own = SharedFileHandler(path, maxBytes=2_000, backupCount=200, encoding="utf-8")
        for number in range(500):
            text = f"{worker} {number:04} {'x' * 60}"
            record = logging.makeLogRecord({"msg": text, "levelno": logging.INFO})
            (parent if number % 2 else own).emit(record)

    children = [fork(partial(write, worker)) for worker in range(4)]
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    parent.close()
    assert ended == [0, 0, 0, 0]
    files = [file for file in settings.logs_dir.iterdir() if file.suffix != ".lock"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert len(files) > 50
    assert sorted(line[:6] for line in lines) == sorted(
        f"{worker} {number:04}" for worker in range(4) for number in range(500)
    )


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    """An event of `stop_on_signal`, whose handlers are taken back in the end."""
    before = [(one, signal.getsignal(one)) for one in (signal.SIGTERM, signal.SIGINT)]
    yield stop_on_signal()
    for number, handler in before:
        signal.signal(number, handler)
    os.close(signal.set_wakeup_fd(-1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_stop_sets_the_event(number: signal.Signals, stopping: threading.Event) -> None:
    """Either signal asks for an orderly end; another one does not."""
    assert not stopping.is_set()
    signal.raise_signal(number)
    assert stopping.wait(5)


def test_signal_to_stop_is_not_missed_while_the_main_thread_waits(
    stopping: threading.Event,
) -> None:
    """A signal that the kernel gives to another thread does not interrupt the main thread's read.

    The same happens if it comes between the interpreter's last look and the read.
    """
    reader, writer = os.pipe()
    missed: list[bool] = []

    def interrupt() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        missed.append(not stopping.wait(5))
        os.close(writer)  # the main thread goes on

    other = threading.Thread(target=interrupt)
    other.start()
    assert os.read(reader, 1) == b""
    other.join()
    os.close(reader)
    assert missed == [False]


def test_log_lines_of_a_command_are_no_part_of_what_it_prints(tmp_path: Path) -> None:
    """A program reads that; a person sees both."""
    made = culex(make_settings(tmp_path), "mosquitto", "init")
    assert made.returncode == 0, made.stderr
    assert "issued a certificate" in made.stderr
    (line,) = made.stdout.splitlines()
    assert line.startswith("Ready.")
