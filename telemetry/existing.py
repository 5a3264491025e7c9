"""A broker that was there before: where it is, and who Culex is there."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_EXAMPLE = "write for example mqtts://user@broker.example:8883"
_PLAIN = re.compile(r"[!-~]+")  # no space, nothing that a shell or a terminal would read


def place_of(host: str, port: int) -> str:
    """A host and a port as people and addresses write them.

    >>> place_of("2001:db8::7", 8883), place_of("broker.example", 8883)
    ('[2001:db8::7]:8883', 'broker.example:8883')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class ExistingBroker:
    """A broker that is used instead of our own.

    Attributes:
        host: Its name or address.
        port: The port it listens on.
        username: Who we are there, or an empty string: nobody in particular.
        tls: Whether it speaks TLS there.
    """

    host: str
    port: int
    username: str
    tls: bool

    @property
    def place(self) -> str:
        """How people call it."""
        return place_of(self.host, self.port)


def parse_broker_url(url: str) -> ExistingBroker:
    """The broker that an address names.

    >>> parse_broker_url("mqtts://culex@broker.example")
    ExistingBroker(host='broker.example', port=8883, username='culex', tls=True)

    Raises:
        ValueError: If it names none, or has a password in it; the message says what to write.
    """
    try:
        parts = urlsplit(url if _PLAIN.fullmatch(url) else "")
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise ValueError(f"it is no address; {_EXAMPLE}") from None
    fault = _fault(parts)
    if fault:
        raise ValueError(fault)
    chosen = _PORTS[parts.scheme] if port is None else port
    return ExistingBroker(
        parts.hostname or "", chosen, unquote(parts.username or ""), parts.scheme == "mqtts"
    )


def _fault(parts: SplitResult) -> str:
    """Why the address cannot be used, or an empty string."""
    faults = (
        (
            parts.password is not None,
            "a password does not belong in an address; put it into the file "
            "secrets/broker-password of the data folder, with mode 0600",
        ),
        (
            parts.scheme in {"ws", "wss"},
            f"Culex does not speak MQTT over WebSockets; {_EXAMPLE}",
        ),
        (parts.scheme not in _PORTS or not parts.hostname, f"it is no address; {_EXAMPLE}"),
        (parts.port == 0, f"port 0 is none; {_EXAMPLE}"),
        (
            parts.path not in {"", "/"} or bool(parts.query or parts.fragment),
            f"it ends with host and port; {_EXAMPLE}",
        ),
    )
    return next((fault for is_so, fault in faults if is_so), "")


def without_login(url: str) -> str:
    """The address as it may be shown, even if somebody wrote a password into it.

    >>> without_login("mqtts://culex:p@ss@broker.example")
    '…@broker.example'
    """
    login, at, rest = url.rpartition("@")
    return f"…@{rest}" if login and at else url
