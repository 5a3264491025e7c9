"""What a single value means: a number, yes or no, or the name of a state."""

import math
import re

from collector.rejection import Rejected
from telemetry.reading import Kind

STATE_CHARACTERS = 64
Value = tuple[float | str, Kind]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LIKE_A_NUMBER = re.compile(r"[+\-\u2212]?[.,]?\d")
_NON_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BOOLEANS = {"true": 1.0, "on": 1.0, "yes": 1.0, "false": 0.0, "off": 0.0, "no": 0.0}


def read_text(text: str) -> Value:
    """The value that a text means, spaces around it aside.

    A text that begins like a number and is none is a fault and not a state: `21,5`, `0x1F`,
    `1_000` and `21.5 °C` would otherwise fill a chart of states with measurements.

    >>> read_text(" +5 "), read_text("ON"), read_text("heating")
    ((5.0, <Kind.NUMBER: 'number'>), (1.0, <Kind.BOOLEAN: 'boolean'>), ('heating', <Kind.STATE: 'state'>))

    Raises:
        Rejected: `empty`, `non-finite`, `malformed-number`, `control-character` or `long-text`.
    """  # noqa: E501  # the example shows one value
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return number(float(text))
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()], Kind.BOOLEAN
    reason = _state_fault(text)
    if reason:
        raise Rejected(reason)
    return text, Kind.STATE


def _state_fault(text: str) -> str:
    if not text:
        return "empty"
    if _NON_FINITE.fullmatch(text):
        return "non-finite"
    if _LIKE_A_NUMBER.match(text):
        return "malformed-number"
    if _CONTROL.search(text):
        return "control-character"
    return "long-text" if len(text) > STATE_CHARACTERS else ""


def number(value: float) -> Value:
    """A number that can be charted.

    Raises:
        Rejected: `non-finite` if it is too large for a double, infinite or not a number.
    """
    if not math.isfinite(value):
        raise Rejected("non-finite")
    return value, Kind.NUMBER


def read_scalar(value: object) -> Value:
    """The value of a JSON number, boolean or string.

    Raises:
        Rejected: As `read_text`, or `array`.
    """
    if isinstance(value, bool):
        return float(value), Kind.BOOLEAN
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, str):
        return read_text(value)
    raise Rejected("array")
