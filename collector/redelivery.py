"""Which deliveries are a repetition of one that is stored already.

MQTT has no global message identifier. After a crash or a lost connection the broker sends what
was not acknowledged again, with the same packet identifier and DUP set (MQTT 5, 4.4), so packet
identifier and content together recognise it, as long as identifiers have not come round.

A broker that was killed comes back with its last save, and what was queued in that it delivers
again with the same packet identifiers but without DUP (Mosquitto 2.0.11, measured: 100 of 100).
Such deliveries are the first of a connection, in one run; a client that repeats itself on an
identifier that the broker used twice looks the same, so they are in doubt and not refused.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from collector.message import Message
from telemetry.interface import DELIVERIES_KEPT, Delivery

_DIGEST_BYTES = 16


class Repetition(Enum):
    """Whether a delivery repeats one that is remembered."""

    NO = auto()
    MAYBE = auto()
    YES = auto()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery, and whether it repeats one that is remembered."""

    delivery: Delivery
    repetition: Repetition


def identify(message: Message) -> Delivery:
    """What stands for this delivery, should the broker repeat it."""
    digest = hashlib.blake2b(message.payload, digest_size=_DIGEST_BYTES)
    digest.update(b"\0")
    digest.update(message.topic.encode("utf-8", "surrogateescape"))
    return Delivery(message.packet_id, digest.digest())


class DeliveryRing:
    """The last deliveries, to tell a repetition from a new message."""

    def __init__(self, remembered: Iterable[Delivery] = (), size: int = DELIVERIES_KEPT) -> None:
        self._size = size
        self._generation = 0
        self._resuming = False  # no delivery of this connection was new yet
        self._order: deque[Delivery] = deque()
        self._present: Counter[Delivery] = Counter()
        for delivery in remembered:
            self._add(delivery)

    def __len__(self) -> int:
        return len(self._order)

    def admit(self, message: Message) -> Arrival:
        """Tells whether the delivery repeats one that is remembered; if not surely, remembers it.

        Without DUP it may be a repetition as long as its connection brought nothing new.
        """
        delivery = identify(message)
        known = delivery in self._present
        if message.generation != self._generation:
            self._generation, self._resuming = message.generation, True
        self._resuming = self._resuming and known
        if known and message.dup:
            return Arrival(delivery, Repetition.YES)
        self._add(delivery)
        return Arrival(delivery, Repetition.MAYBE if self._resuming else Repetition.NO)

    def forget(self) -> None:
        """Empties the ring: the broker lost the session, packet identifiers start anew."""
        self._order.clear()
        self._present.clear()

    def _add(self, delivery: Delivery) -> None:
        self._order.append(delivery)
        self._present[delivery] += 1
        if len(self._order) > self._size:
            oldest = self._order.popleft()
            self._present[oldest] -= 1
            if not self._present[oldest]:
                del self._present[oldest]
