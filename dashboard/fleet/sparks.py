"""Sparklines: the last hours of one metric of a client, as some heights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.digits import notation
from dashboard.fleet.members import Member
from telemetry.buckets import bucket_means
from telemetry.interface import Snapshot
from telemetry.reading import Kind, Latest, Series
from telemetry.window import SECOND_US, Window

MOST_SPARKS = 200
"""Of so many clients, the worst first, there are sparklines."""

BUCKET_US = 900 * SECOND_US
BUCKETS = 24
_AT_FIRST, _EACH_TIME = 60, 10


@dataclass(frozen=True, slots=True)
class Spark:
    """A sparkline.

    Attributes:
        series: Of what.
        end_us: Up to when.
        points: A height from 0 to 100 for each of the last buckets, or None for no reading.
        low: What height 0 stands for, as text.
        high: What height 100 stands for.
    """

    series: Series
    end_us: int
    points: Sequence[int | None]
    low: str
    high: str


Sparks = Mapping[str, Spark]
"""By client."""


def sparks_of(snapshot: Snapshot, members: Sequence[Member], before: Sparks, now_us: int) -> Sparks:
    """The sparklines of before, and some new ones of those that are missing or over."""
    end_us = -(-now_us // BUCKET_US) * BUCKET_US
    wanted = {one.client: _metric(one.newest) for one in members[:MOST_SPARKS]}
    kept = {name: one for name, one in before.items() if name in wanted}
    due = [
        (name, latest)
        for name, latest in wanted.items()
        if latest is not None and (name not in kept or kept[name].end_us != end_us)
    ]
    some = due[: _EACH_TIME if before else _AT_FIRST]
    return kept | {name: _spark(snapshot, latest, end_us) for name, latest in some}


def _metric(newest: Sequence[Latest]) -> Latest | None:
    return next((one for one in newest if one.kind is Kind.NUMBER), None)


def _spark(snapshot: Snapshot, latest: Latest, end_us: int) -> Spark:
    window = Window(end_us - BUCKETS * BUCKET_US, end_us)
    frame = snapshot.buckets(latest.series, window, BUCKET_US).frame
    values = bucket_means(frame)
    places = ((frame["time_us"] - window.start_us) // BUCKET_US).to_numpy(dtype=np.intp)
    finite = np.isfinite(values)
    values, places = values[finite], places[finite]
    if not len(values):
        return Spark(latest.series, end_us, (), "", "")
    low, high = float(values.min()), float(values.max())
    heights = (
        np.rint(100 * (values - low) / (high - low)) if high > low else np.full(len(values), 50)
    )
    points: list[int | None] = [None] * BUCKETS
    for place, height in zip(places.tolist(), heights.tolist(), strict=True):
        points[place] = int(height)
    how = notation(np.array([low, high]), latest.unit)
    return Spark(
        latest.series, end_us, points, how.mean(low), f"{how.mean(high)} {how.unit}".strip()
    )
