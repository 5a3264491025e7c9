"""The bounded queue between the network thread and the writer."""

import threading
import time
from collections import deque
from dataclasses import dataclass

from collector.message import Message

_MESSAGE_OVERHEAD = 500  # bytes of a Message object beside topic and payload, measured


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the queue holds at most, and when it hands over.

    Attributes:
        messages: The most messages.
        size_bytes: The most bytes.
        age_s: How long the first message waits for others.
        patience_s: How long `put` waits for room.
    """

    messages: int
    size_bytes: int
    age_s: float
    patience_s: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """Messages to be committed, in order of arrival.

    Attributes:
        messages: What arrived.
        new_session: Whether the broker lost our session before the first of them.
    """

    messages: list[Message]
    new_session: bool = False

    def __bool__(self) -> bool:
        return bool(self.messages) or self.new_session


class Intake:
    """Holds messages until the writer takes them; says no when it is full for too long.

    Attributes:
        blocked: How often a message had to wait for room.
        refused: How many messages found none; they stay with the broker, unacknowledged.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.blocked = 0
        self.refused = 0
        self._bounds = bounds
        self._messages: deque[Message | None] = deque()  # None: the broker lost our session
        self._size_bytes = 0
        self._first_s = 0.0
        self._wanted = 1
        self._closed = False
        lock = threading.Lock()
        self._filled = threading.Condition(lock)
        self._emptied = threading.Condition(lock)

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> bool:
        """Takes the message in; False if there is no room for it in time, or no more is taken.

        Blocks the caller for at most `patience_s`, which must stay well below the keep-alive:
        the network thread answers no ping meanwhile.
        """
        with self._filled:
            if not self._has_room() and not self._wait_for_room():
                self.refused += 1
                return False
            self._append(message)
            self._size_bytes += _size(message)
        return True

    def offer(self, message: Message) -> bool:
        """Takes the message in if there is plenty of room, without waiting: readings come first."""
        with self._filled:
            if not self._is_half_empty() or self._closed:
                return False
            self._append(message)
            self._size_bytes += _size(message)
        return True

    def put_new_session(self) -> None:
        """Marks that the broker lost our session before whatever is put next."""
        with self._filled:
            self._append(None)

    def take(self, at_most: int, wait_s: float) -> Parcel:
        """The next messages: when there are `at_most`, or the first is old enough.

        Waits `wait_s` for the first; an empty parcel means none came.
        """
        with self._filled:
            self._wait_for(1, time.monotonic() + wait_s)
            if self._messages:
                self._wait_for(at_most, self._first_s + self._bounds.age_s)
            parcel = self._remove(at_most)
            self._emptied.notify_all()
        return parcel

    def wait_until_half_empty(self, wait_s: float) -> bool:
        """Whether there is plenty of room again within `wait_s`."""
        with self._emptied:
            return self._emptied.wait_for(self._is_half_empty, wait_s)

    def close(self) -> None:
        """Takes no more; what is in can still be taken, without waiting."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
            self._emptied.notify_all()

    def _append(self, message: Message | None) -> None:
        if not self._messages:
            self._first_s = time.monotonic()
        self._messages.append(message)
        if len(self._messages) >= self._wanted:
            self._filled.notify()

    def _remove(self, at_most: int) -> Parcel:
        taken: list[Message] = []
        new_session = False
        while self._messages and len(taken) < at_most:
            message = self._messages[0]
            if message is None and taken:
                break
            self._messages.popleft()
            if message is None:
                new_session = True
            else:
                taken.append(message)
                self._size_bytes -= _size(message)
        return Parcel(taken, new_session)

    def _wait_for(self, wanted: int, until_s: float) -> None:
        self._wanted = wanted
        while len(self._messages) < wanted and not self._closed and self._has_room():
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not self._filled.wait(left_s):
                break
        self._wanted = 1

    def _wait_for_room(self) -> bool:
        self.blocked += 1
        self._filled.notify()
        return self._emptied.wait_for(self._may_take, self._bounds.patience_s) and not self._closed

    def _may_take(self) -> bool:
        return self._closed or self._has_room()

    def _has_room(self) -> bool:
        return (
            not self._closed
            and len(self._messages) < self._bounds.messages
            and self._size_bytes < self._bounds.size_bytes
        )

    def _is_half_empty(self) -> bool:
        return self._closed or (
            len(self._messages) * 2 <= self._bounds.messages
            and self._size_bytes * 2 <= self._bounds.size_bytes
        )


def _size(message: Message) -> int:
    return len(message.payload) + len(message.topic) + _MESSAGE_OVERHEAD
