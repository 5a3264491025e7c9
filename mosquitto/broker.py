"""Runs one Mosquitto as a child: its files, its log, its certificate, its end."""

import os
import resource
import signal
import subprocess
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import structlog

from mosquitto.broker_files import (
    configuration_path,
    give,
    pid_path,
    prepare,
    renew_certificates,
    tell,
)
from mosquitto.configuration import (
    broker_account,
    quiet,
)
from mosquitto.elsewhere import check_login, require_own_broker
from mosquitto.output import Output
from mosquitto.pem import CertificateError
from mosquitto.ports import check_ports
from mosquitto.reconcile import reconcile
from telemetry.daemon import pid_file, stop_on_signal
from telemetry.fault import Fault
from telemetry.files import publish_file
from telemetry.settings import Settings

STOP_S = 4.0
_RECONCILE_S = 60.0
_RENEWAL_S = 3600.0
_TURN_S = 0.2
_OPEN_FILES = 16_384

log = structlog.stdlib.get_logger("broker")


class BrokerError(Fault):
    """The broker cannot start or has stopped; the message says what to do.

    Attributes:
        exit_code: 1, or 128 and the signal that killed Mosquitto, as a shell would say it.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(settings: Settings) -> None:
    """The broker has run until SIGTERM or SIGINT, and is stopped.

    Raises:
        BrokerElsewhere: If readings come from an existing broker.
        AlreadyRunning: If another process runs one on this data folder.
        PortRefused: If a port is taken.
        BrokerError: If Mosquitto ends by itself.
        BrokerMissing, CertificateError, AccessError, SecretError: If it cannot be started.
    """
    require_own_broker(settings)
    again = threading.Event()
    stopping = stop_on_signal(asked=again)
    with pid_file(settings, "broker"):
        end_orphan(settings)
        check_ports(settings)
        status = _serve_once(settings, stopping, again)
        while status is None:
            status = _serve_once(settings, stopping, again)
    if not stopping.is_set():
        raise BrokerError(
            f"mosquitto stopped by itself (status {status}); "
            f"its last lines are in {settings.logs_dir / 'broker.log'}",
            exit_code=128 - status if status < 0 else 1,
        )


def check(settings: Settings) -> None:
    """A broker could start: none runs on this data folder, and its ports are free.

    Of an existing broker only our login is looked at: there are no ports of ours.

    Raises:
        AlreadyRunning: If one runs.
        PortRefused: If a port is taken.
        SecretError: If our login at an existing broker cannot be read.
    """
    if settings.existing_broker is not None:
        check_login(settings)
        return
    with pid_file(settings, "broker"):
        if find_running(settings) is None:  # one whose supervisor was killed makes way for the next
            check_ports(settings)


def find_running(settings: Settings) -> psutil.Process | None:
    """The Mosquitto that runs on this data folder."""
    try:
        process = psutil.Process(int(pid_path(settings).read_text(encoding="utf-8")))
        command = process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if str(configuration_path(settings)) in command else None


def end_orphan(settings: Settings) -> None:
    """No Mosquitto is left over from a supervisor that was killed."""
    orphan = find_running(settings)
    if orphan is None:
        return
    log.warning("stopping a mosquitto whose supervisor was killed", pid=orphan.pid)
    try:
        orphan.terminate()
        orphan.wait(STOP_S)
    except psutil.TimeoutExpired:
        orphan.kill()
    except psutil.NoSuchProcess:
        return


def reload(settings: Settings) -> None:
    """A running Mosquitto ends, and its supervisor starts it with the files as they are now.

    Passing SIGHUP on would not do: with it Mosquitto 2.0 gives a new certificate to MQTT listeners
    alone, WebSockets keep the old, and the plugin does not read its file again. Sessions and
    queues are kept on disk. One without a supervisor stays.
    """
    running = find_running(settings)
    if running is None or not _is_supervised(running, settings):
        return
    with suppress(psutil.Error, ProcessLookupError):
        os.kill(running.ppid(), signal.SIGUSR1)
        running.wait(STOP_S + _TURN_S)


def _is_supervised(running: psutil.Process, settings: Settings) -> bool:
    try:
        supervisor = int((settings.run_dir / "broker.pid").read_text(encoding="utf-8"))
        return running.ppid() == supervisor
    except (OSError, ValueError, psutil.Error):
        return False


def _serve_once(
    settings: Settings, stopping: threading.Event, again: threading.Event
) -> int | None:
    """One Mosquitto has run to its end; returns its status, or None if another is to follow."""
    again.clear()  # what was asked for before is in the files that are written now
    program = prepare(settings)
    child = _start(program, settings)
    threading.Thread(target=_keep, args=(child, stopping, again), daemon=True).start()
    threading.Thread(target=_look_after, args=(child, settings, again), daemon=True).start()
    if child.stdout is not None:
        configure = partial(
            _configure, child, settings, configuration_path(settings).read_text("utf-8")
        )
        with child.stdout:
            Output(child.stdout.fileno(), settings.denials_dir, configure).read()
    status = child.wait()
    pid_path(settings).unlink(missing_ok=True)
    if stopping.is_set() or not again.is_set():
        return status
    log.info("starting mosquitto again with its new files")
    return None


def _configure(
    child: subprocess.Popen[bytes], settings: Settings, configuration: str, wanted: bool
) -> None:
    """Mosquitto says what becomes of each message from now on, or no more.

    What else it reads again then, its certificates, is as it was.
    """
    path = configuration_path(settings)
    publish_file(path, (configuration if wanted else quiet(configuration)).encode(), mode=0o600)
    give(broker_account(settings.broker_dir), path)
    child.send_signal(signal.SIGHUP)


def _start(program: Path, settings: Settings) -> subprocess.Popen[bytes]:
    # libwebsockets reserves memory for every file the limit allows: bound it from both sides.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return subprocess.Popen(  # noqa: S603  # a path we found and a file we wrote
        [str(program), "-c", str(configuration_path(settings))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0o077,  # the plugin writes its file readable by all otherwise
        start_new_session=True,  # Ctrl-C reaches it through us, once
    )


def _keep(
    child: subprocess.Popen[bytes], stopping: threading.Event, again: threading.Event
) -> None:
    """Ends the child when it is to stop, or to be started with new files."""
    while not stopping.wait(_TURN_S) and not again.is_set():
        if child.poll() is not None:
            return
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        log.warning("mosquitto did not stop in time and was killed", seconds=STOP_S)
        child.kill()


def _look_after(child: subprocess.Popen[bytes], settings: Settings, again: threading.Event) -> None:
    """Renews the child's certificate before its end, and holds the child to access.db."""
    rounds = {_has_drifted: _RECONCILE_S, _has_renewed: _RENEWAL_S}
    due = {look: time.monotonic() + period_s for look, period_s in rounds.items()}
    while child.poll() is None and not again.wait(_TURN_S):
        for look, period_s in rounds.items():
            if time.monotonic() >= due[look]:
                due[look] = time.monotonic() + period_s
                try:
                    if look(settings):
                        again.set()
                except Exception:  # the outermost loop of this thread
                    log.exception("cannot look after the broker; trying again in a while")


def _has_drifted(settings: Settings) -> bool:
    """Whether the broker lacks what only its start can give it."""
    try:
        return reconcile(settings).needs_restart
    except Fault as error:
        log.warning("cannot compare the broker with access.db", error=str(error))
        return False


def _has_renewed(settings: Settings) -> bool:
    try:
        renewed = renew_certificates(settings)
    except (CertificateError, OSError) as error:
        log.error("cannot renew the broker's certificate", error=str(error))  # noqa: TRY400  # the sentence says it all
        return False
    tell(renewed)
    return renewed.changed
