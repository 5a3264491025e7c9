"""The panels of the page, before any data."""

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.admin.retention import low_disk_text, rules_table
from dashboard.admin.tables import table
from dashboard.display import printable
from dashboard.parts import icon
from dashboard.prefix import place
from telemetry.origins import Effective, Origin
from telemetry.retention import Policy

FAULT = "admin-fault"
TILES = "admin-tiles"
TIERS = "admin-tiers"
CLIENTS = "admin-clients"
COUNTED = "admin-counted"
DRY_RUN = "admin-dry-run"
EXPIRING = "admin-expiring"
LET_GO = "admin-let-go"
SURE = "admin-sure"
SURE_TEXT = "admin-sure-text"
CONFIRM = "admin-confirm"
CANCEL = "admin-cancel"
OUTCOME = "admin-outcome"
JOB = "admin-job"
CLOCK = "admin-clock"

_SYMBOLS = {
    Origin.DEFAULT: "dash-circle",
    Origin.FILE: "file-earmark-text",
    Origin.ENVIRONMENT: "terminal",
    Origin.PROGRAM: "code-slash",
    Origin.SECRET: "key",
}
_COMMANDS = (
    ("a client that may publish", ".venv/bin/python -m mosquitto client add NAME"),
    ("who may publish", ".venv/bin/python -m mosquitto client list"),
    ("a client that is no more", ".venv/bin/python -m mosquitto client remove NAME"),
    ("a person who may look", ".venv/bin/python -m dashboard user add NAME"),
    ("a new password", ".venv/bin/python -m dashboard user passwd NAME"),
    ("a token for the API", ".venv/bin/python -m dashboard token add NAME"),
)
"""What is done with commands, as long as there is no page for it."""


def heading(bundle: str = "") -> html.Div:
    """The title of the page, and the bundle for those who may have it."""
    link = html.A(
        [icon("file-earmark-zip"), html.Span("Diagnostics bundle")],
        href=place(bundle),
        className="btn",
        title="Versions, settings without secrets, status, ledger of a day, newest log lines",
    )
    return html.Div([html.H1("Admin"), *([link] if bundle else [])], className="admin-head")


def not_for_you() -> html.Div:
    """What somebody sees who is no admin."""
    text = "Storage, retention, settings and diagnostics are for admins; ask one of them."
    return html.Div([icon("lock"), html.Span(text)], className="panel admin-locked")


def unseen() -> html.Div:
    """What a tick answers to, for those who see none of it: without them Dash asks nothing."""
    return html.Div(
        [html.Div(id=name) for name in (FAULT, TILES, TIERS, CLIENTS, COUNTED)], hidden=True
    )


def _panel(title: str, *inside: Component, head: Sequence[Component] = ()) -> html.Section:
    return html.Section(
        [html.Div([html.H2(title), *head], className="panel-head"), *inside],
        className="panel",
    )


def storage() -> html.Div:
    """Where it is told what files weigh."""
    counting = html.Div("Counting what files weigh …", className="empty-row")
    return html.Div(
        [
            html.Div(id=FAULT, role="status"),
            html.Div(_waiting_tiles(), id=TILES, className="tiles admin-tiles"),
            _panel(
                "Storage",
                html.Div(counting, id=TIERS),
                html.Div(id=CLIENTS),
                head=[html.Span("", id=COUNTED, className="caption")],
            ),
        ]
    )


def _waiting_tiles() -> list[Component]:
    """As large as those that come, so that nothing jumps."""
    lines = (("tile-name", "\u2007"), ("tile-value", "…"), ("tile-age", "\u2007"))
    return [
        html.Div([html.Div(text, className=name) for name, text in lines], className="tile")
        for _ in range(4)
    ]


def retention(policy: Policy) -> html.Section:
    """The rules, what would go by them, and the button that lets it go."""
    buttons = html.Div(
        [
            html.Button(
                [icon("eye"), html.Span("What would go now?")],
                id=DRY_RUN, className="btn", n_clicks=0,
            ),
            html.Button(
                [icon("trash3"), html.Span("Let it go now …")],
                id=LET_GO, className="btn admin-danger", n_clicks=0, disabled=True,
            ),
        ],
        className="admin-buttons",
    )  # fmt: skip
    return _panel(
        "Retention",
        rules_table(policy),
        html.P(low_disk_text(policy), className="caption admin-text"),
        html.Div(id=EXPIRING, role="status"),
        html.Div(id=OUTCOME, className="admin-text", role="status"),
        _sure(),
        head=[buttons],
    )


def _sure() -> dbc.Modal:
    """The last question before something goes for good."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Let go of what is over?", id=f"{SURE}-title")),
            dbc.ModalBody(id=SURE_TEXT),
            dbc.ModalFooter(
                [
                    html.Button("Keep it", id=CANCEL, className="btn", n_clicks=0),
                    html.Button("Let it go", id=CONFIRM, className="btn admin-danger", n_clicks=0),
                ]
            ),
        ],
        id=SURE,
        is_open=False,
        centered=True,
        labelledby=f"{SURE}-title",
    )


def settings(found: Sequence[Effective]) -> html.Section:
    """Every setting in force and where it comes from; what somebody has set is marked."""
    first = sorted(found, key=lambda one: one.origin in {Origin.DEFAULT, Origin.SECRET})
    rows = [
        (html.Code(one.name), _origin(one.origin), html.Code(printable(one.value))) for one in first
    ]
    changed = sum(one.origin not in {Origin.DEFAULT, Origin.SECRET} for one in found)
    note = f"{changed} of {len(found)} are set, the others are as they come."
    return _panel(
        "Settings in force",
        table("Settings in force", ("Name", "From", "Value"), rows, ""),
        head=[html.Span(note, className="caption")],
    )


def _origin(origin: Origin) -> html.Span:
    set_by_hand = origin is not Origin.DEFAULT
    return html.Span(
        [icon(_SYMBOLS[origin]), html.Span(origin.value)],
        className="admin-origin set" if set_by_hand else "admin-origin",
    )


def versions(found: Mapping[str, str]) -> html.Section:
    """What runs here."""
    rows = [(name, html.Code(text)) for name, text in found.items()]
    return _panel("Versions", table("Versions", ("Part", "Version"), rows, ""))


def commands() -> html.Section:
    """Clients, people and tokens: what does today what a page will do."""
    rows = [(text, html.Code(command)) for text, command in _COMMANDS]
    return _panel(
        "Clients and people",
        html.P("Who may publish and who may look is changed with commands:",
               className="caption admin-text"),
        table("Commands", ("For", "Run in Culex’s folder"), rows, ""),
    )  # fmt: skip
