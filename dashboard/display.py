"""Numbers, ages and names as people read them."""

import math
import unicodedata
from datetime import tzinfo

import numpy as np
import pandas as pd

from telemetry.reading import Kind, state_text
from telemetry.text import number
from telemetry.window import SECOND_US, to_iso

NOTHING = "–"
_MEAN_DIGITS = 4
_VALUE_DIGITS = 6
_MOST_DECIMALS = 6
_LEAST, _MOST = 1e-4, 1e15


def value_text(value: float | str, kind: Kind) -> str:
    """A value as it was sent, to six significant digits; a boolean or a state as its name.

    >>> value_text(23.400000001, Kind.NUMBER), value_text(1.0, Kind.BOOLEAN)
    ('23.4', 'on')
    >>> value_text(2.5e-9, Kind.NUMBER)
    '2.5e-09'
    """
    if isinstance(value, str) or kind is not Kind.NUMBER:
        return printable(state_text(value))
    if _is_extreme(value):
        return f"{value:.{_VALUE_DIGITS}g}"
    return number(round(value, _decimals(value, _VALUE_DIGITS)))


def mean_text(mean: float, kind: Kind) -> str:
    """A mean to four significant digits, a boolean's as a percentage, nothing as a dash.

    >>> mean_text(21.4567, Kind.NUMBER), mean_text(0.5, Kind.BOOLEAN)
    ('21.46', '50 %')
    >>> mean_text(float("nan"), Kind.NUMBER)
    '–'
    """
    if math.isnan(mean):
        return NOTHING
    if kind is Kind.BOOLEAN:
        return f"{mean:.0%}".replace("%", " %")
    if _is_extreme(mean):
        return f"{mean:.{_MEAN_DIGITS}g}"
    return f"{mean:.{_decimals(mean, _MEAN_DIGITS)}f}"


def _is_extreme(value: float) -> bool:
    """Whether written out it would be a row of zeros."""
    return value != 0 and not _LEAST <= abs(value) < _MOST


def _decimals(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    return min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), _MOST_DECIMALS)


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
    """Date and time to the millisecond in a zone."""
    return to_iso(time_us, zone)[:23].replace("T", " ")


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
