"""MessagePack and CBOR: what they hold is read as JSON is. Pure.

Both libraries are given what anybody sends, so: nothing behind the value, no tag or extension that
makes an object, and no key whose hash an attacker chooses. 256 kB of CBOR with arrays for keys that
all hash alike take 5.4 s to decode, 16 kB take 0.03 s.

Source: MessagePack specification; RFC 8949.
"""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO

import cbor2
import msgpack  # type: ignore[import-untyped]  # it ships no types

from collector.decoded import Decoded, Memory, Place
from collector.formats.objects import decode_fields
from collector.rejection import Rejected
from collector.timestamps import Stamp, read_time, stamp_us

ANY_KEY_BYTES = 16_000
"""In a larger CBOR payload keys must be text or bytes, whose hashes nobody can choose."""

_BIG_BYTES = 128
_DECIMAL_PARTS = 2
_UNSUPPORTED = object()


def decode_msgpack(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of a MessagePack object, or of an array of them; or a bare value.

    >>> decoded = decode_msgpack(bytes.fromhex("81a474656d7015"), Place("clients/a", "a"), {})
    >>> [(m.metric, m.value) for m in decoded.measurements]
    [('temp', 21.0)]

    Raises:
        Rejected: As `load_msgpack` and `decode_fields`.
    """
    return decode_fields(load_msgpack(payload), place)


def decode_cbor(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of a CBOR object, or of an array of them; or a bare value.

    >>> decoded = decode_cbor(bytes.fromhex("a16474656d70f94d60"), Place("clients/a", "a"), {})
    >>> [(m.metric, m.value) for m in decoded.measurements]
    [('temp', 21.5)]

    Raises:
        Rejected: As `load_cbor` and `decode_fields`.
    """
    return decode_fields(load_cbor(payload), place)


def load_msgpack(payload: bytes) -> object:
    """What a MessagePack payload holds, with text for keys and a `Stamp` for a timestamp.

    Raises:
        Rejected: `empty`, `too-deep`, `not-utf8` or `malformed-msgpack`.
    """
    if not payload:
        raise Rejected("empty")
    try:
        value: object = msgpack.unpackb(
            payload, object_pairs_hook=_from_pairs, ext_hook=_no_extension, strict_map_key=False
        )
    except msgpack.StackError:
        raise Rejected("too-deep") from None
    except UnicodeDecodeError:
        raise Rejected("not-utf8") from None
    except ValueError:
        raise Rejected("malformed-msgpack") from None
    return value


def _from_pairs(pairs: Sequence[tuple[object, object]]) -> dict[str, object]:
    """Made from pairs, so that keys are text before anybody hashes them."""
    return {_key(key): _moment(value) for key, value in pairs}


def _moment(value: object) -> object:
    if isinstance(value, msgpack.Timestamp):
        return stamp_us(value.seconds * 1_000_000 + value.nanoseconds // 1000)
    return value


def _no_extension(_code: int, _data: bytes) -> object:
    return _UNSUPPORTED


def load_cbor(payload: bytes) -> object:
    """What a CBOR payload holds, with text for keys and a `Stamp` for a time.

    Raises:
        Rejected: `empty`, `too-deep`, `not-utf8`, `keys-not-text` (in more than `ANY_KEY_BYTES`)
            or `malformed-cbor`.
    """
    if not payload:
        raise Rejected("empty")
    stream = BytesIO(payload)
    decoder = cbor2.CBORDecoder(
        stream,
        tag_hook=_no_tag,
        object_hook=_from_map,
        semantic_decoders=_TAGS,
        strict_hashable_types=len(payload) > ANY_KEY_BYTES,
    )
    try:
        value: object = decoder.decode()
    except cbor2.CBORDecodeError as error:
        raise Rejected(_cbor_fault(error)) from None
    if stream.tell() != len(payload):
        raise Rejected("malformed-cbor")
    return None if value is cbor2.undefined else value


def _cbor_fault(error: cbor2.CBORDecodeError) -> str:
    said = str(error)
    if "depth" in said:
        return "too-deep"
    if "map key must be" in said:
        return "keys-not-text"
    return "not-utf8" if isinstance(error.__cause__, UnicodeDecodeError) else "malformed-cbor"


def _from_map(fields: Mapping[object, object], _immutable: bool) -> dict[str, object]:
    return {_key(key): None if value is cbor2.undefined else value for key, value in fields.items()}


def _key(key: object) -> str:
    """A key as text; empty, and so a fault, if it is neither a text nor an integer."""
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    try:
        return key.decode() if isinstance(key, bytes) else ""
    except UnicodeDecodeError:
        return ""


def _no_tag(_tag: object, _immutable: bool) -> object:
    return _UNSUPPORTED


def _itself(value: object, _immutable: bool) -> object:
    return value


def _time(value: object, _immutable: bool) -> Stamp:
    return read_time(value)


def _positive(value: object, _immutable: bool) -> object:
    if not isinstance(value, bytes):
        return _UNSUPPORTED
    return int.from_bytes(value) if len(value) <= _BIG_BYTES else math.inf


def _negative(value: object, immutable: bool) -> object:
    number = _positive(value, immutable)
    return -1 - number if isinstance(number, int | float) else number


def _decimal(value: object, _immutable: bool) -> object:
    """Mantissa times ten to the exponent, by way of text: no power of ten is ever made."""
    parts = _parts(value)
    return float(f"{parts[1]}e{parts[0]}") if parts else _UNSUPPORTED


def _binary_fraction(value: object, _immutable: bool) -> object:
    parts = _parts(value)
    if parts is None:
        return _UNSUPPORTED
    try:
        return math.ldexp(parts[1], parts[0])
    except OverflowError:
        return math.inf


def _parts(value: object) -> tuple[int, int] | None:
    """Exponent and mantissa."""
    if not isinstance(value, list | tuple) or len(value) != _DECIMAL_PARTS:
        return None
    exponent, mantissa = value
    whole = type(exponent) is int and type(mantissa) is int
    return (exponent, mantissa) if whole else None


_MADE_OBJECTS_OF = (25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)
"""What cbor2 6.3 would make objects of beside numbers and times: shared references (which may be
cycles), regular expressions, e-mail, addresses, sets."""

_TAGS = {
    **dict.fromkeys(_MADE_OBJECTS_OF, lambda _value, _immutable: _UNSUPPORTED),
    0: _time,
    1: _time,
    2: _positive,
    3: _negative,
    4: _decimal,
    5: _binary_fraction,
    55799: _itself,  # "this is CBOR"
}
