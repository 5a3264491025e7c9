"""Everything that Mosquitto reads: written anew before each start, owned by its account."""

import os
from pathlib import Path

import orjson
import structlog

from mosquitto.access import Access
from mosquitto.configuration import Account, broker_account, find_mosquitto, find_plugin, render
from mosquitto.dynsec import security
from mosquitto.names import BROKER_ADMIN, COLLECTOR
from mosquitto.passwords import hashed
from mosquitto.renewal import Renewed, renew, served_files
from telemetry.files import publish_file
from telemetry.login import load_login
from telemetry.settings import Settings

log = structlog.stdlib.get_logger("broker")


def prepare(settings: Settings) -> Path:
    """Everything Mosquitto reads is written, owned by its account; returns the program."""
    program = find_mosquitto()
    account = broker_account(settings.broker_dir)
    if account.warning:
        log.warning(account.warning)
    settings.broker_dir.mkdir(mode=0o700, exist_ok=True)
    tell(renew_certificates(settings))
    configuration = render(settings, account, find_plugin(program))
    publish_file(configuration_path(settings), configuration.encode(), mode=0o600)
    publish_file(settings.broker_dir / "dynamic-security.json", _security(settings), mode=0o600)
    give(account, settings.broker_dir, *settings.broker_dir.iterdir())
    return program


def renew_certificates(settings: Settings) -> Renewed:
    """The broker has good certificates on disk, owned by its account.

    Raises:
        CertificateError: If there is none that it could serve.
    """
    renewed = renew(settings)
    if renewed.changed:
        account = broker_account(settings.broker_dir)
        give(account, settings.broker_dir, *served_files(settings))
    return renewed


def tell(renewed: Renewed) -> None:
    """Logs what somebody should know of the certificates."""
    if renewed.fault:
        log.error("the broker goes on with its older certificate", reason=renewed.fault)
    if renewed.warning:
        log.warning(renewed.warning)


def _security(settings: Settings) -> bytes:
    own = {
        name: hashed(load_login(settings.secrets_dir / f"{name}.json").password)
        for name in (BROKER_ADMIN, COLLECTOR)
    }
    clients = Access(settings.access_path).clients()
    document = security(clients, own, settings.templates)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def give(account: Account, *paths: Path) -> None:
    """The account owns the files, if we may say so."""
    if os.geteuid() == 0:
        for path in paths:
            # Not following links: the folder belongs to an account that root need not trust.
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def configuration_path(settings: Settings) -> Path:
    """Where mosquitto.conf is, as the command line of a running Mosquitto has it."""
    return (settings.broker_dir / "mosquitto.conf").resolve()


def pid_path(settings: Settings) -> Path:
    """Where Mosquitto writes which process it is."""
    return settings.broker_dir / "mosquitto.pid"
