"""JSON: objects, nested or not, and arrays of objects with times of their own. Pure.

What is said here of objects holds for every format whose payload comes to one: MessagePack, CBOR,
key=value, CSV. They call `decode_fields`.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from itertools import chain, repeat

import orjson

from collector.decoded import DEPTH, FIELDS, ROWS, Decoded, Measurement, Memory, Place
from collector.formats.harvest import Harvest, dotted, measurement, read_unit
from collector.formats.plain import read_utf8
from collector.rejection import Rejected
from collector.timestamps import NO_TIME, TIME_KEYS, Stamp, find_time, is_time, read_times
from collector.topics import name_fault
from telemetry.reading import Kind

Fields = Mapping[str, object]

_OWN_KEYS = TIME_KEYS | {"value"}
_NUMBER = Kind.NUMBER
_NUMERIC = frozenset({float, int})  # and not bool, which is an int
_EXACT = 2**53
_CACHED_OBJECTS = 256
_CACHED_CHARACTERS = 4096  # of all keys of an object: anybody may send 256 kB of them
_PLAIN = (repeat(_NUMBER), repeat(""), repeat(None), repeat(0))  # kind, unit, time, flags


def decode_json(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of a JSON object, or of an array of them, in its order; or a bare value.

    >>> place = Place("clients/a", "a")
    >>> decoded = decode_json(b'{"air": {"temp": 21.5}, "on": true}', place, {})
    >>> [m.metric for m in decoded.measurements]
    ['air.temp', 'on']

    Raises:
        Rejected: If there is not one measurement and no fault of a single field either.
    """
    return decode_fields(load_json(payload), place)


def load_json(payload: bytes) -> object:
    """What a JSON payload holds; of equal keys the last.

    Raises:
        Rejected: `empty`, `binary`, `not-utf8`, `too-deep`, `non-finite` or `malformed-json`.
    """
    try:
        value: object = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _load_carefully(payload, str(error))
    return value


def _load_carefully(payload: bytes, said: str) -> object:
    """Past a byte order mark, or the reason why it is no JSON."""
    if "depth limit" in said:
        raise Rejected("too-deep")
    if "infinity" in said:
        raise Rejected("non-finite")
    text = read_utf8(payload)
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Rejected("malformed-json") from None
    return value


def decode_fields(content: object, place: Place) -> Decoded:
    """The measurements of an object, or of a list of objects, each with its own time.

    A mapping's keys are metrics, those of mappings inside it are joined with dots; `value` and
    `unit` belong to the metric they stand under. A list of scalars is no reading; a list of objects
    inside an object is one if each of them has a time. A scalar is the value of the metric that
    the topic names.

    Raises:
        Rejected: `array`, `no-metric` or `no-values` if there is nothing in it at all, or why a
            scalar is no value.
    """
    if isinstance(content, dict):
        numbers = [] if place.metric else _numbers(content)
        if numbers:
            return Decoded(numbers)
        walk = Walk(place.zone)
        walk.take(place.metric, content)
        return walk.decoded()
    if isinstance(content, list):
        return _rows(content, place)
    return _bare(content, place.metric)


def _numbers(fields: Fields) -> list[Measurement]:
    """The measurements of an object of nothing but numbers, as most are; none if it is another.

    A short cut without a loop: a hundred numbers take 45 µs from their bytes on, without it 90.
    """
    values = fields.values()
    if (
        len(fields) > FIELDS
        or not _OWN_KEYS.isdisjoint(fields)
        or not _are_plain(values)
        or not _are_names(tuple(fields))
    ):
        return []
    facts = zip(fields, map(float, values), *_PLAIN, strict=False)  # type: ignore[arg-type]  # numbers, as was asked
    return [*map(measurement, facts)]


def _are_plain(values: Collection[object]) -> bool:
    """Whether these are numbers, each of which a double holds exactly; NaN makes a sum NaN."""
    if not values or not _NUMERIC.issuperset(map(type, values)):
        return False
    numbers: Collection[float] = values  # type: ignore[assignment]  # as was asked
    return min(numbers) >= -_EXACT and max(numbers) <= _EXACT and not math.isnan(sum(numbers))


def _are_names(keys: tuple[str, ...]) -> bool:
    if sum(map(len, keys)) > _CACHED_CHARACTERS:
        return _all_names(keys)
    return _are_known_names(keys)


def _all_names(keys: Iterable[str]) -> bool:
    return not any(not key or name_fault(key) for key in keys)


_are_known_names = lru_cache(_CACHED_OBJECTS)(_all_names)  # the same few objects come again


