"""The period before, of the same length, drawn beneath the charts: thin, dashed, at its time."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from dashboard.charts import binary, moments
from dashboard.display import clock_text, plot_text
from dashboard.question import MetricPicture, Picture, Question
from dashboard.style import Style
from telemetry.buckets import bucket_means, choose_bucket_us
from telemetry.interface import Snapshot
from telemetry.reading import Kind, Series
from telemetry.window import Window

COLOUR = "#9a7fb8"
_DATE = 11  # characters of a date and the space behind it


def past(window: Window) -> Window:
    """The period of the same length that ends where a window begins."""
    return Window(window.start_us - window.length_us, window.start_us)


def name(window: Window, zone: tzinfo) -> str:
    """What the legend calls the period before a window: its dates.

    >>> from datetime import UTC
    >>> name(Window(86_400_000_000, 90_000_000_000), UTC)
    '1970-01-01 23:00 – 1970-01-02 00:00'
    """
    before = past(window)
    start, end = (clock_text(at, zone)[:16] for at in (before.start_us, before.end_us))
    return f"{start} – {end[_DATE:] if end[:_DATE] == start[:_DATE] else end}"


def drawn(picture: Picture) -> list[tuple[int, MetricPicture]]:
    """The panels that have one, with their numbers from the top: those of numbers."""
    panels = enumerate(picture.pictures, 1)
    return [(row, one) for row, one in panels if one.latest.kind is Kind.NUMBER]


def before(snapshot: Snapshot, picture: Picture) -> list[pd.DataFrame]:
    """What was measured in the period before, for each panel of `drawn`, at the times of this one.

    Returns:
        Of each `time_us` (int64) and `value` (float64): readings, or the means of buckets in their
        middle.
    """
    question = picture.question
    return [
        _shifted(snapshot, one.latest.series, question, one.answer.bucket_us)
        for _, one in drawn(picture)
    ]


def _shifted(snapshot: Snapshot, series: Series, question: Question, width_us: int) -> pd.DataFrame:
    """In the same buckets as this period, if it has some."""
    window, most = past(question.window), question.max_buckets
    grain_us = snapshot.grain_us(series, window)
    if not width_us and not grain_us and snapshot.count(series, window, most + 1) <= most:
        frame = snapshot.read(series, window).frame
        times, values = frame["time_us"], frame["value"]
    else:
        if not width_us or (grain_us and width_us % grain_us):
            width_us = choose_bucket_us(window.length_us, most, (), grain_us)
        start_us = window.start_us // width_us * width_us
        end_us = max(window.end_us // width_us * width_us, start_us + width_us)
        frame = snapshot.buckets(series, Window(start_us, end_us), width_us).frame
        times = frame["time_us"] + width_us // 2
        values = pd.Series(bucket_means(frame), frame.index)
    return pd.DataFrame({"time_us": times + question.window.length_us, "value": values})


def traces(picture: Picture, style: Style) -> list[dict[str, Any]]:
    """One trace for each panel of `drawn`, without its data."""
    found = []
    for place, (row, one) in enumerate(drawn(picture)):
        notation = one.notation
        unit = plot_text(f" {notation.unit}" if notation.unit else "")
        found.append({
            "type": "scatter", "mode": "lines", "xaxis": "x", "yaxis": f"y{row}",
            "name": name(picture.question.window, style.zone), "legendgroup": "before",
            "showlegend": place == 0 and not style.touch, "connectgaps": False,
            "line": {"color": COLOUR, "width": 1.1, "dash": "dash"},
            "hovertemplate": f"%{{y:{notation.value_format}}}{unit}",
        })  # fmt: skip
    return found


def arrays(picture: Picture, frames: Sequence[pd.DataFrame], style: Style) -> list[dict[str, Any]]:
    """The data of `traces`, with the name of a period that moves with the clock."""
    window = picture.question.window
    called = {"name": name(window, style.zone)}
    return [
        called | _points(one, frame, window, style)
        for (_, one), frame in zip(drawn(picture), frames, strict=True)
    ]


def _points(
    one: MetricPicture, frame: pd.DataFrame, window: Window, style: Style
) -> dict[str, Any]:
    """Points in the unit of the panel, with a missing one in each gap."""
    times = frame["time_us"].to_numpy(dtype=np.int64)
    values = one.notation.scaled(frame["value"].to_numpy(dtype=np.float64))
    gaps = np.flatnonzero(np.diff(times) > one.gap_us) + 1
    times, values = np.insert(times, gaps, times[gaps - 1]), np.insert(values, gaps, np.nan)
    return {"x": moments(times, window, style), "y": binary(values)}
