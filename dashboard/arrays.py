"""The data of a figure's traces, in the form that plotly.js takes."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.digits import Notation
from dashboard.display import plot_text
from dashboard.question import MetricPicture, Picture
from dashboard.style import Style
from dashboard.wall import TimeAxis, axis_of
from telemetry.buckets import bucket_means
from telemetry.exact import Floats, Ints
from telemetry.kept import Columns
from telemetry.reading import Kind, state_text

Trace = dict[str, Any]  # plotly's own JSON; its shape is plotly's


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Points of one trace, oldest first; where a value is missing the line is broken.

    Attributes:
        time_us: When.
        value: What, in the unit that was sent.
        share: Of what readings there are, for the hover; or None.
        told: Whether each point has a hover.
    """

    time_us: Ints
    value: Floats
    share: Floats | None = None
    told: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """From the least to the greatest of each bucket.

    Attributes:
        time_us: The middle of each bucket.
        low: The least.
        high: The greatest.
        begins: Which begin a stretch: there is a gap before.
    """

    time_us: Ints
    low: Floats
    high: Floats
    begins: NDArray[np.bool_]


_NO_TIMES, _NO_VALUES = np.empty(0, dtype=np.int64), np.empty(0)
_NO_BAND = Band(_NO_TIMES, _NO_VALUES, _NO_VALUES, np.empty(0, dtype=bool))


@dataclass(frozen=True, slots=True)
class Canvas:
    """How points of one panel become what plotly.js draws."""

    axis: TimeAxis
    notation: Notation
    style: Style

    def line(self, line: Line) -> Trace:
        """A line; where clocks change, each point says at what time it is."""
        trace = {"x": self.x(line.time_us), "y": _f8(self.notation.scaled(line.value))}
        if line.share is not None:
            trace["customdata"] = _f8(line.share)
        return trace | self.clocks(line.time_us) if line.told else trace

    def band(self, band: Band) -> Trace:
        """One closed outline for each stretch without a gap: there along the top, back below."""
        stretches = np.split(np.arange(len(band.time_us)), np.flatnonzero(band.begins)[1:])
        times, low, high = band.time_us, band.low, band.high
        x = [part for s in stretches for part in (times[s], times[s][::-1], times[s][:1])]
        y = [part for s in stretches for part in (high[s], low[s][::-1], [np.nan] * len(s[:1]))]
        return self.line(Line(np.concatenate(x), np.concatenate(y), told=False))

    def clocks(self, times_us: Ints) -> Trace:
        """What clocks show at times, if they change in the window; plotly.js knows it otherwise."""
        return {"text": self.axis.clocks(times_us)} if self.axis.changes else {}

    def x(self, times_us: Ints) -> dict[str, str] | list[str]:
        """Times as plotly.js draws them.

        It draws numbers in the browser's own zone and texts as they are: numbers are smaller, but
        they go back where the browser's clocks do, and none stands for another zone's hour that
        the browser's clocks skip.
        """
        if self._in_numbers:
            return _f8(times_us / 1000)
        return self.axis.places(times_us)

    def listed(self, times_us: Ints) -> list[float] | list[str]:
        """The same of a few times."""
        if self._in_numbers:
            places: list[float] = (times_us / 1000).tolist()
            return places
        return self.axis.places(times_us)

    @property
    def _in_numbers(self) -> bool:
        return self.style.browsers and not self.axis.changes


def arrays(one: MetricPicture, picture: Picture, style: Style) -> Iterator[Trace]:
    """The data of the traces of one panel: band, line, dots, then two for each mean of a number.

    Values are in the unit of the metric's notation. Where clocks change, each trace with a hover
    text has besides the `text` of what they show at each of its points.
    """
    canvas = canvas_of(one, picture, style)
    if one.latest.kind is Kind.STATE:
        yield _states(one, picture, canvas)
        return
    drawn = Drawn(one.columns, [mean.columns for mean in one.means])
    band, lines = outlines(drawn, one, style)
    yield canvas.band(band)
    for line in lines:
        yield canvas.line(line)


