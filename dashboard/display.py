"""Numbers, ages and names as people read them."""

import math
import unicodedata
from datetime import datetime, tzinfo

import numpy as np
import pandas as pd

from dashboard.digits import Notation
from telemetry.reading import Kind, state_text
from telemetry.window import SECOND_US, to_iso

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


def age_text(age_us: int) -> str:
    """How long ago, in its largest unit.

    >>> age_text(3_000_000), age_text(7_200_000_000)
    ('3 s ago', '2 h ago')
    """
    seconds = max(0, age_us) // SECOND_US
    for unit, width in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * width or (unit == "min" and seconds >= width):
            return f"{seconds // width} {unit} ago"
    return f"{seconds} s ago"


def length_text(length_us: int) -> str:
    """A length of time in one unit.

    >>> length_text(5_000_000), length_text(90_000_000), length_text(3_600_000_000)
    ('5 s', '90 s', '1 h')
    >>> length_text(5_210)
    '5.21 ms'
    """
    for unit, width in (("d", 86_400), ("h", 3600), ("min", 60)):
        if length_us and length_us % (width * SECOND_US) == 0:
            return f"{length_us // (width * SECOND_US)} {unit}"
    if length_us < SECOND_US:
        return f"{length_us / 1000:.3g} ms"
    return f"{length_us / SECOND_US:.3g} s"


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


def printable(text: str) -> str:
    """The text with every invisible or reordering character shown as its code point.

    >>> printable("a" + chr(0x202E) + "b")
    'a<U+202E>b'
    """
    return "".join(
        f"<U+{ord(char):04X}>" if unicodedata.category(char) in {"Cf", "Cc", "Co"} else char
        for char in text
    )


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
