"""The application factory: Dash on Flask, behind the guard."""

from datetime import timedelta
from http import HTTPStatus

import structlog
from dash import Dash
from flask import Flask, Response, abort, request

from dashboard import callbacks, shell
from dashboard.api import create_api
from dashboard.assets import compress
from dashboard.engine import Engine
from dashboard.guard import protect
from dashboard.health import add_health
from dashboard.pages import PAGES
from dashboard.people import session_key
from dashboard.prefix import answer_below
from mosquitto.access import Access
from telemetry.clock import Clock, now_us
from telemetry.settings import ROOT, Settings
from telemetry.store import querier_of

_LOG = structlog.get_logger(__name__)
_BODY_BYTES = 1_000_000
_INDEX = "/<path:path>"


def create_app(settings: Settings, clock: Clock = now_us) -> Flask:
    """The dashboard as a WSGI application; nothing is opened before the first request.

    Raises:
        SecretError: If the key that signs sessions is readable by others.
    """
    server = _flask(settings)
    querier = querier_of(settings)
    app = _dash(server, settings.http_prefix)
    app.layout = lambda: shell.layout(PAGES, settings.refresh_ms)  # its links begin as asked for
    _tell_missing_pages(server)
    callbacks.register(app, Engine(querier, settings, clock), PAGES)
    server.register_blueprint(create_api(querier, clock))
    add_health(server, querier, clock)
    protect(server, Access(settings.access_path), app.csp_hashes())
    _refuse_malformed(server, app)
    _set_up(app)
    answer_below(server, settings.http_prefix)
    return server


def _flask(settings: Settings) -> Flask:
    server = Flask("dashboard", root_path=str(ROOT / "dashboard"), static_folder=None)
    server.config.update(
        SECRET_KEY=session_key(settings),
        SESSION_COOKIE_NAME="culex_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=24),
        MAX_CONTENT_LENGTH=_BODY_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
    )
    compress(server)
    server.context_processor(lambda: {"early_script": shell.EARLY_SCRIPT})
    return server


def _tell_missing_pages(server: Flask) -> None:
    """Dash answers every path with its index; one that is no page says so in its status too."""

    @server.after_request
    def say_not_found(answer: Response) -> Response:
        shown = request.endpoint == _INDEX and answer.status_code == HTTPStatus.OK
        if shown and callbacks.page_of(request.path, PAGES) is None:
            answer.status_code = HTTPStatus.NOT_FOUND
        return answer


def _dash(server: Flask, prefix: str) -> Dash:
    return Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]  # a Flask is what it takes
        assets_folder=str(ROOT / "assets"),
        title="Culex",
        update_title="",
        index_string=shell.index(prefix),
        suppress_callback_exceptions=True,
        serve_locally=True,
        routes_pathname_prefix="/",
        requests_pathname_prefix=f"{prefix}/",
        add_log_handler=False,
        enable_mcp=False,
        on_error=_report,
    )


def _set_up(app: Dash) -> None:
    """Has Dash find its scripts now rather than in the first request.

    Dash notes that it did so before it does: what comes in a second thread meanwhile, as from a
    page that was open while the server started again, is answered with 500.
    """
    app._setup_server()  # type: ignore[no-untyped-call]


def _refuse_malformed(server: Flask, app: Dash) -> None:
    @server.before_request
    def refuse_malformed() -> None:
        """Refuses what names no callback, which Dash would take for a fault of its own."""
        if request.method == "POST" and request.path == "/_dash-update-component":
            body = request.get_json()
            output = body.get("output") if isinstance(body, dict) else None
            if not isinstance(output, str) or output not in app.callback_map:
                abort(400)


def _report(error: Exception) -> None:
    _LOG.error("callback failed", exc_info=error)
