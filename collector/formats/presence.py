"""Whether a client is there: `online`, `offline`, or the same as a boolean or in JSON."""

import orjson

from collector.decoded import Decoded, Memory, Note, NoteKind, Place
from collector.formats.clearing import clearable
from collector.formats.plain import read_utf8
from collector.rejection import Rejected

_KINDS = {
    "online": NoteKind.ONLINE,
    "true": NoteKind.ONLINE,
    "1": NoteKind.ONLINE,
    "offline": NoteKind.OFFLINE,
    "false": NoteKind.OFFLINE,
    "0": NoteKind.OFFLINE,
}


@clearable
def decode_presence(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The note that the client came or went; never a measurement.

    >>> place = Place("zigbee2mqtt/lamp/availability", "lamp")
    >>> [str(n.kind) for n in decode_presence(b'{"state": "online"}', place, {}).notes]
    ['online']

    Raises:
        Rejected: `no-presence` if it says neither.
    """
    kind = _KINDS.get(_word(payload))
    if kind is None:
        raise Rejected("no-presence")
    return Decoded(notes=(Note(kind, place.metric),))


def _word(payload: bytes) -> str:
    try:
        text = read_utf8(payload)
    except Rejected:
        return ""
    return _state(text) if text[0] in '{"' else text.lower()


def _state(text: str) -> str:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    state = content.get("state") if isinstance(content, dict) else content
    return str(state).lower() if isinstance(state, str | bool | int) else ""
