"""From the socket of one connection into the intake, and a halt when that is full.

Nothing is read while the intake is full: the broker holds the rest (docs/adr/0010). Meanwhile the
broker hears from us, and acknowledgements go on leaving.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from collector.intake import Intake
from collector.message import Message
from collector.ping import SelfPing
from collector.pipe import Pipe
from collector.tally import Tally
from collector.wire import Wire

TICK_S = 0.2
_BURST = 1000  # messages that go to the intake at once
# While much comes, messages are left to gather: each look at the socket costs as much as reading
# ten messages, and takes the processor from the broker (docs/adr/0009).
_DENSE_S = 0.005
_GATHER_S = 0.002


class Speaker(Protocol):
    """Who speaks the rest of the protocol: what paho offers for an event loop of others."""

    def socket(self) -> object:
        """Our pipe, or None once the connection is over."""

    def want_write(self) -> bool:
        """Whether it has something to write."""

    def loop_write(self) -> object:
        """Writes it to the pipe."""

    def loop_read(self) -> object:
        """Reads the packet that the pipe has for it."""


class Stream:
    """Moves the messages of one connection. Belongs to the network thread.

    Attributes:
        pipe: Its socket.
        keep_alive_s: How long the broker may be silent, and we to it.
    """

    def __init__(self, pipe: Pipe, wire: Wire, intake: Intake, tally: Tally) -> None:
        self.pipe = pipe
        self.keep_alive_s = 0
        self._left = False  # what has arrived waits for room
        self._wire = wire
        self._intake = intake
        self._tally = tally

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be read for now."""
        return not self._is_over and not self._intake.room

    @property
    def _is_over(self) -> bool:
        """Whether nobody takes messages any more."""
        return self._tally.finished or self._intake.closed

    def turn(self, speaker: Speaker, ping: SelfPing) -> None:
        """Writes what is to be written, and takes in what has arrived or does within a moment.

        Raises:
            OSError: If the connection is lost.
            Malformed: If the broker sends what is no MQTT.
        """
        self.write(speaker)
        data = self._next_piece()
        if data:
            self._tally.heard()
            self._wire.feed(data)
        while speaker.socket() is not None:
            other = self._work_off()
            if other is None:
                return
            if isinstance(other, Message):
                sent_ns = ping.came_back(other.payload, time.monotonic_ns())
                self.pipe.mark(other.packet_id, sent_ns)
            else:
                self.pipe.for_paho(other)
                speaker.loop_read()

    def _next_piece(self) -> bytes:
        """What has arrived, or does within a moment; where much comes, a good deal of it.

        Nothing while the last piece waits for room: what is in no intake must stay bounded too.
        """
        if self._left or not self.pipe.wait(TICK_S):
            return b""
        if time.monotonic() - self.pipe.heard_s < _DENSE_S:
            time.sleep(_GATHER_S)
        return self.pipe.read()

    def write(self, speaker: Speaker) -> None:
        """Writes what is to be written."""
        if speaker.want_write():
            speaker.loop_write()
        self.pipe.flush()

    def _work_off(self) -> Message | bytes | None:
        """Hands messages to the intake until something else comes, which is returned.

        None means that nothing whole is left, or that there is no room for it.
        """
        while True:
            at_most = _BURST if self._is_over else min(_BURST, self._intake.room)
            first_us = self._tally.receipts.now_us()
            messages = self._wire.cut(at_most, first_us)
            self._tally.note(len(messages))
            if messages and not self._is_over:
                self.pipe.hand_over(len(messages))
                self._intake.put(messages)
            self._left = not at_most
            if len(messages) < at_most or self._left:
                return self._wire.take_other(first_us)

    def hold(self, tell: Callable[[float], None], stopping: threading.Event) -> float:
        """Reads nothing until there is plenty of room; returns how many seconds that took.

        Args:
            tell: Is called now and then with the seconds since the beginning.
            stopping: Ends it.

        Raises:
            OSError: If the connection is lost.
        """
        began_s = time.monotonic()
        while not stopping.is_set() and not self._intake.wait_until_half_empty(TICK_S):
            tell(time.monotonic() - began_s)
            self.keep_alive()
            self.pipe.flush()
            if self.pipe.gone:
                raise ConnectionResetError
        self.pipe.heard_s = time.monotonic()  # it may have spoken: nobody listened
        return self.pipe.heard_s - began_s

    def keep_alive(self) -> None:
        """Asks the broker for a sign of life, often enough for both sides."""
        if time.monotonic() - self.pipe.asked_s >= self.keep_alive_s / 2:
            self.pipe.ask()

    def expect_life(self) -> None:
        """Raises TimeoutError if the broker has been silent for too long."""
        if time.monotonic() - self.pipe.heard_s >= self.keep_alive_s:
            raise TimeoutError("the broker does not answer")
