"""The client page: controls, tiles, charts and table, before any data."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard import ids
from dashboard.figures import GRAPH_CONFIG
from dashboard.parts import icon, icon_button, time_label
from dashboard.view import View, view_to_json

QUICK_RANGES = ("5m", "15m", "1h", "6h", "24h", "2d", "7d", "30d")


def layout(view: View, spans: Sequence[str], refresh_ms: int) -> html.Div:
    """The page for a view, and its clockwork; callbacks fill it."""
    return html.Div(
        [
            dcc.Store(id=ids.VIEW, data=view_to_json(view)),
            dcc.Store(id=ids.DRAWN),
            dcc.Store(id=ids.PERIOD, data=refresh_ms),
            dcc.Store(id=ids.TICK, data=0),
            dcc.Store(id=ids.ACK, data=0),
            dcc.Store(id=ids.AS_OF),
            dcc.Store(id=ids.THEME),
            dcc.Store(id=ids.BROWSER),
            dcc.Interval(id=ids.TICKER, interval=min(250, refresh_ms)),
            html.Div([_who(view), _when(view), _means(view, spans)], className="controls"),
            html.Div(id=ids.NOTICE),
            html.Div(
                [
                    html.Div(id=ids.TILES, className="tiles"),
                    html.Div(_charts(), id=ids.CHARTS_BOX, className="panel charts"),
                    _readings(),
                ],
                id=ids.PICTURE,
                className="picture waiting",
            ),
        ]
    )


def _who(view: View) -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Client", htmlFor=ids.CLIENT),
                    dcc.Dropdown(
                        id=ids.CLIENT,
                        value=view.client or None,
                        options=[view.client] if view.client else [],
                        clearable=False,
                        placeholder="Choose a client",
                        maxHeight=360,
                    ),
                ],
                className="field client-field",
                role="group",
                **_named("Client"),
            ),
            html.Div(
                [
                    html.Label("Metrics", htmlFor=ids.METRICS),
                    dcc.Dropdown(
                        id=ids.METRICS,
                        value=list(view.metrics),
                        options=list(view.metrics),
                        multi=True,
                        placeholder="all",
                    ),
                ],
                className="field metrics-field",
                role="group",
                **_named("Metrics"),
            ),
        ],
        className="who",
    )


def _named(name: str) -> dict[str, Any]:
    """An accessible name, for Dash's dropdown says only its value."""
    return {"aria-label": name}


def _when(view: View) -> html.Div:
    ranges = [{"label": text, "value": text} for text in QUICK_RANGES]
    chosen = view.start.removeprefix("now-") if view.follows else None
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Time", htmlFor=ids.RANGE),
                    dbc.RadioItems(
                        id=ids.RANGE,
                        options=ranges,
                        value=chosen if chosen in QUICK_RANGES else None,
                        className="segmented",
                        inputClassName="btn-check",
                        labelClassName="segment",
                        labelCheckedClassName="active",
                    ),
                ],
                className="field",
            ),
            html.Div(
                [
                    icon_button(ids.BACK, "chevron-left", "Earlier"),
                    _picker(view),
                    icon_button(ids.FORWARD, "chevron-right", "Later"),
                    html.Button(
                        [html.Span(className="pulse"), html.Span("Live", id=ids.FOLLOW_TEXT)],
                        id=ids.FOLLOW,
                        className="btn live-chip",
                        title="Follow the clock",
                        n_clicks=0,
                    ),
                ],
                className="field time-field",
            ),
        ],
        className="when",
    )


def _picker(view: View) -> html.Details:
    """Absolute times, folded away behind what is shown now."""
    label = time_label(view.start, view.end, [view.start, view.end])
    zones = dict.fromkeys(["UTC", *([view.zone] if view.zone else [])])
    return html.Details(
        [
            html.Summary([icon("calendar3"), html.Span(label, id=ids.TIME_LABEL)], className="btn"),
            html.Div(
                [
                    html.Label("From", htmlFor=ids.FROM),
                    dbc.Input(id=ids.FROM, type="datetime-local", step="1"),
                    html.Label("To", htmlFor=ids.TO),
                    dbc.Input(id=ids.TO, type="datetime-local", step="1"),
                    html.Label("Zone", htmlFor=ids.ZONE),
                    dbc.Select(
                        id=ids.ZONE,
                        options=[
                            {"label": "This browser’s", "value": "browser"},
                            *({"label": zone, "value": zone} for zone in zones),
                        ],
                        value=view.zone or "browser",
                    ),
                    html.Button("Show", id=ids.APPLY, className="btn btn-primary", n_clicks=0),
                ],
                className="picker",
            ),
        ],
        className="time-picker",
    )


def _means(view: View, spans: Sequence[str]) -> html.Div:
    shown = list(view.spans or spans)
    choices = list(dict.fromkeys([*spans, *shown]))
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Rolling means", htmlFor=ids.SPANS),
                    dbc.Checklist(
                        id=ids.SPANS,
                        options=[{"label": span, "value": span} for span in choices],
                        value=shown,
                        className="segmented",
                        inputClassName="btn-check",
                        labelClassName="segment",
                        labelCheckedClassName="active",
                    ),
                ],
                className="field",
            ),
            html.Div(
                [
                    html.Label("Other span", htmlFor=ids.SPAN_NEW),
                    dbc.Input(
                        id=ids.SPAN_NEW,
                        placeholder="90s, 2h …",
                        debounce=True,
                        pattern="[0-9]{1,6}[smhdw]",
                        autoComplete="off",
                    ),
                ],
                className="field span-field",
            ),
        ],
        className="means",
    )


def _charts() -> list[dcc.Graph | html.P]:
    return [
        dcc.Graph(
            id=ids.CHARTS,
            config=GRAPH_CONFIG,  # type: ignore[arg-type]  # a plain dict is what it takes
            figure={
                "data": [],
                "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}},
            },
            responsive=True,
        ),
        html.P(id=ids.CAPTION, className="caption"),
    ]


def _readings() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.H2("Latest readings"),
                    html.Div(_exports(), className="exports"),
                ],
                className="panel-head",
            ),
            html.Div(id=ids.TABLE, className="table-box"),
        ],
        className="panel",
    )


def _exports() -> list[html.A]:
    """The download, and its manifest, which is offered once there is a download to be told of."""
    return [
        html.A(
            "Manifest",
            id=ids.MANIFEST,
            className="manifest",
            title="What the file just exported holds, its checksum, and how to get it again",
            href="",
            download="",
            hidden=True,
        ),
        html.A(
            [icon("download"), html.Span("Export CSV")],
            id=ids.EXPORT,
            className="btn export",
            href="",
            download="",
        ),
    ]
