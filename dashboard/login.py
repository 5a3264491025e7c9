"""Logging in and out, and choosing another password: pages without Dash."""

from collections.abc import Mapping

import structlog
from flask import Flask, redirect, render_template, request, session
from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    current_user,
    login_user,
    logout_user,
)
from werkzeug.wrappers import Response as AnyResponse

from dashboard.people import (
    PasswordRefused,
    Person,
    actor,
    check_password,
    hash_password,
    own_session,
    user_of_login,
)
from dashboard.prefix import place
from dashboard.visitor import address_of
from mosquitto.access_audit import Actor
from mosquitto.access_file import ChangedMeanwhile
from mosquitto.access_sessions import Sessions
from mosquitto.access_users import User, Users
from telemetry.clock import Clock
from telemetry.settings import Settings

_LOG = structlog.get_logger(__name__)
_NAME_LENGTH = 64
_OF_ADDRESS, _OF_NAME = 20, 5
"""Attempts within 15 minutes from one address, and of those for one name."""

Page = str | AnyResponse | tuple[str, int]


class Door:
    """Where people log in, with limits that hold for all processes and over restarts."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._users = Users(settings.access_path, clock=clock)
        self._clock = clock
        self._sessions = Sessions(settings.access_path, clock=clock)

    def let_in(self, name: str, password: str) -> tuple[User | None, int]:
        """The user of that name and password, and how long to wait first, in seconds."""
        most = limits(name, address_of(request, self._settings))
        wait_s = self._sessions.attempt(most)
        if wait_s:
            return None, wait_s
        user = user_of_login(self._users, name, password)
        if user is not None:
            self._sessions.succeeded(*most)
        return user, 0

    def begin(self, user: User) -> bool:
        """The browser that asks has a session of the user's, unless that was changed meanwhile."""
        agent = request.headers.get("User-Agent", "")
        sessions = Sessions(self._settings.access_path, Actor(user.name, "web"), self._clock)
        try:
            secret = sessions.begin(user, address_of(request, self._settings), agent)
        except ChangedMeanwhile:
            return False
        session.clear()  # nothing of who was here before
        login_user(Person(user, secret))
        session.permanent = True
        _LOG.info("login", **self._facts(user.name))
        return True

    def end(self) -> None:
        """The session of who asks is over."""
        Sessions(self._settings.access_path, actor(), self._clock).end(own_session())
        logout_user()
        session.clear()

    def change(self, old: str, new: str) -> None:
        """Who asks has another password; its other sessions end.

        Raises:
            PasswordRefused: If the old one is wrong, tried too often, or the new one is none.
        """
        person = current_user
        user, wait_s = self.let_in(person.name, old)
        if wait_s:
            raise PasswordRefused(_wait(wait_s)[:-1])
        if user is None:
            raise PasswordRefused("that is not your password of now; try again")
        kept = hash_password(check_password(new, person.name))
        changed = Users(self._settings.access_path, actor())
        changed.set_password(person.name, kept, keep_session=own_session())

    def refused(self, name: str, reason: str) -> None:
        """Notes that somebody was not let in."""
        _LOG.warning("login refused", **self._facts(name), reason=reason)

    def _facts(self, name: str) -> dict[str, str]:
        address = address_of(request, self._settings)
        return {"user": repr(name[:_NAME_LENGTH]), "address": address}


def limits(name: str, address: str) -> Mapping[str, int]:
    """How many attempts for that name from that address may be, and for any name from it."""
    return {f"{name[:_NAME_LENGTH]} from {address}": _OF_NAME, f"from {address}": _OF_ADDRESS}


def add_login_pages(server: Flask, settings: Settings, clock: Clock) -> Door:
    """Adds /login, /logout and /password; returns what lets people in."""
    door = Door(settings, clock)
    server.context_processor(lambda: {"provider_title": provider_title(settings)})

    @server.get("/login")
    def login_form() -> Page:
        if current_user.is_authenticated:
            return redirect(place("/"))
        return _login_page("", local(request.args.get("next", "")))

    @server.post("/login")
    def login() -> Page:
        return _answer_login(door)

    @server.post("/logout")
    def logout() -> Page:
        door.end()
        return redirect(place("/login"))

    @server.get("/password")
    def password_form() -> Page:
        return _password_page("")

    @server.post("/password")
    def password() -> Page:
        return _answer_password(door)

    return door


def provider_title(settings: Settings) -> str:
    """What the login page calls the provider, or nothing without one."""
    return settings.oidc_title if settings.oidc_issuer else ""


def _answer_login(door: Door) -> Page:
    name, password = request.form.get("username", ""), request.form.get("password", "")
    onward = local(request.form.get("next", ""))
    user, wait_s = door.let_in(name, password)
    if user is None or not door.begin(user):
        error = _wait(wait_s) if wait_s else "That user name and password do not fit."
        door.refused(name, error)
        return _login_page(error, onward, name), 429 if wait_s else 401
    return redirect(onward or place("/"))


def _answer_password(door: Door) -> Page:
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _password_page("The new password is not the same both times."), 400
    try:
        door.change(request.form.get("old", ""), new)
    except PasswordRefused as error:
        return _password_page(_sentence(error)), 400
    return render_template("password.html", error="", done=True)


def _login_page(error: str, onward: str, name: str = "") -> str:
    return render_template("login.html", error=error, next=onward, name=name)


def _password_page(error: str) -> str:
    return render_template(
        "password.html", error=error, done=False, vouched=not current_user.has_password
    )


def _wait(wait_s: int) -> str:
    minutes = -(-wait_s // 60)
    unit = "minute" if minutes == 1 else "minutes"
    return f"Too many attempts; try again in {minutes} {unit}."


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def local(target: str) -> str:
    """The target if it is a path of ours, else nothing: nobody is led elsewhere."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() else ""
