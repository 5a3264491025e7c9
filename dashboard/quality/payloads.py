"""A payload as people read it: as text, as indented JSON, or byte by byte."""

import json
from enum import StrEnum

from dashboard.display import printable

MOST_BYTES = 8192
"""Of one payload on the page; what is kept of it can be longer."""

_ROW = 16
_LETTERS = range(0x20, 0x7F)
_UNSEEN = {"\n": "\n", "\t": "\t", "\r": "\r"}


class Form(StrEnum):
    """How a payload is written."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
    HEX = "hex"


def payload_text(payload: bytes, form: Form) -> str:
    """The first `MOST_BYTES` of a payload; what is no JSON or no text is written byte by byte.

    >>> print(payload_text(b'{"a":1}', Form.AUTO))
    {
      "a": 1
    }
    >>> payload_text(bytes([0x21, 0xFF]), Form.TEXT)
    '!<FF>'
    """
    if not payload:
        return "(empty)"
    if form is Form.HEX:
        return _hex(payload[:MOST_BYTES])
    if form is not Form.TEXT:
        indented = _indented(payload)
        if indented is not None:
            return indented
        if form is Form.AUTO and not _is_text(payload[:MOST_BYTES]):
            return _hex(payload[:MOST_BYTES])
    return _text(payload[:MOST_BYTES])


def _indented(payload: bytes) -> str | None:
    """As JSON, if it is an object or an array of it."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict | list):
        return None
    return _seen(json.dumps(found, ensure_ascii=False, indent=2)[:MOST_BYTES])


def _is_text(part: bytes) -> bool:
    """Whether it reads as text: UTF-8, but for a character that is cut, without control bytes."""
    try:
        text = part.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(part) - 3 or len(part) < MOST_BYTES:
            return False
        text = part[: error.start].decode("utf-8")
    return all(char.isprintable() or char in _UNSEEN for char in text)


def _text(part: bytes) -> str:
    """As text; a byte that is none of UTF-8 stands as its number."""
    return "".join(
        f"<{ord(char) - 0xDC00:02X}>" if "\udc80" <= char <= "\udcff" else _seen(char)
        for char in part.decode("utf-8", "surrogateescape")
    )


def _seen(text: str) -> str:
    """With every invisible character as its code point, but line breaks and tabs."""
    return "".join(_UNSEEN.get(char) or printable(char) for char in text)


def _hex(part: bytes) -> str:
    """Sixteen bytes in a row, with their place before and as letters behind."""
    rows = (part[start : start + _ROW] for start in range(0, len(part), _ROW))
    return "\n".join(
        f"{place * _ROW:06x}  {row.hex(' '):<{3 * _ROW - 1}}  "
        + "".join(chr(byte) if byte in _LETTERS else "." for byte in row)
        for place, row in enumerate(rows)
    )
