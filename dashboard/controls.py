"""The controls of time: which window is shown, whether it follows the clock, and how often."""

from zoneinfo import available_timezones

import dash_bootstrap_components as dbc
from dash import html

from dashboard import ids
from dashboard.parts import icon, icon_button, named

QUICK_RANGES = ("5m", "15m", "1h", "6h", "24h", "2d", "7d", "30d")

_REFRESHES = (
    ("off", "Off"),
    ("auto", "Auto"),
    ("5000", "5 s"),
    ("10000", "10 s"),
    ("30000", "30 s"),
    ("60000", "1 min"),
)
"""In milliseconds; `auto` is the setting's."""


def time_controls() -> html.Div:
    """The row of them, in no state yet: the view puts them into one."""
    return html.Div(
        [_quick_ranges(), _travel(), _refresh()],
        className="when",
        role="group",
        **named("Time range"),
    )


def _quick_ranges() -> html.Div:
    return html.Div(
        dbc.RadioItems(
            id=ids.RANGE,
            options=[{"label": text, "value": text} for text in QUICK_RANGES],
            value=None,
            className="segmented",
            inputClassName="btn-check",
            labelClassName="segment",
            labelCheckedClassName="active",
        ),
        className="field",
        role="group",
        **named("Quick ranges"),
    )


def _travel() -> html.Div:
    return html.Div(
        [
            icon_button(ids.BACK, "chevron-left", "Earlier"),
            _picker(),
            icon_button(ids.FORWARD, "chevron-right", "Later"),
            icon_button(ids.WIDER, "zoom-out", "Twice the time"),
            html.Button(
                [html.Span(className="pulse"), html.Span("Live", id=ids.FOLLOW_TEXT)],
                id=ids.FOLLOW,
                className="btn live-chip",
                title="Stand still, or follow the clock (p)",
                n_clicks=0,
            ),
        ],
        className="field time-field",
    )


def _picker() -> html.Details:
    """Absolute times, folded away behind what is shown now."""
    return html.Details(
        [
            html.Summary(
                [icon("calendar3"), html.Span("Time", id=ids.TIME_LABEL)], className="btn"
            ),
            html.Div(
                [
                    html.Label("From", htmlFor=ids.FROM),
                    dbc.Input(id=ids.FROM, type="datetime-local", step="1"),
                    html.Label("To", htmlFor=ids.TO),
                    dbc.Input(id=ids.TO, type="datetime-local", step="1"),
                    html.Label("Zone", htmlFor=ids.ZONE),
                    _zones(),
                    html.Button("Show", id=ids.APPLY, className="btn btn-primary", n_clicks=0),
                ],
                className="picker",
            ),
        ],
        className="time-picker",
    )


def _zones() -> dbc.Select:
    """Every zone there is, the two that most people want first.

    The browser's own list: Dash's would index six hundred names for its search at every start.
    """
    first = [{"label": "This browser’s", "value": "browser"}, {"label": "UTC", "value": "UTC"}]
    others = sorted(zone for zone in available_timezones() if "/" in zone)
    return dbc.Select(
        id=ids.ZONE,
        options=[*first, *({"label": zone, "value": zone} for zone in others)],
        value="browser",
        className="zone",
    )


def _refresh() -> html.Div:
    return html.Div(
        [
            icon_button(ids.REFRESH_NOW, "arrow-clockwise", "Ask again now (r)"),
            html.Label("Refresh", htmlFor=ids.REFRESH, className="visually-hidden"),
            dbc.Select(
                id=ids.REFRESH,
                options=[{"label": text, "value": value} for value, text in _REFRESHES],
                value="auto",
                persistence=True,
                persistence_type="local",
            ),
        ],
        className="field refresh-field",
    )
