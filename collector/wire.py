"""MQTT on the wire, version 5 or 3.1.1: bytes to messages, many in one go. Pure, and all our own.

The library that speaks the protocol takes three to four system calls and about twenty objects for
a packet (docs/adr/0009). Of all packets only PUBLISH comes by the thousand, so only PUBLISH is read
here; every other packet is cut out whole and handed back as bytes.

What is malformed ends the connection (MQTT 5, 4.13). That is kept to what makes the next byte
meaningless or breaks a rule that the broker itself checks: a message that only looks odd would come
again on every connection, for ever.
"""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from collector.dialect import Version
from collector.message import NO_PROPERTIES, Message, Properties
from collector.properties import Malformed, parse_properties

PACKET_BYTES = 16 * 1024 * 1024
"""The largest packet we take; the broker is told so when we connect."""

_MOST_BYTES = 268_435_455
"""The largest that MQTT knows. In 3.1.1 no broker can be told less: refused, one would come again
on every connection, for ever."""

PINGREQ = b"\xc0\x00"

_CACHED_TOPICS = 20_000
_CACHED_TOPIC_BYTES = 512  # anybody may publish topics of 65 535 bytes
_CACHED_PROPERTIES = 1_000
_CACHED_PROPERTIES_BYTES = 256
_NOTHING_SAID = b"\x00"  # the length of no properties
_PUBLISH = 0x30
_CONTINUED = 0x80  # a length goes on in the next byte (MQTT 5, 1.5.5)
# First byte of a PUBLISH: whether it has a packet identifier, RETAIN, DUP. QoS 2 is not here: we
# subscribe at QoS 1. DUP means nothing at QoS 0, and brokers pass it on.
_KINDS: Mapping[int, tuple[bool, bool, bool]] = {
    0x30: (False, False, False),
    0x31: (False, True, False),
    0x38: (False, False, False),
    0x39: (False, True, False),
    0x32: (True, False, False),
    0x33: (True, True, False),
    0x3A: (True, False, True),
    0x3B: (True, True, True),
}
_new = tuple.__new__  # a third of what Message(…) takes, at tens of thousands a second


