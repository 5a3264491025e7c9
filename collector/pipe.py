"""The socket of one connection, with or without TLS, read and written in large pieces.

Paho takes it for its own socket, as it does the one that it puts WebSockets under: what paho reads
is the packet that it was given, what paho writes leaves together with the acknowledgements.
"""

import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from collector.message import Message
from collector.wire import PINGREQ, acknowledgements

PIECE_BYTES = 256 * 1024
"""What is read at once: as many messages as come while the writer has the processor, and more."""

_RECORDS = PIECE_BYTES // 16_384  # of TLS, in a piece
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)


class Mark(NamedTuple):
    """A message of our own that is to be acknowledged after those that came before it.

    Attributes:
        after: How many messages came before it.
        packet_id: Its packet identifier, or 0 if it needs no acknowledgement.
        sent_ns: When it was sent.
    """

    after: int
    packet_id: int
    sent_ns: int


class Pipe:
    """One connection's socket. One thread reads; any may acknowledge.

    Attributes:
        heard_s: When anything last came, on the monotonic clock.
        asked_s: When the broker was last asked for a sign of life.
        settled_ns: The newest `sent_ns` of a mark whose turn has come.
    """

    def __init__(self, connected: socket.socket, generation: int) -> None:
        self.heard_s = self.asked_s = time.monotonic()
        self.settled_ns = 0
        self._socket = connected
        self._tls = connected if isinstance(connected, ssl.SSLSocket) else None
        self._generation = generation
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._for_paho = b""
        self._closed = False
        self._handed = 0
        self._acknowledged = 0
        self._marks: deque[Mark] = deque()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within that time; sooner if writing is possible."""
        with self._lock:
            if self._closed:
                return False
            wanted = select.POLLIN | (select.POLLOUT if self._unsent else 0)
            self._poll.modify(self._socket, wanted)
        return any(event & ~select.POLLOUT for _, event in self._poll.poll(seconds * 1000))

    @property
    def gone(self) -> bool:
        """Whether the broker has ended the connection, known without reading from it."""
        with self._lock:
            if self._closed:
                return True
            self._poll.modify(self._socket, _GONE)
        return bool(self._poll.poll(0))

    def read(self) -> bytes:
        """What has arrived, or nothing.

        Raises:
            ConnectionError: If the broker has ended the connection.
            OSError: If it is lost.
        """
        with self._lock:  # TLS takes no reader beside a writer
            pieces = self._receive()
        if not pieces:
            return b""
        data = b"".join(pieces)
        if not data:
            raise ConnectionResetError
        self.heard_s = time.monotonic()
        return data

    def _receive(self) -> list[bytes]:
        """What there is, in one piece; with TLS in pieces of 16 KiB. The end is an empty one.

        Each takes a whole record of TLS, so nothing is left deciphered that `wait` would not see.
        """
        pieces: list[bytes] = []
        try:
            pieces.append(self._socket.recv(PIECE_BYTES))
            while self._tls is not None and pieces[-1] and len(pieces) < _RECORDS:
                pieces.append(self._tls.recv(PIECE_BYTES))
        except _NOT_NOW:
            pass
        return pieces

    def hand_over(self, count: int) -> None:
        """Notes that so many messages go to whoever acknowledges them, before they do."""
        self._handed += count

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledges those of this connection, and our own whose turn that makes it.

        Acknowledgements leave in the order in which the messages came (MQTT 5, 4.6).
        """
        ours = [one.packet_id for one in messages if one.generation == self._generation]
        with self._lock:
            self._acknowledged += len(ours)
            self._unsent += acknowledgements([one for one in ours if one])
            self._settle()
            self._flush()

    def mark(self, packet_id: int, sent_ns: int) -> None:
        """Acknowledges a message of our own as soon as all before it are acknowledged."""
        with self._lock:
            self._marks.append(Mark(self._handed, packet_id, sent_ns))
            self._settle()

    def ask(self) -> None:
        """Asks the broker for a sign of life, and gives it one."""
        self.asked_s = time.monotonic()
        self.send(PINGREQ)

    def flush(self) -> None:
        """Sends what the socket takes.

        Raises:
            OSError: If the connection is lost.
        """
        with self._lock:
            self._flush()

    def for_paho(self, packet: bytes) -> None:
        """Keeps a packet that paho is to read next."""
        self._for_paho += packet

    def recv(self, size: int) -> bytes:
        """For paho: bytes of the packet it was given, or BlockingIOError."""
        if not self._for_paho:
            raise BlockingIOError
        taken, self._for_paho = self._for_paho[:size], self._for_paho[size:]
        return taken

    def send(self, data: bytes | bytearray) -> int:
        """For paho: takes the whole packet; it leaves with the next flush."""
        with self._lock:
            self._unsent += data
        return len(data)

    def close(self) -> None:
        """Sends what the socket still takes and closes it; safe at any moment."""
        with self._lock:
            if not self._closed:
                self._flush()
            self._closed = True
            self._socket.close()

    def fileno(self) -> int:
        """For paho: the socket's."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """For paho: the socket's."""
        self._socket.setblocking(flag)

    def _settle(self) -> None:
        while self._marks and self._marks[0].after <= self._acknowledged:
            mark = self._marks.popleft()
            self.settled_ns = max(self.settled_ns, mark.sent_ns)
            if mark.packet_id:
                self._unsent += acknowledgements([mark.packet_id])

    def _flush(self) -> None:
        """Sends without waiting. A lost connection is the reader's to notice, who loses nothing."""
        if self._closed or not self._unsent:
            return
        try:
            sent = self._socket.send(self._unsent)
        except OSError:
            return
        del self._unsent[:sent]
