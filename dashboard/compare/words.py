"""What a comparison says of itself in words."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from dash import dcc, html

from dashboard import parts
from dashboard.compare.panels import MOST_LINES, Mode, by_unit
from dashboard.compare.question import MOST_CLIENTS, Comparison
from dashboard.display import age_text, clock_text, length_text, printable, span_text
from dashboard.prefix import place
from dashboard.view import View
from telemetry.window import Window, parse_duration
from telemetry.words import counted

_NAMED = 5


def caption(comparison: Comparison, mode: Mode, coverage_minimum: float) -> str:
    """What is drawn, and what is not."""
    sentences = [
        _resolution(comparison, coverage_minimum),
        *_of_mode(comparison, mode),
        *_of_units(comparison, mode),
        *_of_absent(comparison),
    ]
    return " ".join(sentences)


def _resolution(comparison: Comparison, coverage_minimum: float) -> str:
    bucket = length_text(comparison.width_us)
    if not comparison.span:
        return f"The mean of each {bucket} bucket."
    if parse_duration(comparison.span) < comparison.width_us:
        span = span_text(comparison.span)
        return f"Buckets of {bucket} are wider than {span}: their own mean is shown."
    return (
        f"The {span_text(comparison.span)} rolling mean at the end of each {bucket} bucket, "
        f"dotted where less than {coverage_minimum:.0%} of the expected readings arrived."
    )


def _of_mode(comparison: Comparison, mode: Mode) -> Iterator[str]:
    if mode is Mode.DIFFERENCE:
        yield "Zero is the median of those that have a mean at that time; with one, none is drawn."
    compared, left_out = len(comparison.lines), comparison.left_out
    if mode is not Mode.MULTIPLES and compared > MOST_LINES:
        rest = compared - MOST_LINES
        yield (
            f"Of {compared} clients the first {MOST_LINES} are drawn; {counted(rest, 'other')} "
            f"{'is' if rest == 1 else 'are'} in the table. Choose some, or show them side by side."
        )
    if left_out:
        every = compared + left_out
        yield f"{MOST_CLIENTS} of {every} clients are compared at once; choose them above."


def _of_units(comparison: Comparison, mode: Mode) -> Iterator[str]:
    units = by_unit(comparison.lines)
    if len(units) == 1:
        return
    said = "; ".join(
        f"{printable(unit) or 'no unit'}: {_names([line.client for line in lines])}"
        for unit, lines in units.items()
    )
    own = "a median of its own" if mode is Mode.DIFFERENCE else "a scale of its own"
    yield f"Clients measure in different units, each has {own} ({said})."


def _of_absent(comparison: Comparison) -> Iterator[str]:
    metric = printable(comparison.metric)
    if comparison.lacking:
        yield f"Without {metric}: {_names(comparison.lacking)}."
    if comparison.of_states:
        yield f"No number but a state, which has no mean: {_names(comparison.of_states)}."


def _names(clients: Sequence[str]) -> str:
    shown = ", ".join(printable(client) for client in clients[:_NAMED])
    more = len(clients) - _NAMED
    return f"{shown} and {counted(more, 'other')}" if more > 0 else shown


def table_caption(comparison: Comparison, zone: tzinfo) -> str:
    """What the figures of the table are of."""
    period = comparison.period
    ends = " – ".join(clock_text(end, zone)[:19] for end in (period.start_us, period.end_us))
    if comparison.exact:
        return f"Of every reading, {ends}."
    bucket = length_text(comparison.width_us)
    return f"Of whole {bucket} buckets, {ends}; p95 lies between the two numbers."


def in_place(comparison: Comparison, view: View, now_us: int, window: Window) -> html.Div | None:
    """What to say in place of the chart, if there is nothing to draw."""
    metric = printable(comparison.metric)
    if not comparison.known:
        return parts.empty(
            "question-circle", f"No client measures {metric}", "Choose a metric above."
        )
    if not comparison.lines:
        text = "Choose others above, or none for all that do."
        return parts.empty("question-circle", f"None of these clients measures {metric}", text)
    if any(len(line.points) for line in comparison.lines):
        return None
    newest_us = max(line.latest.time_us for line in comparison.lines)
    half_us = max(window.length_us // 2, 1)
    link = dcc.Link(
        "Jump to the last reading",
        href=place(
            f"/compare{view.fixed(Window(newest_us - half_us, newest_us + half_us)).query()}"
        ),
        className="btn btn-primary",
    )
    when = f"The newest is {age_text(now_us - newest_us)}."
    return parts.empty("graph-down", "No readings in this window", when, link)


def never_together() -> html.Div:
    """What to say if at no time two clients have a number from which to tell a difference."""
    text = "At no time here have two of these clients a number in the same unit: choose others."
    return parts.empty("layers", "No difference to show", text)