class Wire:
    """Cuts the packets of one connection out of the bytes that arrive. Belongs to one thread.

    Args:
        generation: What its messages say they came over.
        own_topic: A topic whose messages `cut` leaves to `take_other`.
        subscriptions: What messages are to say instead of the identifiers of subscriptions.
        version: Of the protocol; messages of 3.1.1 have no properties.
    """

    def __init__(
        self,
        generation: int,
        own_topic: str,
        subscriptions: Mapping[int, int] = MappingProxyType({}),
        version: Version = Version.V5,
    ) -> None:
        self._generation = generation
        self._own = own_topic
        self._subscriptions = subscriptions
        self._topics = {own_topic.encode(): own_topic}
        self._properties = {_NOTHING_SAID: NO_PROPERTIES}
        self._data = b""
        self._at = 0
        self._more: list[bytes] = []
        self._missing = 0  # bytes until the packet that began is whole
        self._bare = version is Version.V311
        self._most = PACKET_BYTES if version is Version.V5 else _MOST_BYTES

    def feed(self, data: bytes) -> None:
        """Takes in what arrived."""
        self._more.append(data)
        self._missing -= len(data)
        if self._missing <= 0:  # a large packet is put together once, not with every piece
            self._data = b"".join((self._data[self._at :], *self._more))
            self._at = 0
            self._more.clear()

    def cut(self, at_most: int, first_us: int) -> list[Message]:
        """The next messages, received at `first_us` and each a microsecond after the one before.

        Fewer than `at_most` means that something else comes next, or nothing that is whole.

        Raises:
            Malformed: If the bytes are no MQTT.
        """
        data, at, end, own = self._data, self._at, len(self._data), self._own
        kinds, message_of, most = _KINDS, self._message, self._most
        messages: list[Message] = []
        append = messages.append
        try:
            for received_us in range(first_us, first_us + at_most):
                start, length = at + 2, data[at + 1]
                if length >= _CONTINUED:
                    start, length = _length(data, at, most)
                kind, stop = kinds.get(data[at]), start + length
                if kind is None or stop > end:
                    break
                message = message_of(start, stop, kind, received_us)
                if message[0] is own:
                    break
                append(message)
                at = stop
        except IndexError:
            pass  # the header itself has not arrived
        except Malformed:
            if not messages:
                raise  # else the next cut does: what came before it is good
        self._at = at
        return messages

    def take_other(self, received_us: int = 0) -> Message | bytes | None:
        """What comes next if it is not an ordinary message: one on our own topic, or a packet.

        Raises:
            Malformed: If the bytes are no MQTT.
        """
        frame = self._frame()
        if frame is None:
            return None
        start, stop = frame
        first, at = self._data[self._at], self._at
        if first & 0xF0 != _PUBLISH:
            self._at = stop
            return self._data[at:stop]
        message = self._message(
            start, stop, _KINDS.get(first) or _refuse("a message at QoS 2"), received_us
        )
        if message.topic is not self._own:
            return None
        self._at = stop
        return message

    def _frame(self) -> tuple[int, int] | None:
        """Where the next packet's content begins and ends; None if it is not whole."""
        if self._missing > 0:
            return None
        try:
            start, length = _length(self._data, self._at, self._most)
        except IndexError:
            self._missing = 1
            return None
        self._missing = start + length - len(self._data)
        return None if self._missing > 0 else (start, start + length)

    def _message(
        self, start: int, stop: int, kind: tuple[bool, bool, bool], received_us: int
    ) -> Message:
        """The message between two places; IndexError never leaves here, for it means no header."""
        data = self._data
        identified, retain, dup = kind
        try:
            at = start + 2 + (data[start] << 8 | data[start + 1])
            raw = data[start + 2 : at]
            topic = self._topics.get(raw)
            if topic is None:
                topic = self._learn_topic(raw)
            packet_id = 0
            if identified:
                packet_id = data[at] << 8 | data[at + 1] or _refuse("packet identifier 0")
                at += 2
            if self._bare:
                body = at
            else:
                length = data[at]
                body = at + 1 + length if length < _CONTINUED else sum(_length(data, at - 1))
        except IndexError:
            raise Malformed("a message that ends too early") from None
        if body > stop:
            raise Malformed("a message that is longer than its packet")
        said = data[at:body] or _NOTHING_SAID
        properties = self._properties.get(said) or self._learn_properties(said)
        fields = (topic, data[body:stop], received_us, packet_id, self._generation, retain, dup)
        return _new(Message, (*fields, properties))

    def _learn_topic(self, raw: bytes) -> str:
        topic = raw.decode("utf-8", "surrogateescape")
        if len(raw) <= _CACHED_TOPIC_BYTES:
            if len(self._topics) >= _CACHED_TOPICS:
                self._topics = {self._own.encode(): self._own}
            self._topics[raw] = topic
        return topic

    def _learn_properties(self, said: bytes) -> Properties:
        properties = parse_properties(said[_length(said, -1)[0] :], self._subscriptions)
        if len(said) <= _CACHED_PROPERTIES_BYTES:
            if len(self._properties) >= _CACHED_PROPERTIES:
                self._properties = {_NOTHING_SAID: NO_PROPERTIES}
            self._properties[said] = properties
        return properties


def acknowledgements(packet_ids: Sequence[int]) -> bytes:
    r"""A PUBACK for each packet identifier, in order.

    >>> acknowledgements([1, 513])
    b'@\x02\x00\x01@\x02\x02\x01'
    """
    return struct.pack(f">{len(packet_ids)}I", *[0x40020000 | one for one in packet_ids])


def _length(data: bytes, at: int, most: int = PACKET_BYTES) -> tuple[int, int]:
    r"""Where the content of the packet at `at` begins, and how long it is (MQTT 5, 1.5.5).

    >>> _length(b"\x30\x80\x01", 0)
    (3, 128)

    Raises:
        IndexError: If the length has not arrived.
        Malformed: If it is none, or more than we take.
    """
    length = 0
    for number in range(4):
        byte = data[at + 1 + number]
        length |= (byte & 0x7F) << 7 * number
        if byte < _CONTINUED:
            if length > most:
                _refuse(f"a packet of {length} bytes")
            return at + 2 + number, length
    _refuse("a length of more than four bytes")


def _refuse(what: str) -> NoReturn:
    raise Malformed(what)
