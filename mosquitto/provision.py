"""Lets clients in and out: access.db is changed, then the broker that runs."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mosquitto.access import PUBLISHER, Access, AccessError, Client, NewClient, no_client
from mosquitto.access_audit import ITSELF, Actor
from mosquitto.broker import reload
from mosquitto.broker_files import renew_certificates, tell
from mosquitto.configuration import find_mosquitto, find_plugin
from mosquitto.detail import Detail
from mosquitto.dynsec import client_role, identifier, publish_topics, subscribe_topics
from mosquitto.elsewhere import require_own_broker
from mosquitto.live import live, told
from mosquitto.names import BROKER_ADMIN, COLLECTOR, check_name
from mosquitto.passwords import hashed, new_password
from mosquitto.simulated import ensure_demo
from mosquitto.untold import untold
from telemetry.daemon import pid_file, prepare_folders
from telemetry.fault import Fault
from telemetry.login import Login, load_login, save_login
from telemetry.settings import DEMO_CLIENTS, Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that a client needs to know to speak; its password is kept nowhere else.

    Attributes:
        client: Its name, and its username.
        password: Its password.
        client_id: The only identifier it may connect with; empty if it may have any.
        publish: The filters it may publish to.
        subscribe: The filters it may subscribe to.
        pending: Whether the running broker goes on with the password of before, for a minute.
    """

    client: str
    password: str
    client_id: str
    publish: list[str]
    subscribe: list[str]
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """What a client is to be let in as.

    Attributes:
        role: One of `mosquitto.access.ROLES`.
        bound: Whether it must connect with its name as its client identifier.
        detail: What is known of it.
    """

    role: str = PUBLISHER
    bound: bool = True
    detail: Detail | None = None


PENDING = "the broker did not answer and takes the new password within a minute"
"""What is said of credentials that are pending."""

_OF_ITS_OWN = Permit()


def initialise(settings: Settings) -> None:
    """Keys, certificates, logins and access.db exist; what exists already is kept.

    Every step is complete or absent on disk and is looked at again the next time, so it may be
    killed anywhere and run again. A broker that runs takes the changes at once. With an existing
    broker only access.db is made: it says who may look.

    Raises:
        AlreadyRunning: If another process does the same.
        BrokerMissing, DataFolderError, CertificateError, AccessError, SecretError, ControlError:
            If a step fails; the sentence says what to do.
    """
    if settings.existing_broker is not None:
        prepare_folders(settings)
        Access(settings.access_path).prepare()
        return
    find_plugin(find_mosquitto())
    prepare_folders(settings)
    with pid_file(settings, "init"):
        settings.broker_dir.mkdir(mode=0o700, exist_ok=True)
        renewed = renew_certificates(settings)
        tell(renewed)
        if renewed.changed:
            reload(settings)
        _ensure_login(settings, BROKER_ADMIN)
        if _ensure_login(settings, COLLECTOR):
            collector = load_login(settings.secrets_dir / f"{COLLECTOR}.json")
            live(settings, lambda control: control.set_password(COLLECTOR, collector.password))
        ensure_demo(settings)


def add_client(
    settings: Settings, name: str, permit: Permit = _OF_ITS_OWN, by: Actor = ITSELF
) -> Credentials:
    """A client of the user's own may speak, at once if the broker runs.

    Raises:
        BrokerElsewhere: If clients are let in at an existing broker.
        NameRefused: If no client may have that name.
        AccessError: If there is one already.
        ControlError: If the running broker did not take it; then it is not added.
        SecretError: If the administrator's login cannot be read; then it is not added, either.
    """
    access = _access(settings, by)
    password = new_password()
    access.add_clients(_new(check_name(name), password, replace(permit, detail=None)))
    may = client_role(name, settings.templates, permit.role)
    client_id = identifier(name, bound=permit.bound)
    try:
        live(settings, lambda control: control.put_client(name, password, may, client_id))
        if permit.detail is not None and not permit.detail.is_empty:
            access.put_detail(permit.detail)
    except BaseException:  # whatever it is, nobody has seen the password
        access.remove_client(name)
        raise
    return _credentials(settings, name, password, permit)


def add_clients(
    settings: Settings, permits: Mapping[str, Permit], by: Actor = ITSELF
) -> list[Credentials]:
    """Many clients may speak; all of them, or none if one cannot.

    The broker takes them from its file, which it reads when it starts again: told one by one, it
    would write that file anew for each. Who is connected connects again, and loses nothing.

    Raises:
        NameRefused: If no client may have one of the names.
        AccessError: If there is one already.
    """
    passwords = {check_name(name): new_password() for name in permits}
    new = (_new(name, passwords[name], permit) for name, permit in permits.items())
    _access(settings, by).add_clients(*new)
    reload(settings)
    return [
        _credentials(settings, name, passwords[name], permit) for name, permit in permits.items()
    ]


