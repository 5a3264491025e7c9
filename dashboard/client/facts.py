"""What stands above the tiles: is the client there, how often does it report, is it complete."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.display import length_text, printable
from dashboard.lane import state_words
from dashboard.parts import icon, since
from dashboard.presence import State, Stretch
from dashboard.question import Picture
from dashboard.state_rows import percent
from dashboard.tiles import counted
from telemetry.batch import Skew
from telemetry.window import SECOND_US

_SYMBOLS = {
    State.DISCONNECTED: "plug",
    State.SILENT: "volume-mute",
    State.UNKNOWN: "question-circle",
    State.COLLECTOR_DOWN: "database-x",
    State.REPORTING: "broadcast",
    State.CONNECTED: "check-circle-fill",
}
_AGREES_US = SECOND_US


def facts(picture: Picture, told: Sequence[Stretch], skews: Mapping[str, Skew]) -> list[Component]:
    """The facts of a client, each with what it means in its title."""
    client = picture.question.client
    return [
        *_state(told),
        *_heard(picture),
        *_expected(picture),
        *_completeness(picture),
        *_clock(skews.get(client)),
    ]


def _fact(symbol: str, text: object, title: str, looks: str = "") -> html.Span:
    parts: list[Any] = [icon(symbol), *(text if isinstance(text, list) else [text])]
    return html.Span(parts, className=f"client-fact {looks}".strip(), title=title)


def _state(told: Sequence[Stretch]) -> Iterator[Component]:
    """How it is at the end of the window."""
    if told:
        state = told[-1].state
        words, why = state_words(state), printable(told[-1].words)
        yield _fact(_SYMBOLS[state], words, why, f"state-{state}")


def _heard(picture: Picture) -> Iterator[Component]:
    newest_us = max((one.latest.time_us for one in picture.pictures), default=None)
    if newest_us is not None:
        text = ["last reading ", since(newest_us, newest=".tile-age [data-since]")]
        yield _fact("clock", text, "When the newest reading that is shown was measured")


def _expected(picture: Picture) -> Iterator[Component]:
    """How often its metrics report, from the most frequent to the rarest."""
    known = [one.cadence for one in picture.pictures if one.cadence and one.cadence.is_regular]
    if known:
        lengths = sorted({one.interval_us for one in known})
        ends = dict.fromkeys(length_text(_rounded(one)) for one in (lengths[0], lengths[-1]))
        title = "How often its metrics are expected to report: learned, or set in culex.toml"
        yield _fact("arrow-repeat", f"expected every {' to '.join(ends)}", title)


def _rounded(length_us: int) -> int:
    """An interval to two digits of its seconds, so that it does not flicker.

    >>> _rounded(10_004_500), _rounded(250_300)
    (10000000, 250000)
    """
    places = 1 - math.floor(math.log10(max(length_us, 1)))
    return int(round(length_us, places))


def _completeness(picture: Picture) -> Iterator[Component]:
    """The share of all readings expected in the window that is here."""
    expected = here = 0.0
    for one in picture.pictures:
        found = counted(one, picture.question)
        if found is not None and one.cadence is not None:
            due = found[1] / one.cadence.interval_us
            expected += due
            here += min(found[0], due)
    if expected >= 1:
        title = "Readings that are here of those expected in this window, over the metrics shown"
        yield _fact("pie-chart", f"{percent(here / expected)} complete", title)


def _clock(skew: Skew | None) -> Iterator[Component]:
    """How far its own clock is off, if it sends times of its own."""
    if skew is None:
        return
    title = f"Its own times against ours where they are nearest, over {skew.samples} messages"
    if abs(skew.skew_us) < _AGREES_US:
        yield _fact("stopwatch", "clock agrees", title)
        return
    way = "behind" if skew.skew_us > 0 else "ahead"
    off = length_text(_rounded(abs(skew.skew_us)))
    yield _fact("stopwatch", f"clock {off} {way}", title, "client-warning")
