"""The projection of access.db into the broker's plugin."""

import base64
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mosquitto.access import PUBLISHER, READER, Client, Password
from mosquitto.dynsec import (
    PINGS,
    client_role,
    publish_topics,
    security,
)
from mosquitto.passwords import hash_password, verify_password

PASSWORD = Password("digest", "salt", 101)
TEMPLATES = ["clients/{client}", "clients/{client}/{metric}"]


def client(name: str, *, enabled: bool = True) -> Client:
    """A client of that name."""
    return Client(name, simulated=False, password=PASSWORD, created_us=0, enabled=enabled)


def test_nothing_is_allowed_by_default() -> None:
    """All four default answers are no."""
    assert security([], {}, TEMPLATES)["defaultACLAccess"] == {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": False,
    }


def test_disabled_client_is_known_as_such() -> None:
    """A client that is off can be let in again while the broker runs; the fleet's are left out."""
    gone = replace(client("demo-solar", enabled=False), simulated=True)
    off = client("off", enabled=False)
    written = security([client("on"), off, gone], {"collector": PASSWORD}, [])
    logins = {each["username"]: each.get("disabled") for each in written["clients"]}
    assert logins == {"collector": None, "on": False, "off": True}
    assert [each["rolename"] for each in written["roles"]] == [
        "collector",
        "broker-admin",
        "client-on",
        "client-off",
    ]


def test_client_is_bound_to_its_identifier_unless_it_may_choose() -> None:
    """The plugin is told the identifier that a client must have; an empty one would bind none."""
    free = replace(client("free"), bound=False)
    bound, unbound = security([client("tank"), free], {}, [])["clients"]
    assert bound["clientid"] == "tank"
    assert "clientid" not in unbound


def test_reader_hears_all_clients_and_speaks_for_itself() -> None:
    """A reader may subscribe to what the collector does, without what is the broker's own."""
    role = client_role("flows", [*TEMPLATES, "plant/{client}/{metric}"], READER)
    rules = role["acls"]
    heard = {rule["topic"] for rule in rules if rule["acltype"] == "subscribePattern"}
    assert heard == {"clients/#", "plant/+/+"}
    assert sent(role) == {"clients/flows/#", "plant/flows/+"}


def test_client_cannot_have_a_role_of_ours() -> None:
    """A client named like one of our roles gets a role of its own."""
    (login,) = security([client("broker-admin")], {}, [])["clients"]
    assert login["roles"] == [{"rolename": "client-broker-admin", "priority": 0}]


def test_commands_are_heard_and_not_sent() -> None:
    """The rule that forbids a client to write its own commands comes before the one that allows."""
    rules = client_role("tank", TEMPLATES, PUBLISHER)["acls"]
    sends = sorted(
        (rule for rule in rules if rule["acltype"] == "publishClientSend"),
        key=lambda rule: -rule["priority"],
    )
    assert [(rule["topic"], rule["allow"]) for rule in sends] == [
        ("clients/tank/cmd/#", False),
        ("clients/tank/#", True),
    ]
    heard = {rule["topic"] for rule in rules if rule["acltype"] == "subscribePattern"}
    assert heard == {"clients/tank/cmd/#"}


def test_configured_topics_are_allowed_too() -> None:
    """A template of culex.toml that names the client opens that topic to it and the collector."""
    templates = [*TEMPLATES, "plant/{client}/{metric}", "v3/{any}/{client}/{path}"]
    assert publish_topics("tank", templates) == ["clients/tank/#", "plant/tank/+", "v3/+/tank/#"]
    collector = security([], {}, templates)["roles"][0]
    heard = {rule["topic"] for rule in collector["acls"] if rule["acltype"] == "subscribePattern"}
    assert heard == {"clients/#", "culex/ping/#", "$SYS/#", "plant/+/+", "v3/+/+/#"}


def test_collector_may_send_to_itself_and_nobody_else_there() -> None:
    """The topics by which the collector knows that the broker delivers are its own."""
    collector, admin, tank = security([client("tank")], {}, TEMPLATES)["roles"]
    assert PINGS in sent(collector)
    assert PINGS not in sent(admin) | sent(tank)


def sent(role: dict[str, Any]) -> set[str]:
    """The topics that a role may publish to."""
    rules = role["acls"]
    return {one["topic"] for one in rules if one["acltype"] == "publishClientSend" and one["allow"]}


@given(st.text(max_size=50), st.binary(min_size=12, max_size=12))
def test_password_is_verified_by_what_is_kept(password: str, salt: bytes) -> None:
    """The right password fits what is kept of it, another does not."""
    kept = hash_password(password, salt)
    assert verify_password(password, kept)
    assert not verify_password(password + "x", kept)
    assert len(base64.b64decode(kept.digest)) == 64
