"""Controls of the client's charts: which statistic, the period before, and pictures to keep."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from dashboard import ids
from dashboard.client.statistic import STATISTICS, chosen
from dashboard.parts import icon
from dashboard.view import View

_STATISTIC = "client-statistic"
_BEFORE = "client-before"


def statistic_field(view: View) -> html.Div:
    """Which statistic of each span is drawn."""
    options = [
        {"label": words[:1].upper() + words[1:], "value": name}
        for name, words in STATISTICS.items()
    ]
    select = dbc.Select(
        id=ids.option("stat"), options=options, value=chosen(view.option("stat")), name=_STATISTIC
    )
    return html.Div(
        html.Label([html.Span("Statistic", className="label"), select], className="client-label"),
        className="field client-statistic",
    )


def chart_tools(view: View) -> html.Div:
    """What stands above the charts at the right: the period before, and pictures."""
    before = dbc.Switch(
        id=ids.option("before"),
        label="Period before",
        value=bool(view.option("before")),
        className="client-before",
    )
    return html.Div([before, _picture("PNG"), _picture("SVG")], className="client-tools")


def _picture(form: str) -> html.Button:
    """A button that keeps the charts as a file; assets/client.js does it."""
    wanted: dict[str, Any] = {"data-form": form.lower()}
    return html.Button(
        [icon("image"), html.Span(form)],
        className="btn client-picture",
        title=f"Keep the charts as a picture ({form})",
        **wanted,
    )
