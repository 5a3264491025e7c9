"""TLS agreed in memory: whether a client that trusts a certificate would take a server's."""

import ssl
import tempfile
from pathlib import Path

_ROUNDS = 10  # TLS 1.3 takes two


def handshake_fault(served: bytes, trusted: str, name: str) -> str:
    """Why a client does not agree with the server, in OpenSSL's words, or an empty string.

    Args:
        served: The server's certificate, those that lead to the trusted one, and its key, as PEM.
        trusted: What the client trusts, as PEM.
        name: The name or address by which it calls the server.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        with tempfile.NamedTemporaryFile(
            suffix=".pem"
        ) as file:  # mode 0600; OpenSSL reads files alone
            Path(file.name).write_bytes(served)
            server.load_cert_chain(file.name)
        client = ssl.create_default_context(cadata=trusted)
        _agree(server, client, name)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError as error:
        return (error.reason or str(error)).replace("_", " ").lower()
    return ""


def _agree(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(_ROUNDS):
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
