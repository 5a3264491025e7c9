"""The panels of the page, before any data."""

from collections.abc import Iterable, Mapping, Sequence

from dash import Output, html
from dash.development.base_component import Component

from dashboard.admin.forms import button, sure
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
WHO_FAULT = "admin-who-fault"
PEOPLE = "admin-people"
TOKENS = "admin-tokens"
SESSIONS = "admin-sessions"
LOG = "admin-log"
PERSON_CHOSEN = "admin-person-chosen"
TOKEN_CHOSEN = "admin-token-chosen"  # noqa: S105  # an identifier
SESSION_CHOSEN = "admin-session-chosen"

_SYMBOLS = {
    Origin.DEFAULT: "dash-circle",
    Origin.FILE: "file-earmark-text",
    Origin.ENVIRONMENT: "terminal",
    Origin.PROGRAM: "code-slash",
    Origin.SECRET: "key",
}


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


def unseen(outputs: Iterable[Output]) -> html.Div:
    """What a tick answers to, for those who see none of it: without them Dash asks nothing."""
    return html.Div([html.Div(id=str(one.component_id)) for one in outputs], hidden=True)


def panel(title: str, *inside: Component, head: Sequence[Component] = ()) -> html.Section:
    """A part of the page under its title."""
    return html.Section(
        [html.Div([html.H2(title), *head], className="panel-head"), *inside],
        className="panel",
    )


def asking() -> html.Div:
    """What stands in a list of who may look until the first tick."""
    return html.Div("Looking who may look …", className="empty-row")


def storage() -> html.Div:
    """Where it is told what files weigh."""
    counting = html.Div("Counting what files weigh …", className="empty-row")
    return html.Div(
        [
            html.Div(id=FAULT, role="status"),
            html.Div(_waiting_tiles(), id=TILES, className="tiles admin-tiles"),
            panel(
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
    return panel(
        "Retention",
        rules_table(policy),
        html.P(low_disk_text(policy), className="caption admin-text"),
        html.Div(id=EXPIRING, role="status"),
        html.Div(id=OUTCOME, className="admin-text", role="status"),
        sure(
            SURE,
            "Let go of what is over?",
            SURE_TEXT,
            button(CANCEL, "Keep it"),
            button(CONFIRM, "Let it go", kind="admin-danger"),
        ),
        head=[buttons],
    )


def settings(found: Sequence[Effective]) -> html.Section:
    """Every setting in force and where it comes from; what somebody has set is marked."""
    first = sorted(found, key=lambda one: one.origin in {Origin.DEFAULT, Origin.SECRET})
    rows = [
        (html.Code(one.name), _origin(one.origin), html.Code(printable(one.value))) for one in first
    ]
    changed = sum(one.origin not in {Origin.DEFAULT, Origin.SECRET} for one in found)
    note = f"{changed} of {len(found)} are set, the others are as they come."
    return panel(
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
    return panel("Versions", table("Versions", ("Part", "Version"), rows, ""))
