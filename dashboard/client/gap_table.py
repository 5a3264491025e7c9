"""The tab of gaps: what is lacking in the window, why, and a way to look at each closely."""

from collections.abc import Iterator
from dataclasses import replace

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.client.gaps import MOST_SHOWN, Lack, Lacks
from dashboard.client.tables import Cell, note, nothing, table
from dashboard.display import clock_text, count_text, length_text, printable
from dashboard.parts import icon
from dashboard.prefix import place
from dashboard.style import Style
from dashboard.view import View
from telemetry.gaps import Gap
from telemetry.window import SECOND_US, Window

_HEADS = ("Metric", "From", "To", "Length", "Missing", "Why", "")
_TEXT = 19  # characters of a time to the second
_AROUND = 0.5
_UNSEEN = "visually-hidden"


def gap_tab(found: Lacks, client: str, view: View, style: Style) -> list[Component]:
    """All of the tab."""
    notes = [note(text) for text in _notes(found)]
    if not found.shown:
        return [*notes, nothing("Nothing is missing in this window.")]
    rows = [_row(one, client, view, style) for one in found.shown]
    return [*notes, table("Gaps", _HEADS, rows)]


def _notes(found: Lacks) -> Iterator[str]:
    if found.shown:
        yield _summary(found)
    if found.grain_us:
        yield (
            f"So long a window is told by rollups: a gap shorter than {_long(found.grain_us)} "
            "may not be found, nor readings that came late. Choose a shorter window to see all."
        )
    if found.unknown:
        names = ", ".join(map(printable, found.unknown))
        yield f"How often these report is not known yet, so none of their gaps is: {names}."


def _summary(found: Lacks) -> str:
    parts = [_many(found.gaps, "gap")]
    if found.missing:
        parts.append(f"{_many(found.missing, 'reading')} missing")
    if found.late:
        parts.append(f"{_many(found.late, 'time')} readings came late")
    left_out = found.gaps + found.late - len(found.shown)
    more = f" The newest {MOST_SHOWN} are shown." if left_out > 0 else ""
    return f"{', '.join(parts)}.{more}"


def _many(count: int, word: str) -> str:
    """A count with its word.

    >>> _many(1, "gap"), _many(12, "gap")
    ('1 gap', '12 gaps')
    """
    return f"{count_text(count)} {word}{'' if count == 1 else 's'}"


def _row(one: Lack, client: str, view: View, style: Style) -> list[Cell]:
    what = one.what
    start, end = (clock_text(at, style.zone)[:_TEXT] for at in (what.start_us, what.end_us))
    metric = printable(one.metric)
    jump = dcc.Link(
        [icon("zoom-in"), "Look", html.Span(f" at {metric} from {start}", className=_UNSEEN)],
        href=place(f"/client{_around(one, client, view).query()}"),
        className="client-jump",
    )
    if isinstance(what, Gap):
        missing = "" if what.missing is None else count_text(what.missing)
        until = "lasts" if what.lasts else end
        why = printable(one.why) or "not known"
        return [metric, start, until, _long(what.length_us), missing, why, jump]
    late = f"{_many(what.readings, 'reading')} came up to {_long(what.delay_us)} late"
    return [metric, start, end, _long(what.end_us - what.start_us), "0", late, jump]


def _around(one: Lack, client: str, view: View) -> View:
    """The view of it, with as much again around it."""
    length_us = max(one.what.end_us - one.what.start_us, 2 * SECOND_US)
    more_us = int(length_us * _AROUND)
    window = Window(one.what.start_us - more_us, one.what.end_us + more_us)
    return replace(view, clients=(client,)).fixed(window)


def _long(length_us: int) -> str:
    """A length as people say it: to the second below an hour, to the minute below two days.

    >>> _long(3_661_000_000), _long(90_400_000), _long(300_000), _long(200_000_000_000)
    ('1 h 1 min', '1 min 30 s', '300 ms', '2 d 7 h')
    """
    if length_us < SECOND_US:
        return length_text(length_us)
    seconds = length_us // SECOND_US
    for (width, unit), (small, less) in _STEPS:
        if seconds >= width:
            rest = seconds % width // small
            return f"{seconds // width} {unit}" + (f" {rest} {less}" if rest else "")
    return f"{seconds} s"


_STEPS = (
    ((86_400, "d"), (3600, "h")),
    ((3600, "h"), (60, "min")),
    ((60, "min"), (1, "s")),
)
