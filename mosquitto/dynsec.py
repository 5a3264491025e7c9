"""Who may do what, in the words of Mosquitto's dynamic-security plugin."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from mosquitto.access import READER, Client, Password
from mosquitto.names import BROKER_ADMIN, COLLECTOR
from telemetry.families import TEMPLATES, Family
from telemetry.template import EVERY_CLIENT, TopicTemplate, needed

PINGS = "culex/ping/#"
"""What the collector sends to itself, to know that the broker delivers."""

CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC = f"{CONTROL_TOPIC}/response"

Json = dict[str, Any]  # Any: JSON objects at the door of the plugin
Rule = tuple[str, str]

_READ = ("subscribePattern", "publishClientReceive")
_MAY_UNSUBSCRIBE: tuple[Rule, ...] = (("unsubscribePattern", "#"), ("unsubscribePattern", "$SYS/#"))
_DENY_ALL = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")


def publish_topics(client: str, templates: Iterable[str]) -> list[str]:
    """The filters a client may publish to: its own, and those that culex.toml adds.

    A gateway speaks for many: the login that is named like a family may publish all of its topics.

    >>> publish_topics("a", ["clients/{client}/{metric}", "plant/{client}/{metric}"])
    ['clients/a/#', 'plant/a/+']
    >>> publish_topics("owntracks", ["owntracks/{client}/{part}"])
    ['clients/owntracks/#', 'owntracks/+/+']
    """
    known = {template for template, _ in TEMPLATES.get(cast("Family", client), ())}
    added = (
        TopicTemplate(one).topic_filter if one in known else TopicTemplate(one).filter_for(client)
        for one in templates
        if not one.startswith("clients/{client}")
    )
    return [f"clients/{client}/#", *needed(added)]


def subscribe_topics(client: str, templates: Iterable[str] = (), role: str = "") -> list[str]:
    """The filters a client may subscribe to: what is sent to it; for a reader, all that arrives.

    >>> subscribe_topics("a")
    ['clients/a/cmd/#']
    >>> subscribe_topics("a", ["plant/{client}/{metric}"], "reader")
    ['clients/#', 'plant/+/+']
    """
    return _arriving(templates) if role == READER else [_commands(client)]


def _commands(client: str) -> str:
    return f"clients/{client}/cmd/#"


def _arriving(templates: Iterable[str]) -> list[str]:
    """Where readings of any client arrive."""
    return [EVERY_CLIENT, *publish_topics("+", templates)[1:]]


def client_role(client: str, templates: Sequence[str], role: str) -> Json:
    """What one client may do: it speaks under its own name and hears what `subscribe_topics` says.

    The plugin of 2.0 fills no `%u` into a topic, so every client has a role of its own.
    """
    rules = [("publishClientSend", topic) for topic in publish_topics(client, templates)]
    heard = subscribe_topics(client, templates, role)
    rules += [(kind, topic) for kind in _READ for topic in heard]
    own = _commands(client)
    denied = [_acl("publishClientSend", own, priority=1, allow=False)]
    return _role(role_name(client), rules, denied)


def publisher_role(name: str, topic: str) -> Json:
    """The role of a login that may publish to one topic, and nothing else."""
    return _role(role_name(name), [("publishClientSend", topic)])


def role_name(client: str) -> str:
    """The role of that client; the prefix keeps it apart from our own roles."""
    return f"client-{client}"


def identifier(client: str, *, bound: bool) -> str:
    """The only identifier with which the client may connect; empty if it may have any."""
    return client if bound else ""


def client_login(client: Client) -> Json:
    """A client as the plugin keeps it."""
    login = _login(client.name, role_name(client.name), client.password)
    bound = identifier(client.name, bound=client.bound)
    return login | ({"clientid": bound} if bound else {}) | {"disabled": not client.enabled}


def security(clients: Iterable[Client], own: dict[str, Password], templates: Sequence[str]) -> Json:
    """The whole of dynamic-security.json: the clients, and our own logins.

    A client of the user's own that is disabled is there as such, so that it can be enabled while
    the broker runs: nobody knows its password to tell it then.

    Nobody may do anything that a role does not allow. Whoever is logged in may unsubscribe
    from anything: refusing it would keep a stale subscription alive.
    """
    known = [client for client in clients if client.enabled or not client.simulated]
    return {
        "defaultACLAccess": dict.fromkeys(_DENY_ALL, False),
        "clients": [
            *(_login(name, name, password) for name, password in own.items()),
            *(client_login(client) for client in known),
        ],
        "groups": [],
        "roles": [
            _collector_role(templates),
            _admin_role(),
            *(client_role(client.name, templates, client.role) for client in known),
        ],
    }


def _collector_role(templates: Iterable[str]) -> Json:
    filters = [*_arriving(templates), PINGS, "$SYS/#"]
    rules = [(kind, topic) for kind in _READ for topic in filters]
    sends = [("publishClientSend", topic) for topic in (f"clients/{COLLECTOR}/#", PINGS)]
    return _role(COLLECTOR, [*rules, *sends])


def _admin_role() -> Json:
    control = "$CONTROL/dynamic-security/#"
    rules = [(kind, topic) for kind in _READ for topic in (control, "$SYS/#")]
    return _role(BROKER_ADMIN, [*rules, ("publishClientSend", control)])


def _role(name: str, allowed: Iterable[Rule], denied: Iterable[Json] = ()) -> Json:
    rules = [*allowed, *_MAY_UNSUBSCRIBE]
    acls = [*denied, *(_acl(kind, topic, priority=0, allow=True) for kind, topic in rules)]
    return {"rolename": name, "acls": acls}


def _acl(kind: str, topic: str, *, priority: int, allow: bool) -> Json:
    return {"acltype": kind, "topic": topic, "priority": priority, "allow": allow}


def _login(username: str, role: str, password: Password) -> Json:
    return {
        "username": username,
        "roles": [{"rolename": role, "priority": 0}],
        "password": password.digest,
        "salt": password.salt,
        "iterations": password.iterations,
    }
