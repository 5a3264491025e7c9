"""The application factory: Dash on Flask, behind the guard."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

import structlog
from dash import Dash
from flask import Flask, Response, request

from dashboard import callbacks, shell
from dashboard.api import create_api
from dashboard.assets import compress
from dashboard.bodies import BodyReader
from dashboard.engine import Engine
from dashboard.guard import protect
from dashboard.health import add_health
from dashboard.login import add_login_pages
from dashboard.oidc import add_oidc
from dashboard.page import Page
from dashboard.pages import PAGES
from dashboard.people import session_key
from dashboard.prefix import answer_below
from dashboard.sight import may_see
from dashboard.visitor import Forwarded, HostCookies
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
    app.layout = lambda: shell.layout(_pages(), settings.refresh_ms)  # as whoever asks may see
    _tell_missing_pages(server)
    engine = Engine(querier, settings, clock)
    callbacks.register(app, engine, PAGES)
    server.register_blueprint(create_api(engine))
    add_health(server, querier, settings, clock)
    add_oidc(server, settings, add_login_pages(server, settings, clock))
    protect(app, server, settings, clock)
    _set_up(app)
    answer_below(server, settings.http_prefix)
    server.wsgi_app = Forwarded(server.wsgi_app, settings)  # type: ignore[method-assign,assignment]  # Flask's own way
    return server


def _pages() -> Sequence[Page]:
    """The pages that whoever asks may see."""
    return [page for page in PAGES if may_see(page.role, whole=page.whole)]


def _flask(settings: Settings) -> Flask:
    server = Flask("dashboard", root_path=str(ROOT / "dashboard"), static_folder=None)
    server.config.update(
        SECRET_KEY=session_key(settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=24),
        SESSION_REFRESH_EACH_REQUEST=False,  # the server knows when it was used
        MAX_CONTENT_LENGTH=_BODY_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
    )
    server.session_interface = HostCookies()
    server.json = BodyReader(server)
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


def _report(error: Exception) -> None:
    _LOG.error("callback failed", exc_info=error)
