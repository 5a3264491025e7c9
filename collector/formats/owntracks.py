"""OwnTracks: where people and vehicles are, on `owntracks/<user>/<device>`.

Source: https://owntracks.org/booklet/tech/json/
"""

from collections.abc import Callable, Mapping

from collector.decoded import Decoded, Memory, Note, NoteKind, Place
from collector.formats.clearing import clearable
from collector.formats.sieve import Fields, Sieve, Sifting, load_object, stamp_of
from collector.rejection import Rejected

_WORDS: Mapping[str, Mapping[object, str]] = {
    "bs": {0: "unknown", 1: "unplugged", 2: "charging", 3: "full"},
    "conn": {"w": "wifi", "m": "mobile", "o": "offline"},
}
"""States that are sent as a letter or a digit."""

_DESCRIBING = frozenset(
    {
        "_type",
        "_id",
        "_http",
        "tst",
        "created_at",
        "sent",
        "t",
        "m",
        "tid",
        "topic",
        "rad",
        "inregions",
        "inrids",
        "SSID",
        "BSSID",
        "poi",
        "tag",
        "image",
        "imagename",
        "vin",
        "imei",
        "name",
        "mcc",
        "mnc",
        "lac",
        "cid",
        "rit",
        "rty",
        "rid",
        "raw_line",
        "can",
        "from",
        "to",
    }
)
_UNITS = {
    "lat": "°",
    "lon": "°",
    "cog": "°",
    "acc": "m",
    "alt": "m",
    "vac": "m",
    "dist": "m",
    "trip": "m",
    "distance": "m",
    "odometer": "km",
    "vel": "km/h",
    "batt": "%",
    "flvl": "%",
    "p": "kPa",
    "ubatt": "V",
    "uext": "V",
    "aiv": "V",
    "don": "s",
    "doff": "s",
    "hmc": "s",
    "fcon": "l/100 km",
}
_SIEVE = Sieve(_DESCRIBING, _UNITS)


@clearable
def decode_owntracks(payload: bytes, _place: Place, _memory: Memory) -> Decoded:
    """A location at the time of its fix, steps, or a region entered (on) or left (off).

    The last will says that the client is gone; its `tst` is when it came. Waypoints, cards,
    commands and configurations hold no readings.

    >>> place = Place("owntracks/jane/phone", "jane/phone")
    >>> payload = b'{"_type": "location", "tst": 1376715317, "lat": 48.5, "vel": 54}'
    >>> [(m.metric, m.value, m.unit) for m in decode_owntracks(payload, place, {}).measurements]
    [('lat', 48.5, '°'), ('vel', 54.0, 'km/h')]

    Raises:
        Rejected: `encrypted` if only its reader has the key; `no-object`, or why it is no JSON.
    """
    fields = load_object(payload)
    read = _READERS.get(str(fields.get("_type")))
    return read(fields) if read else Decoded()


def _location(fields: Fields) -> Decoded:
    sifting = Sifting(_SIEVE, stamp_of(fields, "tst"))
    sifting.take("", {key: _spelled(key, value) for key, value in fields.items()})
    return sifting.decoded()


def _spelled(key: str, value: object) -> object:
    """A state in words; what is no known state stays as it is."""
    words = _WORDS.get(key)
    return value if words is None or isinstance(value, dict | list) else words.get(value, value)


def _transition(fields: Fields) -> Decoded:
    region, event = fields.get("desc"), fields.get("event")
    if not isinstance(region, str) or not region or event not in ("enter", "leave"):
        return Decoded()
    stamp = stamp_of(fields, "tst")
    sifting = Sifting(_SIEVE, stamp)
    sifting.put(f"region.{region}", event == "enter", "", stamp)
    return sifting.decoded()


def _lwt(_fields: Fields) -> Decoded:
    return Decoded(notes=(Note(NoteKind.OFFLINE),))


def _encrypted(_fields: Fields) -> Decoded:
    raise Rejected("encrypted")


_READERS: Mapping[str, Callable[[Fields], Decoded]] = {
    "location": _location,
    "steps": _location,
    "transition": _transition,
    "lwt": _lwt,
    "encrypted": _encrypted,
}
