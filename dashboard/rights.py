"""Who may ask for what: each address and each callback has the least role that may.

What is named nowhere is refused to everybody, so that nothing new is open by accident.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mosquitto.access_users import ADMIN, OPERATOR, VIEWER

Callback = TypeVar("Callback", bound=Callable[..., object])

OPEN = ""
"""For everybody, with a login or without."""

ENDPOINTS: Mapping[str, str] = {
    "_dash_assets.static": OPEN,
    "healthz": OPEN,
    "readyz": OPEN,
    "login_form": OPEN,
    "login": OPEN,
    "logout": VIEWER,
    "oidc": OPEN,
    "oidc_callback": OPEN,
    "password_form": VIEWER,
    "password": VIEWER,
    "/": VIEWER,
    "/<path:path>": VIEWER,
    "/_dash-layout": VIEWER,
    "/_dash-dependencies": VIEWER,
    "/_dash-update-component": VIEWER,  # and what its callback needs
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": VIEWER,
    "/_reload-hash": VIEWER,
    "/_favicon.ico": VIEWER,
    "api.clients": VIEWER,
    "api.readings": VIEWER,
    "api.unknown": VIEWER,
    "metrics": VIEWER,
    "authority": VIEWER,
    "diagnostics": ADMIN,
}
"""The least role for each of Flask's endpoints."""

OF_ALL = frozenset({"metrics", "diagnostics"})
"""Endpoints about all clients, so that whoever may see some of them may not ask."""

TOKENS: Mapping[str, frozenset[str]] = {
    "api.clients": frozenset({"read"}),
    "api.readings": frozenset({"read"}),
    "api.unknown": frozenset({"read"}),
    "metrics": frozenset({"read", "metrics"}),
}
"""The scopes of tokens that open an endpoint; no token opens another."""

_LEAST, _WHOLE = "least_role", "of_all_clients"


def least(role: str, *, whole: bool = False) -> Callable[[Callback], Callback]:
    """Marks a callback with the least role that may run it; without the mark nobody may.

    Args:
        role: That role.
        whole: Whether it is about all clients, so that who may see some of them may not run it.
    """

    def mark(callback: Callback) -> Callback:
        setattr(callback, _LEAST, role)
        setattr(callback, _WHOLE, whole)
        return callback

    return mark


viewers, operators, admins = least(VIEWER), least(OPERATOR), least(ADMIN)
viewers_of_all, operators_of_all = least(VIEWER, whole=True), least(OPERATOR, whole=True)


def role_of_callback(entry: Mapping[str, Any] | None) -> str | None:
    """The least role for a callback as Dash keeps it; `None` if nobody may run it."""
    role = getattr((entry or {}).get("callback"), _LEAST, None)
    return role if isinstance(role, str) else None


def is_of_all(entry: Mapping[str, Any]) -> bool:
    """Whether a callback as Dash keeps it is about all clients."""
    return getattr(entry.get("callback"), _WHOLE, False) is True
