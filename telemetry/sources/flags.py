"""Provenance as files write it."""

import re

from telemetry.reading import Flag

_WORDS = {flag.name.lower().replace("_", "-"): flag.value for flag in Flag if flag.name}
_BETWEEN = re.compile(r"[|,; ]+")
_DIGITS = 9
KNOWN_FLAGS = sum(_WORDS.values())


def read_flags(text: str) -> int:
    """The flags that words, or their sum, name; words of later versions are none.

    >>> read_flags("late|simulated"), read_flags("17"), read_flags("new"), read_flags("")
    (17, 17, 0, 0)
    """
    if text.isdecimal() and len(text) <= _DIGITS:
        return int(text) & KNOWN_FLAGS
    return sum({_WORDS.get(word.lower(), 0) for word in _BETWEEN.split(text)})
