"""Which messages are a repetition of one that is stored already.

MQTT has no global message identifier. After a crash or a lost connection the broker sends what
was not acknowledged again, with the same packet identifier and DUP set (MQTT 5, 4.4), so packet
identifier and content together recognise it, as long as identifiers have not come round.

A broker that was killed comes back with its last save, and what was queued in that it delivers
again with the same packet identifiers but without DUP (Mosquitto 2.0.11, measured: 100 of 100).
Such deliveries are the first of a connection, in one run; a client that repeats itself on an
identifier that the broker used twice looks the same, so they are in doubt and not refused.

What a publisher sends again is a new message to the broker. Only the publisher can say that it is
the same, by the user property `id`, or `seq` with `boot` where the count starts anew.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

from collector.message import Message
from telemetry.batch import DELIVERIES_KEPT, Identity

_DIGEST_BYTES = 16


class Repetition(Enum):
    """Whether a delivery repeats one that is remembered."""

    NO = auto()
    MAYBE = auto()
    YES = auto()


class Arrived(NamedTuple):
    """A delivery, and whether it repeats one that is remembered."""

    key: bytes
    repetition: Repetition


_arrived = partial(tuple.__new__, Arrived)  # for each message: see `harvest.measurement`


def identify(message: Message) -> bytes:
    """What stands for this delivery, should the broker repeat it: 18 bytes."""
    return message.packet_id.to_bytes(2, "big") + _digest(message.topic, message.payload)


def identity(message: Message) -> Identity | None:
    """What its publisher calls the message, or None.

    >>> from collector.message import Properties
    >>> named = Properties(user=(("id", "a7"),))
    >>> one, other = Message("t", b"1", 0), Message("t", b"1", 5, properties=named)
    >>> identity(one) is None, identity(other) == identity(other._replace(packet_id=9))
    (True, True)
    """
    user = message.properties.user
    given = dict(user) if user else {}
    if "id" in given:
        name = f"id\0{given['id']}"
    elif "seq" in given:
        name = f"seq\0{given.get('boot', '')}\0{given['seq']}"
    else:
        return None
    content = name.encode("utf-8", "surrogateescape")
    return Identity(_digest(message.topic, content), _digest("", message.payload))


def _digest(topic: str, content: bytes) -> bytes:
    named = topic.encode("utf-8", "surrogateescape") + b"\0" + content
    return blake2b(named, digest_size=_DIGEST_BYTES).digest()


class DeliveryRing:
    """The last deliveries, to tell a repetition from a new message."""

    def __init__(self, remembered: Iterable[bytes] = (), size: int = DELIVERIES_KEPT) -> None:
        self._size = size
        self._generation = 0
        self._resuming = False  # no delivery of this connection was new yet
        self._order: deque[bytes] = deque()
        self._times: dict[bytes, int] = {}
        for key in remembered:
            self._add(key)

    def __len__(self) -> int:
        return len(self._order)

    def admit(self, message: Message) -> Arrived:
        """Tells whether the delivery repeats one that is remembered; if not surely, remembers it.

        Without DUP it may be a repetition as long as its connection brought nothing new.
        """
        key = identify(message)
        known = key in self._times
        if message.generation != self._generation:
            self._generation, self._resuming = message.generation, True
        self._resuming = self._resuming and known
        if known and message.dup:
            return _arrived((key, Repetition.YES))
        self._add(key)
        return _arrived((key, Repetition.MAYBE if self._resuming else Repetition.NO))

    def forget(self) -> None:
        """Empties the ring: the broker lost the session, packet identifiers start anew."""
        self._order.clear()
        self._times.clear()

    def _add(self, key: bytes) -> None:
        self._order.append(key)
        self._times[key] = self._times.get(key, 0) + 1
        if len(self._order) > self._size:
            oldest = self._order.popleft()
            times = self._times.pop(oldest) - 1
            if times:
                self._times[oldest] = times
