"""The data of a figure's traces, in the form that plotly.js takes."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.display import plot_text, wall_texts
from dashboard.question import Mean, MetricPicture, Picture
from dashboard.style import Style
from telemetry.interface import Answer
from telemetry.reading import Kind, state_text

Trace = dict[str, Any]  # plotly's own JSON; its shape is plotly's


def arrays(one: MetricPicture, picture: Picture, style: Style) -> Iterator[Trace]:
    """The data of the traces of one panel: band, line, dots, then two lines for each mean."""
    if one.latest.kind is Kind.STATE:
        yield _states(one, picture, style)
        return
    yield from _values(one.answer, one.gap_us, style)
    for mean in one.means:
        yield from _mean_lines(mean, one.gap_us, style)


def _values(answer: Answer, gap_us: float, style: Style) -> Iterator[Trace]:
    frame = answer.frame
    if answer.bucket_us:
        middle = frame["time_us"] + answer.bucket_us // 2
        yield _band(middle, frame["min"], frame["max"], gap_us, style)
        yield from _seen(middle, frame["sum"] / frame["count"], gap_us, style)
    else:
        yield {"x": _f8(np.empty(0)), "y": _f8(np.empty(0))}
        yield from _seen(frame["time_us"], frame["value"], gap_us, style)


def _band(
    times_us: pd.Series, low: pd.Series, high: pd.Series, gap_us: float, style: Style
) -> Trace:
    """One closed outline for each stretch without a gap: there along the top, back below."""
    times, bottom, top = (part.to_numpy() for part in (times_us, low, high))
    stretches = np.split(np.arange(len(times)), np.flatnonzero(np.diff(times) > gap_us) + 1)
    x = [part for s in stretches for part in (times[s], times[s][::-1], times[s][:1])]
    y = [part for s in stretches for part in (top[s], bottom[s][::-1], [np.nan] * len(s[:1]))]
    return {"x": _drawn_times(np.concatenate(x), style), "y": _f8(np.concatenate(y))}


def _mean_lines(mean: Mean, gap_us: float, style: Style) -> Iterator[Trace]:
    frame = mean.frame
    sure = ~(frame["coverage"] < style.coverage_minimum)
    beside = ~sure | ~sure.shift(-1, fill_value=True) | ~sure.shift(1, fill_value=True)
    yield _line(frame["time_us"], frame["mean"].where(sure), gap_us, style)
    unsure = frame["mean"].where(beside)
    if not (~sure).any():
        yield {"x": _f8(np.empty(0)), "y": _f8(np.empty(0)), "customdata": _f8(np.empty(0))}
        return
    line = _line(frame["time_us"], unsure, gap_us, style)
    yield line | {"customdata": _line(frame["time_us"], frame["coverage"], gap_us, style)["y"]}


def _states(one: MetricPicture, picture: Picture, style: Style) -> Trace:
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
    return {"x": _drawn_times(inside, style), "y": texts}


def _line(times_us: pd.Series, values: pd.Series, gap_us: float, style: Style) -> Trace:
    """Points with a missing one in each gap, so that no line is drawn across it."""
    times, y = times_us.to_numpy(dtype=np.int64), values.to_numpy(dtype=float)
    gaps = np.flatnonzero(np.diff(times) > gap_us) + 1
    filled = np.insert(times, gaps, times[gaps - 1])
    return {"x": _drawn_times(filled, style), "y": _f8(np.insert(y, gaps, np.nan))}


def _seen(times_us: pd.Series, values: pd.Series, gap_us: float, style: Style) -> Iterator[Trace]:
    """A line, then the readings between two gaps, of which a line alone shows nothing."""
    yield _line(times_us, values, gap_us, style)
    far = np.diff(times_us.to_numpy(dtype=np.int64)) > gap_us
    alone = np.append(True, far) & np.append(far, True) if len(times_us) else far
    times = times_us.to_numpy(dtype=np.int64)[alone]
    yield {"x": _drawn_times(times, style), "y": _f8(values.to_numpy(dtype=float)[alone])}


def _drawn_times(times_us: NDArray[np.int64], style: Style) -> dict[str, str] | list[str]:
    """Times as plotly.js draws them in the zone wanted.

    It draws numbers in the browser's own zone and texts as they are: numbers are smaller, but
    no number stands for another zone's hour that the browser's clock skips in spring.
    """
    if style.browsers:
        return _f8(times_us / 1000)
    return wall_texts(pd.Series(times_us), style.zone)


def _f8(values: NDArray[np.float64]) -> dict[str, str]:
    """An array as plotly.js takes it in binary."""
    packed = np.ascontiguousarray(values, "<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(packed.tobytes()).decode()}
