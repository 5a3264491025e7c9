"""Connections, refused logins and events: when they are read again, and what stands there."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.broker.connections import Listed, listed
from dashboard.broker.facts import Figures
from dashboard.broker.log import entries, events, kind_of
from dashboard.broker.missing import uncounted
from dashboard.display import clock_text, printable
from dashboard.page import Json, Look
from dashboard.parts import icon
from telemetry.presence import EventKind
from telemetry.refusals import MOST_GROUPS, RefusalGroup, grouped
from telemetry.window import SECOND_US

_REFUSALS_READ = 2000
_CONNECTIONS = 10_000  # that a snapshot reads at once
_HELD_US = 1000
_LONGEST_US = 10 * SECOND_US
"""For each row that was read, lists are held so long: many do not change what a reader sees."""


def lists(look: Look, figures: Figures, drawn: Json) -> Json:
    """Connections, refusals and events; held for a while where there are many.

    Args:
        look: The look.
        figures: What the broker counts.
        drawn: What the browser has; it is brought up to date.
    """
    before, view = drawn.get("lists", {}), look.view
    search, kind = view.option("q"), kind_of(view.option("kind"))
    key = f"{view.start} {view.end} {look.style.zone} {search} {kind}"
    if before.get("key") == key and 0 <= look.now_us - before["read_us"] < before["held_us"]:
        return {}
    connections = look.snapshot.connections(None, look.window)
    happened = events(look.snapshot, kind, look.window)
    refused = look.snapshot.events_of(EventKind.REFUSED, look.window, _REFUSALS_READ)
    found = listed(connections, search, look)
    held_us = min(_LONGEST_US, (len(connections) + len(happened) + len(refused)) * _HELD_US)
    drawn["lists"] = {"key": key, "read_us": look.now_us, "held_us": held_us}
    return {
        "rows": found.rows,
        "counted": _counted(found, search, figures),
        "refusals": _refusals(
            grouped(refused, look.engine.settings.existing_broker),
            look,
            whole=len(refused) < _REFUSALS_READ,
        ),
        "log": entries(happened, look),
    }


def _counted(found: Listed, search: str, figures: Figures) -> str:
    """In words, how many connections there are and how many are shown."""
    more = "at least " if found.known >= _CONNECTIONS else ""
    noun = "connection" if found.known == 1 else "connections"
    text = f"{more}{found.known} {noun} in this time."
    if search:
        text += f" {found.found} of them {'matches' if found.found == 1 else 'match'}."
    if found.found > len(found.rows):
        text += f" The newest {len(found.rows)} are listed: search, or choose another time."
    is_open = f"{found.now_open} {'is' if found.now_open == 1 else 'are'} open."
    return f"{text} {is_open} {uncounted(figures, found)}".strip()


def _refusals(groups: Sequence[RefusalGroup], look: Look, *, whole: bool) -> list[Component]:
    if not groups:
        return [html.P("Nobody was refused in this time.", className="empty-row")]
    rows: list[Component] = [html.Ol([_refusal(one, look) for one in groups[:MOST_GROUPS]])]
    if len(groups) > MOST_GROUPS:
        text = f"{len(groups) - MOST_GROUPS} more groups are not shown: choose a shorter time."
        rows.append(html.P(text, className="empty-row"))
    if not whole:
        text = f"The newest {_REFUSALS_READ} reports are counted: choose a shorter time for others."
        rows.append(html.P(text, className="empty-row"))
    return rows


def _refusal(one: RefusalGroup, look: Look) -> html.Li:
    zone = look.style.zone
    who = [f" as {printable(one.client_id)}"] if one.client_id else []
    times = f"{one.count} times since {clock_text(one.first_us, zone)[:19]}, "
    return html.Li(
        [
            html.Time(clock_text(one.last_us, zone)[:19]),
            html.Span([icon("shield-x"), printable(one.reason)], className="broker-kind"),
            html.Span(
                [times if one.count > 1 else "", f"from {one.host or 'an unknown address'}", *who]
            ),
            html.Span(one.advice, className="broker-advice"),
        ],
        className="bad",
    )
