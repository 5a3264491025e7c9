"""The properties of a PUBLISH packet (MQTT 5, 3.3.2.3). Pure."""

from collections.abc import Mapping
from enum import IntEnum

from collector.message import NO_PROPERTIES, Properties


class Malformed(ValueError):
    """Bytes that are no MQTT, or more than we take; the message says what they claim to be."""


class _Name(IntEnum):
    """The properties that a PUBLISH may have. No topic alias: we allow the broker none."""

    PAYLOAD_FORMAT = 0x01
    EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION = 0x09
    SUBSCRIPTION = 0x0B
    USER = 0x26


_FIXED_BYTES = {_Name.PAYLOAD_FORMAT: 1, _Name.EXPIRY: 4}


class _Cursor:
    """Reads values one after the other, and never past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, length: int) -> bytes:
        """So many bytes."""
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise Malformed("properties that end too early")
        return self._data[start : self._at]

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(int.from_bytes(self.take(2), "big"))

    def text(self) -> str:
        """A string; bytes that are not UTF-8 stand as lone surrogates."""
        return self.binary().decode("utf-8", "surrogateescape")

    def number(self) -> int:
        """An integer of one to four bytes (MQTT 5, 1.5.5)."""
        number = 0
        for shift in (0, 7, 14, 21):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return number
        raise Malformed("a number of more than four bytes")


def parse_properties(data: bytes, subscriptions: Mapping[int, int]) -> Properties:
    r"""What is said of a message beside its payload.

    Args:
        data: The properties, without the length before them.
        subscriptions: What stands for each identifier of a subscription. One that is not in it
            is left out: it belongs to a filter of an earlier configuration.

    >>> parse_properties(b"\x0b\x07\x03\x00\x04text", {7: 1})
    Properties(content_type='text', user=(), subscriptions=(1,))

    Raises:
        Malformed: If they are none.
    """
    cursor, content_type = _Cursor(data), ""
    user: list[tuple[str, str]] = []
    taken_by: list[int] = []
    while cursor:
        name = cursor.take(1)[0]
        if name == _Name.USER:
            user.append((cursor.text(), cursor.text()))
        elif name == _Name.CONTENT_TYPE:
            content_type = cursor.text()
        elif name == _Name.SUBSCRIPTION:
            taken_by.append(cursor.number())
        else:
            _pass_over(name, cursor)
    known = tuple(subscriptions[one] for one in taken_by if one in subscriptions)
    said = Properties(content_type, tuple(user), known)
    return NO_PROPERTIES if said == NO_PROPERTIES else said


def _pass_over(name: int, cursor: _Cursor) -> None:
    if name in _FIXED_BYTES:
        cursor.take(_FIXED_BYTES[_Name(name)])
    elif name in (_Name.RESPONSE_TOPIC, _Name.CORRELATION):
        cursor.binary()
    else:
        raise Malformed(f"property {name:#04x}")
