"""The form of a person: what it shows, and what its buttons do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dash import html

from dashboard.admin.forms import (
    choice_of,
    grants_of,
    grants_text,
    once,
    said,
    text_of,
)  # fmt: skip
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.page import Json
from dashboard.people import actor, hash_password, new_password, own_session
from mosquitto.access_sessions import Sessions
from mosquitto.access_users import ROLES, VIEWER, User, Users, no_user
from telemetry.fault import Fault
from telemetry.words import counted

ADD = "admin-person-add"
FORM = "admin-person"
EDITED = "admin-person-edited"
NAME = "admin-person-name"
NAME_FIELD = "admin-person-name-field"
ROLE = "admin-person-role"
SEES = "admin-person-sees"
SAID = "admin-person-said"
ONCE = "admin-person-once"
SAVE = "admin-person-save"
CANCEL = "admin-person-cancel"
LOGIN = "admin-person-login"
PASSWORD = "admin-person-password"  # noqa: S105  # an identifier
TURN = "admin-person-turn"
TURN_TEXT = "admin-person-turn-text"
LOGOUT = "admin-person-logout"
REMOVE = "admin-person-remove"
SURE = "admin-person-sure"
SURE_TEXT = "admin-person-sure-text"
KEEP = "admin-person-keep"
GO = "admin-person-go"

BUTTONS = (SAVE, CANCEL, PASSWORD, TURN, LOGOUT, REMOVE, KEEP, GO)
OUTPUTS = {
    "open": (FORM, "is_open"),
    "title": (f"{FORM}-title", "children"),
    "edited": (EDITED, "data"),
    "name": (NAME, "value"),
    "name_hidden": (NAME_FIELD, "hidden"),
    "role": (ROLE, "value"),
    "sees": (SEES, "value"),
    "login_hidden": (LOGIN, "hidden"),
    "turn": (TURN_TEXT, "children"),
    "said": (SAID, "children"),
    "once": (ONCE, "children"),
    "asks": (SURE, "is_open"),
    "question": (SURE_TEXT, "children"),
}


@dataclass(frozen=True, slots=True)
class Entered:
    """What stands in the form, as a browser sent it.

    Attributes:
        edited: Whose form it is and whether that one may log in; of a new user, nobody's.
        name: The name of a new user.
        role: What it is to be.
        sees: Whose charts it is to see, one a line.
    """

    edited: object
    name: object
    role: object
    sees: object

    @property
    def whose(self) -> str:
        """The user that is changed, or an empty string."""
        return text_of(self.edited.get("name")) if isinstance(self.edited, dict) else ""

    @property
    def enabled(self) -> bool:
        """Whether that one may log in, as the form shows it."""
        return isinstance(self.edited, dict) and self.edited.get("enabled") is True


def chosen(engine: Engine, name: str) -> Json:
    """The form of the user of that name; nothing without a name."""
    if not name:
        return {}
    try:
        user = Users(engine.settings.access_path).named(name)
    except Fault as error:
        return opened(None) | {"said": said(f"{error}.")}
    return opened(user) if user else opened(None) | {"said": said(f"{no_user(name)}.")}


def opened(user: User | None) -> Json:
    """The form of a user, or of a new one: what is known of it, and nothing said yet."""
    known = {"open": True, "said": None, "once": None, "asks": False, "name": ""}
    if user is None:
        return known | {
            "title": "Add a person", "edited": None, "name_hidden": False, "role": VIEWER,
            "sees": "", "login_hidden": True, "turn": "Disable",
        }  # fmt: skip
    return known | {
        "title": printable(user.name), "name_hidden": True, "login_hidden": False,
        "edited": {"name": user.name, "enabled": user.enabled}, "role": user.role,
        "sees": grants_text(user.seen), "turn": "Disable" if user.enabled else "Enable",
    }  # fmt: skip


def acted(engine: Engine, which: str, entered: Entered) -> Json:
    """What the form shows after a button was pressed; a fault is a sentence in it."""
    do = _ACTS.get(which)
    if do is None:
        return {}
    try:
        return do(engine, entered)
    except Fault as error:
        return {"said": said(f"{error}."), "asks": False}


def _users(engine: Engine) -> Users:
    return Users(engine.settings.access_path, actor(), engine.clock)


def _save(engine: Engine, entered: Entered) -> Json:
    role = choice_of(entered.role, ROLES, "role")
    seen = grants_of(entered.sees)
    if entered.whose:
        _users(engine).set_role(entered.whose, role, seen)
        return {"open": False}
    name, password = text_of(entered.name), new_password()
    _users(engine).add(name, hash_password(password), role, seen)
    return opened(_users(engine).named(name)) | {"once": _shown(name, password)}


def _shown(name: str, password: str) -> html.Div:
    return once("admin-person-secret", f"The password of {printable(name)}:", password)


def _password(engine: Engine, entered: Entered) -> Json:
    """Whoever changes its own stays logged in where it reads it."""
    name, password = entered.whose, new_password()
    _users(engine).set_password(name, hash_password(password), keep_session=own_session())
    return {"once": _shown(name, password), "said": None}


def _turn(engine: Engine, entered: Entered) -> Json:
    name, enabled = entered.whose, not entered.enabled
    _users(engine).set_enabled(name, enabled=enabled)
    text = "may log in again, with the password as before" if enabled else "may not log in any more"
    user = _users(engine).named(name)
    return opened(user) | {"said": said(f"Done: {name} {text}.", "check-circle-fill")}


def _logout(engine: Engine, entered: Entered) -> Json:
    name = entered.whose
    if _users(engine).named(name) is None:
        raise no_user(name)
    ended = Sessions(engine.settings.access_path, actor(), engine.clock).end_all(name)
    text = f"Done: {counted(ended, 'session')} of {name} ended."
    return {"said": said(text, "check-circle-fill")}


def _ask(_engine: Engine, entered: Entered) -> Json:
    text = "can log in no more, and its sessions end. The audit log keeps what it did."
    return {"asks": True, "question": f"Then {printable(entered.whose)} {text}"}


def _remove(engine: Engine, entered: Entered) -> Json:
    _users(engine).remove(entered.whose)
    return {"asks": False, "open": False}


_ACTS: Mapping[str, Callable[[Engine, Entered], Json]] = {
    SAVE: _save,
    CANCEL: lambda *_: {"open": False, "once": None},
    PASSWORD: _password,
    TURN: _turn,
    LOGOUT: _logout,
    REMOVE: _ask,
    KEEP: lambda *_: {"asks": False},
    GO: _remove,
}