def rotate_client(settings: Settings, name: str, by: Actor = ITSELF) -> Credentials:
    """The client has a new password, and is disconnected if it used the old one.

    A running broker that did not take it will within a minute: then it is marked as pending.

    Raises:
        AccessError: If there is none, or it belongs to the simulated fleet.
    """
    access = _access(settings, by)
    kept = _own(access, name)
    password = new_password()
    changed = taken = False
    try:
        with untold(settings):
            access.rotate_client(name, hashed(password))
            changed = True
            told(settings, lambda control: control.set_password(name, password))
            taken = True
    except (Fault, OSError):
        if not changed:
            raise  # otherwise it stands, and nobody has seen it yet
    permit = Permit(kept.role, bound=kept.bound)
    return replace(_credentials(settings, name, password, permit), pending=not taken)


def set_client_enabled(settings: Settings, name: str, *, enabled: bool, by: Actor = ITSELF) -> None:
    """The client may speak, or is disconnected and may not.

    Raises:
        AccessError: If there is none, or it belongs to the simulated fleet.
        ControlError: If the running broker did not take it; it will within a minute.
    """
    access = _access(settings, by)
    _own(access, name)
    access.set_enabled(name, enabled=enabled)
    told(settings, lambda control: control.set_enabled(name, enabled=enabled))


def set_client_permit(settings: Settings, name: str, permit: Permit, by: Actor = ITSELF) -> None:
    """The client may do what the permit says; what is known of it stays, unless that says it.

    Raises:
        AccessError: If there is none, or it belongs to the simulated fleet.
        ControlError: If the running broker did not take it; it will within a minute.
    """
    access = _access(settings, by)
    _own(access, name)
    access.set_role(name, permit.role, bound=permit.bound)
    if permit.detail is not None:
        access.put_detail(permit.detail)
    may = client_role(name, settings.templates, permit.role)
    client_id = identifier(name, bound=permit.bound)
    told(settings, lambda control: control.change_client(name, may, client_id))


def remove_client(settings: Settings, name: str, by: Actor = ITSELF) -> None:
    """The client may not speak any more, and is disconnected if it does; its readings stay.

    Raises:
        BrokerElsewhere: If clients are let in at an existing broker.
        AccessError: If there is none, or it belongs to the simulated fleet.
        ControlError: If the running broker did not take it; it will within a minute.
    """
    access = _access(settings, by)
    _own(access, name)
    access.remove_client(name)
    live(settings, lambda control: control.remove_clients([name]))


def clients(settings: Settings) -> list[Client]:
    """All clients, by name.

    Raises:
        BrokerElsewhere: If clients are let in at an existing broker.
        AccessError: If access.db cannot be used.
    """
    return _access(settings).clients()


def topics(settings: Settings, of: Client) -> dict[str, object]:
    """What the client may publish to and subscribe to."""
    return {
        "publish": publish_topics(of.name, settings.templates),
        "subscribe": subscribe_topics(of.name, settings.templates, of.role),
    }


def _access(settings: Settings, by: Actor = ITSELF) -> Access:
    require_own_broker(settings)
    if not settings.data_dir.is_dir():
        raise AccessError(
            f"{settings.data_dir} is missing; run: .venv/bin/python -m mosquitto init"
        )
    return Access(settings.access_path, by)


def _own(access: Access, name: str) -> Client:
    """The client, which is no one of the simulated fleet."""
    if name in DEMO_CLIENTS:
        raise AccessError(
            f'{name} belongs to the simulated fleet; set demo = "off" in culex.toml '
            "and run: .venv/bin/python -m mosquitto init"
        )
    kept = access.client(name)
    if kept is None:
        raise no_client(name)
    return kept


def _new(name: str, password: str, permit: Permit) -> NewClient:
    return NewClient(name, hashed(password), permit.role, permit.bound, permit.detail)


def _credentials(settings: Settings, name: str, password: str, permit: Permit) -> Credentials:
    templates = settings.templates
    return Credentials(
        client=name,
        password=password,
        client_id=identifier(name, bound=permit.bound),
        publish=publish_topics(name, templates),
        subscribe=subscribe_topics(name, templates, permit.role),
    )


def _ensure_login(settings: Settings, name: str) -> bool:
    """Whether the login had to be made."""
    path = settings.secrets_dir / f"{name}.json"
    if path.exists():
        load_login(path)
        return False
    # Nobody who may log in can guess the identifier and take the session over.
    save_login(path, Login(name, new_password(), f"culex-{name}-{secrets.token_hex(8)}"))
    return True
