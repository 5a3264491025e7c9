"""What the running broker allows is what access.db says; where it is not, it is made so."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import structlog

from mosquitto.access import Access, Password
from mosquitto.control import AdminRefused, Control
from mosquitto.dynsec import Json, role_name, security
from mosquitto.names import BROKER_ADMIN, COLLECTOR, TRIAL
from mosquitto.untold import read_notes
from telemetry.login import load_login
from telemetry.settings import Settings

_TELLING_S = 3.0
_OWN = dict.fromkeys((BROKER_ADMIN, COLLECTOR), Password("", "", 0))  # nobody lists passwords
_DIFFERED = "the broker differed from access.db"
_LOG = structlog.stdlib.get_logger("broker")


@dataclass(frozen=True, slots=True)
class Drift:
    """How the broker differed from access.db.

    Attributes:
        said: What differed, a few words each; nothing if all was as it must be.
        needs_restart: Whether the broker lacks what it takes from its file alone, when it starts:
            a login, whose password only a hash is known of, a new password, one of our own logins,
            or that there are no groups.
    """

    said: Sequence[str]
    needs_restart: bool


class Allowed(NamedTuple):
    """What the broker allows: roles and logins by name.

    Who does not log in is in one of the groups, or may do nothing.
    """

    roles: dict[str, Json]
    logins: dict[str, Json]
    groups: list[str]
    by_default: dict[str, bool]


class Difference(NamedTuple):
    """Where the broker differs: in words, and what undoes it unless only a restart does."""

    said: str
    undo: Callable[[Control], None] | None = None


def reconcile(settings: Settings) -> Drift:
    """Looks at the running broker, and makes it what access.db says.

    Raises:
        BrokerStopped: If none runs.
        ControlError: If it does not answer or refuses.
        AccessError, SecretError: If access.db or the administrator's login cannot be read.
    """
    admin = load_login(settings.secrets_dir / f"{BROKER_ADMIN}.json")
    notes = read_notes(settings)
    try:
        with Control(settings.mqtt_port, admin) as control:
            found = _lasting(control, settings)
            _undo(control, found)
    except AdminRefused as refusal:
        found = [Difference(f"client {BROKER_ADMIN} was refused")]
        _LOG.warning(_DIFFERED, how=str(refusal))
    for note in notes:
        note.unlink(missing_ok=True)
    needs_restart = bool(notes) or any(one.undo is None for one in found)
    return Drift([one.said for one in found], needs_restart)


def _undo(control: Control, found: Sequence[Difference]) -> None:
    """Undoes all of it, unless the restart that one of them needs does."""
    for one in found:
        _LOG.warning(_DIFFERED, how=one.said)
    ways = [one.undo for one in found if one.undo is not None]
    if len(ways) == len(found):
        for undo in ways:
            undo(control)


def _lasting(control: Control, settings: Settings) -> list[Difference]:
    """What differs, and not because it is changed just now: in access.db first, then here."""
    first = {one.said for one in _compared(control, settings)}
    if not first:
        return []
    time.sleep(_TELLING_S)
    return [one for one in _compared(control, settings) if one.said in first]


def _compared(control: Control, settings: Settings) -> list[Difference]:
    there = _allowed(control)
    # Read after that: what is changed meanwhile is changed in the broker, too, and stays.
    known = Access(settings.access_path).clients()
    return list(differences(there, security(known, _OWN, settings.templates)))


def _allowed(control: Control) -> Allowed:
    return Allowed(
        _by(control.everything("listRoles", "roles"), "rolename"),
        _by(control.everything("listClients", "clients"), "username"),
        control.groups(),
        control.default_access(),
    )


def differences(there: Allowed, wanted: Json) -> Iterator[Difference]:
    """Where what is there is not what is wanted, in the words of dynamic-security.json.

    In the order in which it can be undone: a login cannot have a role that does not exist.
    """
    if there.by_default != wanted["defaultACLAccess"]:
        undo = partial(Control.set_default_access, allowed=wanted["defaultACLAccess"])
        yield Difference("what is allowed by default was different", undo)
    for name in there.groups:
        yield Difference(f"group {name} was there")  # 2.0.11 crashes if it is deleted
    yield from _roles(there, wanted)
    yield from _logins(there, wanted)


def _roles(there: Allowed, wanted: Json) -> Iterator[Difference]:
    """That of a login that is missing comes with it, and that of a stranger goes with it."""
    names = {login["username"] for login in wanted["clients"]}
    absent = {role_name(name) for name in names - there.logins.keys()}
    for role in wanted["roles"]:
        name = role["rolename"]
        found = there.roles.get(name)
        if name not in absent and (found is None or _rules(found) != _rules(role)):
            how = "was missing" if found is None else "was different"
            undo = None if name in _OWN else partial(Control.put_role, role=role)
            yield Difference(f"role {name} {how}", undo)
    known = {role["rolename"] for role in wanted["roles"]}
    for name in sorted(there.roles.keys() - known - {role_name(one) for one in there.logins}):
        yield Difference(f"role {name} was there", partial(Control.remove_role, name=name))


def _logins(there: Allowed, wanted: Json) -> Iterator[Difference]:
    roles = _by(wanted["roles"], "rolename")
    for login in wanted["clients"]:
        name = login["username"]
        found = there.logins.get(name)
        if found is None:
            yield Difference(f"client {name} was missing")
        elif name in _OWN:
            if _account(found) != _account(login) or found.get("disabled"):
                yield Difference(f"client {name} was different")
        else:
            yield from _corrected(found, login, roles[login["roles"][0]["rolename"]])
    known = {login["username"] for login in wanted["clients"]}
    for name in sorted(there.logins.keys() - known - {TRIAL}):
        undo = partial(Control.remove_clients, names=[name])
        yield Difference(f"client {name} was there", undo)


def _corrected(found: Json, login: Json, role: Json) -> Iterator[Difference]:
    name = login["username"]
    if _account(found) != _account(login):
        client_id = login.get("clientid", "")
        undo = partial(Control.change_client, name=name, role=role, client_id=client_id)
        yield Difference(f"client {name} was different", undo)
    if bool(found.get("disabled")) != login["disabled"]:
        switch = partial(Control.set_enabled, name=name, enabled=not login["disabled"])
        yield Difference(f"client {name} was {'on' if login['disabled'] else 'off'}", switch)


def _account(login: Json) -> tuple[object, ...]:
    roles = [role["rolename"] for role in login.get("roles", [])]
    return login.get("clientid") or "", sorted(roles)


def _rules(role: Json) -> list[tuple[object, ...]]:
    keys = ("acltype", "topic", "priority", "allow")
    return sorted(tuple(rule[key] for key in keys) for rule in role.get("acls", []))


def _by(found: list[Json], key: str) -> dict[str, Json]:
    return {str(one[key]): one for one in found}
