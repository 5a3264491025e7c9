"""The shell around every page, and the document around the shell."""

import base64
import hashlib

from dash import dcc, html

from dashboard import ids
from dashboard.parts import icon, icon_button

EARLY_SCRIPT = (
    "document.documentElement.dataset.bsTheme="
    "(localStorage.getItem('culex-theme')||"
    "(matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light'))"
)
EARLY_SCRIPT_HASH = (
    f"'sha256-{base64.b64encode(hashlib.sha256(EARLY_SCRIPT.encode()).digest()).decode()}'"
)
"""Lets the Content-Security-Policy pass the script that sets the theme before the first paint."""

INDEX = f"""<!DOCTYPE html>
<html lang="en">
  <head>
    {{%metas%}}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{{%title%}}</title>
    <link rel="icon" href="/assets/culex.svg" type="image/svg+xml">
    <script>{EARLY_SCRIPT}</script>
    {{%css%}}
  </head>
  <body>
    {{%app_entry%}}
    <footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
  </body>
</html>
"""


def layout() -> html.Div:
    """The shell: brand, facts, banner and the place of the page."""
    return html.Div(
        [
            html.A("Skip to content", href="#main", className="skip"),
            _bar(),
            html.Div(id=ids.BANNER, role="status"),
            html.Main(html.Div(id=ids.PAGE), id="main", className="page", tabIndex="-1"),
            dcc.Location(id=ids.URL, refresh=False),
        ]
    )


def _bar() -> html.Header:
    return html.Header(
        [
            dcc.Link(
                [html.Img(src="/assets/culex.svg", alt=""), html.Span("Culex")],
                href="/client",
                className="brand",
            ),
            html.Div(id=ids.STATUS, className="facts"),
            html.Div(
                [
                    html.Span("", id=ids.UPDATED, className="updated"),
                    icon_button(ids.THEME_BUTTON, "circle-half", "Light or dark"),
                    html.A(
                        [icon("box-arrow-right"), html.Span("Log out")],
                        href="/logout",
                        className="btn log-out",
                    ),
                ],
                className="bar-end",
            ),
        ],
        className="bar",
    )
