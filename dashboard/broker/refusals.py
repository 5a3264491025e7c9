"""Refused logins, those of one cause together, and what to do about them. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from telemetry.presence import Event

MOST_GROUPS = 50

_DETAIL = re.compile(r"(?P<why>.*?)(?:, as (?P<who>.*?))?(?: \((?P<more>\d{1,9}) more\))?", re.S)
"""As collector/refusals.py writes it; a client identifier may look like its end."""

_ADVICE: Mapping[str, str] = {
    "not authorised": "Its user name is not known, or the password is wrong. Give it a login: "
    "python -m mosquitto client add NAME",
    "bad user name": "Its user name is not known, or the password is wrong. Give it a login: "
    "python -m mosquitto client add NAME",
    "certificate": "It does not trust our certificate: give it the file ca.crt of the data folder.",
    "unknown ca": "It does not trust our certificate: give it the file ca.crt of the data folder.",
    "protocol error": "It gave up TLS or sent no MQTT: it may not trust our certificate (ca.crt of "
    "the data folder), use the wrong port, or be no MQTT client.",
    "http request": "It speaks HTTP to an MQTT port.",
    "wrong version number": "It speaks without TLS to the port with TLS.",
    "unexpected eof": "It went away in the middle of TLS: often a check of the port.",
    "identifier": "Its client identifier is not taken: choose another one.",
    "timeout": "It connected and never logged in: look at its network, or who scans the port.",
    "keep-alive": "It connected and never logged in: look at its network, or who scans the port.",
}
"""What to do, by words of the broker's reason."""

_OTHERWISE = "Look in the broker's log, data/logs/broker.log, what it says about this address."


@dataclass(frozen=True, slots=True)
class RefusalGroup:
    """Refused logins for one reason, from one host, under one client identifier.

    Attributes:
        reason: Why, in the broker's words.
        client_id: The client identifier, or an empty string where the broker does not name it.
        host: Where from, without the port, which differs at each try; or an empty string.
        count: How many are known of. The collector tells the first at once and the further ones
            of ten minutes together.
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


def grouped(refusals: Iterable[Event]) -> Sequence[RefusalGroup]:
    """The groups, that with the newest first.

    Args:
        refusals: Events of the kind `REFUSED`, oldest first.
    """
    found: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for event in refusals:
        reason, client_id, more = read_detail(event.detail)
        key = reason, client_id, host_of(event.address)
        count, first_us, _ = found.pop(key, (0, event.time_us, 0))
        found[key] = (count + more, first_us, event.time_us)
    return [RefusalGroup(*key, *counts, advice(key[0])) for key, counts in found.items()][::-1]


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


def advice(reason: str) -> str:
    """What to do about a refusal for that reason, in one or two sentences."""
    words = reason.casefold()
    return next((text for part, text in _ADVICE.items() if part in words), _OTHERWISE)
