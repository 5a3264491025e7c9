"""The guard before every request: nobody without a login or a token, and what answers carry."""

from collections.abc import Sequence
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, session
from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    LoginManager,
    current_user,
    login_user,
    logout_user,
)
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from dashboard.people import Person, is_token, person_of_login, person_of_session
from dashboard.prefix import place
from dashboard.shell import EARLY_SCRIPT_HASH
from mosquitto.access import Access, AccessError

_LOG = structlog.get_logger(__name__)
_OPEN_PATHS = frozenset({"/login", "/healthz", "/readyz"})
_OPEN_FILES = "_dash_assets.static"
_OPEN_FOLDER = "/assets/"
_PROGRAM_PATHS = ("/api/", "/metrics", "/_dash-")
_UNKNOWN = "Who may look cannot be read right now; the dashboard's log says why. Try again shortly."
_NAME_LENGTH = 64


def protect(server: Flask, access: Access, script_hashes: Sequence[str]) -> None:
    """Nothing but the login, its looks and the health probes answers without a login.

    The probes and the looks never ask who looks: they answer whatever has become of access.db.
    """
    logins = LoginManager(server, add_context_processor=False)  # it would ask on the login page
    logins.user_loader(lambda session_id: person_of_session(access, session_id))
    _add_login_pages(server, access)
    policy = _content_policy(script_hashes)

    @server.before_request
    def refuse_strangers() -> AnyResponse | tuple[Response, int] | None:
        if request.path in _OPEN_PATHS or request.endpoint == _OPEN_FILES:
            return None
        g.is_person = current_user.is_authenticated
        return None if g.is_person or _has_token(access) else _refusal()

    CSRFProtect(server)  # asked second: a stranger is told to log in, whatever else is wrong
    _tell_faults(server)

    @server.after_request
    def add_headers(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        if not request.path.startswith((_OPEN_FOLDER, "/_dash-component-suites/")):
            answer.headers.setdefault("Cache-Control", "no-store")
        if g.get("is_person") and request.method == "GET":
            answer.set_cookie("_csrf_token", generate_csrf(), path=place("/"), samesite="Strict")
        return answer


def _tell_faults(server: Flask) -> None:
    @server.errorhandler(CSRFError)
    def refuse_forgery(error: CSRFError) -> tuple[str, int]:
        page = render_template("login.html", error="The form was too old; log in again.", next="")
        return (page, 400) if request.path == "/login" else (str(error.description), 400)

    @server.errorhandler(AccessError)
    def tell_unknown(error: AccessError) -> tuple[str | Response, int]:
        _LOG.error("cannot tell who looks", error=str(error))
        if request.path.startswith(_PROGRAM_PATHS):
            return jsonify(error=_UNKNOWN), 503
        return render_template("login.html", error=_UNKNOWN, next=""), 503


def _has_token(access: Access) -> bool:
    """A token opens the API and the metrics, nothing else."""
    if not request.path.startswith(("/api/", "/metrics")):
        return False
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(access, token.strip())


def _refusal() -> AnyResponse | tuple[Response, int]:
    """Programs are told 401; a person is led to the login and back."""
    if request.path.startswith(_PROGRAM_PATHS) or request.method != "GET":
        return jsonify(error="log in, or send a token: Authorization: Bearer …"), 401
    here, login = place(request.full_path.rstrip("?")), place("/login")
    return redirect(f"{login}?next={quote(here)}" if here != place("/") else login)


def _add_login_pages(server: Flask, access: Access) -> None:
    @server.get("/login")
    def login_form() -> str | AnyResponse:
        if current_user.is_authenticated:
            return redirect(place("/"))
        return render_template("login.html", error="", next=_local(request.args.get("next", "")))

    @server.post("/login")
    def login() -> str | AnyResponse | tuple[str, int]:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        person: Person | None = person_of_login(access, name, password)
        onward = _local(request.form.get("next", ""))
        _record_login(name, person)
        if person is None:
            error = "That user name and password do not fit."
            return render_template("login.html", error=error, next=onward), 401
        login_user(person)
        session.permanent = True  # until 24 h after the last request: a display on a wall stays
        return redirect(onward or place("/"))

    @server.route("/logout", methods=["GET", "POST"])
    def logout() -> AnyResponse:
        logout_user()
        return redirect(place("/login"))


def _record_login(name: str, person: Person | None) -> None:
    facts = {"user": repr(name[:_NAME_LENGTH]), "address": request.remote_addr}
    if person is None:
        _LOG.warning("login refused", **facts)
    else:
        _LOG.info("login", **facts)


def _local(target: str) -> str:
    """The target if it is a path of ours, else nothing: nobody is led elsewhere."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() else ""


def _content_policy(script_hashes: Sequence[str]) -> str:
    scripts = " ".join(["'self'", EARLY_SCRIPT_HASH, *script_hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
