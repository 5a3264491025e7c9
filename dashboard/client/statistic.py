"""Other statistics than the mean, in its place: median, quantiles, extremes, or the rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dashboard.question import Mean, MetricPicture, Picture, Question, notation_of
from dashboard.recent import columns_of
from telemetry.exact import Ints
from telemetry.held import hold
from telemetry.interface import Answer, Snapshot
from telemetry.interval import expected_us
from telemetry.reading import Kind, Series
from telemetry.rolling import MEAN, needs_readings, rolling
from telemetry.samples import Samples, joined, samples_of_buckets, samples_of_readings
from telemetry.window import SECOND_US, Window, parse_duration

STATISTICS: Mapping[str, str] = {
    "mean": "mean",
    "time_weighted": "time-weighted mean",
    "median": "median",
    "p95": "95 % quantile",
    "p05": "5 % quantile",
    "min": "minimum",
    "max": "maximum",
    "rate": "rate",
}
"""What can be drawn of a number over each span, and what it is called; the first by itself."""

RATE = "rate"
_MOST_READINGS = 20_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of one series: which statistic, when, and how often it reports."""

    snapshot: Snapshot
    series: Series
    name: str
    question: Question
    interval_us: int | None

    @property
    def reach_us(self) -> int:
        """How far before the window it reaches: the widest span, and what held before that."""
        return self.question.lookback_us + hold(self.interval_us).before_us

    def few(self, window: Window) -> bool:
        """Whether the window has its readings, and so few that they can be read one by one."""
        if self.snapshot.grain_us(self.series, window):
            return False
        return self.snapshot.count(self.series, window, _MOST_READINGS + 1) <= _MOST_READINGS

    def readings(self, window: Window) -> Samples:
        return samples_of_readings(self.snapshot.read(self.series, window).frame)

    def rollups(self, window: Window, width_us: int) -> Samples:
        found = self.snapshot.rollups(self.series, window, width_us)
        return samples_of_buckets(found.frame, width_us)

    def figures(self, samples: Samples, span_us: int, at_us: Ints) -> pd.DataFrame:
        """As the `frame` of a `Mean`: its column `mean` holds the statistic."""
        found = rolling(samples, span_us, self.interval_us, at_us, [self.name])
        return found.rename(columns={self.name: MEAN})


def chosen(wanted: str) -> str:
    """The statistic that an option of the view names; the mean if there is none of that name."""
    return wanted if wanted in STATISTICS else MEAN


def with_statistic(snapshot: Snapshot, picture: Picture, name: str) -> Picture:
    """The picture with a statistic of each span in place of the mean.

    Where only rollups are left, or readings are too many, a quantile cannot be told: its lines
    are empty then. Of a rate the panel itself shows the change from reading to reading, per second.
    """
    if name == MEAN:
        return picture
    changed = [_changed(snapshot, one, picture.question, name) for one in picture.pictures]
    return replace(picture, pictures=changed)


def _changed(
    snapshot: Snapshot, one: MetricPicture, question: Question, name: str
) -> MetricPicture:
    if one.latest.kind is not Kind.NUMBER:
        return one
    asked = _Asked(snapshot, one.latest.series, name, question, expected_us(one.cadence))
    means = [
        Mean(mean.span, frame, mean.exact, name)
        for mean, frame in zip(one.means, _lines(asked, one), strict=True)
    ]
    same = replace(one, means=means)
    return _as_rate(asked, same) if name == RATE else same


def _lines(asked: _Asked, one: MetricPicture) -> list[pd.DataFrame]:
    """The statistic of each span along the chart, and at its last instant as the last row."""
    tiles = [_tile(asked, parse_duration(mean.span), one.answer.bucket_us) for mean in one.means]
    if asked.question.resting:
        return tiles
    lines = _along(asked, one)
    return [pd.concat(both, ignore_index=True) for both in zip(lines, tiles, strict=True)]


