"""Tells by its first bytes how a text payload is written; binary formats must be named."""

import re
from itertools import islice

from collector.decoded import FIELDS, Decoded, Memory, Place
from collector.formats.influx import decode_influx, read_field, read_lines
from collector.formats.keyvalue import decode_keyvalue, read_pairs
from collector.formats.objects import decode_fields, decode_json, load_json
from collector.formats.plain import decode_plain, read_utf8
from collector.formats.senml import decode_pack, is_pack
from collector.rejection import Rejected
from collector.values import read_scalar
from telemetry.reading import Kind

_BOM = b"\xef\xbb\xbf"
_WORD = re.compile(r"[^\W\d][\w.:/-]*")
_PAIR = re.compile(rf"{_WORD.pattern}[ \t]*=")


def decode_auto(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """The measurements of a payload that is JSON, SenML, key=value, line protocol or a bare value.

    Where the topic names a metric, what has an `=` in it may be a state: it is read as something
    else only if that leaves no doubt.

    Raises:
        Rejected: As the decoder of the format that it seems to be.
    """
    start = payload[:1]
    if start not in (b"{", b"["):
        start = payload[:64].removeprefix(_BOM).lstrip()[:1]
    if start == b"{":
        return decode_json(payload, place, memory)
    if start == b"[":
        return _decode_array(payload, place)
    if b"=" not in payload:
        return decode_plain(payload, place, memory)
    text = read_utf8(payload)
    if _PAIR.match(text) and (not place.metric or has_number(text)):
        return decode_keyvalue(payload, place, memory)
    if is_line_protocol(text):
        return decode_influx(payload, place, memory)
    return decode_plain(payload, place, memory)


def _decode_array(payload: bytes, place: Place) -> Decoded:
    content = load_json(payload)
    return decode_pack(content, place) if is_pack(content) else decode_fields(content, place)


def has_number(text: str) -> bool:
    """Whether one of the pairs of a text, of which it consists, is a number or yes or no.

    >>> has_number("temp=21.5"), has_number("a=b c"), has_number("a = b, on=true")
    (True, False, True)
    """
    return any(pair.whole and _is_number(pair.value) for pair in islice(read_pairs(text), FIELDS))


def _is_number(value: float | str | None) -> bool:
    try:
        return read_scalar(value)[1] is not Kind.STATE
    except Rejected:
        return False


def is_line_protocol(text: str) -> bool:
    """Whether the first line is one of InfluxDB's, with a word for its measurement.

    >>> is_line_protocol("air,room=lab temp=21.5"), is_line_protocol("heating to=21,5")
    (True, False)
    """
    line = next(read_lines(text), None)
    if line is None or not _WORD.fullmatch(line.measurement):
        return False
    try:
        for field in line.fields.values():
            read_field(field)
    except Rejected:
        return False
    return True
