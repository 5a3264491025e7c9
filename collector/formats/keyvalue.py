"""Key=value: `temp=21.5 hum=40`, also with `,` `;` `&` or new lines between the pairs."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from collector.decoded import Decoded, Memory, Place
from collector.formats.harvest import dotted
from collector.formats.objects import Walk
from collector.formats.plain import read_utf8
from collector.rejection import Rejected
from collector.timestamps import find_time
from collector.values import unquoted

_SEPARATORS = re.compile(r"[\s,;&]+")
_EDGES = " \t\r\n\x0b\x0c,;&"
_SPACES = " \t"
_QUOTES = ('"', "'")
_QUOTED = re.compile(r"""[ \t]*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Pair(NamedTuple):
    """One key with its value.

    Attributes:
        key: What stands before the `=`.
        value: A number, a text or None; whatever stood in quotes is a text.
        whole: Whether its quotes are closed, and nothing stands between them and the next pair.
    """

    key: str
    value: float | str | None
    whole: bool = True


def decode_keyvalue(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of pairs, as of an object; a time key is the time of all of them.

    A value goes on to the next key, so that `21,5` and `heating up` stay whole. A key that comes
    again begins a new reading if each of them has a time; if not, the last one counts, as in JSON.

    >>> decoded = decode_keyvalue(b"temp=21.5; mode=heating up", Place("clients/a", "a"), {})
    >>> [(m.metric, m.value) for m in decoded.measurements]
    [('temp', 21.5), ('mode', 'heating up')]

    Raises:
        Rejected: `malformed-key-value` if it does not begin with a pair, or as `decode_fields`.
    """
    pairs = list(read_pairs(read_utf8(payload)))
    if not pairs:
        raise Rejected("malformed-key-value")
    walk = Walk(place.zone)
    for pair in pairs:
        if not pair.whole:
            walk.refuse("malformed-key-value", dotted(place.metric, pair.key))
    rows = _rows(pair for pair in pairs if pair.whole)
    if all(find_time(row, place.zone).time_us is not None for row in rows):
        walk.take_rows(place.metric, rows)
    else:
        walk.take(place.metric, {key: row[key] for row in rows for key in row})
    return walk.decoded()


def _rows(pairs: Iterable[Pair]) -> list[dict[str, float | str | None]]:
    rows: list[dict[str, float | str | None]] = [{}]
    for pair in pairs:
        if pair.key in rows[-1]:
            rows.append({})
        rows[-1][pair.key] = pair.value
    return rows


def read_pairs(text: str) -> Iterator[Pair]:
    """The pairs of a text, in order; none if it does not begin with one.

    Each character is looked at a bounded number of times, whatever the text.

    >>> [pair[:2] for pair in read_pairs('a=1,b = "x=y" c=on')]
    [('a', 1), ('b', 'x=y'), ('c', 'on')]
    """
    before, key, at = _next_key(text, 0)
    if before or not key:
        return
    while key:
        match = _QUOTED.match(text, at)
        rest, following, at = _next_key(text, match.end() if match else at)
        if match is None:
            yield Pair(key, unquoted(rest), whole=not rest.startswith(_QUOTES))
        else:
            inner = match[1] if match[1] is not None else match[2]
            yield Pair(key, _ESCAPED.sub(r"\1", inner), whole=not rest)
        key = following


def _next_key(text: str, start: int) -> tuple[str, str, int]:
    """What stands before the next key, that key or an empty string, and where its value begins.

    An `=` that no separated word stands before belongs to the value: `key=bm90IGEga2V5==`.
    """
    begin = start
    while (equals := text.find("=", begin)) >= 0:
        part = text[begin:equals].rstrip(_SPACES)
        key = _SEPARATORS.split(part)[-1]
        if key and (len(key) < len(part) or start == 0):
            return text[start : begin + len(part) - len(key)].strip(_EDGES), key, equals + 1
        begin = equals + 1
    return text[start:].strip(_EDGES), "", len(text)
