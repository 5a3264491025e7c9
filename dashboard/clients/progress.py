"""The steps to the first message of a client, as they are seen."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.display import printable
from dashboard.parts import icon, named, since
from telemetry.finding import sentence
from telemetry.onboarding import Progress, Step

_SYMBOLS = {
    Progress.DONE: "check-circle-fill",
    Progress.WAITING: "hourglass-split",
    Progress.FAILED: "x-octagon-fill",
    Progress.MAYBE: "question-circle",
    Progress.OPEN: "circle",
}


def progress(steps: Sequence[Step]) -> html.Ol:
    """The steps as a list, the one that is awaited or has failed with its words."""
    items = [_item(one) for one in steps]
    return html.Ol(items, className="clients-steps", **named("Steps to the first message"))


def _item(one: Step) -> html.Li:
    head: list[Component | str] = [html.Strong(one.name)]
    if one.at_us is not None:
        head.append(html.Span([since(one.at_us)], className="clients-when"))
    parts: list[Component] = [html.P(head)]
    if one.seen:
        parts.append(html.P(sentence(printable(one.seen)), className="clients-seen"))
    if one.cause:
        parts.append(html.P(sentence(printable(one.cause))))
    if one.remedy:
        remedy = sentence(printable(one.remedy))
        parts.append(html.P([html.Strong("To do: "), remedy], className="clients-remedy"))
    said = html.Span(str(one.progress), className="visually-hidden")
    return html.Li(
        [html.Span([icon(_SYMBOLS[one.progress]), said], className="clients-mark"),
         html.Div(parts)],
        className=f"clients-step {one.progress}",
    )  # fmt: skip
