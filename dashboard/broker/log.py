"""The event log: what happened beside readings and connections, newest first."""

from collections import Counter
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.broker.words import EVENTS
from dashboard.display import clock_text, printable
from dashboard.page import Look
from dashboard.parts import icon, page_link
from telemetry.interface import Snapshot
from telemetry.presence import Event, EventKind
from telemetry.window import Window

SHOWN = 100
"""So many events are shown, the newest ones; of older ones only the number is told."""

READ = 1000
"""So many of each kind are read and counted: a flood of one costs no more."""


ALL = "all"


def kind_of(option: str) -> EventKind | None:
    """The kind that a view chooses; None, for all, where it names none."""
    return EventKind(option) if option in set(EventKind) else None


def kind_options() -> list[dict[str, str]]:
    """What the filter offers: all, what somebody should look at first, then the rest."""
    told = sorted(EVENTS.items(), key=lambda one: (not one[1].bad, one[1].text))
    return [
        {"value": ALL, "label": "all events"},
        *({"value": kind, "label": words.text} for kind, words in told),
    ]


def events(snapshot: Snapshot, kind: EventKind | None, window: Window) -> Sequence[Event]:
    """The events of a window, of one kind or of all, oldest first: of each kind the newest."""
    kinds = EventKind if kind is None else (kind,)
    found = [event for one in kinds for event in snapshot.events_of(one, window, READ)]
    return sorted(found, key=lambda event: event.time_us)


def entries(known: Sequence[Event], look: Look) -> list[Component]:
    """The log of events that are given oldest first."""
    if not known:
        return [html.P("Nothing of this kind happened in this time.", className="empty-row")]
    rows = html.Ol([_entry(event, look) for event in known[: -SHOWN - 1 : -1]])
    older = len(known) - SHOWN
    if older <= 0:
        return [rows]
    more = "or more " if max(Counter(event.kind for event in known).values()) >= READ else ""
    text = f"{older} {more}older ones are not shown: choose an earlier time, or one kind."
    return [rows, html.P(text, className="empty-row")]


def _entry(event: Event, look: Look) -> html.Li:
    words = EVENTS[event.kind]
    who = printable(event.client)
    link = dcc.Link(who, href=page_link("client", look.view, (event.client,))) if who else None
    more = [text for text in (printable(event.detail), event.address) if text]
    return html.Li(
        [
            html.Time(clock_text(event.time_us, look.style.zone)[:19]),
            html.Span([icon(words.symbol), words.text], className="broker-kind"),
            html.Span([link, " " if link and more else "", " · ".join(more)]),
        ],
        className="bad" if words.bad else "",
    )
