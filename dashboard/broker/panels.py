"""What the charts of broker and collector show, read from the store as buckets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.question import gap_us
from telemetry.buckets import bucket_means, choose_bucket_us
from telemetry.interface import Snapshot
from telemetry.reading import Series
from telemetry.window import SECOND_US, Window

PERIOD_US = 10 * SECOND_US
"""How often broker and collector say their figures: narrower buckets would show no more."""

_ALWAYS = (Series("broker", "uptime"), Series("collector", "messages_rate"))
"""They come in every period: what is left of them is left of the others."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """What one line shows.

    Attributes:
        name: What it is called.
        series: Whose figures.
        factor: What they are multiplied with.
        less: Figures that are taken off first, or None.
    """

    name: str
    series: Series
    factor: float = 1.0
    less: Series | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: a title, the unit of its lines, and the lines."""

    title: str
    unit: str
    lines: Sequence[Line]


def _broker(metric: str) -> Series:
    return Series("broker", metric)


def _collector(metric: str) -> Series:
    return Series("collector", metric)


PANELS: Sequence[Panel] = (
    Panel("Messages through the broker", "1/s", (
        Line("in", _broker("load.publish.received.1min"), 1 / 60),
        Line("out", _broker("load.publish.sent.1min"), 1 / 60),
    )),
    Panel("Stored by the collector", "1/s", (
        Line("messages", _collector("messages_rate")),
        Line("readings", _collector("readings_rate")),
    )),
    Panel("Lag from receipt to commit", "ms", (
        Line("half within", _collector("lag_p50")),
        Line("95 % within", _collector("lag_p95")),
    )),
    Panel("Commit to the disk", "ms", (
        Line("half within", _collector("commit_p50")),
        Line("95 % within", _collector("commit_p95")),
    )),
    Panel("Backlog", "messages", (
        Line("in the broker", _broker("store.messages.count"), 1.0,
             _broker("retained messages.count")),
        Line("in the collector", _collector("intake")),
    )),
    Panel("Through the broker and back", "ms", (
        Line("our own message", _collector("round_trip")),
    )),
    Panel("Clients", "", (
        Line("connected", _broker("clients.connected")),
        Line("away, with a session", _broker("clients.disconnected")),
    )),
    Panel("Connects", "1/min", (
        Line("logins", _broker("load.connections.1min")),
        Line("sockets", _broker("load.sockets.1min")),
    )),
    Panel("Dropped by the broker", "1/min", (
        Line("messages", _broker("load.publish.dropped.1min")),
    )),
    Panel("Network", "B/s", (
        Line("in", _broker("load.bytes.received.1min"), 1 / 60),
        Line("out", _broker("load.bytes.sent.1min"), 1 / 60),
    )),
    Panel("Memory", "B", (
        Line("collector", _collector("memory"), 1e6),
        Line("broker", _broker("heap.current")),
    )),
    Panel("Not to be stored", "", (
        Line("rejected since the start", _collector("rejected")),
        Line("limited since the start", _collector("limited")),
    )),
)  # fmt: skip
"""In the order of the page, two beside each other."""


class Drawn(NamedTuple):
    """A line of a panel over a window, broken where figures are missing.

    Attributes:
        time_us: The middle of each bucket; in a gap one more.
        mean: The mean of each bucket; NaN in a gap, as the others.
        low: The least figure of each bucket.
        high: The greatest.
    """

    time_us: Ints
    mean: Floats
    low: Floats
    high: Floats


def width_us(snapshot: Snapshot, window: Window, points: int) -> int:
    """How wide the buckets of a window are that is drawn with so many points."""
    grain_us = max(snapshot.grain_us(one, window) for one in _ALWAYS)
    least_us = max(PERIOD_US, math.ceil(window.length_us / points))
    return choose_bucket_us(least_us, 1, (), grain_us)


def read_lines(
    snapshot: Snapshot, panel: Panel, window: Window, bucket_us: int, now_us: int
) -> list[Drawn]:
    """The lines of a panel."""
    return [_line(snapshot, line, window, bucket_us, now_us) for line in panel.lines]


def _line(snapshot: Snapshot, line: Line, window: Window, bucket_us: int, now_us: int) -> Drawn:
    found = _buckets(snapshot, line.series, window, bucket_us)
    if line.less is not None:
        found = _difference(found, _buckets(snapshot, line.less, window, bucket_us))
    times = found.time_us + bucket_us // 2
    cadence = snapshot.cadences([line.series], now_us).get(line.series) if len(times) else None
    gaps = np.flatnonzero(np.diff(times) > gap_us(cadence, bucket_us)) + 1
    numbers = (np.insert(one * line.factor, gaps, np.nan) for one in found[1:])
    return Drawn(np.insert(times, gaps, times[gaps - 1] + 1), *numbers)


def _buckets(snapshot: Snapshot, series: Series, window: Window, bucket_us: int) -> Drawn:
    """What is left of each bucket of the window, at its start."""
    start_us = window.start_us // bucket_us * bucket_us
    aligned = Window(start_us, -(-window.end_us // bucket_us) * bucket_us)
    frame = snapshot.buckets(series, aligned, bucket_us).frame
    times = frame["time_us"].to_numpy(dtype=np.int64)
    return Drawn(times, bucket_means(frame), frame["min"].to_numpy(), frame["max"].to_numpy())


def _difference(found: Drawn, less: Drawn) -> Drawn:
    """Where both are known; nothing is less than nothing."""
    times, ours, theirs = np.intersect1d(found.time_us, less.time_us, return_indices=True)
    mean = found.mean[ours] - less.mean[theirs]
    low = found.low[ours] - less.high[theirs]
    high = found.high[ours] - less.low[theirs]
    return Drawn(times, *(np.maximum(one, 0.0) for one in (mean, low, high)))
