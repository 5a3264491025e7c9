"""Connections with the broker, as rows of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.broker.words import CONNECTED, ending_words, lasted_text, so_far_text
from dashboard.display import NOTHING, clock_text, printable
from dashboard.page import Json, Look
from dashboard.parts import page_link
from mosquitto.names import ATTENDANTS
from telemetry.presence import Connection

MOST_ROWS = 300
"""So many rows go to the browser; a search looks at all that the store has of the window."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The connections of a window.

    Attributes:
        rows: Those that are shown, newest first.
        known: How many there are.
        found: How many of them the search found.
        now_open: How many of those found are open.
        all_open: How many of all are.
    """

    rows: Sequence[Json]
    known: int
    found: int
    now_open: int
    all_open: int


def listed(known: Sequence[Connection], search: str, look: Look) -> Listed:
    """The connections that a search finds, as rows; without one, those of clients.

    Args:
        known: All of them, oldest first, as `Snapshot.connections` gives them.
        search: Words that must all stand somewhere in a row, whatever their case; may be empty.
        look: Says the time, the zone and where links lead.
    """
    words = search.casefold().split()
    found = [one for one in known if (_matches(one, words) if words else _is_of_clients(one))]
    rows = [_row(one, look) for one in found[: -MOST_ROWS - 1 : -1]]
    now_open, all_open = (sum(one.until_us is None for one in some) for some in (found, known))
    return Listed(rows, len(known), len(found), now_open, all_open)


def _is_of_clients(one: Connection) -> bool:
    """Whether it is none of those that Culex opens each minute to look after the broker."""
    return one.username not in ATTENDANTS or one.until_us is None


def _matches(one: Connection, words: Sequence[str]) -> bool:
    told = ending_words(one.reason) if one.until_us is not None else CONNECTED
    fields = (one.client_id, one.username, one.address, one.reason, told.text)
    text = "\n".join(fields).casefold()
    return all(word in text for word in words)


def _row(one: Connection, look: Look) -> Json:
    zone, until_us = look.style.zone, one.until_us
    told = CONNECTED if until_us is None else ending_words(one.reason)
    if until_us is None:
        lasted = so_far_text(look.now_us - one.since_us)
    else:
        lasted = lasted_text(until_us - one.since_us)
    return {
        "id": f"{one.since_us} {one.client_id}",
        "state": printable(told.text),
        "symbol": told.symbol,
        "mood": "open" if until_us is None else "bad" if told.bad else "ended",
        "user": printable(one.username) or NOTHING,
        "href": page_link("client", look.view, (one.username,)) if one.username else "",
        "client_id": printable(one.client_id),
        "address": one.address or NOTHING,
        "since": clock_text(one.since_us, zone)[:19],
        "until": NOTHING if until_us is None else clock_text(until_us, zone)[:19],
        "lasted": lasted,
        "mqtt": one.protocol or NOTHING,
        "keep_alive": f"{one.keep_alive_s} s" if one.keep_alive_s else "none",
        "session": "new" if one.clean_start else "resumed",
    }
