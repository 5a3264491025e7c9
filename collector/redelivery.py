"""Which deliveries are a repetition of one that is stored already.

MQTT has no global message identifier. After a crash or a lost connection the broker sends what
was not acknowledged again, with the same packet identifier and DUP set (MQTT 5, 4.4), so packet
identifier and content together recognise it, as long as identifiers have not come round.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Iterable

from collector.message import Message
from telemetry.interface import Delivery

WINDOW = 20_000
"""Deliveries remembered; above the unacknowledged ones, below the 65 535 identifiers there are."""

_DIGEST_BYTES = 16


def identify(message: Message) -> Delivery:
    """What stands for this delivery, should the broker repeat it."""
    digest = hashlib.blake2b(message.payload, digest_size=_DIGEST_BYTES)
    digest.update(b"\0")
    digest.update(message.topic.encode("utf-8", "surrogateescape"))
    return Delivery(message.packet_id, digest.digest())


class DeliveryRing:
    """The last deliveries, to tell a repetition from a new message."""

    def __init__(self, remembered: Iterable[Delivery] = (), window: int = WINDOW) -> None:
        self._window = window
        self._order: deque[Delivery] = deque()
        self._present: Counter[Delivery] = Counter()
        for delivery in remembered:
            self._add(delivery)

    def __len__(self) -> int:
        return len(self._order)

    def admit(self, message: Message) -> Delivery | None:
        """Remembers the delivery; None if it repeats one that is remembered."""
        delivery = identify(message)
        if message.dup and delivery in self._present:
            return None
        self._add(delivery)
        return delivery

    def forget(self) -> None:
        """Empties the ring: the broker lost the session, packet identifiers start anew."""
        self._order.clear()
        self._present.clear()

    def _add(self, delivery: Delivery) -> None:
        self._order.append(delivery)
        self._present[delivery] += 1
        if len(self._order) > self._window:
            oldest = self._order.popleft()
            self._present[oldest] -= 1
            if not self._present[oldest]:
                del self._present[oldest]
