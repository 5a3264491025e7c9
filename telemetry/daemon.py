"""A process of Culex: its folders, log, PID file, lock and stop signal."""

import fcntl
import logging
import logging.handlers
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

import psutil
import structlog
from structlog.typing import Processor

from telemetry.fault import Fault
from telemetry.files import make_owned
from telemetry.settings import LogFormat, Settings
from telemetry.switching import finish_switch

_LOG_FILES = 5
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class AlreadyRunning(Fault):
    """Another process holds the lock; the message says which."""


class DataFolderError(Fault):
    """The data folder cannot be used; the message says what to do."""


def prepare_folders(settings: Settings) -> None:
    """Makes the data folder and those every process needs; a restore that was killed is finished.

    Raises:
        DataFolderError: If one cannot be made or written.
    """
    folders = {settings.data_dir: 0o755, settings.logs_dir: 0o750, settings.run_dir: 0o755}
    try:
        for folder, mode in (folders | {settings.secrets_dir: 0o700}).items():
            make_owned(folder, mode)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(folder))
        finish_switch(settings.data_dir)
    except OSError as error:
        raise DataFolderError(
            f"cannot write {error.filename}: {error.strerror}; "
            "make it yours or set CULEX_DATA_DIR to a folder that is"
        ) from None


class SharedFileHandler(logging.handlers.RotatingFileHandler):
    """Writes a rotated file that other processes write too: each line is in it once.

    `<file>.lock` is held for the length of a line. It is opened each time, for a lock on a
    descriptor that was inherited by a fork would be shared with it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """The line is written, into the file that has the name now."""
        try:
            with Path(f"{self.baseFilename}.lock").open("a", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._follow()
                super().emit(record)
                self.flush()
                fcntl.flock(lock, fcntl.LOCK_UN)  # a fork of this moment holds a copy of it
        except OSError:
            self.handleError(record)

    def _follow(self) -> None:
        """Lets go of a file that another process has rotated."""
        if self.stream is not None and not _lies_at(Path(self.baseFilename), self.stream):
            stale, self.stream = self.stream, self._open()
            stale.close()


def log_to_stderr() -> None:
    """Log lines of a command go beside what it prints: that may be JSON or CSV for a program."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def start_logging(settings: Settings, process: str) -> None:
    """Sends every log line of this process to the console and to its rotated file."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    file = SharedFileHandler(
        settings.logs_dir / f"{process}.log",
        maxBytes=settings.log_keep_mb * 1_000_000 // _LOG_FILES,
        backupCount=_LOG_FILES - 1,
        encoding="utf-8",
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout), file]
    for handler in handlers:
        handler.setFormatter(_formatter(settings.log_format, shared))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)


def _formatter(log_format: LogFormat, shared: list[Processor]) -> logging.Formatter:
    render: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format is LogFormat.JSON
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        foreign_pre_chain=shared,
    )


@contextmanager
def pid_file(settings: Settings, process: str) -> Iterator[Path]:
    """Keeps `run/<process>.pid` while the block runs; a locked one means it runs already.

    Raises:
        AlreadyRunning: If another process of that name uses the same data folder.
    """
    path = settings.run_dir / f"{process}.pid"
    owner = os.getpid()
    with writer_lock(path):
        try:
            yield path
        finally:
            if os.getpid() == owner:  # a forked child leaves it to its parent
                path.unlink(missing_ok=True)


def process_of(settings: Settings, process: str, room: str) -> int | None:
    """The process that `run/<process>.pid` names, if it runs that room: after kill -9 a file stays.

    Its lock is not tried: a process that starts at that moment would be turned away.
    """
    try:
        number = int((settings.run_dir / f"{process}.pid").read_text("ascii"))
        command = psutil.Process(number).cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return number if room in command else None


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on `path`, which then holds our process identifier.

    Raises:
        AlreadyRunning: If another process holds it.
    """
    file = _lock(path)
    while not _lies_at(path, file):  # its last holder removed it between our opening and locking
        file.close()
        file = _lock(path)
    with file:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _lock(path: Path) -> TextIO:
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with file:
            file.seek(0)
            raise AlreadyRunning(
                f"{path.stem} is already running as process {file.read().strip() or '?'}; "
                "stop it first or set another CULEX_DATA_DIR"
            ) from None
    return file


def _lies_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def stop_on_signal(asked: threading.Event | None = None) -> threading.Event:
    """An event that SIGTERM or SIGINT sets, whatever the main thread is waiting for.

    SIGUSR1 sets `asked`, if there is one.

    The interpreter runs handlers in the main thread alone, so a signal that reaches another thread,
    or the main one just before it blocks, would wait for that call to return. The byte which it
    writes for each signal wakes a thread of our own instead.
    """
    stopping = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in (*_STOP_SIGNALS, *((signal.SIGUSR1,) if asked else ())):
        signal.signal(number, _leave_to_thread)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_await_stop, args=(reader, stopping, asked), daemon=True).start()
    return stopping


def _leave_to_thread(_signal: int, _frame: FrameType | None) -> None:
    """A handler, so that the signal neither ends the process nor is ignored."""


def _await_stop(reader: int, stopping: threading.Event, asked: threading.Event | None) -> None:
    with os.fdopen(reader, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] in _STOP_SIGNALS:
                stopping.set()
            elif asked and number[0] == signal.SIGUSR1:
                asked.set()