def canvas_of(one: MetricPicture, picture: Picture, style: Style) -> Canvas:
    """Where a panel is drawn."""
    return Canvas(axis_of(picture.question.window, style.zone), one.notation, style)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is drawn of a metric, or a part: its readings or buckets, and the rolling means."""

    points: Columns
    means: Sequence[Columns]


def outlines(drawn: Drawn, one: MetricPicture, style: Style) -> tuple[Band, list[Line]]:
    """What is drawn as a band, a line, dots, and two lines for each mean: certain, uncertain."""
    gap_us, points = one.gap_us, drawn.points
    times = np.asarray(points["time_us"], dtype=np.int64)
    band = _NO_BAND
    if one.answer.bucket_us:
        times = times + one.answer.bucket_us // 2
        values = bucket_means(points)
        band = Band(times, points["min"], points["max"], _begins(times, gap_us))
    else:
        values = np.asarray(points["value"], dtype=np.float64)
    lines = [_broken(gap_us, times, values), alone(times, values, gap_us)]
    for mean in drawn.means:
        lines += _mean_lines(mean, gap_us, style.coverage_minimum)
    return band, lines


def _mean_lines(mean: Columns, gap_us: float, minimum: float) -> tuple[Line, Line]:
    times = np.asarray(mean["time_us"], dtype=np.int64)
    values, shares = mean["mean"], mean["coverage"]
    unsure = shares < minimum
    if not unsure.any():
        return _broken(gap_us, times, values), Line(_NO_TIMES, _NO_VALUES, _NO_VALUES)
    beside = unsure.copy()
    beside[:-1] |= unsure[1:]
    beside[1:] |= unsure[:-1]
    certain = np.where(unsure, np.nan, values)
    uncertain = np.where(beside, values, np.nan)
    return _broken(gap_us, times, certain), _broken(gap_us, times, uncertain, shares)


def _states(one: MetricPicture, picture: Picture, canvas: Canvas) -> Trace:
    """Steps from state to state, broken where nothing was heard, up to now if it still holds."""
    times: list[int] = []
    texts: list[str | None] = []
    columns = [one.columns[name].tolist() for name in ("time_us", "value", "text", "after_gap")]
    for time_us, value, text, after_gap in zip(*columns, strict=True):
        if after_gap:
            times.append(times[-1])
            texts.append(None)
        times.append(time_us)
        texts.append(plot_text(state_text(text if isinstance(text, str) else value)))
    if times and picture.question.instant_us - times[-1] <= one.gap_us:
        times, texts = [*times, picture.question.instant_us], [*texts, texts[-1]]
    inside = np.maximum(np.array(times, dtype=np.int64), picture.question.window.start_us)
    return {"x": canvas.x(inside), "y": texts} | canvas.clocks(inside)


def _begins(times_us: Ints, gap_us: float) -> NDArray[np.bool_]:
    """Which points have a gap before them."""
    begins = np.ones(len(times_us), dtype=bool)
    np.greater(np.diff(times_us), gap_us, out=begins[1:])
    return begins


def _broken(gap_us: float, times_us: Ints, values: Floats, shares: Floats | None = None) -> Line:
    """Points with a missing one in each gap, at its end, so that no line is drawn across it."""
    gaps = np.flatnonzero(_begins(times_us, gap_us))[1:]
    if not len(gaps):
        return Line(times_us, values, shares)
    if shares is not None:
        shares = np.insert(shares, gaps, np.nan)
    return Line(np.insert(times_us, gaps, times_us[gaps]), np.insert(values, gaps, np.nan), shares)


def alone(times_us: Ints, values: Floats, gap_us: float) -> Line:
    """The readings between two gaps, of which a line alone shows nothing."""
    begins = _begins(times_us, gap_us)
    single = begins & np.append(begins[1:], True)
    return Line(times_us[single], values[single], told=False)


def _f8(values: NDArray[np.float64]) -> dict[str, str]:
    """An array as plotly.js takes it in binary."""
    packed = np.ascontiguousarray(values, "<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(packed.tobytes()).decode()}
