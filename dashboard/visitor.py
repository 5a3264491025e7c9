"""Where a request comes from, also through a proxy that is trusted."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, has_request_context, request
from flask.sessions import SecureCookieSessionInterface

from dashboard.prefix import Application, Environment
from telemetry.settings import Settings

COOKIE = "culex_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_IPV6_NETWORK = 64


def address_of(asked: Request, settings: Settings) -> str:
    """The address of who asks: of the peer, or what trusted proxies say of it.

    Of what stands in X-Forwarded-For, only what trusted proxies wrote is believed.
    """
    address = asked.remote_addr or ""
    hops = [hop.strip() for hop in asked.headers.get("X-Forwarded-For", "").split(",")]
    while is_trusted(address, settings) and hops and hops[-1]:
        address = hops.pop()
    return _network(address)


def is_trusted(address: str, settings: Settings) -> bool:
    """Whether a proxy at that address is believed what it says of visitors."""
    peer = _read(address)
    return peer is not None and any(
        peer in ipaddress.ip_network(one) for one in settings.trusted_proxies
    )


def _network(address: str) -> str:
    """Whoever has one address of IPv6 has the 2^64 around it."""
    known = _read(address)
    if known is None:
        return "an address that cannot be read"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(ipaddress.ip_network((known, _IPV6_NETWORK), strict=False))


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in a text: bare, with a port, in brackets, or IPv4 as IPv6 writes it."""
    host, _, end = address.removeprefix("[").partition("]")
    if not end and host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        known = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return mapped or known


class Forwarded:
    """A WSGI application that believes trusted proxies whether visitors came by https.

    Args:
        inner: The application.
        settings: Whom is trusted.
    """

    def __init__(self, inner: Application, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    def __call__(self, environ: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        """The answer of the application."""
        said = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if said == "https" and is_trusted(environ.get("REMOTE_ADDR", ""), self._settings):
            environ = environ | {"wsgi.url_scheme": "https"}
        return self._inner(environ, start)


def is_foreign(asked: Request) -> bool:
    """Whether another site has sent the request, as far as the browser says.

    One that changes nothing may come from a link.
    """
    if asked.method in _SAFE:
        return False
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = asked.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != asked.host.lower()


class HostCookies(SecureCookieSessionInterface):
    """Sessions in a cookie that goes to this host alone and over TLS alone, where there is TLS."""

    def get_cookie_name(self, app: Flask) -> str:
        """`__Host-…` has browsers hold to that; they refuse it below a path, or without TLS."""
        bound = _is_secure() and self.get_cookie_path(app) == "/"
        return f"__Host-{COOKIE}" if bound else COOKIE

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # the request knows
        """Whether the cookie goes over TLS alone."""
        return _is_secure()


def _is_secure() -> bool:
    return has_request_context() and request.is_secure
