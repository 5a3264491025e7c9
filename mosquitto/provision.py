"""Lets clients in and out: access.db is changed, then the broker that runs."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mosquitto.access import Access, AccessError, Client, Password
from mosquitto.broker import find_running, reload, renew_certificate
from mosquitto.configuration import find_mosquitto, find_plugin
from mosquitto.control import BrokerStopped, Control, ControlError
from mosquitto.dynsec import (
    SALT_BYTES,
    client_role,
    hash_password,
    publish_topics,
    subscribe_topics,
    verify_password,
)
from mosquitto.names import BROKER_ADMIN, COLLECTOR, check_name
from telemetry.daemon import pid_file, prepare_folders
from telemetry.files import publish_file
from telemetry.login import Login, load_login, read_secret, save_login
from telemetry.settings import DEMO_CLIENTS, Demo, Settings

_STARTING_S = 3.0

DemoLogins = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that a client needs to know to speak; its password is kept nowhere else."""

    client: str
    password: str
    publish: list[str]
    subscribe: list[str]


def initialise(settings: Settings) -> None:
    """Keys, certificates, logins and access.db exist; what exists already is kept.

    Every step is complete or absent on disk and is looked at again the next time, so it may be
    killed anywhere and run again. A broker that runs takes the changes at once.

    Raises:
        AlreadyRunning: If another process does the same.
        BrokerMissing, DataFolderError, CertificateError, AccessError, SecretError, ControlError:
            If a step fails; the sentence says what to do.
    """
    find_plugin(find_mosquitto())
    prepare_folders(settings)
    with pid_file(settings, "init"):
        settings.broker_dir.mkdir(mode=0o700, exist_ok=True)
        if renew_certificate(settings):
            reload(settings)
        _ensure_login(settings, BROKER_ADMIN)
        if _ensure_login(settings, COLLECTOR):
            collector = load_login(settings.secrets_dir / f"{COLLECTOR}.json")
            _live(settings, lambda control: control.set_password(COLLECTOR, collector.password))
        _ensure_demo(settings)


def add_client(settings: Settings, name: str) -> Credentials:
    """A client of the user's own may speak, at once if the broker runs.

    Raises:
        NameRefused: If no client may have that name.
        AccessError: If there is one already.
        ControlError: If the running broker did not take it; then it is not added.
    """
    access = _access(settings)
    password = _new_password()
    access.add_client(check_name(name), _hashed(password))
    templates = _templates(settings)
    role = client_role(name, templates)
    try:
        _live(settings, lambda control: control.put_client(name, password, role))
    except ControlError:
        access.remove_client(name)
        raise
    return Credentials(name, password, publish_topics(name, templates), subscribe_topics(name))


def remove_client(settings: Settings, name: str) -> None:
    """The client may not speak any more, and is disconnected if it does.

    Raises:
        AccessError: If there is none, or it belongs to the simulated fleet.
        ControlError: If the running broker did not take it; it will when it starts again.
    """
    if name in DEMO_CLIENTS:
        raise AccessError(
            f'{name} belongs to the simulated fleet; set demo = "off" in culex.toml '
            "and run: python -m mosquitto init"
        )
    _access(settings).remove_client(name)
    _live(settings, lambda control: control.remove_clients([name]))


def clients(settings: Settings) -> list[Client]:
    """All clients, by name.

    Raises:
        AccessError: If access.db cannot be used.
    """
    return _access(settings).clients()


def _access(settings: Settings) -> Access:
    if not settings.data_dir.is_dir():
        raise AccessError(f"{settings.data_dir} is missing; run: python -m mosquitto init")
    return Access(settings.access_path)


def _live(settings: Settings, change: Callable[[Control], None]) -> None:
    """Makes the change in the broker, unless none runs: it reads access.db when it starts.

    A broker that starts just now has read it already but does not listen yet: wait for it.
    """
    deadline = time.monotonic() + _STARTING_S
    while (settings.run_dir / "broker.pid").exists() or find_running(settings):
        try:
            with Control(
                settings.mqtt_port, load_login(settings.secrets_dir / f"{BROKER_ADMIN}.json")
            ) as control:
                return change(control)
        except BrokerStopped:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
    return None


def _ensure_login(settings: Settings, name: str) -> bool:
    """Whether the login had to be made."""
    path = settings.secrets_dir / f"{name}.json"
    if path.exists():
        load_login(path)
        return False
    # Nobody who may log in can guess the identifier and take the session over.
    save_login(path, Login(name, _new_password(), f"culex-{name}-{secrets.token_hex(8)}"))
    return True


def _ensure_demo(settings: Settings) -> None:
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
        _live(settings, lambda control: control.remove_clients(DEMO_CLIENTS))


def _let_demo_in(settings: Settings, access: Access, path: Path) -> None:
    logins = _demo_logins(path)
    kept = {client.name: client for client in access.clients() if client.enabled}
    stale = {
        name: login["password"]
        for name, login in logins.items()
        if name not in kept or not verify_password(login["password"], kept[name].password)
    }
    for name, password in stale.items():
        access.put_simulated(name, _hashed(password))
    if stale:
        _live(settings, lambda control: _put_all(control, stale, _templates(settings)))


def _put_all(control: Control, passwords: dict[str, str], templates: list[str]) -> None:
    for name, password in passwords.items():
        control.put_client(name, password, client_role(name, templates))


def _demo_logins(path: Path) -> DemoLogins:
    kept = _kept_demo_logins(path)
    if set(kept) == set(DEMO_CLIENTS):
        return kept
    logins = {
        name: {"username": name, "password": _new_password(), "client_id": name}
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


def _new_password() -> str:
    return secrets.token_hex(20)  # no character that a shell or a URL would read


def _hashed(password: str) -> Password:
    return hash_password(password, secrets.token_bytes(SALT_BYTES))


def _templates(settings: Settings) -> list[str]:
    return [topic.template for topic in settings.all_topics]
