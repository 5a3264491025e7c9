"""The bounded queue between the network thread and the writer."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from collector.message import Message

_MESSAGE_OVERHEAD = 500  # bytes of a Message object beside topic and payload, measured


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the queue holds at most, and when it hands over.

    Attributes:
        messages: The most messages.
        size_bytes: The bytes at which it is full. Who puts has read a piece of the stream by then,
            so the last messages may lie beyond.
        age_s: How long the first message waits for others.
    """

    messages: int
    size_bytes: int
    age_s: float


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
    """Holds messages until the writer takes them. One thread puts, others offer, one takes.

    Attributes:
        blocked: How often it was full.
        closed: Whether it takes no more.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.blocked = 0
        self.closed = False
        self._bounds = bounds
        self._bursts: deque[Sequence[Message] | None] = deque()  # None: the broker lost our session
        self._count = 0
        self._size_bytes = 0
        self._first_s = 0.0
        self._wanted = 1
        lock = threading.Lock()
        self._filled = threading.Condition(lock)
        self._emptied = threading.Condition(lock)

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        """How many messages it takes now; only who puts can rely on it."""
        if self.closed or self._size_bytes >= self._bounds.size_bytes:
            return 0
        return max(0, self._bounds.messages - self._count)

    def put(self, messages: Sequence[Message]) -> bool:
        """Takes the messages in, no more of them than there is `room`; False if it is closed.

        Never waits: who puts has a broker to answer.
        """
        size_bytes = sum(map(_size, messages))
        with self._filled:
            if self.closed:
                return False
            self._add(messages, size_bytes)
        return True

    def offer(self, message: Message) -> bool:
        """Takes the message in if there is plenty of room, without waiting: readings come first."""
        with self._filled:
            if self.closed or not self._is_half_empty():
                return False
            self._add((message,), _size(message))
        return True

    def put_new_session(self) -> None:
        """Marks that the broker lost our session before whatever is put next."""
        with self._filled:
            self._append(None)
            self._filled.notify()

    def take(self, at_most: int, wait_s: float) -> Parcel:
        """The next messages: when there are `at_most`, or the first is old enough.

        Waits `wait_s` for the first; an empty parcel means none came.
        """
        with self._filled:
            self._wait_for(1, time.monotonic() + wait_s)
            if self._bursts:
                self._wait_for(at_most, self._first_s + self._bounds.age_s)
            parcel = self._remove(at_most)
            if self._is_half_empty():
                self._emptied.notify_all()
        return parcel

    def wait_until_half_empty(self, wait_s: float) -> bool:
        """Whether there is plenty of room again within `wait_s`."""
        with self._emptied:
            return self._emptied.wait_for(self._is_half_empty, wait_s)

    def close(self) -> None:
        """Takes no more; what is in can still be taken, without waiting."""
        with self._filled:
            self.closed = True
            self._filled.notify_all()
            self._emptied.notify_all()

    def _add(self, messages: Sequence[Message], size_bytes: int) -> None:
        self._append(messages)
        self._count += len(messages)
        self._size_bytes += size_bytes
        if not self.room:
            self.blocked += 1
        if self._count >= self._wanted or not self.room:
            self._filled.notify()

    def _append(self, burst: Sequence[Message] | None) -> None:
        if not self._bursts:
            self._first_s = time.monotonic()
        self._bursts.append(burst)

    def _remove(self, at_most: int) -> Parcel:
        taken: list[Message] = []
        new_session = False
        while self._bursts and len(taken) < at_most:
            burst = self._bursts[0]
            if burst is None and taken:
                break
            self._bursts.popleft()
            if burst is None:
                new_session = True
                continue
            left = at_most - len(taken)
            taken += burst[:left]
            if len(burst) > left:
                self._bursts.appendleft(burst[left:])
        self._count -= len(taken)
        self._size_bytes -= sum(map(_size, taken))
        return Parcel(taken, new_session)

    def _wait_for(self, wanted: int, until_s: float) -> None:
        self._wanted = wanted
        while not self._has(wanted):
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not self._filled.wait(left_s):
                break
        self._wanted = 1

    def _has(self, wanted: int) -> bool:
        """Whether there are so many, or waiting for them is of no use."""
        marked = wanted == 1 and bool(self._bursts)
        return marked or self._count >= wanted or not self.room

    def _is_half_empty(self) -> bool:
        return self.closed or (
            self._count * 2 <= self._bounds.messages
            and self._size_bytes * 2 <= self._bounds.size_bytes
        )


def _size(message: Message) -> int:
    return len(message.payload) + len(message.topic) + _MESSAGE_OVERHEAD
