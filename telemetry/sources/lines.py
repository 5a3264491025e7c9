r"""One line of InfluxDB's line protocol: `weather,site=roof temperature=21.5,rain=0i 1465839830`.

Source: InfluxDB, "Line protocol" reference; the same rules as `collector/formats/influx.py`, which
takes small payloads apart in one pass over their text and would be too slow for files of lines.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

CLIENT_TAGS = ("client", "device", "host", "topic")
"""Tags that name the client, the surer first."""

# Possessive quantifiers (`++`): a text that does not fit is not tried again in other ways.
_NAME = r"((?:[^,=\s\\]|\\[^\n])++)"
_MEASUREMENT = re.compile(r"((?:[^,\s\\]|\\[^\n])++)")
_TAG = re.compile(rf",{_NAME}={_NAME}")
_GAP = re.compile(r"[ \t]++")
_FIELD = re.compile(rf'{_NAME}=(?:"((?:[^"\\]|\\.)*+)"|([^,\s"]*+))', re.DOTALL)
_END = re.compile(r"(?:[ \t]++([^\s]++))?\s*+\Z")
_ESCAPED = re.compile(r"\\([,= ])")
_ESCAPED_IN_TEXT = re.compile(r'\\(["\\])')
_RESERVED = re.compile(r"([\\,={}])")


class Field(NamedTuple):
    """One field of a line: its key, its value as written, and whether that stood in quotes."""

    key: str
    text: str
    is_quoted: bool


class Line(NamedTuple):
    """One line: what stands before the fields, the fields, and the time or an empty string."""

    head: str
    fields: Sequence[Field]
    time: str


class Subject(NamedTuple):
    """What the head of a line is about.

    Attributes:
        client: Whose readings they are.
        measurement: What stands before the name of a field, or an empty string.
        tags: What stands behind it, such as `{room=lab}`.
    """

    client: str
    measurement: str
    tags: str

    def metric(self, field: str) -> str:
        """The metric of a field, as the collector calls it.

        >>> Subject("pi", "air", "{room=lab}").metric("temp")
        'air.temp{room=lab}'
        >>> Subject("pi", "air", "").metric("value")
        'air'
        """
        if not self.measurement:
            return field + self.tags
        name = self.measurement if field == "value" else f"{self.measurement}.{field}"
        return name + self.tags


def any_line(text: str) -> Line | None:
    r"""A line with whatever the protocol allows; None if it is malformed.

    >>> any_line(r'a\ b,t=x s="say \"hi\"" 5')
    Line(head='a\\ b,t=x', fields=[Field(key='s', text='say "hi"', is_quoted=True)], time='5')
    """
    start = len(text) - len(text.lstrip(" \t"))
    head = _MEASUREMENT.match(text, start)
    if head is None:
        return None
    at = head.end()
    while match := _TAG.match(text, at):
        at = match.end()
    gap = _GAP.match(text, at)
    if gap is None:
        return None
    fields, end = _fields(text, gap.end())
    rest = _END.match(text, end)
    if not fields or rest is None:
        return None
    return Line(text[start:at], fields, rest[1] or "")


def _fields(text: str, at: int) -> tuple[list[Field], int]:
    """None if one is malformed, or nothing follows a comma: `21,5` must not be 21."""
    fields = []
    while match := _FIELD.match(text, at):
        quoted = match[2] is not None
        value = _ESCAPED_IN_TEXT.sub(r"\1", match[2]) if quoted else match[3]
        fields.append(Field(_plain(match[1]), value, quoted))
        at = match.end()
        if text[at : at + 1] != ",":
            return fields, at
        at += 1
    return [], at


def open_quotes(text: str) -> bool:
    r"""Whether a quotation mark is open at the end.

    >>> open_quotes('a s="x'), open_quotes(r'a s="x\""')
    (True, False)
    """
    return text.replace(r"\\", "").replace(r"\"", "").count('"') % 2 == 1


def read_subject(head: str, client: str, client_tag: str) -> Subject | None:
    """What the head of a line is about; None if it is malformed.

    A tag that only names the client is left out of the metric, and so is a measurement that is
    the client; other tags are in it, in the order of their names, because they tell series apart.

    >>> read_subject("air,room=lab,host=pi", "", "")
    Subject(client='pi', measurement='air', tags='{room=lab}')
    >>> read_subject("air,room=lab", "", "")
    Subject(client='air', measurement='', tags='{room=lab}')
    >>> read_subject("air", "x", "")
    Subject(client='x', measurement='air', tags='')
    """
    match = _MEASUREMENT.match(head)
    if match is None:
        return None
    measurement, at, tags = _plain(match[1]), match.end(), {}
    while match := _TAG.match(head, at):
        tags[_plain(match[1])] = _plain(match[2])
        at = match.end()
    if at != len(head):
        return None
    named = tags.get(client_tag) if client_tag else _usual_client(tags)
    found = named or client or measurement
    rest = [(tag, value) for tag, value in sorted(tags.items()) if value != found]
    shown = ",".join(f"{_reserved(tag)}={_reserved(value)}" for tag, value in rest)
    prefix = "" if found == measurement else measurement
    return Subject(found, prefix, f"{{{shown}}}" if shown else "")


def _usual_client(tags: Mapping[str, str]) -> str:
    return next((tags[tag] for tag in CLIENT_TAGS if tag in tags), "")


def _reserved(text: str) -> str:
    return _RESERVED.sub(r"\\\1", text)


def _plain(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)
