"""What arrived from the broker, before anybody knows what it means."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of an application message.

    Attributes:
        topic: The topic name; bytes that are not UTF-8 stand as lone surrogates.
        payload: The bytes as they came.
        received_us: When it arrived, in microseconds since 1970 UTC.
        packet_id: Its packet identifier, or 0 at QoS 0, where nothing is acknowledged.
        generation: The connection it came over.
        retain: Whether it was kept by the broker rather than published just now.
        dup: Whether the broker says that it sent it before.
        simulated: Whether its publisher says that it is simulated.
    """

    topic: str
    payload: bytes
    received_us: int
    packet_id: int = 0
    generation: int = 0
    retain: bool = False
    dup: bool = False
    simulated: bool = False
