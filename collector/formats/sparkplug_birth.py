"""What is kept of a Sparkplug birth: the metrics that later data names only by alias."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import orjson

_CACHED_BYTES = 4_000_000  # of records; what they come to takes some ten times as much (ADR 8)


class Definition(NamedTuple):
    """A metric as a birth defined it.

    Attributes:
        name: Its name.
        alias: The number that stands for its name in data, or None.
        datatype: Its datatype, as `DataType`, or 0.
        unit: Its unit, or an empty string.
    """

    name: str
    alias: int | None
    datatype: int
    unit: str


@dataclass(frozen=True, slots=True)
class Birth:
    """The birth of an edge node or device, as far as data needs it.

    Attributes:
        session: Which birth of its edge node it belongs to; another of these makes it void.
        bd_seq: The number by which the edge node's death is known, or None.
        by_name: Its metrics by name.
        by_alias: Those that have an alias of their own, by it.
    """

    session: str
    bd_seq: int | None
    by_name: Mapping[str, Definition]
    by_alias: Mapping[int, Definition]


UNBORN = Birth("", None, {}, {})
"""What is known of whoever has not been heard of."""


def write_birth(session: str, bd_seq: int | None, metrics: Iterable[Definition]) -> bytes:
    """The record of a birth. An alias that several metrics claim stands for none of them."""
    by_name = {metric.name: metric for metric in metrics}
    claims = Counter(metric.alias for metric in by_name.values())
    rows = [
        (name, alias if claims[alias] == 1 else None, datatype, unit)
        for name, alias, datatype, unit in by_name.values()
    ]
    return orjson.dumps((session, bd_seq, rows))


def _parse(record: bytes) -> Birth:
    session, bd_seq, rows = orjson.loads(record)
    metrics = [Definition._make(row) for row in rows]
    by_alias = {metric.alias: metric for metric in metrics if metric.alias is not None}
    return Birth(session, bd_seq, {metric.name: metric for metric in metrics}, by_alias)


class _Births:
    """Keeps births parsed, by their records. A bytes object hashes itself but once."""

    def __init__(self) -> None:
        self._known: dict[bytes, Birth] = {}
        self._bytes = 0

    def read(self, record: bytes | None) -> Birth:
        """The birth that `write_birth` wrote, or `UNBORN`."""
        if record is None:
            return UNBORN
        known = self._known.get(record)
        return known if known is not None else self._keep(record, _parse(record))

    def _keep(self, record: bytes, birth: Birth) -> Birth:
        if self._bytes + len(record) > _CACHED_BYTES:
            self._known.clear()
            self._bytes = 0
        self._known[record] = birth
        self._bytes += len(record)
        return birth


read_birth = _Births().read
