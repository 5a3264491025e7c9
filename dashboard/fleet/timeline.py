"""The timeline: a strip of states for each of the worst clients, over the time that is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dash import Patch

from dashboard import charts
from dashboard.display import plot_text
from dashboard.fleet.grid import filter_of
from dashboard.fleet.members import Member
from dashboard.fleet.rows import GROUPS
from dashboard.fleet.survey import Survey
from dashboard.lane import lanes, letters_in
from dashboard.page import Json, Look
from dashboard.presence import Blank, Stretch, reach, stretches
from dashboard.watching import blanks, client_evidence
from telemetry.buckets import choose_bucket_us
from telemetry.interface import Answer, Snapshot
from telemetry.interval import Cadence, client_stale_us
from telemetry.reading import Kind, Latest, Series
from telemetry.window import SECOND_US, Window

MOST_STRIPS = 40
"""The worst so many clients have a strip."""

_ROW_PX, _AXIS_PX, _NAME_PX = 24, 44, 132
_BESIDE_PX = 80
_STEPS = 100
_BUCKETS = 600
_MOST_STATES = 2000
_NAME_LENGTH = 18


class _Strips(NamedTuple):
    """Strips, and what they are of: the survey's moment, the window, and the clients."""

    of: tuple[int, Window, Sequence[str]]
    rows: Sequence[Sequence[Stretch]]


def shown(found: Survey, look: Look) -> list[Member]:
    """The clients that have a strip: the worst of those that the tiles let through."""
    group = look.view.option("state") if filter_of(look.view) else ""
    some = [one for one in found.members if one.seen_us]
    passing = [one for one in some if not group or GROUPS[one.state] == group]
    return passing[:MOST_STRIPS]


def strips(found: Survey, look: Look, drawn: Json) -> tuple[Json, Json]:
    """What the chart of a reader needs, and what it then has drawn.

    It is drawn again when time has gone on by a part that can be seen, or a state has changed.
    """
    window = steady(look.window)
    members = shown(found, look)
    told = [[one.client, one.state] for one in members]
    shape = [[name for name, _ in told], look.style.dark, look.style.touch, look.width]
    mine = {"ends": [window.start_us, window.end_us], "told": told, "shape": shape}
    if mine == drawn:
        return {}, drawn
    rows = _rows(found, look, window, members)
    if drawn.get("shape") != shape:
        return {"figure": _figure(rows, members, window, look), "style": _style(members)}, mine
    return {"figure": _patch(rows, members, window, look)}, mine


def steady(window: Window) -> Window:
    """The window, moved back to the last step: nobody sees less than that."""
    step_us = max(SECOND_US, window.length_us // _STEPS)
    end_us = max(window.end_us // step_us * step_us, window.start_us + 1)
    return Window(min(end_us - window.length_us, end_us - 1), end_us)


def _rows(
    found: Survey, look: Look, window: Window, members: Sequence[Member]
) -> Sequence[Sequence[Stretch]]:
    key = ("fleet strips", look.view.option("state"), window.length_us)
    of = (found.at_us, window, [one.client for one in members])
    kept = look.snapshot.kept.get(key, _Strips)
    if kept is not None and kept.of == of:
        return kept.rows
    names = {one.client for one in members}
    latest: dict[str, list[Latest]] = {name: [] for name in names}
    for one in found.latest:
        if one.series.client in names:
            latest[one.series.client].append(one)
    hidden = blanks(
        look.snapshot, Window(window.start_us - window.length_us, window.end_us), look.now_us
    )
    cadences = {
        series: one.cadence
        for series, one in found.learned.items()
        if series.client in names and one.cadence is not None
    }
    rows = [
        _row(look, window, one.client, latest[one.client], (cadences, hidden, found.books.begun_us))
        for one in members
    ]
    look.snapshot.kept.put(key, _Strips(of, rows))
    return rows


def _row(
    look: Look,
    window: Window,
    client: str,
    latest: Sequence[Latest],
    known: tuple[dict[Series, Cadence], Sequence[Blank], Mapping[str, int]],
) -> list[Stretch]:
    cadences, hidden, begun = known
    stale_us = client_stale_us(cadences, latest)
    now_us = min(look.now_us, window.end_us) if look.view.follows else look.now_us
    reached = reach(window, stale_us, now_us)
    beat = [
        one
        for one in latest
        if one.series in cadences and cadences[one.series].stale_us == stale_us
    ]
    answers = [_times(look.snapshot, beat[0], reached)] if beat else []
    evidence = client_evidence(look.snapshot, client, stale_us, answers, reached)
    seen_us = min((one.since_us for one in evidence.connections), default=None)
    evidence = replace(evidence, began_us=begun.get(client, None if latest else seen_us))
    return stretches(evidence, hidden, window, now_us)


def _times(snapshot: Snapshot, latest: Latest, reached: Window) -> Answer:
    """When the metric that reports most often did, in buckets too narrow to be seen."""
    if latest.kind is Kind.STATE:
        return snapshot.tail(latest.series, reached, _MOST_STATES)
    width_us = choose_bucket_us(reached.length_us, _BUCKETS, ())
    return snapshot.buckets(latest.series, reached, width_us)


def _figure(
    rows: Sequence[Sequence[Stretch]], members: Sequence[Member], window: Window, look: Look
) -> Json:
    height_px = _height_px(members)
    names = [_name(one.client) for one in members]
    layout = charts.layout(
        look.style,
        height_px,
        barmode="overlay",
        hovermode="closest",
        margin={"l": _NAME_PX, "r": 12, "t": 6, "b": 34},
        xaxis=charts.time_axis(window, look.style, look.width) | {"showspikes": False},
        yaxis={
            "range": [len(members) - 0.5, -0.5], "tickvals": [*range(len(members))],
            "ticktext": names, "showgrid": False, "automargin": False, "ticks": "",
        },
    )  # fmt: skip
    return {"data": _traces(rows, members, window, look), "layout": layout}


def _patch(
    rows: Sequence[Sequence[Stretch]], members: Sequence[Member], window: Window, look: Look
) -> Patch:
    patch = Patch()
    for place, trace in enumerate(_traces(rows, members, window, look)):
        for name in ("x", "y", "base", "text", "hovertext", "customdata"):
            patch["data"][place][name] = trace[name]
    for name, value in charts.time_axis(window, look.style, look.width).items():
        if name != "showspikes":
            patch["layout"]["xaxis"][name] = value
    return patch


def _traces(
    rows: Sequence[Sequence[Stretch]], members: Sequence[Member], window: Window, look: Look
) -> list[dict[str, Any]]:
    """The lanes, each bar with the name of its client for who clicks on it."""
    letters = letters_in(look.width - _NAME_PX - _BESIDE_PX)
    traces = lanes(rows, window, look.style, letters)
    for trace in traces:
        trace["customdata"] = [
            [start_ms, end_ms, members[row].client] for start_ms, end_ms, row in trace["customdata"]
        ]
    return traces


def _name(client: str) -> str:
    short = client if len(client) <= _NAME_LENGTH else f"{client[: _NAME_LENGTH - 1]}…"
    return plot_text(short)


def _style(members: Sequence[Member]) -> dict[str, str]:
    return {"height": f"{_height_px(members)}px"}


def _height_px(members: Sequence[Member]) -> int:
    return _AXIS_PX + _ROW_PX * max(1, len(members))
