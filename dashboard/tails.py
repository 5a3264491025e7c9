"""What of the charts a browser does not have yet: the ends of lines, if that is all that changed.

A tick moves each line by a point, and the whole of them weighs a hundred times as much. The browser
says of what state of the store its charts are; the store, what changed since. Points before the
first that may differ stay as they are: the one before it counts with them, for whether a reading is
alone or a mean beside an uncertain one depends on the next. Whatever else changed (how wide buckets
are, what counts as a gap, which means are uncertain), the panel is sent whole.
"""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.arrays import Band, Canvas, Drawn, Line, Trace, alone, arrays, canvas_of, outlines
from dashboard.page import Json
from dashboard.question import Mean, MetricPicture, Picture
from dashboard.recent import since
from dashboard.style import Style
from telemetry.buckets import bucket_means
from telemetry.exact import Floats, Ints
from telemetry.interface import Snapshot
from telemetry.interval import expected_us
from telemetry.kept import Columns
from telemetry.reading import Kind
from telemetry.rolling import coverage
from telemetry.window import parse_duration

_SAME_INTERVAL = 0.01
"""Where an interval changed by less, the shares of past means are not sent again."""


def state_of(picture: Picture, snapshot: Snapshot) -> Json:
    """Of what state of the store charts are; it comes back with the next tick."""
    return {
        "token": secrets.token_hex(4),
        "store": snapshot.kept.store,
        "sequence": snapshot.sequence,
        "instant": picture.question.instant_us,
        "panels": [_panel(one) for one in picture.pictures],
    }


def _panel(one: MetricPicture) -> list[float | None]:
    return [one.answer.bucket_us, one.gap_us, expected_us(one.cadence), one.latest.time_us]


@dataclass(frozen=True, slots=True)
class Before:
    """What a browser has of one panel.

    Attributes:
        bucket_us: How wide its buckets are.
        gap_us: What was a gap.
        interval_us: What its means expected.
        limit_us: What is drawn of readings before then has not changed.
    """

    bucket_us: int
    gap_us: float
    interval_us: int | None
    limit_us: int


def update(picture: Picture, style: Style, before: Json, snapshot: Snapshot) -> Json:
    """The points of each trace of `figures.figure` that a browser lacks, which has the same traces.

    Args:
        picture: What it is to show.
        style: How.
        before: From `state_of`, as it comes back; what is in it is not to be trusted.
        snapshot: The store that the picture is of.

    Returns:
        `of`: The token of the charts that this belongs to. `whole`: numbers of traces with all of
        their data. `tails`: a number, the first place that stays, the first that goes, and what
        comes then. `bands`: the same with `low`, `high`, and where stretches begin.
    """
    found: Json = {"of": before.get("token"), "whole": [], "tails": [], "bands": []}
    known = _known(picture, before, snapshot)
    number = 0
    for one, had in zip(picture.pictures, known, strict=True):
        part = _tail(one, number, picture, style, had) or _whole(one, number, picture, style)
        for name, traces in part.items():
            found[name] += traces
        number += _traces(one)
    return found


def trace_count(picture: Picture) -> int:
    """How many traces `figures.figure` has."""
    return sum(_traces(one) for one in picture.pictures)


def _traces(one: MetricPicture) -> int:
    return 1 if one.latest.kind is Kind.STATE else 3 + 2 * len(one.means)


def _whole(one: MetricPicture, number: int, picture: Picture, style: Style) -> Json:
    return {
        "whole": [[number + place, data] for place, data in enumerate(arrays(one, picture, style))]
    }


def _known(picture: Picture, before: Json, snapshot: Snapshot) -> Sequence[Before | None]:
    """What the browser has of each panel, if it is of this store and as it says."""
    kept, nothing = snapshot.kept, [None] * len(picture.pictures)
    sequence, instant_us, panels = (before.get(name) for name in ("sequence", "instant", "panels"))
    if before.get("store") != kept.store or not isinstance(panels, list):
        return nothing
    if not isinstance(sequence, int) or not isinstance(instant_us, int):
        return nothing
    if sequence > snapshot.sequence or len(panels) != len(nothing):
        return nothing
    return [
        _before(one, panel, kept.of(one.latest.series).changed_us(sequence), instant_us)
        for one, panel in zip(picture.pictures, panels, strict=True)
    ]


def _before(one: MetricPicture, panel: object, changed_us: int, instant_us: int) -> Before | None:
    match panel:
        case [int(bucket_us), int() | float() as gap_us, int() | None as interval_us, int(newest)]:
            limit_us = min(changed_us, newest + 1, instant_us)
            same = bucket_us == one.answer.bucket_us
            return Before(bucket_us, gap_us, interval_us, limit_us) if same else None
    return None


