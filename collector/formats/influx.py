r"""InfluxDB line protocol: `weather,site=roof temperature=21.5,rain=0i 1465839830100400200`.

Parsed here and not by line-protocol-parser 2.0.1, the one library that is kept up: it refuses a
whole line for one bad value or for a time beyond 64 bits, knows no second line, gives fields from
the last to the first, and is C that would read what anybody sends.

Source: InfluxDB, "Line protocol" reference.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import NamedTuple

from collector.decoded import FIELDS, ROWS, Decoded, Memory, Place
from collector.formats.harvest import Harvest, dotted, joined
from collector.formats.plain import read_utf8
from collector.rejection import Rejected
from collector.timestamps import NO_TIME, Stamp, read_time
from collector.values import read_text, unquoted

# Possessive quantifiers (`++`): a text that does not fit is not tried again in other ways.
_NAME = r"((?:[^,=\s\\]|\\[^\n])++)"
_MEASUREMENT = re.compile(r"[ \t]*+((?:[^,\s\\]|\\[^\n])++)")
_TAG = re.compile(rf",{_NAME}={_NAME}")
_GAP = re.compile(r"[ \t]++")
_FIELD = re.compile(rf'{_NAME}=(?:"((?:[^"\\]|\\.)*+)"|([^,\s"]*+))', re.DOTALL)
_END = re.compile(r"(?:[ \t]++([^\s]++))?[ \t]*+(?:\r?\n|\Z)")
_NOTHING = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_ESCAPED = re.compile(r"\\([,= ])")
_ESCAPED_IN_TEXT = re.compile(r'\\(["\\])')
_TYPED_INTEGER = re.compile(r"[+-]?[0-9]+i|[0-9]+u")
_RESERVED = re.compile(r"([\\,={}])")
_BACKSLASHED = r"\\\1"
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}


class Line(NamedTuple):
    """One line, as it is written.

    Attributes:
        measurement: Its measurement.
        tags: Its tags.
        fields: Its fields; what stood in quotes begins with one.
        time: Its time, or an empty string.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, str]
    time: str


def decode_influx(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of lines: `measurement.field{tag=value}`, without `.field` if it is `value`.

    >>> line = b'air,room=lab temp=21.5,open=f 1465839830100400200'
    >>> decoded = decode_influx(line, Place("clients/a", "a"), {})
    >>> [(m.metric, m.value) for m in decoded.measurements]
    [('air.temp{room=lab}', 21.5), ('air.open{room=lab}', 0.0)]

    Raises:
        Rejected: `no-values` if there is no line, or why the payload is no text.
    """
    harvest = Harvest()
    for number, line in enumerate(read_lines(read_utf8(payload))):
        if number == ROWS:
            harvest.refuse("too-many-rows", place.metric)
            break
        if line is None:
            harvest.refuse("malformed-line", place.metric)
        else:
            _take(harvest, line, place)
    return harvest.decoded()


def _take(harvest: Harvest, line: Line, place: Place) -> None:
    stamp = _stamp(line.time, place.zone)
    if stamp.bad_key:
        harvest.refuse("bad-time", dotted(place.metric, line.measurement))
    measurement, tags = name_parts(line, place)
    for number, (field, text) in enumerate(line.fields.items()):
        name = joined(measurement if field == "value" else dotted(measurement, field), tags)
        if number == FIELDS:
            harvest.refuse("too-many-fields", name)
            break
        try:
            harvest.put(name, read_field(text), "", stamp)
        except Rejected as rejected:
            harvest.refuse(rejected.reason, name)


def _stamp(text: str, zone: tzinfo) -> Stamp:
    """Nanoseconds by the specification; other units by their size."""
    stamp = read_time(text, zone)
    return Stamp(None, 0, text) if text and stamp == NO_TIME else stamp


def name_parts(line: Line, place: Place) -> tuple[str, str]:
    """What stands before and after a field's name in that of its metric: `air` and `{room=lab}`.

    Tags stand in the order of their names. A measurement that the topic names already is not
    repeated, and a tag that only names the client is left out: neither tells two series of one
    client apart.

    >>> line = Line("air", {"room": "lab", "host": "pi"}, {}, "")
    >>> name_parts(line, Place("t", "pi")), name_parts(line, Place("t", "a", "b"))
    (('air', '{room=lab}'), ('b.air', '{host=pi,room=lab}'))
    """
    tags = [
        f"{_RESERVED.sub(_BACKSLASHED, tag)}={_RESERVED.sub(_BACKSLASHED, value)}"
        for tag, value in sorted(line.tags.items())
        if value != place.client
    ]
    prefix = "" if place.metric == line.measurement else place.metric
    return dotted(prefix, line.measurement), f"{{{','.join(tags)}}}" if tags else ""


def read_field(text: str) -> float | str:
    """The value of a field: a float, an integer with `i` or `u`, a boolean, a text in quotes.

    >>> read_field("21.5"), read_field("3i"), read_field("T"), read_field('"on')
    (21.5, 3, True, 'on')

    Raises:
        Rejected: `malformed-number` if it is none of these, `non-finite` or `empty`.
    """
    if text[:1] == '"':
        return _ESCAPED_IN_TEXT.sub(r"\1", text[1:])
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    value = unquoted(text[:-1] if _TYPED_INTEGER.fullmatch(text) else text)
    if isinstance(value, int | float):
        return value
    read_text(text)
    raise Rejected("malformed-number")


def read_lines(text: str) -> Iterator[Line | None]:
    """The lines of a text without comments and empty ones; None for one that is malformed."""
    at = 0
    while at < len(text):
        nothing = _NOTHING.match(text, at)
        if nothing:
            at = nothing.end()
            continue
        line, end = read_line(text, at)
        yield line
        at = end if line else (text.find("\n", at) + 1 or len(text))


def read_line(text: str, start: int = 0) -> tuple[Line | None, int]:
    """The line that begins there, or None if it is malformed; and where it ends."""
    head = _MEASUREMENT.match(text, start)
    if head is None:
        return None, start
    tags, at = _read_tags(text, head.end())
    gap = _GAP.match(text, at)
    if gap is None:
        return None, at
    fields, at = _read_fields(text, gap.end())
    end = _END.match(text, at)
    if not fields or end is None:
        return None, at
    return Line(_plain(head[1]), tags, fields, end[1] or ""), end.end()


def _read_tags(text: str, at: int) -> tuple[dict[str, str], int]:
    tags = {}
    while match := _TAG.match(text, at):
        tags[_plain(match[1])] = _plain(match[2])
        at = match.end()
    return tags, at


def _read_fields(text: str, at: int) -> tuple[dict[str, str], int]:
    """None if one of them is malformed, or nothing follows a comma: `21,5` must not be 21."""
    fields = {}
    while match := _FIELD.match(text, at):
        fields[_plain(match[1])] = match[3] if match[2] is None else f'"{match[2]}'
        at = match.end()
        if text[at : at + 1] != ",":
            return fields, at
        at += 1
    return {}, at


def _plain(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)
