"""What happens at the broker, in words for people, each with its icon and whether it is bad."""

from collections.abc import Mapping
from typing import NamedTuple

from telemetry.presence import Ending, EventKind
from telemetry.window import SECOND_US


class Words(NamedTuple):
    """How something is told.

    Attributes:
        symbol: The Bootstrap icon.
        text: What it is called.
        bad: Whether somebody should look at it.
    """

    symbol: str
    text: str
    bad: bool = False


EVENTS: Mapping[EventKind, Words] = {
    EventKind.REFUSED: Words("shield-x", "login refused", bad=True),
    EventKind.DENIED: Words("slash-circle", "publish refused", bad=True),
    EventKind.DROPPING: Words("funnel", "broker drops messages", bad=True),
    EventKind.ONLINE: Words("person-check", "says it is online"),
    EventKind.OFFLINE: Words("person-dash", "says it is offline"),
    EventKind.CLEARED: Words("eraser", "retained message deleted"),
    EventKind.NO_VALUE: Words("slash-circle", "says it has no value"),
    EventKind.GAP: Words("skip-forward", "messages missing by its own count", bad=True),
    EventKind.LIMITED: Words("speedometer", "sends more than one may", bad=True),
    EventKind.SESSION_LOST: Words("journal-x", "broker lost the session", bad=True),
    EventKind.COLLECTOR_STARTED: Words("play-circle", "collector started"),
    EventKind.COLLECTOR_STOPPED: Words("stop-circle", "collector stopped"),
    EventKind.BROKER_LOST: Words("plug", "broker link lost", bad=True),
    EventKind.BROKER_BACK: Words("link-45deg", "broker link up"),
    EventKind.WATCH_LOST: Words("eye-slash", "connections not seen any more", bad=True),
    EventKind.WATCH_BACK: Words("eye", "connections seen again"),
    EventKind.OVERFLOW: Words("exclamation-triangle", "more than is kept", bad=True),
}

CONNECTED = Words("check-circle-fill", "connected")

ENDINGS: Mapping[str, Words] = {
    Ending.GOODBYE: Words("box-arrow-right", "said goodbye"),
    Ending.CLOSED: Words("plug", "gone without goodbye", bad=True),
    Ending.TIMED_OUT: Words("hourglass-split", "silent past its keep-alive", bad=True),
    Ending.TAKEN_OVER: Words("arrow-left-right", "taken over by a newer one", bad=True),
    Ending.REMOVED: Words("person-slash", "ended by an administrator"),
    Ending.NOT_AUTHORISED: Words("shield-x", "not authorised", bad=True),
    Ending.BROKER_STOPPED: Words("power", "the broker stopped"),
    Ending.UNKNOWN: Words("question-circle", "end not seen: nobody was watching"),
}


def ending_words(reason: str) -> Words:
    """How the end of a connection is told; a reason of the broker's own stands in its words.

    >>> ending_words("keep-alive exceeded").text, ending_words("oversize packet").text
    ('silent past its keep-alive', 'oversize packet')
    """
    return ENDINGS.get(reason) or Words("x-octagon", reason, bad=True)


def lasted_text(length_us: int) -> str:
    """How long something lasted, in its two largest units.

    >>> lasted_text(42_000), lasted_text(7_300_000), lasted_text(11_520_000_000)
    ('42 ms', '7 s', '3 h 12 min')
    >>> lasted_text(3 * 86_400_000_000 + 5_000_000)
    '3 d'
    """
    if length_us < SECOND_US:
        return f"{max(0, length_us) // 1000} ms"
    left = length_us // SECOND_US
    parts: list[str] = []
    for unit, width in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, width)
        if parts or count:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def so_far_text(length_us: int) -> str:
    """How long something lasts already, for a table that should not change each second.

    >>> so_far_text(7_300_000), so_far_text(7_300_000_000)
    ('under 1 min', '2 h 1 min')
    """
    return "under 1 min" if length_us < 60 * SECOND_US else lasted_text(length_us)
