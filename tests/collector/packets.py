"""Packets as a broker sends them."""

from tests.torture.packets import Kind, Publish, number, packet, variable

CONNACK = packet(Kind.CONNACK, b"\x00\x00\x00")
PINGREQ, PINGRESP = packet(12, b""), packet(13, b"")


def publish(
    topic: str | bytes,
    payload: bytes,
    packet_id: int = 0,
    properties: bytes = b"",
    *,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    """A message at QoS 1, or at QoS 0 if it has no packet identifier."""
    flags = dup << 3 | (2 if packet_id else 0) | retain
    return Publish(topic, payload, packet_id, flags, properties).encoded()


def subscription(identifier: int) -> bytes:
    """The property that names a subscription."""
    return b"\x0b" + variable(identifier)


def puback(packet_id: int) -> bytes:
    """An acknowledgement that says nothing but success."""
    return packet(Kind.PUBACK, number(packet_id))
