"""MQTT 5 packets as bytes, as few as a publisher needs (MQTT 5, chapters 2 and 3).

Written by hand, so that a test can send what no client library lets out.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

USER_PROPERTY = b"\x26"
_REFUSED = 0x80  # and above: reason codes of what was refused


class Kind(IntEnum):
    """The control packet types that are used here."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    DISCONNECT = 14


_REASON_AT: dict[int, int] = {
    Kind.CONNACK: 1,
    Kind.PUBACK: 2,
    Kind.PUBREC: 2,
    Kind.PUBCOMP: 2,
}


class Packet(NamedTuple):
    """A control packet.

    Attributes:
        kind: Its type, one of `Kind` or another number.
        flags: The lower half of its first byte.
        body: All behind its fixed header.
    """

    kind: int
    flags: int
    body: bytes


def number(value: int) -> bytes:
    r"""A two-byte integer.

    >>> number(258)
    b'\x01\x02'
    """
    return value.to_bytes(2, "big")


def text(content: str | bytes) -> bytes:
    r"""A string with its length before it.

    >>> text("ab")
    b'\x00\x02ab'
    """
    raw = content.encode() if isinstance(content, str) else content
    return number(len(raw)) + raw


def variable(value: int) -> bytes:
    r"""A variable byte integer.

    >>> variable(127), variable(321)
    (b'\x7f', b'\xc1\x02')
    """
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A control packet with that body."""
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def user_property(name: str, value: str) -> bytes:
    """A user property of a message."""
    return USER_PROPERTY + text(name) + text(value)


def connect(client_id: str, username: str, password: str, keep_alive_s: int = 60) -> bytes:
    """Asks for a new session with that login."""
    head = text("MQTT") + b"\x05" + b"\xc2" + number(keep_alive_s) + variable(0)
    return packet(Kind.CONNECT, head + text(client_id) + text(username) + text(password))


class Publish(NamedTuple):
    """A message as its publisher sends it.

    Attributes:
        topic: Its topic; bytes for what is not UTF-8.
        payload: Its payload.
        packet_id: Its packet identifier, at QoS 1 and 2.
        flags: DUP 8, QoS 2 and 4, retain 1.
        properties: Its properties, encoded.
    """

    topic: str | bytes
    payload: bytes
    packet_id: int = 1
    flags: int = 0b0010
    properties: bytes = b""

    def encoded(self) -> bytes:
        """The packet."""
        identified = number(self.packet_id) if self.flags & 0b0110 else b""
        properties = variable(len(self.properties)) + self.properties
        body = text(self.topic) + identified + properties + self.payload
        return packet(Kind.PUBLISH, body, self.flags)


def published(one: Packet) -> Publish | None:
    """The message that a PUBLISH brings; None if it is another packet.

    >>> sent = Publish("a/b", b"1", 7)
    >>> (arrived,) = take_packets(bytearray(sent.encoded()))
    >>> published(arrived) == sent
    True
    """
    if one.kind != Kind.PUBLISH:
        return None
    end = 2 + int.from_bytes(one.body[:2], "big")
    topic, rest = one.body[2:end].decode(errors="replace"), one.body[end:]
    packet_id = 0
    if one.flags & 0b0110:
        packet_id, rest = int.from_bytes(rest[:2], "big"), rest[2:]
    start, length = _length(rest) or (0, 0)
    properties, payload = rest[start : start + length], rest[start + length :]
    return Publish(topic, payload, packet_id, one.flags, properties)


def disconnect() -> bytes:
    """Says goodbye."""
    return packet(Kind.DISCONNECT, b"")


def take_packets(buffer: bytearray) -> Iterator[Packet]:
    r"""The packets that are complete in the buffer, which are removed from it.

    >>> buffer = bytearray(b"@\x02\x00\x07@\x03\x00\x08\x00@\x02")
    >>> [acknowledged(one) for one in take_packets(buffer)], bytes(buffer)
    ([7, 8], b'@\x02')
    """
    while (header := _header(buffer)) is not None:
        start, length = header
        if len(buffer) < start + length:
            return
        body = bytes(buffer[start : start + length])
        kind, flags = divmod(buffer[0], 16)
        del buffer[: start + length]
        yield Packet(kind, flags, body)


def _header(buffer: bytearray) -> tuple[int, int] | None:
    """Where the body begins and how long it is, if that can be told yet."""
    found = _length(buffer[1:5])
    return found and (found[0] + 1, found[1])


def _length(content: bytes | bytearray) -> tuple[int, int] | None:
    """How many bytes a variable byte integer takes, and its value; None if it is cut short."""
    value = 0
    for position, byte in enumerate(content[:4]):
        value |= (byte & 127) << 7 * position
        if byte < 128:
            return position + 1, value
    return None


def acknowledged(one: Packet) -> int | None:
    """The packet identifier that a PUBACK acknowledges; None if it is another or a refusal."""
    if one.kind != Kind.PUBACK or reason(one) >= _REFUSED:
        return None
    return int.from_bytes(one.body[:2], "big")


def reason(one: Packet) -> int:
    """The reason code of an answer or a DISCONNECT; 0 where it is left out."""
    place = _REASON_AT.get(one.kind, 0)
    return one.body[place] if len(one.body) > place else 0
