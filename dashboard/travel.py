"""Where a view goes when its reader drags, zooms or picks times."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from dashboard.view import DEFAULT_START, View, ViewError, check_zone
from dashboard.wall import axis_of
from telemetry.window import to_iso


def zoomed(view: View, relayout: Mapping[str, object], now_us: int, browser_zone: str) -> View:
    """The view after the reader dragged a range, or double-clicked to follow again."""
    if relayout.get("xaxis.autorange"):
        return view if view.follows else replace(view, start=DEFAULT_START, end="now")
    ends = [_wall_text(relayout.get(f"xaxis.range[{end}]")) for end in (0, 1)]
    if not all(ends):
        return view
    zone = check_zone(view, browser_zone)
    axis = axis_of(view.window(now_us, zone), zone)
    return _between(view, (ends[0], ends[1]), now_us, axis.fixed)


def pinned(view: View, ends: tuple[str, str], now_us: int, browser_zone: str) -> View:
    """The view standing still between two times, read in its zone where they name none.

    Times that make no window are kept as they are: the page then says what is wrong with them.
    """
    return _between(view, ends, now_us, check_zone(view, browser_zone))


def _between(view: View, ends: tuple[str, str], now_us: int, zone: tzinfo) -> View:
    wanted = replace(view, start=ends[0] or view.start, end=ends[1] or view.end)
    try:
        return wanted.fixed(wanted.window(now_us, zone))
    except ViewError:
        return wanted


def _wall_text(end: object) -> str:
    """An end of a dragged range: plotly sends text, or milliseconds of the wall clock."""
    if isinstance(end, int | float):
        return to_iso(int(end * 1000)).removesuffix("Z")
    return end if isinstance(end, str) else ""