def _tail(
    one: MetricPicture, number: int, picture: Picture, style: Style, before: Before | None
) -> Json | None:
    """What the browser lacks of a panel, as `update` has it; `None` if more of it may differ."""
    canvas = canvas_of(one, picture, style)
    if before is None or one.latest.kind is Kind.STATE or canvas.axis.changes:
        return None
    times, width_us = one.columns["time_us"], before.bucket_us
    place = _place(times, before.limit_us // (width_us or 1) * (width_us or 1))
    if place < max(2, len(times) // 2) or not _is_same(one, style, before, int(times[place])):
        return None
    cut_us, means = int(times[place]), [mean.columns for mean in one.means]
    drawn = Drawn(since(one.columns, place - 1), [_around(mean, cut_us) for mean in means])
    band, (line, _, *ends) = outlines(drawn, one, style)
    times = times + width_us // 2
    first_us = [int(times[0]), *(int(mean["time_us"][0]) for mean in means for _ in range(2))]
    numbers = [number + 1, *range(number + 3, number + 3 + len(ends))]
    return {
        "whole": [[number + 2, canvas.line(alone(times, _values(one), one.gap_us))]],
        "bands": [[number, *_band_end(band, canvas, first_us[0], cut_us)]],
        "tails": [
            [place, *_line_end(end, canvas, since_us, cut_us)]
            for place, end, since_us in zip(numbers, [line, *ends], first_us, strict=True)
        ],
    }


def _place(times: Ints, limit_us: int) -> int:
    """The last point that is as it was, and of those that share a place on the axis the first."""
    place = int(times.searchsorted(limit_us)) - 1
    while place > 0 and times[place - 1] // 1000 == times[place] // 1000:
        place -= 1
    return place


def _is_same(one: MetricPicture, style: Style, before: Before, cut_us: int) -> bool:
    """Whether gaps, and which means are uncertain, are up to a time as they were."""
    interval_us = expected_us(one.cadence)
    was_us, is_us = before.interval_us or math.inf, interval_us or math.inf
    if was_us != is_us and not abs(was_us / is_us - 1) < _SAME_INTERVAL:
        return False
    low_us, high_us = sorted([before.gap_us, one.gap_us])
    for columns in (one.columns, *(mean.columns for mean in one.means)):
        until = int(columns["time_us"].searchsorted(cut_us, side="right"))
        apart = np.diff(columns["time_us"][:until])
        if ((apart > low_us) & (apart <= high_us)).any():
            return False
    return was_us == is_us or all(
        _is_as_certain(mean, style.coverage_minimum, before, cut_us) for mean in one.means
    )


def _is_as_certain(mean: Mean, minimum: float, before: Before, cut_us: int) -> bool:
    columns, width_us = mean.columns, max(parse_duration(mean.span), before.bucket_us)
    until = int(columns["time_us"].searchsorted(cut_us, side="right"))
    was = coverage(columns["count"][:until], width_us, before.interval_us) < minimum
    return bool(((columns["coverage"][:until] < minimum) == was).all())


def _values(one: MetricPicture) -> Floats:
    columns = one.columns
    return bucket_means(columns) if one.answer.bucket_us else columns["value"]


def _around(columns: Columns, cut_us: int) -> Columns:
    """From the row before a time on."""
    return since(columns, max(0, int(columns["time_us"].searchsorted(cut_us)) - 1))


def _line_end(line: Line, canvas: Canvas, first_us: int, cut_us: int) -> list[Any]:
    end = slice(int(line.time_us.searchsorted(cut_us)), None)
    added: Trace = {
        "x": canvas.listed(line.time_us[end]),
        "y": canvas.notation.scaled(line.value[end]).tolist(),
    }
    if line.share is not None:
        added["customdata"] = line.share[end].tolist()
    return [*canvas.listed(np.array([first_us, cut_us])), added]


def _band_end(band: Band, canvas: Canvas, first_us: int, cut_us: int) -> list[Any]:
    end = slice(int(band.time_us.searchsorted(cut_us)), None)
    added: Trace = {
        "x": canvas.listed(band.time_us[end]),
        "low": canvas.notation.scaled(band.low[end]).tolist(),
        "high": canvas.notation.scaled(band.high[end]).tolist(),
        "begins": band.begins[end].tolist(),
    }
    return [*canvas.listed(np.array([first_us, cut_us])), added]
