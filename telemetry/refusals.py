"""Refused logins, those of one cause together, and what to do about them. Pure."""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address

from telemetry.existing import ExistingBroker
from telemetry.presence import Event
from telemetry.reasons import Reason

MOST_GROUPS = 50

_DETAIL = re.compile(r"(?P<why>.*?)(?:, as (?P<who>.*?))?(?: \((?P<more>\d{1,9}) more\))?", re.S)
"""As collector/refusals.py writes it; a client identifier may look like its end."""

_ROTATE = (
    "let it use NAME as user name and as client identifier, and its password; for a new one: "
    ".venv/bin/python -m mosquitto client rotate NAME"
)
_ADD = "to make it, run: .venv/bin/python -m mosquitto client add NAME"
_LOGIN = Reason(
    "Its user name is not known, its login is disabled, the password is wrong, or its client "
    "identifier is not its name",
    f"{_ROTATE}; if there is no such client, {_ADD}",
)
_TRUST = Reason(
    "It does not trust our certificate", "give it the file ca.crt of the data folder to trust"
)
_NAME = Reason(
    "It finds our certificate bad: often that does not have the host name that it connects to",
    "let it connect to a host name of the certificate, and trust the ca.crt of the data folder",
)
_REASONS: Mapping[str, Reason] = {
    "not authorised": _LOGIN,
    "bad user name": _LOGIN,
    "certificate verify failed": Reason(
        "Its own certificate is of another authority, expired or revoked",
        "issue a new one: .venv/bin/python -m mosquitto client certificate NAME --out DIR",
    ),
    "did not return a certificate": Reason(
        "It shows no certificate, and the broker asks for one",
        "issue one: .venv/bin/python -m mosquitto client certificate NAME --out DIR",
    ),
    "bad certificate": _NAME,
    "certificate": _TRUST,
    "unknown ca": _TRUST,
    "protocol error": Reason(
        "It gave up TLS or sent no MQTT: it may not trust our certificate, show no good one where "
        "client_certificates is required, use the wrong port, or be no MQTT client",
        "check its port, and that it trusts the ca.crt of the data folder",
    ),
    "http request": Reason("It speaks HTTP to an MQTT port", "let it speak MQTT, or leave it be"),
    "wrong version number": Reason(
        "It speaks without TLS to the port with TLS", "switch TLS on in the client"
    ),
    "unsupported protocol": Reason(
        "Its TLS is older than 1.2", "let it use TLS 1.2 or newer, with newer firmware if need be"
    ),
    "no shared cipher": Reason(
        "Its TLS has no cipher that the broker takes", "give it newer firmware or a newer library"
    ),
    "unexpected eof": Reason(
        "It went away in the middle of TLS: often a check of the port",
        "find out who looks whether the port is open, if it comes again and again",
    ),
    "oversize packet": Reason("It sent a packet of more than 1 MB", "let it send smaller messages"),
    "identifier": Reason("Its client identifier is not taken", "choose another one"),
    "timeout": Reason(
        "It connected and never logged in", "look at its network, or who scans the port"
    ),
    "keep-alive": Reason(
        "It connected and never logged in", "look at its network, or who scans the port"
    ),
}
"""What it means and what to do, by words of the broker's reason."""

_OTHERWISE = Reason(
    "The broker refused it in these words",
    "look in the broker's log, data/logs/broker.log, what it says about this address",
)


@dataclass(frozen=True, slots=True)
class RefusalGroup:
    """Refused logins for one reason, from one host, under one client identifier.

    Attributes:
        reason: Why, in the broker's words.
        client_id: The client identifier, or an empty string where the broker does not name it.
        host: Where from, without the port, which differs at each try; or an empty string.
        count: How many are known of. The collector tells the first at once and the further ones
            of some time together.
        first_us: When the first was.
        last_us: When the last was.
        advice: What to do.
    """

    reason: str
    client_id: str
    host: str
    count: int
    first_us: int
    last_us: int
    advice: str


