"""The rows of a tile whose metric is a state or a boolean."""

import math

from dashboard.display import NOTHING, printable, span_text
from dashboard.plain import Element, div, since, span
from dashboard.question import MetricPicture
from dashboard.states import StateFigures, StateSpan
from dashboard.style import Style
from telemetry.reading import Kind, state_text

_LONGEST_NAME = 40


def state_rows(
    one: MetricPicture, figures: StateFigures, now_us: int, style: Style
) -> list[Element]:
    """When the state began, then its share of each span; a boolean's is that of `on`."""
    state = "on" if one.latest.kind is Kind.BOOLEAN else state_text(one.latest.value)
    head = _row(["", printable(state), "changes"], "state state-head")
    rows = [head, *(_span_row(span, state, style) for span in figures.spans)]
    if figures.began_us is None:
        return rows
    words = "began over " if figures.earlier else "began "
    return [div([words, since(figures.began_us, now_us)], className="state-began"), *rows]


def _span_row(span: StateSpan, state: str, style: Style) -> Element:
    share = percent(span.shares.get(state, 0.0)) if span.shares else NOTHING
    unsure = span.shares and span.coverage < style.coverage_minimum
    changes = str(span.changes) if span.whole else NOTHING
    texts = [span_text(span.span), share, changes]
    return _row(texts, "state unsure" if unsure else "state", _title(span))


def _row(texts: list[str], looks: str, title: str = "") -> Element:
    names = ("state-span", "state-share", "state-changes")
    cells = [span(text, className=name) for text, name in zip(texts, names, strict=True)]
    return div(cells, className=looks, title=title)


def _title(span: StateSpan) -> str:
    if not span.whole:
        return "more readings than are counted here; export them to see all"
    changes = f"{span.changes} change{'' if span.changes == 1 else 's'}"
    if not span.shares:
        return f"no state is known in this time; {changes}"
    told = [f"{_name(name)} {percent(share)}" for name, share in span.shares.items()]
    known = f"known for {percent(span.coverage)} of the time"
    if math.isnan(span.coverage):
        known = "how often it reports is unknown"
    return f"{', '.join(told)}; {changes}; {known}"


def _name(state: str | None) -> str:
    if state is None:
        return "other states"
    short = state if len(state) <= _LONGEST_NAME else f"{state[: _LONGEST_NAME - 1]}…"
    return printable(short)


def percent(share: float) -> str:
    """A share in whole per cent; only nothing is 0 %, and only all of it is 100 %.

    >>> percent(0.374), percent(1.0), percent(0.001), percent(0.999)
    ('37 %', '100 %', '< 1 %', '> 99 %')
    """
    whole = f"{100 * share:.0f}"
    if whole == "0" and share > 0:
        return "< 1 %"
    return "> 99 %" if whole == "100" and share < 1 else f"{whole} %"
