"""The drawer of a group in quarantine: its messages, newest first, and what can be done."""

import json
from datetime import tzinfo
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids
from dashboard.display import clock_text, count_text, printable
from dashboard.engine import Engine
from dashboard.parts import icon, named
from dashboard.people import may
from dashboard.quality import names
from dashboard.quality.payloads import MOST_BYTES, Form, payload_text
from dashboard.quality.tables import group_of
from dashboard.quality.words import client_text
from dashboard.rights import viewers_of_all
from dashboard.view import ViewError, check_zone, view_of_json
from mosquitto.access_users import OPERATOR
from telemetry.finding import sentence
from telemetry.interface import StoreError
from telemetry.quarantine import Choice, Entry
from telemetry.reasons import reason_of
from telemetry.remedies import remedy_of

AT_ONCE = 10
_NEWEST = 1 << 62

Json = dict[str, Any]  # what goes to a browser or comes from it

_FORMS = (
    (Form.AUTO, "As it reads"),
    (Form.TEXT, "Text"),
    (Form.JSON, "JSON"),
    (Form.HEX, "Bytes"),
)


def drawer() -> html.Div:
    """The drawer, closed, with what it remembers."""
    return html.Div(
        [
            dcc.Store(id=names.OPENED),
            dcc.Store(id=names.LAST),
            dcc.Store(id=names.JOB),
            dcc.Interval(id=names.JOB_TICKER, interval=700, n_intervals=0, max_intervals=0),
            dbc.Offcanvas(
                [
                    html.Div(id=names.DRAWER_HEAD),
                    _actions(),
                    html.Div(
                        _forms(),
                        className="quality-forms",
                        role="group",
                        **named("How payloads are written"),
                    ),
                    html.Div(id=names.MESSAGES),
                    html.Div(_pages(), className="quality-pages"),
                ],
                id=names.DRAWER,
                title="In quarantine",
                placement="end",
                scrollable=False,
                className="quality-drawer",
                is_open=False,
            ),
        ]
    )


def _actions() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Button(
                        [icon("eye"), "Preview"],
                        id=names.PREVIEW,
                        className="btn",
                        title="Say what would become of them, and change nothing",
                        n_clicks=0,
                    ),
                    html.Button(
                        [icon("arrow-repeat"), "Replay"],
                        id=names.REPLAY,
                        className="btn btn-primary",
                        title="Decode them again with the topic templates of now",
                        n_clicks=0,
                    ),
                ],
                id=names.ACTIONS,
                className="quality-actions",
                hidden=True,
            ),
            html.Div(id=names.RESULT, className="quality-result", role="status"),
        ]
    )


def _forms() -> dbc.RadioItems:
    return dbc.RadioItems(
        id=names.FORM,
        options=[{"label": text, "value": form.value} for form, text in _FORMS],
        value=Form.AUTO.value,
        className="segmented",
        inputClassName="btn-check",
        labelClassName="segment",
        labelCheckedClassName="active",
    )


def _pages() -> list[html.Button]:
    return [
        html.Button("Newest", id=names.NEWEST, className="btn", n_clicks=0),
        html.Button("Older", id=names.OLDER, className="btn", n_clicks=0),
    ]


def register_drawer(app: Dash, engine: Engine) -> None:
    """Connects grid, pages and forms to the drawer."""

    @app.callback(
        Output(names.OPENED, "data"),
        Output(names.DRAWER, "is_open"),
        Output(names.RESULT, "children"),
        Output(names.PREVIEW, "disabled"),
        Output(names.REPLAY, "disabled"),
        Input(names.GROUPS, "cellClicked"),
        prevent_initial_call=True,
    )
    @viewers_of_all
    def open_group(clicked: object) -> object:
        return *opened(clicked), False, False

    @app.callback(
        Output(names.OPENED, "data", allow_duplicate=True),
        Input(names.OLDER, "n_clicks"),
        Input(names.NEWEST, "n_clicks"),
        State(names.OPENED, "data"),
        State(names.LAST, "data"),
        prevent_initial_call=True,
    )
    @viewers_of_all
    def turn(_older: int, _newest: int, group: object, last: object) -> object:
        if not isinstance(group, dict):
            return no_update
        return group | {"before": last if ctx.triggered_id == names.OLDER else None}

    _register_content(app, engine)


