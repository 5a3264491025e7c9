"""What one line of the broker's log says about connections.

Read from the right end, where only the broker writes: a client identifier stands in the middle of
a line, and can hold everything that the rest of a line consists of. Wordings of Mosquitto 2.0
(observed on 2.0.11) and 2.1 (from its source), which names the address where 2.0 does not:

    Client boiler closed its connection.
    Client boiler [192.0.2.7:41578] disconnected: connection closed by client.
"""

import re
from typing import NamedTuple

from telemetry.presence import Ending

CUT_BYTES = 999
"""Mosquitto cuts its lines to this length, so a longer one has lost its right end."""

NAMELESS = "<unknown>"
"""What 2.0 calls who is gone before it was known who it is."""

_TIME = re.compile(r"\d[\dTZ:+-]*: ", re.ASCII)
_ADDRESS = r"(\S+):(\d{1,5})"
_ACCEPTED = re.compile(rf"New connection from {_ADDRESS} on port \d{{1,5}}\.", re.ASCII)
_OPENED = re.compile(
    rf"New (?:client|bridge) connected from {_ADDRESS} as (.*)"
    r" \(p(\d{1,3}), c([01]), k(\d{1,5})(?:, u'(.*)')?\)\.",
    re.ASCII | re.DOTALL,
)
_OPENED_CUT = re.compile(rf"New (?:client|bridge) connected from {_ADDRESS} as ", re.ASCII)
_CLOSED = re.compile(
    r"Client (.*) disconnected(?: due to|:|,) "
    r"(bad socket read/write: [^\n]{1,200}|[^\n]{1,200}\.)",
    re.DOTALL,
)
_NAME = re.compile(rf"(.*) \[{_ADDRESS}\]", re.ASCII | re.DOTALL)
_BROKEN = re.compile(r"Bad socket read/write on client (.*): ([^\n:]{1,200}?)\.?", re.DOTALL)
_CIPHER = re.compile(r" negotiated \S+ cipher \S+$")
_TURNED_AWAY = re.compile(r"Client connection from (\S+) (?:failed|denied): (.{1,300}?)\.?")
_TLS = re.compile(r"OpenSSL Error\[\d{1,3}\]: error:[^\n]*:([^:\n]{1,200})")
_DROPPING = re.compile(r"Outgoing messages are being dropped for client (.*)\.", re.DOTALL)
_MAPPED = "::ffff:"  # how IPv4 looks to a listener that takes both

_ENDS = {
    " disconnected.": Ending.GOODBYE,
    " closed its connection.": Ending.CLOSED,
    " has exceeded timeout, disconnecting.": Ending.TIMED_OUT,
    " already connected, closing old connection.": Ending.TAKEN_OVER,
    " been disconnected by administrative action.": Ending.REMOVED,
}
_SAME = {
    "connection closed by client": Ending.CLOSED,
    "exceeded timeout": Ending.TIMED_OUT,
    "session taken over": Ending.TAKEN_OVER,
}
_PROTOCOLS = {1: "3.1", 2: "3.1.1", 3: "3.1", 4: "3.1.1", 5: "5"}  # 2.0 counts, 2.1 as on the wire
_BRIDGE_BIT = 0x80


class Accepted(NamedTuple):
    """A network connection, before anybody says who it is."""

    address: str


class Opened(NamedTuple):
    """A client was let in; as in `Connection`, the client identifier whole."""

    client_id: str
    username: str
    address: str
    protocol: str
    keep_alive_s: int
    clean_start: bool


class Closed(NamedTuple):
    """A client is gone.

    Attributes:
        name: Its identifier, and with 2.1 its address after it, see `split_name`.
        reason: Why, of `Ending` or in the broker's words.
    """

    name: str
    reason: str


class TurnedAway(NamedTuple):
    """A network connection ended before MQTT began; only the host of its address is known."""

    address: str
    reason: str


class TlsFault(NamedTuple):
    """Why TLS failed; the next line says that the connection ended, and no more than that."""

    reason: str


class Dropping(NamedTuple):
    """The broker drops messages for a client."""

    client_id: str


class Unreadable(NamedTuple):
    """A client was let in whose identifier is too long for a line of the log."""

    address: str


Sighting = Accepted | Opened | Closed | TurnedAway | TlsFault | Dropping | Unreadable


def read_line(payload: bytes) -> Sighting | None:
    """What a line says, or None if it is about something else; never raises.

    >>> read_line(b"New client connected from 192.0.2.7:4157 as a b (p2, c1, k60, u'boiler').")
    Opened(client_id='a b', username='boiler', address='192.0.2.7:4157', protocol='3.1.1', \
keep_alive_s=60, clean_start=True)
    >>> read_line(b"OpenSSL Error[0]: error:0A000102:SSL routines::unsupported protocol")
    TlsFault(reason='unsupported protocol')
    >>> read_line(b"Client boiler has exceeded timeout, disconnecting.")
    Closed(name='boiler', reason=<Ending.TIMED_OUT: 'keep-alive exceeded'>)
    """
    line = payload.decode("utf-8", "replace")
    line = line[match.end() :] if (match := _TIME.match(line)) else line
    if len(payload) >= CUT_BYTES:
        cut = _OPENED_CUT.match(line)
        return Unreadable(_address(cut[1], cut[2])) if cut else None
    if line.startswith("New "):
        return _read_new(line)
    if line.startswith("Client "):
        return _read_client(line)
    if match := _DROPPING.fullmatch(line):
        return Dropping(match[1])
    if match := _TLS.fullmatch(line):
        return TlsFault(match[1])
    match = _BROKEN.fullmatch(line)
    return Closed(match[1], match[2]) if match else None


def split_name(name: str) -> tuple[str, str]:
    """The client identifier and the address in how 2.1 names a client.

    >>> split_name("boiler [::ffff:192.0.2.7:41578]")
    ('boiler', '192.0.2.7:41578')
    >>> split_name("boiler")
    ('boiler', '')
    """
    match = _NAME.fullmatch(name)
    return (match[1], _address(match[2], match[3])) if match else (name, "")


def _read_new(line: str) -> Accepted | Opened | None:
    if match := _ACCEPTED.fullmatch(line):
        return Accepted(_address(match[1], match[2]))
    match = _OPENED.fullmatch(line)
    if match is None:
        return None
    host, port, client_id, protocol, clean, keep_alive, username = match.groups()
    version = _PROTOCOLS.get(int(protocol) & ~_BRIDGE_BIT, "")
    address = _address(host, port)
    return Opened(client_id, username or "", address, version, int(keep_alive), clean == "1")


def _read_client(line: str) -> Closed | TurnedAway | None:
    """One of the broker's ends first: before it, everything is the identifier."""
    for end, ending in _ENDS.items():
        if line.endswith(end):
            return Closed(line[len("Client ") : -len(end)], ending)
    if _CIPHER.search(line):
        return None
    if match := _CLOSED.fullmatch(line):
        reason = match[2].removesuffix(".")
        return Closed(match[1], _SAME.get(reason, reason))
    if match := _TURNED_AWAY.fullmatch(line):
        host = _plain(match[1])
        return TurnedAway(f"[{host}]" if ":" in host else host, match[2].split(":")[-1].strip())
    return None


def _address(host: str, port: str) -> str:
    """Host and port as one text; an IPv6 address is set apart by brackets."""
    host = _plain(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _plain(host: str) -> str:
    return host.removeprefix(_MAPPED) if "." in host else host
