"""A login that is shown once: its facts, what to paste, and a QR code."""

from typing import Any
from urllib.parse import urlsplit

import dash_bootstrap_components as dbc
import segno
from dash import html
from dash.development.base_component import Component
from flask import request

from dashboard.clients.snippets import Login, Snippet, snippets
from dashboard.copying import copy_button
from dashboard.parts import icon, named
from dashboard.prefix import place
from mosquitto.provision import Credentials
from telemetry.settings import Settings

AUTHORITY = "/ca.crt"
_PASSWORD = "clients-password"  # noqa: S105  # an identifier
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def login_of(settings: Settings, added: Credentials) -> Login:
    """What the client has to know; the host is the one by which whoever asks came here.

    Unless settings name one: those are what clients are told.
    """
    host = settings.mqtt_host
    if host in _LOOPBACK:
        host = urlsplit(f"//{request.host}").hostname or host
    authority = settings.ca_file.read_text(encoding="ascii")
    return Login(
        added.client,
        added.password,
        host,
        settings.mqtt_tls_port,
        authority,
        shows=settings.asks_clients,
    )


def shown(settings: Settings, added: Credentials) -> Component:
    """The login, with all that can be made of it."""
    login = login_of(settings, added)
    return html.Div(
        [
            html.P(
                [icon("exclamation-triangle-fill"), html.Span(
                    "The password is shown only now. Copy it before you leave this page.")],
                className="clients-once",
            ),
            html.Div([_facts(settings, added, login), _code(login)], className="clients-login"),
            dbc.Tabs(
                [dbc.Tab(_snippet(one), label=one.title, tab_id=one.key)
                 for one in snippets(login)],
                active_tab="shell",
                className="clients-tabs",
            ),
        ],
        className="clients-new",
    )  # fmt: skip


def _facts(settings: Settings, added: Credentials, login: Login) -> html.Dl:
    sockets = "" if login.shows else f", {settings.mqtt_ws_port} (secure WebSockets)"
    pairs: list[tuple[str, Any]] = [
        ("Host", _host(login.host)),
        ("Ports", f"{login.port} (TLS){sockets}"),
        ("User name", added.client),
        ("Password", _secret(added.password)),
        ("Client identifier", added.client_id or "any"),
        ("Publishes to", ", ".join(added.publish)),
        ("Subscribes to", ", ".join(added.subscribe)),
        ("Trusts", html.A([icon("download"), "ca.crt"], href=place(AUTHORITY), download="ca.crt")),
    ]
    if login.shows:
        command = f".venv/bin/python -m mosquitto client certificate {login.name} --out ."
        pairs.append(("Shows", ["its own certificate, made with ", html.Code(command)]))
    parts = [part for name, value in pairs for part in (html.Dt(name), html.Dd(value))]
    return html.Dl(parts, className="clients-facts")


def _host(host: str) -> list[Component | str]:
    if host not in _LOOPBACK:
        return [host]
    text = "this machine alone; for others, set mqtt_host in culex.toml to its name or address"
    return [host, html.Small(text)]


def _secret(password: str) -> list[Component]:
    return [html.Code(password, id=_PASSWORD), *copy_button(_PASSWORD, "Copy password")]


def _code(login: Login) -> html.Figure:
    source = segno.make(login.address, error="m").svg_data_uri(scale=4, border=2, light="white")
    return html.Figure(
        [
            html.Img(src=source, alt=f"QR code with the login of {login.name}"),
            html.Figcaption("For apps that read logins by camera"),
        ],
        className="clients-code",
    )


def _snippet(one: Snippet) -> html.Div:
    name = f"clients-snippet-{one.key}"
    return html.Div(
        [
            html.Div(
                [
                    html.P(one.before),
                    html.Span(copy_button(name)),
                ],
                className="clients-before",
            ),
            html.Pre(
                html.Code(one.text),
                id=name,
                tabIndex="0",
                className="clients-snippet",
                **named(one.title),
            ),
        ],
        className="clients-tab",
    )