def _regular(prefix: str, rows: Sequence[Fields], zone: tzinfo) -> list[Measurement]:
    """The measurements of rows of a time and numbers under the same keys; none if they are others.

    A short cut as well: a hundred rows of one number take 100 µs, without it 430.
    """
    keys = [*rows[0]] if rows else []
    times = TIME_KEYS.intersection(keys)
    if len(times) != 1 or len(keys) > FIELDS or "unit" in keys:
        return []
    if any([*row] != keys for row in rows):
        return []
    (when,) = times
    stamps = read_times([row[when] for row in rows], zone)
    names = {key: _row_name(prefix, key) for key in keys if key != when}
    if not stamps or not _are_names(tuple(names.values())):
        return []
    times_us, flags = zip(*stamps, strict=True)
    columns = []
    for key, name in names.items():
        values = [row[key] for row in rows]
        if not _are_plain(values):
            return []
        facts = zip(repeat(name), map(float, values), *_PLAIN[:2], times_us, flags, strict=False)  # type: ignore[arg-type]  # numbers, as was asked
        columns.append(map(measurement, facts))
    return [*chain.from_iterable(zip(*columns, strict=True))]


def _row_name(prefix: str, key: str) -> str:
    return prefix or key if key == "value" else dotted(prefix, key)


def _rows(rows: Sequence[object], place: Place) -> Decoded:
    walk = Walk(place.zone)
    if not all(isinstance(row, dict) for row in rows):
        raise Rejected("array")
    walk.take_rows(place.metric, rows)  # type: ignore[arg-type]  # checked above
    return walk.decoded()


def _bare(value: object, metric: str) -> Decoded:
    """Nothing else is in the payload: what is wrong with it is wrong with all of it."""
    harvest = Harvest()
    harvest.put(metric, value)
    if harvest.faults:
        raise Rejected(harvest.faults[0].reason)
    return harvest.decoded()


class Walk(Harvest):
    """Collects what an object and the objects in it hold."""

    __slots__ = ("_room", "_zone")

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone
        self._room = 0

    def take(self, prefix: str, fields: Fields, depth: int = 1) -> None:
        """Takes the members of an object at the top; it may bring at most `FIELDS` of them."""
        self._room = FIELDS
        stamp, own = self._own(prefix, fields, NO_TIME)
        self._members(prefix, fields, stamp, own, depth)

    def take_rows(self, prefix: str, rows: Sequence[Fields], depth: int = 1) -> None:
        """Takes objects one after the other, `ROWS` at most, each as if at the top."""
        some = rows[:ROWS]
        regular = _regular(prefix, some, self._zone)
        self.measurements += regular
        for row in () if regular else some:
            self.take(prefix, row, depth)
        if len(rows) > ROWS:
            self.refuse("too-many-rows", prefix)

    def _own(self, prefix: str, fields: Fields, outer: Stamp) -> tuple[Stamp, Collection[str]]:
        """The time of an object, else of what it is in, and its members that are no metrics."""
        if _OWN_KEYS.isdisjoint(fields):
            return outer, ()
        stamp = find_time(fields, self._zone)
        if stamp.bad_key:
            self.refuse("bad-time", dotted(prefix, stamp.bad_key))
        own = {key for key in TIME_KEYS.intersection(fields) if is_time(key, fields[key])}
        if "value" in fields:
            own.add("unit")
        return (stamp if stamp.time_us is not None or stamp.flags else outer), own

    def _members(
        self, prefix: str, fields: Fields, stamp: Stamp, own: Collection[str], depth: int
    ) -> None:
        for key, value in fields.items():
            if key in own:
                continue
            name, unit = dotted(prefix, key) if prefix else key, ""
            if key == "value":
                name, unit = prefix or key, read_unit(fields.get("unit"))
            if isinstance(value, dict):
                self._inside(name, value, stamp, depth)
            elif isinstance(value, list) and self._is_batch(value, depth):
                self._batch(name, value, depth)
            elif self._room > 0:
                self._room -= 1
                self.put(name, value, unit, stamp)
            else:
                self._cut(prefix)
                return

    def _inside(self, name: str, fields: Fields, stamp: Stamp, depth: int) -> None:
        """An object inside is as old as what it is in, unless it is a value with its own time."""
        if depth == DEPTH:
            self.refuse("too-deep", name)
            return
        own: Collection[str] = ()
        if "value" in fields:
            stamp, own = self._own(name, fields, stamp)
        self._members(name, fields, stamp, own, depth + 1)

    def _batch(self, name: str, rows: Sequence[Fields], depth: int) -> None:
        """What an object's own members may still bring is not used up by the rows in it."""
        room = self._room
        self.take_rows(name, rows, depth + 1)
        self._room = room

    def _is_batch(self, rows: Sequence[object], depth: int) -> bool:
        """Whether these are objects that each say when they were."""
        return (
            len(rows) > 0
            and depth < DEPTH
            and all(
                isinstance(row, dict) and find_time(row, self._zone).time_us is not None
                for row in rows
            )
        )

    def _cut(self, prefix: str) -> None:
        """Says once that an object has more members than are taken."""
        if self._room == 0:
            self.refuse("too-many-fields", prefix)
        self._room = -1
