"""The presence lane under the charts: what was known of the client at each moment."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard import charts
from dashboard.lane import lane_text, lanes, letters_in
from dashboard.presence import Stretch, reach, stretches
from dashboard.question import MetricPicture, Picture
from dashboard.style import Style
from dashboard.watching import blanks, client_evidence
from telemetry.interface import Answer, Snapshot
from telemetry.interval import client_stale_us
from telemetry.reading import Kind
from telemetry.window import Window

HEIGHT_PX = 46
_LEFT_PX, _RIGHT_PX, _BESIDE_PX = 56, 12, 40
_MOST_STATES = 20_000

MOVING = ("base", "x", "y", "customdata", "text", "hovertext")
"""What changes of the traces of a lane."""


def told(snapshot: Snapshot, picture: Picture) -> list[Stretch]:
    """The states of the picture's client over its window, by the metrics that are shown."""
    question, shown = picture.question, picture.pictures
    cadences = {one.latest.series: one.cadence for one in shown if one.cadence is not None}
    stale_us = client_stale_us(cadences, [one.latest for one in shown])
    window, now_us = question.window, question.now_us
    if window.start_us >= now_us:
        return []
    reached = reach(window, stale_us, now_us)
    answers = [part for one in shown for part in _answers(snapshot, one, window, reached)]
    evidence = client_evidence(snapshot, question.client, stale_us, answers, reached)
    if not len(evidence.times_us) or evidence.times_us[0] >= window.start_us:
        evidence = replace(evidence, began_us=_began_us(snapshot, shown))
    return stretches(evidence, blanks(snapshot, reached, now_us), window, now_us)


def _began_us(snapshot: Snapshot, shown: Sequence[MetricPicture]) -> int | None:
    """When the oldest reading of any of the metrics was measured."""
    extents = [snapshot.extent(one.latest.series) for one in shown]
    return min((extent.start_us for extent in extents if extent is not None), default=None)


def _answers(
    snapshot: Snapshot, one: MetricPicture, window: Window, reached: Window
) -> list[Answer]:
    """When it reported: in the window as it is drawn, and beside it what silences rest on."""
    series = one.latest.series
    if one.latest.kind is Kind.STATE:
        return [snapshot.tail(series, reached, _MOST_STATES)]
    edges = ((reached.start_us, window.start_us), (window.end_us, reached.end_us))
    beside = [snapshot.read(series, Window(*ends)) for ends in edges if ends[0] < ends[1]]
    shown = pd.DataFrame({"time_us": one.columns["time_us"]})
    return [Answer(series, shown, one.answer.bucket_us), *beside]


def figure(found: Sequence[Stretch], window: Window, style: Style, width: int) -> dict[str, Any]:
    """The lane as a figure, on the time axis of the charts above it, on a page of that width."""
    hidden = {"showticklabels": False, "showgrid": False, "showspikes": False, "ticks": ""}
    layout = charts.layout(
        style,
        HEIGHT_PX,
        barmode="overlay",
        bargap=0,
        hovermode="closest",
        margin={"l": _LEFT_PX, "r": _RIGHT_PX, "t": 2, "b": 6},
        xaxis=charts.time_axis(window, style, 1) | hidden | {"automargin": False},
        yaxis={
            "range": [-0.5, 0.5],
            "tickvals": [0],
            "ticktext": ["presence"],
            "ticks": "",
            "showgrid": False,
            "automargin": False,
            "tickfont": {"size": 11},
        },
    )
    letters = letters_in(width - _LEFT_PX - _RIGHT_PX - _BESIDE_PX)
    return {"data": lanes([found], window, style, letters), "layout": layout}


def words(found: Sequence[Stretch]) -> str:
    """The lane in words, for who does not see it."""
    return lane_text(found)
