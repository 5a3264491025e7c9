"""Lets the simulated fleet in and out."""

import json
from collections.abc import Sequence
from pathlib import Path

from mosquitto.access import PUBLISHER, Access
from mosquitto.broker import find_running
from mosquitto.control import Control
from mosquitto.dynsec import client_role
from mosquitto.live import live
from mosquitto.passwords import hashed, new_password, verify_password
from telemetry.files import publish_file
from telemetry.login import read_secret
from telemetry.settings import DEMO_CLIENTS, Demo, Settings

DemoLogins = dict[str, dict[str, str]]


def ensure_demo(settings: Settings) -> None:
    """The simulated fleet has logins exactly when it is to run."""
    access = Access(settings.access_path)
    access.prepare()
    path = settings.secrets_dir / "demo.json"
    if settings.demo is Demo.AUTO and path.exists() and find_running(settings):
        return  # a fleet at play goes on until the next start
    own = any(not client.simulated for client in access.clients())
    if settings.demo is Demo.ON or (settings.demo is Demo.AUTO and not own):
        _let_demo_in(settings, access, path)
        return
    path.unlink(missing_ok=True)
    if any(client.simulated and client.enabled for client in access.clients()):
        access.disable_simulated()
        live(settings, lambda control: control.remove_clients(DEMO_CLIENTS))


def _let_demo_in(settings: Settings, access: Access, path: Path) -> None:
    logins = _demo_logins(path)
    kept = {client.name: client for client in access.clients() if client.enabled}
    stale = {
        name: login["password"]
        for name, login in logins.items()
        if name not in kept or not verify_password(login["password"], kept[name].password)
    }
    for name, password in stale.items():
        access.put_simulated(name, hashed(password))
    if stale:
        live(settings, lambda control: _put_all(control, stale, settings.templates))


def _put_all(control: Control, passwords: dict[str, str], templates: Sequence[str]) -> None:
    for name, password in passwords.items():
        control.put_client(name, password, client_role(name, templates, PUBLISHER), client_id=name)


def _demo_logins(path: Path) -> DemoLogins:
    kept = _kept_demo_logins(path)
    if set(kept) == set(DEMO_CLIENTS):
        return kept
    logins = {
        name: {"username": name, "password": new_password(), "client_id": name}
        for name in DEMO_CLIENTS
    }
    publish_file(path, json.dumps(logins).encode(), mode=0o600)
    return logins


def _kept_demo_logins(path: Path) -> DemoLogins:
    """What demo.json holds; nothing if it is broken, for new ones are as good."""
    if not path.exists():
        return {}
    try:
        kept: DemoLogins = json.loads(read_secret(path))
        return {name: dict(kept[name]) for name in DEMO_CLIENTS if kept[name]["password"]}
    except (ValueError, TypeError, KeyError):
        return {}
