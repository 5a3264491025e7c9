"""A publisher that keeps a ledger: what it sent, and what the broker acknowledged."""

import select
import socket
import threading
import time
from contextlib import suppress

from mosquitto.provision import Credentials
from tests.support import wait_until
from tests.torture.numbers import Key, Ledger, Numbers
from tests.torture.packets import (
    Kind,
    Packet,
    acknowledged,
    connect,
    disconnect,
    reason,
    take_packets,
)

WINDOW = 20
"""Messages in flight at most."""

PATIENCE_S = 2.0
"""How long it waits for an acknowledgement before it takes the connection for dead."""

_RETRY_S = 0.05
_PACKET_IDS = 65_535
_TICK = threading.Event()  # never set: waiting on it passes time


class Link:
    """A connection to the broker, of packets."""

    def __init__(self, port: int, login: Credentials) -> None:
        self._buffer = bytearray()
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._log_in(login)
        except OSError:
            self._socket.close()
            raise

    def _log_in(self, login: Credentials) -> None:
        self.send(connect(login.client, login.client, login.password))
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for answer in self.receive(PATIENCE_S):
                if (answer.kind, reason(answer)) == (Kind.CONNACK, 0):
                    return
                raise ConnectionError(f"not let in: {answer}")
        raise ConnectionError("not answered")

    def send(self, packet: bytes) -> None:
        """Sends a packet."""
        self._socket.sendall(packet)

    def receive(self, wait_s: float) -> list[Packet]:
        """What arrives within that time, if anything.

        Raises:
            ConnectionError: If the other side has closed.
        """
        if not select.select([self._socket], [], [], wait_s)[0]:
            return []
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionError("closed by the broker")
        self._buffer += received
        return list(take_packets(self._buffer))

    def close(self) -> None:
        """Ends it, without a word if the other side is gone."""
        with suppress(OSError):
            self.send(disconnect())
        self._socket.close()


class Publisher:
    """Publishes numbers at QoS 1 until stopped, over as many connections as that takes.

    What was in flight when a connection broke is sent again if it has a key. Without one it is
    not: nobody could tell the second message from a new one. It may be stored or not.

    Attributes:
        numbers: What it publishes.
        ledger: What became of it.
    """

    def __init__(
        self, port: int, login: Credentials, numbers: Numbers, rate: float = 100.0
    ) -> None:
        self.numbers = numbers
        self.ledger = Ledger()
        self._port = port
        self._login = login
        self._pause_s = 1 / rate
        self._next = 0
        self._in_flight: dict[int, int] = {}
        self._again: list[int] = []
        self._heard_s = 0.0
        self._abandoned = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=numbers.client, daemon=True)

    def start(self) -> "Publisher":
        """Begins to publish."""
        self._thread.start()
        return self

    def stop(self) -> Ledger:
        """Publishes nothing new, and ends when nothing is in flight."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)
        assert self._done, f"{self.numbers.client} is not answered"
        return self.ledger

    def abandon(self) -> None:
        """Publishes no more, whatever is in flight; safe at any moment."""
        self._abandoned = True
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(3 * PATIENCE_S)

    def wait_for_more(self, count: int) -> None:
        """Returns when so many more numbers are acknowledged."""
        wanted = len(self.ledger.acknowledged) + count
        wait_until(lambda: len(self.ledger.acknowledged) >= wanted, 30)

    @property
    def _done(self) -> bool:
        return self._abandoned or (
            self._stopping.is_set() and not self._in_flight and not self._again
        )

    def _run(self) -> None:
        while not self._done:
            with suppress(OSError):
                self._live()
            if self.numbers.key is not Key.NONE:
                self._again += sorted(self._in_flight.values())
            self._in_flight.clear()
            _TICK.wait(_RETRY_S)

    def _live(self) -> None:
        """Publishes over one connection until that breaks, or there is nothing left to do."""
        link = Link(self._port, self._login)
        try:
            self._heard_s = due_s = time.monotonic()
            while not self._done:
                if self._may_send(due_s):
                    self._send(link)
                    due_s = max(due_s + self._pause_s, time.monotonic() - 10 * self._pause_s)
                wait_s = min(max(due_s - time.monotonic(), 0.001), 0.1)
                self._settle(link.receive(wait_s))
        finally:
            link.close()

    def _may_send(self, due_s: float) -> bool:
        wanted = bool(self._again) or not self._stopping.is_set()
        return wanted and time.monotonic() >= due_s and len(self._in_flight) < WINDOW

    def _send(self, link: Link) -> None:
        number = self._again.pop(0) if self._again else self._new()
        packet_id = number % _PACKET_IDS + 1
        self._in_flight[packet_id] = number
        self.ledger.sent.setdefault(number, time.time())
        if len(self._in_flight) == 1:
            self._heard_s = time.monotonic()
        link.send(self.numbers.message(number, packet_id).encoded())

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _settle(self, packets: list[Packet]) -> None:
        for packet in packets:
            packet_id = acknowledged(packet)
            assert packet_id is not None, f"refused: {packet}"
            self._heard_s = time.monotonic()
            self.ledger.acknowledged.setdefault(self._in_flight.pop(packet_id), time.time())
        if self._in_flight and time.monotonic() - self._heard_s > PATIENCE_S:
            raise ConnectionError("not answered")
