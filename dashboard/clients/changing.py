"""Changes of clients from the page: through access.db and the broker that runs."""

from collections.abc import Mapping

from dash import html, no_update
from dash.development.base_component import Component

from dashboard.clients.shown import shown
from dashboard.engine import Engine
from dashboard.parts import icon
from dashboard.people import actor
from dashboard.view import View, view_to_json
from mosquitto import provision
from mosquitto.access import PUBLISHER, ROLES
from mosquitto.detail import entered
from mosquitto.provision import PENDING, Permit
from telemetry.fault import Fault
from telemetry.finding import sentence

Answer = tuple[object, object, object]


def added(engine: Engine, said: Mapping[str, str], *, bound: bool) -> Answer:
    """The login that is shown, what is wrong, and the view of the new client."""
    name, role = said.get("name", "").strip(), said.get("role", "")
    try:
        detail = entered(name or "?", said)
        permit = Permit(role if role in ROLES else PUBLISHER, bound, detail)
        new = provision.add_client(engine.settings, name, permit, actor())
    except (Fault, OSError) as fault:
        return no_update, sentence(str(fault)), no_update
    return shown(engine.settings, new), "", view_to_json(View((name,)))


def rotated(engine: Engine, name: str) -> tuple[object, Component]:
    """The login that is shown, and what became of it."""
    try:
        new = provision.rotate_client(engine.settings, name, actor())
    except (Fault, OSError) as fault:
        return no_update, said(str(fault), good=False)
    words = f"client {name} has a new password" + (f"; {PENDING}" if new.pending else "")
    return shown(engine.settings, new), said(words, good=not new.pending)


def switched(engine: Engine, seen: object) -> Component:
    """What became of a client that was shut out, or let in if it was seen to be shut out.

    What was seen counts, not what is so by now: of two people who press the same button, neither
    undoes what the other did.
    """
    known = seen if isinstance(seen, dict) else {}
    name, enabled = str(known.get("client", "")), known.get("enabled") is not True
    try:
        provision.set_client_enabled(engine.settings, name, enabled=enabled, by=actor())
    except Fault as fault:
        return said(str(fault), good=False)
    words = "may speak again" if enabled else "is shut out, and was disconnected"
    return said(f"client {name} {words}", good=True)


def removed(engine: Engine, name: str) -> Component:
    """What became of a client that was to be removed."""
    try:
        provision.remove_client(engine.settings, name, actor())
    except Fault as fault:
        return said(str(fault), good=False)
    return said(f"client {name} is removed; its readings stay", good=True)


def said(text: str, *, good: bool) -> html.P:
    """A sentence on what became of something."""
    symbol = "check-circle-fill" if good else "exclamation-triangle-fill"
    looks = "clients-said good" if good else "clients-said bad"
    return html.P([icon(symbol), html.Span(sentence(text))], className=looks)
