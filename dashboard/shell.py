"""The shell around every page, and the document around the shell."""

import base64
import hashlib
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component
from flask import has_request_context
from flask_wtf.csrf import generate_csrf

from dashboard import ids
from dashboard.controls import time_controls
from dashboard.page import Page
from dashboard.parts import icon, icon_button, named
from dashboard.prefix import place

EARLY_SCRIPT = (
    "{const t=localStorage.getItem('culex-theme');"
    "const d=t==='dark'||(t!=='light'&&matchMedia('(prefers-color-scheme: dark)').matches);"
    "const e=document.documentElement.dataset;"
    "e.bsTheme=e.agThemeMode=d?'dark':'light'}"
)
EARLY_SCRIPT_HASH = (
    f"'sha256-{base64.b64encode(hashlib.sha256(EARLY_SCRIPT.encode()).digest()).decode()}'"
)
"""Lets the Content-Security-Policy pass the script that sets the theme before the first paint."""

_KEYS = (
    ("t", "choose a time"),
    ("← →", "earlier, later"),
    ("p", "stand still, or follow the clock"),
    ("r", "ask again now"),
    ("/", "search"),
    ("d", "light, dark, or as the system has it"),
    ("?", "this help"),
)


def index(prefix: str) -> str:
    """The document around the shell, for Dash to fill in, below that prefix."""
    return f"""<!DOCTYPE html>
<html lang="en">
  <head>
    {{%metas%}}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{{%title%}}</title>
    <link rel="icon" href="{prefix}/assets/culex.svg" type="image/svg+xml">
    <script>{EARLY_SCRIPT}</script>
    {{%css%}}
  </head>
  <body>
    {{%app_entry%}}
    <footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
  </body>
</html>
"""


def layout(pages: Sequence[Page], refresh_ms: int) -> html.Div:
    """The shell: navigation, controls of time, facts, banner and the place of the page."""
    return html.Div(
        [
            html.A("Skip to content", href="#main", className="skip"),
            _bar(pages),
            html.Div(id=ids.BANNER, role="status"),
            html.Main(
                [
                    time_controls(),
                    html.Div(id=ids.NOTICE),
                    html.Div(html.Div(id=ids.PAGE), id=ids.BODY, className="body waiting"),
                ],
                id="main",
                className="page",
                tabIndex="-1",
            ),
            _help(),
            *_clockwork(refresh_ms),
        ]
    )


def _clockwork(refresh_ms: int) -> list[Component]:
    return [
        dcc.Store(id=ids.URL),
        dcc.Store(id=ids.VIEW),
        dcc.Store(id=ids.DRAWN, data={}),
        dcc.Store(id=ids.PERIOD, data=refresh_ms),
        dcc.Store(id=ids.ACK, data=0),
        dcc.Store(id=ids.AS_OF),
        dcc.Store(id=ids.THEME),
        dcc.Store(id=ids.BROWSER),
        dcc.Store(id=ids.DRAGGED),
        dcc.Interval(id=ids.TICKER, interval=min(250, refresh_ms)),
    ]


def _bar(pages: Sequence[Page]) -> html.Header:
    return html.Header(
        [
            dcc.Link(
                [html.Img(src=place("/assets/culex.svg"), alt=""), html.Span("Culex")],
                href=place("/"),
                className="brand",
            ),
            html.Nav(
                [_nav_link(page) for page in pages],
                id=ids.NAVIGATION,
                **named("Pages"),
            ),
            html.Div(id=ids.STATUS, className="facts"),
            html.Div(
                [
                    html.Span("", id=ids.UPDATED, className="updated"),
                    icon_button(ids.THEME_BUTTON, "circle-half", "Light, dark or automatic (d)"),
                    icon_button(ids.HELP_BUTTON, "question-circle", "Help (?)"),
                    html.A(
                        [icon("key"), html.Span("Password")],
                        href=place("/password"),
                        className="btn password",
                        title="Change your password",
                    ),
                    _way_out(),
                ],
                className="bar-end",
            ),
        ],
        className="bar",
    )


def _way_out() -> html.Form:
    """Logging out changes something: no link does, and no other site can."""
    token = generate_csrf() if has_request_context() else ""
    return html.Form(
        [
            dcc.Input(type="hidden", name="csrf_token", value=token),
            html.Button(
                [icon("box-arrow-right"), html.Span("Log out")],
                type="submit",
                className="btn log-out",
            ),
        ],
        action=place("/logout"),
        method="POST",
    )


def _nav_link(page: Page) -> dcc.Link:
    return dcc.Link(
        [icon(page.symbol), html.Span(page.title)],
        id=ids.link(page.name),
        href=place(f"/{page.name}"),
        className="nav-to",
    )


def _help() -> html.Dialog:
    keys = [html.Tr([html.Td(html.Kbd(key)), html.Td(text)]) for key, text in _KEYS]
    return html.Dialog(
        [
            html.H2("Keys"),
            html.Table(html.Tbody(keys), className="keys"),
            html.P(
                "Drag in a chart to zoom in, double-click to follow the clock again. "
                "The address always holds what you see: copy it to share it.",
            ),
            html.Form(html.Button("Close", className="btn"), method="dialog"),
        ],
        id=ids.HELP,
        className="help",
        **named("Help"),
    )
