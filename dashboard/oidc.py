"""Logging in through an OpenID Connect provider, such as Keycloak, Authentik or Entra ID."""

import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template, request, session
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response as AnyResponse

from dashboard.login import Door, local
from dashboard.prefix import place
from dashboard.vouched import NotVouched, vouched_user
from mosquitto.access_users import Users
from telemetry.finding import sentence
from telemetry.login import SecretError, read_secret
from telemetry.settings import Settings

START, BACK = "/login/oidc", "/login/oidc/callback"
_LOG = structlog.get_logger(__name__)
_ONWARD = "onward"
_PROVIDER = "oidc"
_PATIENCE_S = 10
_FAULTS = (OAuthError, JoseError, RequestException, ValueError)
"""A provider that cannot be reached, refuses, or whose answer is none."""

Page = AnyResponse | tuple[str, int]


def add_oidc(server: Flask, settings: Settings, door: Door) -> None:
    """Adds the two addresses, which are not found where no provider is set.

    Raises:
        SecretError: If one is set, and its secret is missing or readable by others.
    """
    provider = _registered(server, settings) if settings.oidc_issuer else None

    @server.get(START)
    def oidc() -> Page:
        if provider is None:
            return _refused("There is no other way to log in here.", 404)
        session[_ONWARD] = local(request.args.get("next", ""))
        back = f"{request.host_url.rstrip('/')}{place(BACK)}"
        try:
            answer: AnyResponse = provider.oidc.authorize_redirect(back)
        except _FAULTS as error:
            return _unreachable(settings, error)
        return answer

    @server.get(BACK)
    def oidc_callback() -> Page:
        if provider is None:
            return _refused("There is no other way to log in here.", 404)
        return _returned(provider, settings, door)


def _registered(server: Flask, settings: Settings) -> OAuth:
    oauth = OAuth(server)
    oauth.register(
        _PROVIDER,
        client_id=settings.oidc_client_id,
        client_secret=_secret(settings),
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "timeout": _PATIENCE_S,
        },
    )
    return oauth


def _secret(settings: Settings) -> str:
    path = settings.secrets_dir / "oidc.secret"
    if not path.exists():
        raise SecretError(
            f"{path} is missing; write the client's secret of {settings.oidc_issuer} into it, "
            f"and run: chmod 600 {path}"
        )
    return read_secret(path).decode("utf-8", "replace").strip()


def _returned(provider: OAuth, settings: Settings, door: Door) -> Page:
    """What becomes of somebody whom the provider has sent back."""
    onward = str(session.get(_ONWARD, ""))
    try:
        claims = provider.oidc.authorize_access_token().get("userinfo") or {}
    except _FAULTS as error:
        return _unreachable(settings, error)
    name = claims.get(settings.oidc_user_claim)
    if not isinstance(name, str) or not name:
        _LOG.warning("login refused", claim=settings.oidc_user_claim, reason="not in the answer")
        return _refused(f"{settings.oidc_title} did not say who you are.", 403)
    try:
        user = vouched_user(Users(settings.access_path), name, settings)
    except NotVouched as error:
        door.refused(name, str(error))
        return _refused(sentence(str(error)), 403)
    if not door.begin(user):
        return _refused("Your user was changed meanwhile; log in again.", 403)
    return redirect(onward or place("/"))


def _unreachable(settings: Settings, error: Exception) -> Page:
    _LOG.warning("login elsewhere failed", issuer=settings.oidc_issuer, error=str(error))
    return _refused(f"Logging in with {settings.oidc_title} failed; try again.", 502)


def _refused(error: str, status: int) -> tuple[str, int]:
    return render_template("login.html", error=error, next=""), status
