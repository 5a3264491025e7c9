"""What the Quality page says in words: the equation, what is shown, what is missing."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.display import clock_text, count_text, printable
from dashboard.parts import icon, page_link
from dashboard.quality.account import Sums, equation
from dashboard.quality.completeness import Completeness
from dashboard.quality.figures import OUTCOME_COLOURS
from dashboard.quality.hours import LONGEST_US, Columns
from dashboard.quality.names import READINGS_OF
from dashboard.view import View
from telemetry.ledger import Outcome
from telemetry.window import Window

_NAMED = 8
"""Clients and places that are named; of more it is said how many there are."""

MEANINGS = {
    Outcome.STORED: "new in the store",
    Outcome.DUPLICATE: "in the store before",
    Outcome.RETAINED: "kept by the broker and without a time of their own: no news",
    Outcome.QUARANTINED: "could not be read; kept raw with the reason",
    Outcome.HELD: "say that they were measured in the future; kept raw",
    Outcome.LIMITED: "beyond what one client may send",
}

NOBODY = "(no client)"


def client_text(client: str) -> str:
    """A client's name; of messages whose topic names none, that."""
    return printable(client) if client else NOBODY


def equation_parts(sums: Sums, what: str) -> list[Component]:
    """That all that arrived has an outcome, in words and numbers; or that it has not."""
    tally = sums.total(what)
    terms: list[str | Component] = [
        f"{what} received ",
        html.B(count_text(tally.received)),
        " = ",
    ]
    for place, part in enumerate(equation(tally)):
        terms += [" + "] if place else []
        terms.append(
            html.Span(
                [
                    html.Span(
                        className="quality-swatch",
                        style={"backgroundColor": OUTCOME_COLOURS[part.outcome]},
                    ),
                    f"{part.outcome.value} ",
                    html.B(count_text(part.number)),
                ],
                className="quality-term",
                title=MEANINGS[part.outcome],
            )
        )
    found = [html.P([_verdict(tally.missing), *terms], className="quality-equation")]
    found += [html.P(text, className="quality-wrong") for text in _where(sums, what)]
    return [*found, *(html.P(text, className="caption") for text in _since(sums, what))]


def _verdict(missing: int) -> html.Span:
    if missing:
        text = f"It does not add up: {count_text(abs(missing))} "
        text += "have no outcome" if missing > 0 else "too many"
        return html.Span([icon("exclamation-triangle-fill"), f" {text}"], className="quality-bad")
    return html.Span([icon("check-circle-fill"), " It adds up"], className="quality-good")


def _where(sums: Sums, what: str) -> list[str]:
    """Where it does not add up; hours that cancel each other out are told, too."""
    wrong = sums.wrong_of(what)
    if not wrong:
        return []
    places = ", ".join(
        f"{client_text(one.account.client)} {_hour(one.account.hour_us)} ({one.number:+})"
        for one in wrong[:_NAMED]
    )
    more = f" and {len(wrong) - _NAMED} more hours" if len(wrong) > _NAMED else ""
    return [
        f"Wrong in these hours, in UTC: {places}{more}. Run .venv/bin/python -m telemetry verify, "
        "which counts the rows again, and report what it says."
    ]


def _hour(hour_us: int) -> str:
    return clock_text(hour_us, UTC)[:16]


def _since(sums: Sums, what: str) -> list[str]:
    """What became later of readings that were stored; it is part of what is stored."""
    if what != READINGS_OF or not (sums.erased or sums.expired):
        return []
    parts = []
    if sums.erased:
        parts.append(f"{count_text(sums.erased)} were erased since")
    if sums.expired:
        parts.append(f"{count_text(sums.expired)} were kept as long as they should be and are gone")
    return [f"Of the readings stored, {' and '.join(parts)}."]


def shown_text(columns: Columns, window: Window, zone: tzinfo, what: str) -> str:
    """Which time the bars are of, and why that is not quite the window.

    Args:
        columns: What is shown.
        window: What was asked for.
        zone: Whose clocks are meant.
        what: Messages or readings.
    """
    ends = [clock_text(one, zone)[:16] for one in columns.edges[:: len(columns)]]
    unit = "day" if columns.days else "hour"
    text = f"{what.capitalize()} by the {unit} in which they arrived, {ends[0]} to {ends[1]}."
    if columns.window.length_us < window.length_us:
        return f"{text} The last {LONGEST_US // (24 * 3_600_000_000)} days are shown."
    if columns.window.length_us > 2 * window.length_us:
        return f"{text} The ledger counts by hours, so a day is shown for so short a time."
    return text


def completeness_parts(found: Completeness, columns: Columns, view: View) -> list[str | Component]:
    """How the map is to be read, and whom it leaves out."""
    unit = "day" if columns.days else "hour"
    parts: list[str | Component] = [
        f"Readings that arrived in each {unit}, of those expected at the interval that each "
        f"metric has now; at most 100 %. Click {_article(unit)} {unit} to see it on the client's "
        "page."
    ]
    parts += [
        html.Span(
            ["missing", html.Span(className="quality-scale"), "complete"],
            className="quality-scale-box",
        )
    ]
    if not found.clients:
        parts = ["There is no client here whose interval is known."]
    if found.more:
        parts.append(
            f" The {len(found.clients)} worst clients are shown; {found.more} more are not worse."
        )
    parts += _named(" Nothing arrived of ", found.silent, view)
    parts += _named(" Nothing can be expected of ", found.unknown, view)
    if found.unknown:
        parts[-1] = ": irregular, or too new."
    return parts


def _article(unit: str) -> str:
    return "an" if unit == "hour" else "a"


def _named(before: str, clients: Sequence[str], view: View) -> list[str | Component]:
    """The first of some clients, each a link to its page."""
    if not clients:
        return []
    parts: list[str | Component] = [before]
    for place, client in enumerate(clients[:_NAMED]):
        parts += [", "] if place else []
        parts.append(dcc.Link(printable(client), href=page_link("client", view, (client,))))
    more = len(clients) - _NAMED
    return [*parts, f" and {more} more." if more > 0 else "."]


def groups_text(groups: int, messages: int, kept: int) -> str:
    """What is in quarantine in all."""
    if not groups:
        return "Nothing is in quarantine: all that arrived could be read."
    text = f"{count_text(messages)} messages, {count_text(kept)} of them kept raw."
    return f"{text} Open one to see what arrived and to have it decoded again."
