"""Mosquitto's own files: where its programs are, its account, its configuration."""

import os
import pwd
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mosquitto.certificates import Pair
from mosquitto.client_certificates import demanded_files
from mosquitto.renewal import broker_files
from telemetry.fault import Fault
from telemetry.installed import find_program
from telemetry.settings import Settings

AUTOSAVE_S = 10
_DEBUG = "log_type debug\n"
_TEMPLATE = Path(__file__).with_name("mosquitto.conf.template")
_WEBSOCKETS = Path(__file__).with_name("websockets.conf.template")
_PLUGIN_NAMES = ("mosquitto_dynamic_security.so", "mosquitto_dynamic_security.dylib")
_PLUGIN_FOLDERS = ("lib", "lib64", "lib/mosquitto", "lib64/mosquitto", "lib/*-linux-*")


class BrokerMissing(Fault):
    """Mosquitto or its plugin is not installed; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account the broker runs as.

    Attributes:
        name: For `user` in the configuration, or None to stay who started it.
        uid: Owner of what the broker reads and writes.
        gid: Its group.
        warning: Why it is not the account one would want, or an empty string.
    """

    name: str | None
    uid: int
    gid: int
    warning: str = ""


def find_mosquitto() -> Path:
    """The program `mosquitto`.

    Raises:
        BrokerMissing: If it is not installed.
    """
    found = find_program()
    if found is None:
        raise BrokerMissing(f"Mosquitto is not installed; {_how_to_install()}")
    return found


def find_plugin(program: Path) -> Path:
    """The dynamic-security plugin that belongs to the program.

    Raises:
        BrokerMissing: If it is not there.
    """
    prefixes = (program.parent.parent, program.resolve().parent.parent, Path("/usr"))
    for prefix in prefixes:
        for folder in _PLUGIN_FOLDERS:
            for name in _PLUGIN_NAMES:
                found = sorted(prefix.glob(f"{folder}/{name}"))
                if found:
                    return found[0]
    raise BrokerMissing(
        f"the dynamic-security plugin of {program} is missing; "
        f"{_how_to_install()}, version 2.0 or newer"
    )


def _how_to_install() -> str:
    if sys.platform == "darwin":
        return "run: brew install mosquitto"
    if shutil.which("apt-get"):
        return "run: sudo apt-get install mosquitto"
    return "install the package mosquitto (https://mosquitto.org/download)"


def broker_account(folder: Path) -> Account:
    """Who the broker is to be: `mosquitto` if root starts it and `mosquitto` can reach `folder`."""
    if os.geteuid() != 0:
        return Account(None, os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam("mosquitto")
    except KeyError:
        return Account("root", 0, 0, "the broker runs as root: there is no account mosquitto")
    closed = [parent for parent in folder.resolve().parents if not _may_enter(parent, entry)]
    if closed:
        return Account(
            "root", 0, 0, f"the broker runs as root: the account mosquitto cannot enter {closed[0]}"
        )
    return Account("mosquitto", entry.pw_uid, entry.pw_gid)


def _may_enter(folder: Path, entry: pwd.struct_passwd) -> bool:
    status = folder.stat()
    if status.st_uid == entry.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == entry.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _client_lines(settings: Settings) -> str:
    """What a listener asks of clients beside their password."""
    files = [path.resolve() for path in demanded_files(settings)]
    if not files:
        return "# (no client needs a certificate of its own)"
    return f"require_certificate true\ncafile {files[0]}\ncrlfile {files[1]}"


def _websockets(settings: Settings, files: Pair) -> str:
    """The listener of WebSockets, if there is one."""
    if demanded_files(settings):
        return (
            "# No WebSockets: Mosquitto 2.0 reads no crlfile for them, so a revoked client got in."
        )
    return Template(_WEBSOCKETS.read_text(encoding="utf-8")).substitute(
        ws_port=settings.mqtt_ws_port,
        certificate=files.certificate.resolve(),
        key=files.key.resolve(),
    )


def render(settings: Settings, account: Account, plugin: Path) -> str:
    """The text of mosquitto.conf."""
    files = broker_files(settings)
    user_line = "# (it stays who started it)" if account.name is None else f"user {account.name}"
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        user_line=user_line,
        plugin=plugin,
        folder=settings.broker_dir.resolve(),
        client_lines=_client_lines(settings),
        websockets=_websockets(settings, files),
        certificate=files.certificate.resolve(),
        key=files.key.resolve(),
        tls_port=settings.mqtt_tls_port,
        plain_port=settings.mqtt_port,
        autosave_s=AUTOSAVE_S,
        queue_bytes=settings.broker_queue_mb * 1_000_000,
    )


def quiet(configuration: str) -> str:
    r"""The same configuration, but Mosquitto does not say what becomes of each message.

    >>> quiet("log_type error\nlog_type debug\nlog_timestamp false\n")
    'log_type error\nlog_timestamp false\n'
    """
    return configuration.replace(_DEBUG, "")
