"""The guard before every request: who asks, whether they may, and what answers carry."""

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import structlog
from dash import Dash
from flask import Flask, Response, g, jsonify, redirect, render_template, request
from flask_login import (  # type: ignore[import-not-found,unused-ignore]  # has no types
    LoginManager,
    current_user,
)
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from dashboard.bodies import is_call
from dashboard.people import may, person_of_session, token_digest
from dashboard.prefix import place
from dashboard.rights import ENDPOINTS, OF_ALL, OPEN, TOKENS, is_of_all, role_of_callback
from dashboard.shell import EARLY_SCRIPT_HASH
from dashboard.sight import may_see, sees_all
from dashboard.visitor import is_foreign
from dashboard.vouched import person_of_proxy
from mosquitto.access_file import AccessError
from mosquitto.access_sessions import Sessions
from mosquitto.access_tokens import Tokens
from telemetry.clock import Clock
from telemetry.settings import Settings

_LOG = structlog.get_logger(__name__)
_CALLBACK = "/_dash-update-component"
_OPEN_FOLDER = "/assets/"
_PROGRAM_PATHS = ("/api/", "/metrics", "/_dash-")
_UNKNOWN = "Who may look cannot be read right now; the dashboard's log says why. Try again shortly."

Refusal = AnyResponse | tuple[Response, int]


def protect(app: Dash, server: Flask, settings: Settings, clock: Clock) -> None:
    """Nothing answers but to those who may, and nothing is open that `dashboard.rights` lacks.

    What is open to everybody never asks who looks: it answers whatever has become of access.db.
    """
    logins = LoginManager(server, add_context_processor=False)  # it would ask on the login page
    path = settings.access_path
    sessions = Sessions(path, clock=clock)
    logins.user_loader(lambda secret: person_of_session(sessions, secret))
    logins.request_loader(lambda asked: person_of_proxy(asked, settings))

    @server.before_request
    def refuse() -> Refusal | None:
        if request.routing_exception is not None:  # no such address, or no such method
            return None if _has_login(path, clock) else _stranger()
        if is_foreign(request):
            return _no("this request comes from another site; open the dashboard itself", 403)
        role = ENDPOINTS.get(request.endpoint or "")
        if role == OPEN:
            return None
        if not _has_login(path, clock):
            return _stranger()
        lacking = _lacking(role)
        return _no(lacking, 403) if lacking else None

    CSRFProtect(server)  # asked second: a stranger is told to log in, whatever else is wrong

    @server.before_request
    def refuse_callback() -> Refusal | None:
        return _refuse_callback(app) if request.endpoint == _CALLBACK else None

    _tell_faults(server)
    _add_headers(server, _content_policy(app.csp_hashes()), tls=settings.http_tls)


def _lacking(role: str | None) -> str:
    """Why who asks may not, or nothing."""
    if role is None or not (g.token or may(role)):
        return "your role may not do this; ask an administrator"
    if request.endpoint in OF_ALL and not sees_all():
        return "this is about all clients, and your login may see some of them"
    return ""


def _has_login(path: Path, clock: Clock) -> bool:
    """Whether a person asks, or a program with a token that opens this."""
    g.is_person = bool(current_user.is_authenticated)
    g.token = None if g.is_person else _token(path, clock)
    return g.is_person or g.token is not None


def _token(path: Path, clock: Clock) -> object:
    scopes = TOKENS.get(request.endpoint or "", frozenset())
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scopes or scheme.lower() != "bearer" or not token.strip():
        return None
    found = Tokens(path, clock=clock).of_digest(token_digest(token.strip()))
    return found if found is not None and found.scope in scopes else None


def _refuse_callback(app: Dash) -> Refusal | None:
    """Refuses what calls no callback, or one of another role."""
    body = _body()
    output = body.get("output") if isinstance(body, dict) else None
    entry = app.callback_map.get(output) if isinstance(output, str) else None
    if entry is None:
        return _no("there is no such callback; load the page again", HTTPStatus.BAD_REQUEST)
    role = role_of_callback(entry)
    if role is None or not may_see(role, whole=is_of_all(entry)):
        return _no("your role may not do this; ask an administrator", HTTPStatus.FORBIDDEN)
    if not is_call(body, entry):
        return _no("this callback takes something else; load the page again", 400)
    return None


def _body() -> object:
    """What was sent, or nothing if that is no JSON."""
    try:
        body: object = request.get_json(silent=True)
    except RecursionError:  # lists in lists in lists
        return None
    return body


def _no(sentence: str, status: int) -> Refusal:
    return jsonify(error=sentence), status


def _stranger() -> Refusal:
    """Programs are told 401; a person is led to the login and back."""
    if request.path.startswith(_PROGRAM_PATHS) or request.method != "GET":
        return _no("log in, or send a token: Authorization: Bearer …", 401)
    here, login = place(request.full_path.rstrip("?")), place("/login")
    return redirect(f"{login}?next={quote(here)}" if here != place("/") else login)


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


def _add_headers(server: Flask, policy: str, *, tls: bool) -> None:
    @server.after_request
    def add_headers(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("X-Frame-Options", "DENY")
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        answer.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        answer.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not request.path.startswith((_OPEN_FOLDER, "/_dash-component-suites/")):
            answer.headers.setdefault("Cache-Control", "no-store")
        if tls:
            answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if g.get("is_person") and request.method == "GET":
            answer.set_cookie(
                "_csrf_token",
                generate_csrf(),
                path=place("/"),
                samesite="Strict",
                secure=request.is_secure,
            )
        return answer


def _content_policy(script_hashes: Sequence[str]) -> str:
    scripts = " ".join(["'self'", EARLY_SCRIPT_HASH, *script_hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
