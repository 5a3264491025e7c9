"""The data of a figure's traces, in the form that plotly.js takes."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.digits import Notation, notation_of
from dashboard.display import plot_text
from dashboard.question import Mean, MetricPicture, Picture
from dashboard.style import Style
from dashboard.wall import TimeAxis, axis_of
from telemetry.buckets import bucket_means
from telemetry.interface import Answer
from telemetry.reading import Kind, state_text

Trace = dict[str, Any]  # plotly's own JSON; its shape is plotly's


_NOTHING = np.empty(0, dtype=np.int64), np.empty(0)


@dataclass(frozen=True, slots=True)
class _Canvas:
    """How points of one panel become what plotly.js draws."""

    axis: TimeAxis
    notation: Notation
    gap_us: float
    style: Style

    def points(self, times_us: NDArray[np.int64], values: NDArray[np.float64]) -> Trace:
        return {"x": self.x(times_us), "y": _f8(self.notation.scaled(values))}

    def line(self, times_us: NDArray[np.int64], values: NDArray[np.float64]) -> Trace:
        """Points that say at what time they are."""
        return self.points(times_us, values) | self.clocks(times_us)

    def clocks(self, times_us: NDArray[np.int64]) -> Trace:
        """What clocks show at times, if they change in the window; plotly.js knows it otherwise."""
        return {"text": self.axis.clocks(times_us)} if self.axis.changes else {}

    def x(self, times_us: NDArray[np.int64]) -> dict[str, str] | list[str]:
        """Times as plotly.js draws them.

        It draws numbers in the browser's own zone and texts as they are: numbers are smaller, but
        they go back where the browser's clocks do, and none stands for another zone's hour that
        the browser's clocks skip.
        """
        if self.style.browsers and not self.axis.changes:
            return _f8(times_us / 1000)
        return self.axis.places(times_us)


def arrays(one: MetricPicture, picture: Picture, style: Style) -> Iterator[Trace]:
    """The data of the traces of one panel: band, line, dots, then two for each mean of a number.

    Values are in the unit of the metric's notation. Where clocks change, each trace with a hover
    text has besides the `text` of what they show at each of its points.
    """
    axis = axis_of(picture.question.window, style.zone)
    canvas = _Canvas(axis, notation_of(one), one.gap_us, style)
    if one.latest.kind is Kind.STATE:
        yield _states(one, picture, canvas)
        return
    yield from _values(one.answer, canvas)
    for mean in one.means:
        yield from _mean_lines(mean, canvas)


def _values(answer: Answer, canvas: _Canvas) -> Iterator[Trace]:
    frame = answer.frame
    if answer.bucket_us:
        middle = frame["time_us"] + answer.bucket_us // 2
        yield _band(middle, frame["min"], frame["max"], canvas)
        yield from _seen(middle, pd.Series(bucket_means(frame), frame.index), canvas)
    else:
        yield canvas.points(*_NOTHING)
        yield from _seen(frame["time_us"], frame["value"], canvas)


def _band(times_us: pd.Series, low: pd.Series, high: pd.Series, canvas: _Canvas) -> Trace:
    """One closed outline for each stretch without a gap: there along the top, back below."""
    times, bottom, top = (part.to_numpy() for part in (times_us, low, high))
    gaps = np.flatnonzero(np.diff(times) > canvas.gap_us) + 1
    stretches = np.split(np.arange(len(times)), gaps)
    x = [part for s in stretches for part in (times[s], times[s][::-1], times[s][:1])]
    y = [part for s in stretches for part in (top[s], bottom[s][::-1], [np.nan] * len(s[:1]))]
    return canvas.points(np.concatenate(x), np.concatenate(y))


def _mean_lines(mean: Mean, canvas: _Canvas) -> Iterator[Trace]:
    frame = mean.frame
    sure = ~(frame["coverage"] < canvas.style.coverage_minimum)
    beside = ~sure | ~sure.shift(-1, fill_value=True) | ~sure.shift(1, fill_value=True)
    yield canvas.line(*_line(frame["time_us"], frame["mean"].where(sure), canvas))
    if not (~sure).any():
        yield canvas.line(*_NOTHING) | {"customdata": _f8(np.empty(0))}
        return
    _, shares = _line(frame["time_us"], frame["coverage"], canvas)
    unsure = canvas.line(*_line(frame["time_us"], frame["mean"].where(beside), canvas))
    yield unsure | {"customdata": _f8(shares)}


def _states(one: MetricPicture, picture: Picture, canvas: _Canvas) -> Trace:
    """Steps from state to state, broken where nothing was heard, up to now if it still holds."""
    times: list[int] = []
    texts: list[str | None] = []
    for time_us, value, text, after_gap in one.answer.frame.itertuples(index=False, name=None):
        if after_gap:
            times.append(times[-1])
            texts.append(None)
        times.append(time_us)
        texts.append(plot_text(state_text(text if isinstance(text, str) else value)))
    if times and picture.question.instant_us - times[-1] <= one.gap_us:
        times, texts = [*times, picture.question.instant_us], [*texts, texts[-1]]
    inside = np.maximum(np.array(times, dtype=np.int64), picture.question.window.start_us)
    return {"x": canvas.x(inside), "y": texts} | canvas.clocks(inside)


def _line(
    times_us: pd.Series, values: pd.Series, canvas: _Canvas
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Points with a missing one in each gap, so that no line is drawn across it."""
    times, y = times_us.to_numpy(dtype=np.int64), values.to_numpy(dtype=float)
    gaps = np.flatnonzero(np.diff(times) > canvas.gap_us) + 1
    return np.insert(times, gaps, times[gaps - 1]), np.insert(y, gaps, np.nan)


def _seen(times_us: pd.Series, values: pd.Series, canvas: _Canvas) -> Iterator[Trace]:
    """A line, then the readings between two gaps, of which a line alone shows nothing."""
    yield canvas.line(*_line(times_us, values, canvas))
    times, y = times_us.to_numpy(dtype=np.int64), values.to_numpy(dtype=float)
    far = np.diff(times) > canvas.gap_us
    alone = np.append(True, far) & np.append(far, True) if len(times) else far
    yield canvas.points(times[alone], y[alone])


def _f8(values: NDArray[np.float64]) -> dict[str, str]:
    """An array as plotly.js takes it in binary."""
    packed = np.ascontiguousarray(values, "<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(packed.tobytes()).decode()}
