"""Lengths of time, ages and foreign text, as people read them."""

import unicodedata

from telemetry.window import SECOND_US

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
_NEARLY = 0.99  # 23.9 hours are a day
_ROUNDED_UP = 0.9995  # three digits of what is more would need an exponent


def age_text(age_us: int) -> str:
    """How long ago, in its largest unit.

    >>> age_text(3_000_000), age_text(7_200_000_000)
    ('3 s ago', '2 h ago')
    """
    seconds = max(0, age_us) // SECOND_US
    for unit, width in _UNITS:
        if seconds >= 2 * width or (unit == "min" and seconds >= width):
            return f"{seconds // width} {unit} ago"
    return f"{seconds} s ago"


def length_text(length_us: int) -> str:
    """A length of time in one unit.

    >>> length_text(5_000_000), length_text(90_000_000), length_text(3_600_000_000)
    ('5 s', '90 s', '1 h')
    >>> length_text(5_210)
    '5.21 ms'

    What has no unit of which it is a whole number is rounded, and never written with an exponent.

    >>> length_text(5_400_000_001), length_text(86_300_000_000), length_text(5_000_000_000_000)
    ('1.5 h', '1 d', '58 d')
    """
    for unit, width in _UNITS:
        if length_us and length_us % (width * SECOND_US) == 0:
            return f"{length_us // (width * SECOND_US)} {unit}"
    if length_us < _ROUNDED_UP * SECOND_US:
        return f"{length_us / 1000:.3g} ms"
    seconds = length_us / SECOND_US
    if seconds < _ROUNDED_UP * 1000:
        return f"{seconds:.3g} s"
    unit, width = next((one for one in _UNITS if seconds >= _NEARLY * one[1]), _UNITS[-1])
    whole = seconds / width >= _ROUNDED_UP * 10
    return f"{round(seconds / width, 0 if whole else 1):.10g} {unit}"


def printable(text: str) -> str:
    """The text with every invisible or reordering character shown as its code point.

    >>> printable("a" + chr(0x202E) + "b")
    'a<U+202E>b'
    """
    if text.isprintable():
        return text
    return "".join(
        f"<U+{ord(char):04X}>" if unicodedata.category(char) in {"Cf", "Cc", "Co"} else char
        for char in text
    )


def counted(count: int, what: str) -> str:
    """So many of something whose plural ends in s.

    >>> counted(1, "message"), counted(3, "message")
    ('1 message', '3 messages')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
