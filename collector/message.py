"""What arrived from the broker, before anybody knows what it means."""

from typing import NamedTuple


class Properties(NamedTuple):
    """What an MQTT 5 publisher says of a message beside its payload.

    Attributes:
        content_type: The content type of the payload, or an empty string.
        user: User properties, in order; names may repeat.
        subscriptions: The identifiers of our subscriptions that it arrived for.
    """

    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()
    subscriptions: tuple[int, ...] = ()


NO_PROPERTIES = Properties()


class Message(NamedTuple):
    """One delivery of an application message.

    A named tuple, because one is made for every message and a frozen dataclass takes three times as
    long to make (measured, ADR 7).

    Attributes:
        topic: The topic name; bytes that are not UTF-8 stand as lone surrogates.
        payload: The bytes as they came.
        received_us: When it arrived, in microseconds since 1970 UTC.
        packet_id: Its packet identifier, or 0 at QoS 0, where nothing is acknowledged.
        generation: The connection it came over.
        retain: Whether it was kept by the broker rather than published just now.
        dup: Whether the broker says that it sent it before.
        properties: What else its publisher says.
    """

    topic: str
    payload: bytes
    received_us: int
    packet_id: int = 0
    generation: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties = NO_PROPERTIES

    @property
    def simulated(self) -> bool:
        """Whether its publisher says that it is simulated."""
        return ("simulated", "1") in self.properties.user
