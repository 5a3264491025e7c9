"""Why there is no data: the findings of `telemetry.diagnosis`, open where something fails."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Output, html
from dash.development.base_component import Component

from dashboard.display import printable
from dashboard.page import Json, Look
from dashboard.parts import icon, since
from telemetry.diagnosis import diagnose
from telemetry.facts import Facts, gather
from telemetry.finding import Finding, Severity, sentence, worst
from telemetry.window import SECOND_US
from telemetry.words import counted

PANEL = "client-why"
HEAD = "client-why-head"
LIST = "client-why-list"

OUTPUTS: Mapping[str, Output] = {
    "why_open": Output(PANEL, "open"),
    "why_looks": Output(PANEL, "className"),
    "why_head": Output(HEAD, "children"),
    "why": Output(LIST, "children"),
}

_AGAIN_US = 3 * SECOND_US
_SYMBOLS = {
    Severity.FAIL: "x-octagon-fill",
    Severity.WARN: "exclamation-triangle-fill",
    Severity.OK: "check-circle-fill",
}


def layout() -> html.Details:
    """The panel, empty and closed."""
    return html.Details(
        [html.Summary(id=HEAD, className="why-head"), html.Ul(id=LIST, className="why-list")],
        id=PANEL,
        className=_looks(Severity.OK),
    )


def _looks(severity: Severity) -> str:
    return f"panel why {severity}"


def answer(look: Look, client: str) -> tuple[Json, Json]:
    """The new values of `OUTPUTS`, and what is to be remembered of them.

    The panel opens and closes when the severity changes, and is left to the reader in between.
    """
    before = look.drawn.get("why")
    memory: Json = before if isinstance(before, dict) else {}
    same = memory.get("of") == client
    if same and 0 <= look.now_us - memory.get("at", 0) < _AGAIN_US:
        return {}, memory
    findings = diagnose(_facts(look, client))
    severity = worst(findings)
    kept = {"of": client, "at": look.now_us, "severity": str(severity), "told": _key(findings)}
    found: Json = {}
    if not same or memory.get("severity") != kept["severity"]:
        found |= {"why_open": severity is Severity.FAIL, "why_looks": _looks(severity)}
    if not same or memory.get("told") != kept["told"]:
        found |= {"why_head": _head(findings), "why": [_item(one) for one in findings]}
    return found, kept


def _facts(look: Look, client: str) -> Facts:
    return gather(look.snapshot, client, look.now_us, look.engine.known_clients())


def _key(findings: Sequence[Finding]) -> list[list[object]]:
    """Equal where they look the same."""
    return [[one.code, str(one.severity), one.seen, one.times, one.last_us] for one in findings]


def _head(findings: Sequence[Finding]) -> list[Any]:
    severity = worst(findings)
    bad = [one for one in findings if one.severity is not Severity.OK]
    if severity is Severity.FAIL:
        text, more = "Why is there no data?", counted(len(bad), "finding")
    elif bad:
        text, more = "Diagnosis", counted(len(bad), "warning")
    else:
        text, more = "Diagnosis", "nothing is wrong"
    return [
        icon(_SYMBOLS[severity]),
        html.Span(text, className="why-title"),
        html.Span(more, className="why-count"),
    ]


def _item(one: Finding) -> html.Li:
    seen: list[Any] = [sentence(printable(one.seen))]
    if one.last_us is not None and one.times:
        times = f"{one.times} times, last " if one.times > 1 else ""
        seen.append(html.Span([times, since(one.last_us)], className="why-when"))
    parts: list[Component] = [html.P(seen, className="why-seen")]
    if one.cause:
        parts.append(html.P(sentence(printable(one.cause))))
    if one.remedy:
        remedy = sentence(printable(one.remedy))
        parts.append(html.P([html.Strong("To do: "), remedy], className="why-remedy"))
    severity = html.Span(str(one.severity), className="visually-hidden")
    return html.Li(
        [
            html.Span([icon(_SYMBOLS[one.severity]), severity], className="why-mark"),
            html.Div(parts),
        ],
        className=f"why-item {one.severity}",
    )
