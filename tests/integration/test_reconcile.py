"""What somebody changes in a running broker behind our back: found, said, and undone."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from mosquitto import reconcile as module
from mosquitto.broker import reload
from mosquitto.control import Control, ControlError
from mosquitto.dynsec import Json
from mosquitto.names import BROKER_ADMIN, COLLECTOR
from mosquitto.provision import add_client, initialise
from mosquitto.reconcile import reconcile
from telemetry.login import load_login
from telemetry.settings import Settings
from tests.mqtt import Peer
from tests.support import make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker
RIGHTS = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running broker that the tests of this module leave as it is."""
    settings = make_settings(tmp_path_factory.mktemp("shared"))
    initialise(settings)
    process = start_broker(settings)
    yield settings
    process.stop()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody changes anything while the broker is compared."""
    monkeypatch.setattr(module, "_TELLING_S", 0.0)


def meddle(settings: Settings, *commands: Json) -> None:
    """Somebody who has the administrator's login gives the plugin commands of their own."""
    admin = load_login(settings.secrets_dir / f"{BROKER_ADMIN}.json")
    with Control(settings.mqtt_port, admin) as control, suppress(ControlError):
        control._ask(*commands)  # whoever shuts out itself hears no answer


def test_what_anybody_may_do_is_brought_back(shared: Settings) -> None:
    """Rights by default, and roles of nobody's: while the broker runs."""
    tank = add_client(shared, "open")
    everything = {"acltype": "publishClientSend", "topic": "#", "allow": True}
    meddle(
        shared,
        {
            "command": "setDefaultACLAccess",
            "acls": [{"acltype": kind, "allow": True} for kind in RIGHTS],
        },
        {"command": "createRole", "rolename": "wide", "acls": [everything]},
    )
    drift = reconcile(shared)
    assert (sorted(drift.said), drift.needs_restart) == (
        ["role wide was there", "what is allowed by default was different"],
        False,
    )
    assert reconcile(shared).said == []
    with Peer(shared, (tank.client, tank.password)) as peer:
        assert peer.publish("elsewhere", "1").is_failure
        assert peer.subscribe("#").is_failure


def test_group_that_somebody_made_is_gone_after_a_restart(shared: Settings) -> None:
    """Clients and who does not log in are members; 2.0.11 would crash if it were deleted.

    So it does when it lists the roles of a group and one of them was.
    """
    add_client(shared, "member")
    meddle(
        shared,
        {"command": "createRole", "rolename": "gone"},
        {"command": "createGroup", "groupname": "all", "roles": [{"rolename": "gone"}]},
        {"command": "deleteRole", "rolename": "gone"},
        {"command": "addGroupClient", "groupname": "all", "username": "member"},
        {"command": "setAnonymousGroup", "groupname": "all"},
    )
    drift = reconcile(shared)
    assert (drift.said, drift.needs_restart) == (["group all was there"], True)
    reload(shared)
    wait_until(lambda: is_as_it_must_be(shared))


@pytest.mark.parametrize(
    "command",
    [
        {"command": "deleteClient", "username": COLLECTOR},
        {"command": "disableClient", "username": COLLECTOR},
        {"command": "deleteRole", "rolename": COLLECTOR},
        {"command": "setClientPassword", "username": BROKER_ADMIN, "password": "another"},
        {"command": "disableClient", "username": BROKER_ADMIN},
        {"command": "removeRoleACL", "rolename": BROKER_ADMIN, "acltype": "publishClientSend",
         "topic": "$CONTROL/dynamic-security/#"},
        {"command": "removeRoleACL", "rolename": BROKER_ADMIN, "acltype": "subscribePattern",
         "topic": "$CONTROL/dynamic-security/#"},
    ],
    ids=["collector gone", "collector off", "collector's role", "password", "off", "mute", "deaf"],
)  # fmt: skip
def test_own_login_that_somebody_changed_comes_from_the_file(
    shared: Settings, command: Json
) -> None:
    """Ours cannot be told to a broker that does not listen to us: it starts again."""
    meddle(shared, command)
    drift = reconcile(shared)
    assert drift.needs_restart
    assert drift.said
    reload(shared)
    wait_until(lambda: is_as_it_must_be(shared))


def is_as_it_must_be(settings: Settings) -> bool:
    """Whether a broker that is just starting differs in nothing."""
    try:
        return not reconcile(settings).said
    except ControlError:
        return False
