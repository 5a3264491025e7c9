"""The page that compares clients: controls, chart and table."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import Output, Patch, dcc, html

from dashboard import ids, parts
from dashboard.charts import graph
from dashboard.compare.fields import field, select
from dashboard.compare.figure import Canvas, arrays, figure, height_px, moving, signature
from dashboard.compare.lines import Asked
from dashboard.compare.panels import Mode, Panel, panels_of
from dashboard.compare.question import Comparison, compare
from dashboard.compare.table import columns, rows
from dashboard.compare.words import caption, in_place, never_together, table_caption
from dashboard.display import printable, span_text
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.view import View, check_spans

IN_PLACE = "compare-in-place"
PICTURE = "compare-picture"
CAPTION = "compare-caption"
GRID = "compare-grid"
TABLE_CAPTION = "compare-table-caption"

BUCKETS = "buckets"
"""What the option `mean` says where there is no span: lines are the means of buckets."""

_MODES = {Mode.OVERLAY: "Overlay", Mode.MULTIPLES: "Side by side", Mode.DIFFERENCE: "Difference"}
_POINTS = {Mode.OVERLAY: 600, Mode.MULTIPLES: 300, Mode.DIFFERENCE: 600}
"""So many points a line may have: about one for two pixels."""

_REDRAWN_PER_BUCKET = 10
_PADDING_PX = 26

OUTPUTS = {
    "figure": Output(ids.chart("compare"), "figure"),
    "height": Output(ids.chart("compare"), "style"),
    "caption": Output(CAPTION, "children"),
    "rows": Output(GRID, "rowData"),
    "table_caption": Output(TABLE_CAPTION, "children"),
    "in_place": Output(IN_PLACE, "children"),
    "hidden": Output(PICTURE, "hidden"),
    "metrics": Output(ids.choice("metric"), "options"),
    "clients": Output(ids.choice("clients"), "options"),
}
"""What one tick answers; what an answer leaves out stays as it is."""


def layout(view: View, engine: Engine) -> html.Div:
    """The page for a view before any data; ticks fill it."""
    chart = graph("compare", 420, "One metric of many clients over time")
    grid = parts.grid(
        GRID, columns(), rowData=[], columnSize=None, style={"height": None},
        dashGridOptions={"domLayout": "autoHeight", "suppressColumnVirtualisation": True},
    )  # fmt: skip
    return html.Div(
        [
            html.Div(_controls(view, engine), className="compare-controls"),
            html.Div(id=IN_PLACE),
            html.Div(
                [
                    html.Div(
                        [chart, html.P(id=CAPTION, className="caption")], className="panel charts"
                    ),
                    html.Div(
                        [
                            html.Div(
                                [
                                    html.H2("Figures"),
                                    html.Span(id=TABLE_CAPTION, className="caption"),
                                ],
                                className="panel-head compare-head",
                            ),
                            html.Div(grid, className="compare-table"),
                        ],
                        className="panel",
                    ),
                ],
                id=PICTURE,
            ),
        ]
    )


def _controls(view: View, engine: Engine) -> list[html.Div]:
    metric = view.metrics[0] if view.metrics else ""
    known = [{"label": printable(metric), "value": metric}] if metric else []
    clients = dcc.Dropdown(
        id=ids.choice("clients"), value=list(view.clients), options=list(view.clients),
        multi=True, placeholder="all that measure it", maxHeight=360,
    )  # fmt: skip
    modes = dbc.RadioItems(
        id=ids.option("mode"), value=_mode(view),
        options=[{"label": text, "value": mode} for mode, text in _MODES.items()],
        className="segmented", inputClassName="btn-check", labelClassName="segment",
        labelCheckedClassName="active",
    )  # fmt: skip
    mean = view.option("mean", BUCKETS)
    return [
        select("Metric", ids.choice("metric"), metric, known),
        field("Clients", clients),
        field("Show", modes),
        select("Lines", ids.option("mean"), mean, _lines(mean, engine.settings.spans)),
    ]


def _lines(chosen: str, spans: Sequence[str]) -> list[dict[str, str]]:
    every = dict.fromkeys([*spans, *([] if chosen == BUCKETS else [chosen])])
    means = [{"label": f"{span_text(span)} rolling mean", "value": span} for span in every]
    return [{"label": "Mean of each bucket", "value": BUCKETS}, *means]


def _mode(view: View) -> Mode:
    """The mode of a view; one that there is not is an overlay."""
    found = view.option("mode")
    return Mode(found) if found in set(Mode) else Mode.OVERLAY


def answer(look: Look) -> Json:
    """The new values of the outputs, by their names; nothing if no pixel could have moved."""
    facts = [look.view.query(), str(look.style), look.width]
    if facts == look.drawn.get("facts") and look.now_us < look.drawn.get("until_us", 0):
        return {}
    mode, span = _mode(look.view), _span(look.view)
    asked = Asked(look.window, look.now_us, span, _POINTS[mode])
    comparison = compare(look.snapshot, _metric(look.view), look.view.clients, asked)
    if not comparison.metrics:
        return {"notice": parts.first_run(look.engine.settings.existing_broker)}
    panels = panels_of(comparison, mode)
    instead = in_place(comparison, look.view, look.now_us, look.window)
    if instead is None and not any(len(points) for one in panels for points in one.points):
        instead = never_together()
    common = _controlled(comparison) | {"in_place": instead, "hidden": instead is not None}
    if instead is not None:
        return common
    canvas = Canvas(mode, look.window, look.style, look.width - _PADDING_PX, bool(span))
    made = signature(panels, canvas)
    until_us = look.now_us + comparison.width_us // _REDRAWN_PER_BUCKET
    drawn = {"facts": facts, "until_us": until_us, "signature": made}
    return (
        common
        | _picture(comparison, panels, canvas, new=made != look.drawn.get("signature"))
        | {"drawn": drawn}
    )


def _metric(view: View) -> str:
    return view.metrics[0] if view.metrics else ""


def _span(view: View) -> str:
    """The width of the rolling means; an empty string for the means of buckets.

    Raises:
        ViewError: If it is no duration.
    """
    span = view.option("mean", BUCKETS)
    return "" if span == BUCKETS else check_spans([span], ())[0]


def _controlled(comparison: Comparison) -> Json:
    metrics = [
        {"label": f"{printable(name)} · {count} client{'s' * (count > 1)}", "value": name}
        for name, count in comparison.metrics.items()
    ]
    clients = [
        {"value": name, "label": printable(name), "search": name}
        for name in dict.fromkeys([*comparison.known, *comparison.named])
    ]
    return {"metrics": metrics, "clients": clients, "chosen": {"metric": comparison.metric}}


def _picture(comparison: Comparison, panels: Sequence[Panel], canvas: Canvas, *, new: bool) -> Json:
    style = canvas.style
    made = {
        "caption": caption(comparison, canvas.mode, style.coverage_minimum),
        "rows": rows(comparison.lines),
        "table_caption": table_caption(comparison, style.zone),
    }
    if new:
        height = {"height": f"{height_px(panels, canvas)}px"}
        return made | {"figure": figure(panels, canvas), "height": height}
    patch = Patch()
    for number, trace in enumerate(arrays(panels, canvas)):
        for name, values in trace.items():
            patch["data"][number][name] = values
    for name, axis in moving(panels, canvas).items():
        patch["layout"][name] = axis
    return made | {"figure": patch}


PAGE = Page(
    name="compare",
    title="Compare",
    symbol="layers",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
)
