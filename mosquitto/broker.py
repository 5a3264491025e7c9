"""Runs one Mosquitto as a child: its files, its log, its certificate, its end."""

import os
import resource
import secrets
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import orjson
import psutil
import structlog

from mosquitto.access import Access
from mosquitto.certificates import (
    CertificateError,
    Pair,
    ensure_authority,
    ensure_server,
    host_names,
)
from mosquitto.configuration import (
    Account,
    broker_account,
    find_mosquitto,
    find_plugin,
    render,
)
from mosquitto.dynsec import SALT_BYTES, hash_password, security
from mosquitto.names import BROKER_ADMIN, COLLECTOR
from mosquitto.ports import check_ports
from telemetry.clock import now_us
from telemetry.daemon import pid_file, stop_on_signal
from telemetry.fault import Fault
from telemetry.files import publish_file
from telemetry.login import load_login
from telemetry.settings import Settings

STOP_S = 4.0
_RENEWAL_S = 3600.0
_OPEN_FILES = 16_384
_QUIET = "Saving in-memory database"  # every few seconds

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
        AlreadyRunning: If another process runs one on this data folder.
        PortRefused: If a port is taken.
        BrokerError: If Mosquitto ends by itself.
        BrokerMissing, CertificateError, AccessError, SecretError: If it cannot be started.
    """
    stopping = stop_on_signal()
    with pid_file(settings, "broker"):
        end_orphan(settings)
        check_ports(settings)
        status = _serve_once(settings, stopping)
        while status is None:
            status = _serve_once(settings, stopping)
    if not stopping.is_set():
        raise BrokerError(
            f"mosquitto stopped by itself (status {status}); "
            f"its last lines are in {settings.logs_dir / 'broker.log'}",
            exit_code=128 - status if status < 0 else 1,
        )


def check(settings: Settings) -> None:
    """A broker could start: none runs on this data folder, and its ports are free.

    Raises:
        AlreadyRunning: If one runs.
        PortRefused: If a port is taken.
    """
    with pid_file(settings, "broker"):
        if find_running(settings) is None:  # one whose supervisor was killed makes way for the next
            check_ports(settings)


def prepare(settings: Settings) -> Path:
    """Everything Mosquitto reads is written, owned by its account; returns the program."""
    program = find_mosquitto()
    account = broker_account(settings.broker_dir)
    if account.warning:
        log.warning(account.warning)
    settings.broker_dir.mkdir(mode=0o700, exist_ok=True)
    renew_certificate(settings)
    configuration = render(settings, account, find_plugin(program))
    publish_file(_configuration_path(settings), configuration.encode(), mode=0o600)
    publish_file(settings.broker_dir / "dynamic-security.json", _security(settings), mode=0o600)
    _give(account, settings.broker_dir, *settings.broker_dir.iterdir())
    return program


def renew_certificate(settings: Settings) -> bool:
    """The broker has a valid certificate on disk; whether that is a new one.

    Raises:
        CertificateError: If a key is missing or broken.
    """
    now = now_us()
    authority = ensure_authority(
        Pair(settings.secrets_dir / "ca.key", settings.ca_file), now_us=now
    )
    pair = Pair(settings.broker_dir / "server.key", settings.broker_dir / "server.crt")
    reason = ensure_server(pair, authority, host_names(settings.mqtt_host), now)
    if reason is None:
        return False
    _give(broker_account(settings.broker_dir), settings.broker_dir, pair.key, pair.certificate)
    log.info("issued a certificate for the broker", reason=reason)
    return True


def find_running(settings: Settings) -> psutil.Process | None:
    """The Mosquitto that runs on this data folder."""
    try:
        process = psutil.Process(int(_mosquitto_pid_path(settings).read_text(encoding="utf-8")))
        command = process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if str(_configuration_path(settings)) in command else None


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
    """A running Mosquitto ends, so that its supervisor starts it with the certificate on disk.

    SIGHUP would not do: with it Mosquitto 2.0 gives the new one to MQTT listeners alone, and
    WebSockets keep the old. Sessions and queues are kept on disk. One without a supervisor stays.
    """
    running = find_running(settings)
    if running is None or not _is_supervised(running, settings):
        return
    with suppress(psutil.Error):
        running.terminate()
        running.wait(STOP_S)


def _is_supervised(running: psutil.Process, settings: Settings) -> bool:
    try:
        supervisor = int((settings.run_dir / "broker.pid").read_text(encoding="utf-8"))
        return running.ppid() == supervisor
    except (OSError, ValueError, psutil.Error):
        return False


def _serve_once(settings: Settings, stopping: threading.Event) -> int | None:
    """One Mosquitto has run to its end; returns its status, or None if it ended to be renewed."""
    program = prepare(settings)
    served = _certificate(settings)
    child = _start(program, settings)
    threading.Thread(target=_keep, args=(child, settings, stopping), daemon=True).start()
    _forward(child)
    status = child.wait()
    _mosquitto_pid_path(settings).unlink(missing_ok=True)
    if stopping.is_set() or _certificate(settings) == served:
        return status
    log.info("starting mosquitto again with its new certificate")
    return None


def _start(program: Path, settings: Settings) -> subprocess.Popen[str]:
    # libwebsockets reserves memory for every file the limit allows: bound it from both sides.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return subprocess.Popen(  # noqa: S603  # a path we found and a file we wrote
        [str(program), "-c", str(_configuration_path(settings))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        umask=0o077,  # the plugin writes its file readable by all otherwise
        start_new_session=True,  # Ctrl-C reaches it through us, once
    )


def _forward(child: subprocess.Popen[str]) -> None:
    """Logs each line of the child until it ends."""
    for line in child.stdout or ():
        text = line.rstrip()
        if text.startswith("Error"):
            log.error(text)
        elif text.startswith("Warning"):
            log.warning(text)
        elif text and not text.startswith(_QUIET):
            log.info(text)


def _keep(child: subprocess.Popen[str], settings: Settings, stopping: threading.Event) -> None:
    """Ends the child when it is to stop, and when its certificate was renewed."""
    while not stopping.wait(_RENEWAL_S):
        if child.poll() is not None or _has_renewed(settings):
            break
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        log.warning("mosquitto did not stop in time and was killed", seconds=STOP_S)
        child.kill()


def _has_renewed(settings: Settings) -> bool:
    try:
        return renew_certificate(settings)
    except (CertificateError, OSError) as error:
        log.error("cannot renew the broker's certificate", error=str(error))  # noqa: TRY400  # the sentence says it all
        return False


def _security(settings: Settings) -> bytes:
    own = {
        name: hash_password(
            load_login(settings.secrets_dir / f"{name}.json").password,
            secrets.token_bytes(SALT_BYTES),
        )
        for name in (BROKER_ADMIN, COLLECTOR)
    }
    templates = [topic.template for topic in settings.all_topics]
    clients = Access(settings.access_path).clients()
    return orjson.dumps(security(clients, own, templates), option=orjson.OPT_INDENT_2)


def _give(account: Account, *paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            # Not following links: the folder belongs to an account that root need not trust.
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _configuration_path(settings: Settings) -> Path:
    return (settings.broker_dir / "mosquitto.conf").resolve()


def _certificate(settings: Settings) -> bytes:
    path = settings.broker_dir / "server.crt"
    return path.read_bytes() if path.exists() else b""


def _mosquitto_pid_path(settings: Settings) -> Path:
    return settings.broker_dir / "mosquitto.pid"
