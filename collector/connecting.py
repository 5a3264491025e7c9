"""The way to the broker: a TCP connection, and TLS over it."""

import socket
import ssl
from contextlib import ExitStack

from collector.link import Endpoint
from telemetry.fault import Fault

_SILENT = "the broker does not answer"


class TrustError(Fault):
    """The file of certificates to trust cannot be used; the message says what to do."""


class NoTls(ConnectionError):
    """Whoever listens there ended the connection instead of agreeing on TLS."""


def load_trust(file: str) -> ssl.SSLContext:
    """Trust in what those certificates sign, or without a file in what this machine trusts.

    Raises:
        TrustError: If the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=file or None)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise TrustError(
            f"cannot use broker_ca, {file}: {reason}; name a PEM file with the certificate that "
            "signs the broker's"
        ) from None


def open_socket(endpoint: Endpoint, wait_s: float) -> socket.socket:
    """A connection with the broker, whose certificate is checked if it speaks TLS.

    Raises:
        TrustError: If whom to trust cannot be read.
        OSError: If there is none; `NoTls` or `ssl.SSLError` if only TLS fails.
    """
    trust = endpoint.load_trust() if endpoint.load_trust else None
    plain = socket.create_connection((endpoint.host, endpoint.port), wait_s)
    if trust is None:
        return plain
    with ExitStack() as stack:
        stack.enter_context(plain)
        secured = stack.enter_context(
            trust.wrap_socket(plain, server_hostname=endpoint.host, do_handshake_on_connect=False)
        )
        try:
            secured.do_handshake()
        except TimeoutError:
            raise TimeoutError(_SILENT) from None
        except (ssl.SSLEOFError, ConnectionError):
            raise NoTls from None
        stack.pop_all()
        return secured
