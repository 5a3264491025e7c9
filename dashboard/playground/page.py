"""The page on which one drags the span of a rolling statistic and sees what it does."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, Patch, dcc, html

from dashboard import ids, parts
from dashboard.charts import graph
from dashboard.compare.fields import field, select
from dashboard.display import age_text, printable, span_text
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.playground import figure as pictures
from dashboard.playground.question import Asked, Choices, Trial, trial
from dashboard.playground.statistics import (
    MARKS,
    SPANS,
    STATISTICS,
    check_span,
    check_statistic,
    step_of,
)
from dashboard.playground.words import limits, sentence
from dashboard.prefix import place
from dashboard.view import View, ViewError
from telemetry.window import Window

SLIDER = "playground-slider"
TRACK = "playground-track"
IN_PLACE = "playground-in-place"
PICTURE = "playground-picture"
SENTENCE = "playground-sentence"
LIMITS = "playground-limits"

DEFAULT_SPAN = "5m"
_POINTS = 700
_REDRAWN_PER_BUCKET = 10
_PADDING_PX = 26

OUTPUTS = {
    "figure": Output(ids.chart("playground"), "figure"),
    "sentence": Output(SENTENCE, "children"),
    "limits": Output(LIMITS, "children"),
    "in_place": Output(IN_PLACE, "children"),
    "hidden": Output(PICTURE, "hidden"),
    "clients": Output(ids.choice("client"), "options"),
    "metrics": Output(ids.choice("metric"), "options"),
}
"""What one tick answers; what an answer leaves out stays as it is."""


def layout(view: View, _engine: Engine) -> html.Div:
    """The page for a view before any data; ticks fill it."""
    label = "Readings with a rolling statistic, what it leaves out, and its coverage, over time"
    return html.Div(
        [
            html.Div(_who(view), className="playground-controls"),
            _slider(_shown_span(view)),
            html.Div(id=IN_PLACE),
            html.Div(
                [
                    html.P(id=SENTENCE, className="playground-sentence"),
                    html.P(id=LIMITS, className="playground-limits"),
                    graph("playground", pictures.HEIGHT_PX, label),
                ],
                id=PICTURE,
                className="panel charts",
            ),
        ]
    )


def _shown_span(view: View) -> str:
    """The span of a view; where it has none, or what is none, the usual one."""
    try:
        return check_span(view.spans[0]) if view.spans else DEFAULT_SPAN
    except ViewError:
        return DEFAULT_SPAN


def _who(view: View) -> list[html.Div]:
    metric = view.metrics[0] if view.metrics else ""
    known = [{"label": printable(metric), "value": metric}] if metric else []
    client = dcc.Dropdown(
        id=ids.choice("client"), value=view.client or None,
        options=[view.client] if view.client else [], clearable=False,
        placeholder="Choose a client", maxHeight=360,
    )  # fmt: skip
    offered = [{"label": name.word, "value": value} for value, name in STATISTICS.items()]
    statistic = view.option("statistic", "mean")
    return [
        field("Client", client),
        select("Metric", ids.choice("metric"), metric, known),
        select("Statistic", ids.option("statistic"), statistic, offered),
    ]


def _slider(span: str) -> html.Div:
    """The slider and its marks; `assets/playground.js` brings what is chosen into the view."""
    told: dict[str, Any] = {
        "data-spans": " ".join(SPANS),
        "data-texts": "|".join(map(span_text, SPANS)),
    }
    last = len(SPANS) - 1
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Span", htmlFor=SLIDER, className="label"),
                    html.Output(span_text(span), id="playground-span", className="playground-span"),
                ],
                className="playground-head",
            ),
            dbc.Input(
                id=SLIDER, type="range", min=0, max=last, step=1, value=step_of(span),
                class_name="playground-range", persistence=False,
            ),
            html.Div([_mark(mark, last) for mark in MARKS], className="playground-marks"),
            dbc.Input(id=ids.choice("spans"), type="hidden", value=span),
        ],
        id=TRACK,
        className="panel playground-track",
        **told,
    )  # fmt: skip


def _mark(span: str, last: int) -> html.Button:
    step: dict[str, Any] = {"data-step": str(SPANS.index(span))}
    place = {"--at": f"{SPANS.index(span) / last:.4f}"}
    words = [html.Span(span_text(span), className="long"), html.Span(span, className="short")]
    return html.Button(words, className="playground-mark", style=place, **step)


def register(app: Dash, _engine: Engine) -> None:
    """Tells the slider when an answer has come: it asks for one at a time."""
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction("playground", "answered"),
        Input(ids.ACK, "data"),
        prevent_initial_call=True,
    )


def answer(look: Look) -> Json:
    """The new values of the outputs, by their names; nothing if no pixel could have moved."""
    facts = [look.view.query(), str(look.style), look.width]
    still = [look.snapshot.sequence, look.window.start_us, look.window.end_us]
    waits = look.now_us < look.drawn.get("until_us", 0) or still == look.drawn.get("still")
    if waits and facts == look.drawn.get("facts"):
        return {}
    found, choices = trial(look.snapshot, _asked(look))
    if not choices.clients:
        return {"notice": parts.first_run(look.engine.settings.existing_broker)}
    instead = _instead(found, look)
    common = _controls(found, choices) | {"in_place": instead, "hidden": instead is not None}
    if found is None or instead is not None:
        return common
    made = pictures.signature(found, look)
    until_us = look.now_us + found.answer.bucket_us // _REDRAWN_PER_BUCKET
    drawn = {"facts": facts, "still": still, "until_us": until_us, "signature": made}
    new = made != look.drawn.get("signature")
    return common | {
        "sentence": f"{sentence(found)}.",
        "limits": limits(found),
        "figure": pictures.figure(found, look) if new else _patch(found, look),
        "drawn": drawn,
    }


def _asked(look: Look) -> Asked:
    view = look.view
    return Asked(
        client=view.client,
        metric=view.metrics[0] if view.metrics else "",
        window=look.window,
        now_us=look.now_us,
        span=check_span(view.spans[0]) if view.spans else DEFAULT_SPAN,
        statistic=check_statistic(view.option("statistic", "mean")),
        points=_POINTS,
    )


def _controls(found: Trial | None, choices: Choices) -> Json:
    clients = [
        {"value": name, "label": printable(name), "search": name} for name in choices.clients
    ]
    metrics = [{"value": name, "label": printable(name)} for name in choices.metrics]
    made: Json = {"clients": clients, "metrics": metrics}
    if found is not None:
        series = found.latest.series
        made["chosen"] = {"client": series.client, "metric": series.metric}
    return made


def _instead(found: Trial | None, look: Look) -> html.Div | None:
    """What to say in place of the charts, if there is nothing to draw."""
    if found is None:
        title = "No numbers of that metric and client"
        return parts.empty("question-circle", title, "Choose others above: states have no mean.")
    if len(found.answer.frame):
        return None
    newest_us, half_us = found.latest.time_us, max(look.window.length_us // 2, 1)
    around = look.view.fixed(Window(newest_us - half_us, newest_us + half_us))
    link = dcc.Link(
        "Jump to the last reading",
        href=place(f"/playground{around.query()}"),
        className="btn btn-primary",
    )
    when = f"The newest is {age_text(look.now_us - newest_us)}."
    return parts.empty("graph-down", "No readings in this window", when, link)


def _patch(found: Trial, look: Look) -> Patch:
    patch = Patch()
    for number, trace in enumerate(pictures.arrays(found, look)):
        for name, values in trace.items():
            patch["data"][number][name] = values
    for name, value in pictures.moving(found, look).items():
        patch["layout"][name] = value
    return patch


PAGE = Page(
    name="playground",
    title="Playground",
    symbol="sliders",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
    register=register,
)
