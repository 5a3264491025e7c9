"""A bare value: `21.5`, `on`, `heating`, `"21.5"`."""

import orjson

from collector.decoded import Decoded, Measurement, Memory, Note, NoteKind, Place
from collector.rejection import Rejected
from collector.values import NULL, Value, read_scalar, read_text

_BOM = b"\xef\xbb\xbf"
_SPACES = b" \t\r\n\x0b\x0c"
_CONTROLS = frozenset(range(32)) - frozenset(_SPACES)


def decode_plain(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The one value of a payload, under the metric that the topic names.

    Raises:
        Rejected: Why the payload is no text or no value, or `no-metric` if the topic names none.
    """
    text = read_utf8(payload)
    if not place.metric:
        raise Rejected("no-metric")
    if text == NULL:
        return Decoded(notes=(Note(NoteKind.NO_VALUE, place.metric),))
    value, kind, flags = _read(text)
    return Decoded((Measurement(place.metric, value, kind, flags=flags),))


def _read(text: str) -> Value:
    if text[:1] != '"':
        return read_text(text)
    try:
        return read_scalar(orjson.loads(text))
    except orjson.JSONDecodeError:
        raise Rejected("malformed-json") from None


def read_utf8(payload: bytes) -> str:
    r"""The payload as text, without spaces around it or a byte order mark.

    What no text begins with, or has in it where it is no UTF-8 either, makes it binary.

    >>> read_utf8(b"\xef\xbb\xbf 21.5\r\n")
    '21.5'

    Raises:
        Rejected: `empty`, `binary` or `not-utf8`.
    """
    content = payload.removeprefix(_BOM).strip(_SPACES)
    if not content:
        raise Rejected("empty")
    if content[0] in _CONTROLS:
        raise Rejected("binary")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Rejected("not-utf8" if _CONTROLS.isdisjoint(content) else "binary") from None