def _register_content(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output(names.DRAWER_HEAD, "children"),
        Output(names.MESSAGES, "children"),
        Output(names.ACTIONS, "hidden"),
        Output(names.NEWEST, "disabled"),
        Output(names.OLDER, "disabled"),
        Output(names.LAST, "data"),
        Input(names.OPENED, "data"),
        Input(names.FORM, "value"),
        State(ids.VIEW, "data"),
        State(ids.BROWSER, "data"),
        prevent_initial_call=True,
    )
    @viewers_of_all
    def fill(group: object, form: object, view: object, browser: object) -> object:
        zone = str(browser.get("zone", "")) if isinstance(browser, dict) else ""
        try:
            return filled(engine, group, form, check_zone(view_of_json(view), zone))
        except (StoreError, ViewError) as error:
            return html.P(f"{error}."), None, True, True, True, None


def opened(clicked: object) -> tuple[object, object, object]:
    """Which group a click in the grid opens, that the drawer opens, and no result yet."""
    group = group_of(clicked.get("rowId")) if isinstance(clicked, dict) else None
    if group is None:
        return no_update, no_update, no_update
    return {"group": json.dumps(group), "before": None}, True, None


def choice_of(sent: object) -> Choice | None:
    """The messages of the group that is open, whatever a browser sent for it."""
    group = group_of(sent.get("group")) if isinstance(sent, dict) else None
    return None if group is None else Choice(reason=group[1], topic=group[0])


def filled(engine: Engine, sent: object, form: object, zone: tzinfo) -> tuple[object, ...]:
    """What the drawer shows of a group: head, messages, and what can be clicked.

    Raises:
        StoreError: If the store cannot be read now.
    """
    choice = choice_of(sent)
    if choice is None or not isinstance(sent, dict):
        return no_update, no_update, no_update, no_update, no_update, no_update
    before = sent.get("before")
    with engine.querier.snapshot() as snapshot:
        found = snapshot.quarantined(
            choice, before if isinstance(before, int) else _NEWEST, AT_ONCE + 1
        )
    shown = found[:AT_ONCE]
    written = next((one for one in Form if one == form), Form.AUTO)
    return (
        head(choice, group_of(sent.get("group"))),
        [message(entry, written, zone) for entry in shown] or _none_kept(),
        not may(OPERATOR) or not shown,
        before is None,
        len(found) <= AT_ONCE,
        shown[-1].id if shown else None,
    )


def head(choice: Choice, group: tuple[str, str, str] | None) -> list[Component]:
    """Which messages these are, why they are here, and what to do."""
    word, topic, whose = choice.reason or "", choice.topic or "", group[2] if group else ""
    client = client_text(whose) if group else ""
    remedy = sentence(printable(remedy_of(word, topic, whose)))
    return [
        html.P(printable(choice.topic or "(counted only)"), className="quality-topic"),
        html.P(f"Client: {client}", className="caption"),
        html.P([html.B(f"{reason_of(word).meaning}. "), f"To do: {remedy}"]),
    ]


def _none_kept() -> html.P:
    return html.P(
        "Nothing is kept raw of these messages: they are counted only, since enough like them was "
        "kept, or they have left quarantine meanwhile.",
        className="caption",
    )


def message(entry: Entry, form: Form, zone: tzinfo) -> html.Details:
    """One message: when, how large, and what was in it."""
    kept = entry.message
    facts = [f"{count_text(entry.size)} bytes"]
    facts += [f"metric {printable(kept.metric)}"] if kept.metric else []
    facts += _publisher_facts(kept.facts)
    if not entry.whole:
        facts.append("cut: it cannot be replayed")
    cut = len(kept.payload) > MOST_BYTES
    return html.Details(
        [
            html.Summary(
                [html.B(clock_text(kept.received_us, zone)), html.Span(" · ".join(facts))]
            ),
            html.Pre(payload_text(kept.payload, form), tabIndex=0, **named("Payload")),
            *([html.P(f"The first {count_text(MOST_BYTES)} bytes.", className="caption")] * cut),
        ],
        open=True,
        className="quality-message",
    )


def _publisher_facts(text: str) -> list[str]:
    """What else its publisher said."""
    try:
        facts = json.loads(text)
    except ValueError:
        return []
    found = ["retained"] if facts.get("retain") else []
    if "content_type" in facts:
        found.append(f"content type {printable(str(facts['content_type']))}")
    return [*found, *(printable(f"{name}={value}") for name, value in facts.get("user", ()))]
