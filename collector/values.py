"""What a single value means: a number, yes or no, or the name of a state."""

import math
import re

from collector.rejection import Rejected
from telemetry.literals import BOOLEANS, NUMERAL, state_fault
from telemetry.reading import Flag, Kind

NULL = "null"
"""The bare value that says that there is none."""

Value = tuple[float | str, Kind, int]
"""The value, how it is meant, and its provenance as `telemetry.reading.Flag`."""

_NUMERAL = re.compile(NUMERAL)
_SPACES = " \t\r\n\x0b\x0c"
_INTEGER_DIGITS = 310
_LEAST, _MOST = -(2.0**63), 2.0**64
_NUMBER = Kind.NUMBER
_QUOTED = Flag.QUOTED.value
_INEXACT = Flag.INEXACT.value


def read_text(text: str) -> Value:
    """The value that a text means, spaces around it aside.

    >>> read_text(" +5 ")[0], read_text("ON")[:2], read_text("heating")[0]
    (5.0, (1.0, <Kind.BOOLEAN: 'boolean'>), 'heating')

    Raises:
        Rejected: `empty`, `non-finite`, `decimal-comma`, `malformed-number`, `control-character`
            or `long-text`.
    """
    text = text.strip(_SPACES)
    if _NUMERAL.fullmatch(text):
        return read_number(_parse(text))
    if text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()], Kind.BOOLEAN, 0
    reason = state_fault(text)
    if reason:
        raise Rejected(reason)
    return text, Kind.STATE, 0


def unquoted(text: str) -> float | str | None:
    """What a text without quotes is: a number, None for `null`, or else the text itself.

    For formats in which only quotes tell a text from a number.

    >>> unquoted("21.50"), unquoted("2"), unquoted("null"), unquoted("21,5")
    (21.5, 2, None, '21,5')
    """
    if _NUMERAL.fullmatch(text):
        return _parse(text)
    return None if text == NULL else text


def _parse(text: str) -> float:
    """An integer stays one, so that rounding it is noticed; beyond 1e309 no double holds it."""
    return int(text) if len(text) < _INTEGER_DIGITS and text.lstrip("+-").isdigit() else float(text)


def read_number(value: float) -> Value:
    """A number that can be charted; an integer that no double holds is rounded and flagged.

    >>> read_number(2**53 + 1) == (9007199254740992.0, Kind.NUMBER, Flag.INEXACT)
    True

    Raises:
        Rejected: `non-finite` if it is too large for a double, infinite or not a number.
    """
    if isinstance(value, int):
        return _read_integer(value)
    if not math.isfinite(value):
        raise Rejected("non-finite")
    return value, _NUMBER, 0


def _read_integer(value: int) -> Value:
    try:
        rounded = float(value)
    except OverflowError:
        raise Rejected("non-finite") from None
    return rounded, _NUMBER, 0 if rounded == value else _INEXACT


def read_scalar(value: object) -> Value:
    """The value of a number, boolean or string as parsers give it; a number in quotes is flagged.

    So is a double beyond 64 bits: JSON parsers make one of a larger integer without a word.

    Raises:
        Rejected: As `read_text` and `read_number`, or `array`, `binary` or `unsupported`.
    """
    if isinstance(value, float):
        if _LEAST < value < _MOST:
            return value, _NUMBER, 0
        return read_number(value)[0], _NUMBER, _INEXACT
    if isinstance(value, bool):
        return float(value), Kind.BOOLEAN, 0
    if isinstance(value, int):
        return _read_integer(value)
    if isinstance(value, str):
        number, kind, flags = read_text(value)
        return number, kind, flags | _QUOTED if kind is _NUMBER else flags
    if isinstance(value, list):
        raise Rejected("array")
    raise Rejected("binary" if isinstance(value, bytes) else "unsupported")
