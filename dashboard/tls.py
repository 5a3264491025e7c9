"""TLS for the web server: what gunicorn asks for, and sockets that wait for nobody for long."""

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from telemetry.settings import Settings

ASKING_S, READING_S = 5, 30
"""How long a peer may take to send the next part of what it asks, and to take one of the answer."""

_HANDSHAKE = 0x16  # RFC 8446, 5.1: what a TLS connection begins with
_REQUEST_BYTES = 65_536
_EXPLANATION = b"This port speaks https: write https:// in front of its address.\n"
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_EXPLANATION), _EXPLANATION)
)


class BoundedSocket(ssl.SSLSocket):
    """A TLS connection whose peer holds no thread for long by sending or reading slowly.

    The limits of the listener do not do here: Python repeats a TLS read that the kernel ended.
    """

    def do_handshake(self, block: bool = False) -> None:
        """TLS is agreed; a peer that speaks plain HTTP is told so first.

        Raises:
            SSLEOFError: If it does.
            OSError: If it takes too long, or does not agree.
        """
        with self._within(ASKING_S):
            first = socket.socket.recv(self, 1, socket.MSG_PEEK)
            if first and first[0] != _HANDSHAKE:
                socket.socket.recv(self, _REQUEST_BYTES)  # unread, it would take the answer along
                socket.socket.sendall(self, _REFUSAL)
                raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "plain HTTP on the port of https")
            super().do_handshake(block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """The next part of what the peer asks."""
        with self._within(ASKING_S):
            return super().recv(buflen, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:  # Any: a buffer
        """Sends all of it, to a peer that may take longer to read than to send."""
        with self._within(READING_S):
            super().sendall(data, flags)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Ends what takes longer as a connection that is lost, which gunicorn knows how to take."""
        before = self.gettimeout()
        self.settimeout(seconds if before is None else before)
        try:
            yield
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the peer took too long") from None
        finally:
            self.settimeout(before)


def tls_options(settings: Settings) -> dict[str, object]:
    """What gunicorn is to be told; it reads the files for each connection, so a new one counts."""
    if not settings.http_tls:
        return {}
    return {
        "certfile": str(settings.http_certificate),
        "keyfile": str(settings.http_key),
        "ssl_context": _context,
    }


def _context(_config: object, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = BoundedSocket
    return context