def grouped(
    refusals: Iterable[Event], broker: ExistingBroker | None = None
) -> Sequence[RefusalGroup]:
    """The groups, that with the newest first.

    Args:
        refusals: Events of the kind `REFUSED`, oldest first.
        broker: The broker that is used instead of our own.
    """
    advise = partial(_advice_elsewhere, broker) if broker else advice
    found: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for event in refusals:
        reason, client_id, more = read_detail(event.detail)
        key = reason, client_id, host_of(event.address)
        count, first_us, _ = found.pop(key, (0, event.time_us, 0))
        found[key] = (count + more, first_us, event.time_us)
    return [RefusalGroup(*key, *counts, advise(key[0])) for key, counts in found.items()][::-1]


@lru_cache(maxsize=1000)
def read_detail(detail: str) -> tuple[str, str, int]:
    """Reason, client identifier and number of refusals that a detail tells.

    >>> read_detail("not authorised")
    ('not authorised', '', 1)
    >>> read_detail("not authorised, as boiler, old (12 more)")
    ('not authorised', 'boiler, old', 12)
    """
    match = _DETAIL.fullmatch(detail)
    if match is None:
        return detail, "", 1
    return match["why"], match["who"] or "", int(match["more"] or 1)


def host_of(address: str) -> str:
    """The address without its port.

    >>> host_of("192.0.2.7:41578"), host_of("[2001:db8::7]:41578"), host_of("192.0.2.7")
    ('192.0.2.7', '[2001:db8::7]', '192.0.2.7')
    """
    if address.startswith("["):
        return address.partition("]")[0] + "]"
    return address.partition(":")[0]


def is_here(address: str) -> bool:
    """Whether an address, with or without its port, is of this machine.

    >>> is_here("127.0.0.1:41578"), is_here("[::1]:41578"), is_here("192.0.2.7:41578")
    (True, True, False)
    """
    try:
        return ip_address(host_of(address).strip("[]")).is_loopback
    except ValueError:
        return False


def explained(reason: str) -> Reason:
    """What a refusal for that reason means, and what to do.

    >>> explained("tlsv1 alert unknown ca").meaning
    'It does not trust our certificate'
    """
    words = reason.casefold()
    return next((found for part, found in _REASONS.items() if part in words), _OTHERWISE)


def explained_for(
    reason: str, client: str, registered: bool | None = None, elsewhere: str = ""
) -> Reason:
    """The same for a client by its name.

    Args:
        reason: Why it was refused, in the broker's words.
        client: Its name.
        registered: Whether it has a login of ours; None if that is not known.
        elsewhere: The existing broker that refused it, or an empty string for our own.

    >>> explained_for("not authorised", "tank", registered=False).advice
    'to make it, run: .venv/bin/python -m mosquitto client add tank'
    """
    found = explained(reason)
    advice = found.advice
    if elsewhere:
        advice = f"see the broker at {elsewhere}, where its login is kept"
    elif found is _LOGIN and registered is not None:
        advice = _ROTATE if registered else _ADD
    return Reason(found.meaning, advice.replace("NAME", shlex.quote(client)))


def possible(
    groups: Iterable[RefusalGroup], client: str, names: Collection[str]
) -> Sequence[RefusalGroup]:
    """Those that may have been of a client: not those under the name of another.

    Args:
        groups: Refused logins.
        client: The name of the client.
        names: The names of clients that are known.
    """
    return [one for one in groups if one.client_id == client or one.client_id not in names]


def whose(group: RefusalGroup) -> str:
    """Who was refused, as far as the broker says it, as the beginning of a sentence.

    >>> whose(RefusalGroup("not authorised", "tank-1", "192.0.2.7", 1, 0, 0, ""))
    'Somebody at 192.0.2.7 as tank-1'
    """
    where = f" at {group.host}" if group.host else ""
    return f"Somebody{where}" + (f" as {group.client_id}" if group.client_id else "")


def advice(reason: str) -> str:
    """The same in two sentences."""
    found = explained(reason)
    return f"{found.meaning}. To do: {found.advice}."


def _advice_elsewhere(broker: ExistingBroker, _reason: str) -> str:
    """What to do at a broker whose logins and certificates are not ours."""
    return f"It is turned away by the broker at {broker.place}, where its login is kept: see there."
