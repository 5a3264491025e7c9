"""Who may do what, in the words of Mosquitto's dynamic-security plugin."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, cast

from mosquitto.access import Client, Password
from mosquitto.names import BROKER_ADMIN, COLLECTOR
from telemetry.families import TEMPLATES, Family
from telemetry.template import EVERY_CLIENT, TopicTemplate, needed

PINGS = "culex/ping/#"
"""What the collector sends to itself, to know that the broker delivers."""

CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC = f"{CONTROL_TOPIC}/response"
ITERATIONS = 101  # what the plugin itself uses: our passwords are random, not guessable
SALT_BYTES = 12  # the most that the plugin of 2.0 reads
_DIGEST_BYTES = 64

Json = dict[str, Any]  # Any: JSON objects at the door of the plugin
Rule = tuple[str, str]

_READ = ("subscribePattern", "publishClientReceive")
_MAY_UNSUBSCRIBE: tuple[Rule, ...] = (("unsubscribePattern", "#"), ("unsubscribePattern", "$SYS/#"))
_DENY_ALL = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")


def hash_password(password: str, salt: bytes) -> Password:
    """What the plugin keeps of a password."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, _DIGEST_BYTES)
    return Password(_base64(digest), _base64(salt), ITERATIONS)


def verify_password(password: str, kept: Password) -> bool:
    """Whether that is the password."""
    return hmac.compare_digest(
        hash_password(password, base64.b64decode(kept.salt)).digest, kept.digest
    )


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


def subscribe_topics(client: str) -> list[str]:
    """The filters a client may subscribe to: what is sent to it.

    >>> subscribe_topics("a")
    ['clients/a/cmd/#']
    """
    return [f"clients/{client}/cmd/#"]


def client_role(client: str, templates: Iterable[str]) -> Json:
    """The role of one client: it speaks under its own name, and hears its commands.

    The plugin of 2.0 fills no `%u` into a topic, so every client has a role of its own.
    """
    commands = subscribe_topics(client)
    rules = [("publishClientSend", topic) for topic in publish_topics(client, templates)]
    rules += [(kind, topic) for kind in _READ for topic in commands]
    denied = [_acl("publishClientSend", topic, priority=1, allow=False) for topic in commands]
    return _role(role_name(client), rules, denied)


def publisher_role(name: str, topic: str) -> Json:
    """The role of a login that may publish to one topic, and nothing else."""
    return _role(role_name(name), [("publishClientSend", topic)])


def role_name(client: str) -> str:
    """The role of that client; the prefix keeps it apart from our own roles."""
    return f"client-{client}"


def client_login(client: str, password: Password) -> Json:
    """A client as the plugin keeps it."""
    return _login(client, role_name(client), password)


def security(clients: Iterable[Client], own: dict[str, Password], templates: Sequence[str]) -> Json:
    """The whole of dynamic-security.json: the clients that are enabled, and our own logins.

    Nobody may do anything that a role does not allow. Whoever is logged in may unsubscribe
    from anything: refusing it would keep a stale subscription alive.
    """
    enabled = [client for client in clients if client.enabled]
    return {
        "defaultACLAccess": dict.fromkeys(_DENY_ALL, False),
        "clients": [
            *(_login(name, name, password) for name, password in own.items()),
            *(client_login(client.name, client.password) for client in enabled),
        ],
        "groups": [],
        "roles": [
            _collector_role(templates),
            _admin_role(),
            *(client_role(client.name, templates) for client in enabled),
        ],
    }


def _collector_role(templates: Iterable[str]) -> Json:
    filters = [EVERY_CLIENT, PINGS, "$SYS/#", *publish_topics("+", templates)[1:]]
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


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