def _along(asked: _Asked, one: MetricPicture) -> list[pd.DataFrame]:
    window, instant_us = asked.question.window, asked.question.instant_us
    width_us, reach = one.answer.bucket_us, window.widened(asked.reach_us)
    spans_us = [parse_duration(mean.span) for mean in one.means]
    samples: Samples | None
    if not width_us:
        samples = asked.readings(reach)
        times = samples.time_us
    elif needs_readings(asked.name):
        samples = asked.readings(reach) if asked.few(reach) else None
        times = one.answer.frame["time_us"].to_numpy() + (width_us - 1)
    else:
        samples = asked.rollups(_aligned(reach, width_us), width_us)
        times = samples.time_us
    times = np.unique(times[(times > window.start_us) & (times < instant_us)])
    if samples is None:
        return [_unknown(times) for _ in spans_us]
    return [asked.figures(samples, max(span_us, width_us), times) for span_us in spans_us]


def _aligned(window: Window, width_us: int) -> Window:
    return Window(window.start_us // width_us * width_us, -(-window.end_us // width_us) * width_us)


def _unknown(times: Ints) -> pd.DataFrame:
    nothing = np.full(len(times), np.nan)
    counts = np.zeros(len(times), dtype=np.int64)
    return pd.DataFrame({"time_us": times, MEAN: nothing, "count": counts, "coverage": nothing})


def _tile(asked: _Asked, span_us: int, width_us: int) -> pd.DataFrame:
    """The statistic at the last instant, of readings if they can be read, else of cut rollups."""
    at_us = np.array([asked.question.instant_us], dtype=np.int64)
    start_us, end_us = int(at_us[0]) - span_us + 1, int(at_us[0]) + 1
    held_us = hold(asked.interval_us).before_us
    whole = Window(start_us - held_us, end_us)
    if asked.few(whole):
        return asked.figures(asked.readings(whole), span_us, at_us)
    if needs_readings(asked.name):
        return _unknown(at_us)
    cuts = [Window(start_us - held_us, start_us)] if held_us else []
    parts = [
        asked.rollups(cut, width_us or SECOND_US).ending_by(cut.end_us - 1)
        for cut in (*cuts, Window(start_us, end_us))
    ]
    return asked.figures(joined(parts), span_us, at_us)


def _as_rate(asked: _Asked, one: MetricPicture) -> MetricPicture:
    """The metric as its change from reading to reading, or from bucket to bucket, per second."""
    window, width_us = asked.question.window, one.answer.bucket_us
    reach = window.widened(asked.reach_us or window.length_us)
    if width_us:
        samples = asked.rollups(_aligned(reach, width_us), width_us)
    else:
        samples = asked.readings(reach)
    frame = _rates(samples, window, width_us)
    unit = f"{one.latest.unit}/s" if one.latest.unit else "1/s"
    latest = replace(one.latest, unit=unit)
    if len(frame):
        latest = replace(latest, value=float(frame["value"].iloc[-1]))
    answer = Answer(asked.series, frame, width_us)
    digits = notation_of(latest, columns_of(frame), width_us)
    return replace(one, latest=latest, answer=answer, notation=digits)


def _rates(samples: Samples, window: Window, width_us: int) -> pd.DataFrame:
    """The rates in a window, as readings or as buckets; readings of one instant have none."""
    took_us = np.diff(samples.times("last_us"))
    times = samples.time_us[1:]
    some = (took_us > 0) & (times >= window.start_us) & (times < window.end_us + width_us)
    rates = np.diff(samples.numbers("last"))[some] / (took_us[some] / SECOND_US)
    frame = pd.DataFrame({"time_us": times[some], "value": rates})
    if not width_us:
        return frame.assign(text=None, delay_us=0, flags=0)
    starts = frame["time_us"] - (width_us - 1)
    return frame.assign(time_us=starts, sum=rates, min=rates, max=rates, count=1)


def note(pictures: Sequence[MetricPicture], name: str) -> str:
    """What has to be said beside the charts of a statistic; mostly nothing."""
    if name == RATE:
        return " Shown is the change per second, from each reading to the next."
    if untold(pictures, name):
        return f" The {STATISTICS[name]} needs single readings; choose a shorter time to see it."
    return ""


def untold(pictures: Sequence[MetricPicture], name: str) -> bool:
    """Whether a statistic cannot be told along some chart, for it needs single readings."""
    return needs_readings(name) and any(
        len(mean.frame) > 1 and not mean.frame["count"].iloc[:-1].any()
        for one in pictures
        for mean in one.means
    )
