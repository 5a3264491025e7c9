"""What texts mean, whoever wrote them: numerals, yes and no, names of states, moments."""

import re
from datetime import datetime, timedelta

STATE_CHARACTERS = 64

NUMERAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A number, as a pattern; nothing else is one: no `0x1F`, no `1_000`, no `nan`."""

BOOLEANS = {"true": 1.0, "on": 1.0, "yes": 1.0, "false": 0.0, "off": 0.0, "no": 0.0}
"""What words for yes and no mean, in small letters."""

EARLIEST_US = 946_684_800_000_000
"""The year 2000: an earlier time comes from a clock that was never set."""

_LIKE_A_NUMBER = re.compile(r"[+\-\u2212]?[.,]?\d")
_DECIMAL_COMMA = re.compile(r"[+\-\u2212]?[0-9]*,[0-9]+")
_NON_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){2}(?:[.+-]?[A-Za-z][A-Za-z0-9.+-]*)?")
"""What begins like a number and is none that was garbled."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MIDNIGHT = re.compile(r"([T ])24(:?00(:?00([.,]0+)?)?)?(?=$|[Z +-])")
_LEAP = re.compile(r"([T ][0-9]{2}:?[0-9]{2}:?)60([.,][0-9]+)?(?=$|[Z +-])")


def state_fault(text: str) -> str:
    """Why a text that is no numeral and no boolean names no state; empty if it does.

    A text that begins like a number and is none is a fault: `21,5`, `0x1F`, `1_000` and `21.5 °C`
    would otherwise fill a chart of states with measurements.

    >>> state_fault("heating"), state_fault("1.2.3-rc1"), state_fault("21,5"), state_fault("0x1F")
    ('', '', 'decimal-comma', 'malformed-number')
    """
    if not text:
        return "empty"
    if _NON_FINITE.fullmatch(text):
        return "non-finite"
    if _LIKE_A_NUMBER.match(text) and not _VERSION.fullmatch(text):
        return "decimal-comma" if _DECIMAL_COMMA.fullmatch(text) else "malformed-number"
    if _CONTROL.search(text):
        return "control-character"
    return "long-text" if len(text) > STATE_CHARACTERS else ""


def parse_moment(text: str) -> datetime:
    """ISO 8601 in any case, with the end of a day as `24:00` and the leap second as `:60`.

    A leap second is the last microsecond before it.

    >>> parse_moment("2023-11-14t24:00z").isoformat(), parse_moment("2023-11-14").isoformat()
    ('2023-11-15T00:00:00+00:00', '2023-11-14T00:00:00')

    Raises:
        ValueError, OverflowError: If it is no moment.
    """
    text = text.upper()
    if _MIDNIGHT.search(text):
        return datetime.fromisoformat(_MIDNIGHT.sub(r"\g<1>00:00", text)) + timedelta(days=1)
    return datetime.fromisoformat(_LEAP.sub(r"\g<1>59.999999", text))
