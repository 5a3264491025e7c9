"""Numbers, ages and names as people read them."""

import math
from datetime import datetime, tzinfo

import numpy as np
import pandas as pd

from dashboard.digits import Notation
from telemetry.reading import Kind, state_text
from telemetry.window import SECOND_US, to_iso
from telemetry.words import age_text, length_text, printable

__all__ = [
    "NOTHING",
    "age_text",
    "clock_text",
    "count_text",
    "length_text",
    "mean_text",
    "plot_text",
    "printable",
    "span_text",
    "value_text",
    "wall_texts",
]

NOTHING = "–"


def value_text(value: float | str, kind: Kind, notation: Notation) -> str:
    """A value in the notation of its metric; a boolean or a state as its name.

    >>> value_text(23.400000001, Kind.NUMBER, Notation(decimals=1))
    '23.4'
    >>> value_text(1.0, Kind.BOOLEAN, Notation())
    'on'
    """
    if isinstance(value, str) or kind is not Kind.NUMBER:
        return printable(state_text(value))
    return notation.value(value)


def mean_text(mean: float, notation: Notation) -> str:
    """A mean in the notation of its metric, nothing as a dash.

    >>> mean_text(21.125, Notation(mean_decimals=2)), mean_text(float("nan"), Notation())
    ('21.13', '–')
    """
    return NOTHING if math.isnan(mean) else notation.mean(mean)


def count_text(count: int) -> str:
    r"""A count with thin spaces between thousands, which keep it on one line.

    >>> count_text(1234567)
    '1\u202f234\u202f567'
    """
    return f"{count:,}".replace(",", "\u202f")


def span_text(span: str) -> str:
    """A span as a reader says it.

    >>> span_text("5m"), span_text("90s")
    ('5 min', '90 s')
    """
    return f"{span[:-1]} {'min' if span[-1] == 'm' else span[-1]}"


def clock_text(time_us: int, zone: tzinfo) -> str:
    """Date and time to the millisecond in a zone; with its name where clocks show it twice.

    >>> from zoneinfo import ZoneInfo
    >>> clock_text(1_792_888_200_000_000, ZoneInfo("Europe/Berlin"))
    '2026-10-25 02:30:00.000 CEST'
    """
    text = to_iso(time_us, zone)[:23].replace("T", " ")
    moment = datetime.fromtimestamp(time_us // SECOND_US, zone)
    once = moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset()
    return text if once else f"{text} {moment.tzname()}"


def plot_text(text: str) -> str:
    """The text as plotly.js shows it unchanged: it would take some HTML and `%{…}` for its own.

    >>> plot_text("<b>%{x}")
    '&lt;b&gt;%&#123;x}'
    """
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")


def wall_texts(times_us: "pd.Series[int]", zone: tzinfo) -> list[str]:
    """The wall clock of `zone` at each time, to the millisecond, without an offset."""
    utc = pd.to_datetime(times_us, unit="us", utc=True)
    wall = utc.dt.tz_convert(zone).dt.tz_localize(None)
    return list(np.datetime_as_string(wall.to_numpy(dtype="datetime64[ms]")))
