"""ESPHome: `<prefix>/<component>/<object id>/state`, a bare value or, of a light, an object.

A fan, cover or climate has more of them: `…/<object id>/position/state`.

Source: https://esphome.io/components/mqtt/
"""

from collector.decoded import Decoded, Memory, Note, NoteKind, Place
from collector.formats.clearing import clearable
from collector.formats.plain import decode_plain
from collector.formats.sieve import DESCRIPTIVE, Sieve, Sifting, load_object
from collector.rejection import Rejected

_STATE = "state"
_NUMERIC = frozenset({"sensor", "number"})
_TEXT = "text_sensor"
_PARTED = frozenset({"fan", "cover", "valve", "climate"})
"""Components with more than one state, each on a topic below their own."""

_COMPONENTS = _PARTED | _NUMERIC | {_TEXT, "binary_sensor", "switch", "light", "select", "lock"}
_NO_VALUES = frozenset({b"nan", b"none"})
"""What a numeric component says that has no value; which of the two is a setting."""

_SIEVE = Sieve(frozenset({"color_mode"}))


@clearable
def decode_esphome(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """The state of a component; a text too long for a state describes and is left out.

    What is sent to a client (`…/command`) is no reading.

    >>> place = Place("node/sensor/air/state", "node", "air")
    >>> [m.value for m in decode_esphome(b"21.5", place, {}).measurements]
    [21.5]

    Raises:
        Rejected: Why it is no value, or no JSON.
    """
    *_, above, component, _object, last = ["", "", "", *place.topic.split("/")]
    if last != _STATE:
        return Decoded()
    named_so = above == place.client and component in _COMPONENTS  # a client called `fan`
    if above in _PARTED and not named_so:
        place = place._replace(metric=f"{component}.{place.metric}")
    if component == _TEXT:
        return _text(payload, place, memory)
    if component in _NUMERIC and payload.strip().lower() in _NO_VALUES:
        return Decoded(notes=(Note(NoteKind.NO_VALUE, place.metric),))
    if payload.lstrip().startswith(b"{"):
        sifting = Sifting(_SIEVE)
        sifting.take(place.metric, load_object(payload))
        return sifting.decoded()
    return decode_plain(payload, place, memory)


def _text(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """Addresses, versions and sentences are no states."""
    try:
        return decode_plain(payload, place, memory)
    except Rejected as rejected:
        if rejected.reason in DESCRIPTIVE:
            return Decoded()
        raise
