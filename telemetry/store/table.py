"""The clustered table of readings: what is new goes in, each reading once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, compress
from operator import itemgetter, not_
from typing import NamedTuple

from telemetry.ledger import HOUR_US
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.store.head import Connection

_FIND = "SELECT id, kind, newest_us FROM series WHERE client = ? AND metric = ?"
_SERIES = """INSERT INTO series
    (client, metric, kind, unit, newest_us, newest_value, newest_received_us, newest_flags)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_CLIMB = "UPDATE series SET kind = ? WHERE id = ?"
_NEWEST = """UPDATE series SET unit = CASE WHEN ? = '' THEN unit ELSE ? END,
    newest_us = ?, newest_value = ?, newest_received_us = ?, newest_flags = ?
    WHERE id = ? AND (newest_us < ? OR newest_us = ? AND NOT EXISTS
        (SELECT 1 FROM reading WHERE series = id AND time_us = ? AND value = ?))"""
_READING = "INSERT INTO reading VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_CHECKED = f"""INSERT INTO reading SELECT ?1, ?2, ?3, ?4, ?5 | CASE WHEN EXISTS
        (SELECT 1 FROM reading WHERE series = ?1 AND time_us = ?2 AND value <> ?3)
        THEN {Flag.CONFLICT.value} ELSE 0 END
    WHERE true ON CONFLICT DO NOTHING"""  # noqa: S608  # a constant
_DOOMED = "series = ?1 AND time_us >= ?2 AND time_us < ?3 AND (?4 OR flags & ?5)"
_END = f"SELECT time_us + 1 FROM reading WHERE {_DOOMED} ORDER BY time_us LIMIT 1 OFFSET ?6"  # noqa: S608  # a constant
_DELETE = f"DELETE FROM reading WHERE {_DOOMED}"  # noqa: S608  # a constant
_HOURS = f"""SELECT received_us - (received_us % {HOUR_US} + {HOUR_US}) % {HOUR_US}, count(*)
    FROM (SELECT time_us + delay_us AS received_us FROM reading WHERE {_DOOMED}) GROUP BY 1"""  # noqa: S608  # a constant

ERASED_AT_ONCE = 20_000
"""Readings removed in one transaction, which must fit into the log of a disk that is full."""

_FOREVER_US = 1 << 62
_PLACE = itemgetter(0, 1)

Row = tuple[int, int, float | str, int, int]


class Doomed(NamedTuple):
    """Readings to be removed: of a series, and if `flags` is not 0 those with one of them."""

    series_id: int
    client: str
    flags: int


class Erased(NamedTuple):
    """What one step removed.

    Attributes:
        hours: How many readings of each hour of receipt.
        next_us: Where the next step starts, or None if this was the last.
    """

    hours: dict[int, int]
    next_us: int | None


@dataclass(slots=True)
class Rows:
    """Readings as they go into the table.

    Attributes:
        values: Their columns, in order of arrival.
        ahead: Whether each is newer than all before it of its series, so that nothing can stand at
            its time already.
    """

    values: list[Row] = field(default_factory=list)
    ahead: list[bool] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, end: int | None = None) -> "Rows":
        """Those from one place to another."""
        return Rows(self.values[start:end], self.ahead[start:end])


@dataclass(slots=True)
class _Known:
    """What is in the series' row, so that it is not asked for each reading."""

    id: int
    kind: Kind
    newest_us: int


class ReadingTable:
    """The write side of series and readings, inside the transactions of its owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[Series, _Known] = {}

    def forget(self) -> None:
        """Knows nothing of the table any more, as after a transaction that was given up."""
        self._known.clear()

    def prepare(self, readings: Iterable[Reading]) -> Rows:
        """The rows of readings; their series are there, and know their kind and newest reading.

        Must come before the readings are stored: what is there already is no news.
        """
        values, ahead = [], []
        newest: dict[Series, Reading] = {}
        ties: dict[tuple[Series, float | str], Reading] = {}
        climbed: dict[int, Kind] = {}
        known_series = self._known
        for reading in readings:
            series, time_us, value, kind, _, delay_us, flags = reading
            known = known_series.get(series)
            if known is None:
                known = known_series[series] = self._learn(reading)
            if kind is not known.kind and _climbs(known.kind, kind):
                known.kind = climbed[known.id] = kind
            newer = time_us > known.newest_us
            if newer:
                known.newest_us = time_us
                newest[series] = reading
            elif time_us == known.newest_us:
                ties.setdefault((series, value), reading)
            values.append((known.id, time_us, value, delay_us, flags))
            ahead.append(newer)
        self._connection.executemany(_CLIMB, ((kind, one) for one, kind in climbed.items()))
        self._connection.executemany(_NEWEST, self._news(chain(newest.values(), ties.values())))
        return Rows(values, ahead)

    def store(self, rows: Rows) -> int:
        """Stores rows, each once, and returns how many are new.

        One is flagged if another value stands at its time already; that is looked up only where it
        can be so, for a look costs twice an insert (measured). In the order of the table they go in
        faster than in that of their arrival.
        """
        before = self._connection.total_changes
        ahead = sorted(compress(rows.values, rows.ahead), key=_PLACE)
        self._connection.executemany(_READING, ahead)
        behind = compress(rows.values, map(not_, rows.ahead))
        self._connection.executemany(_CHECKED, behind)
        return self._connection.total_changes - before

    def erase(self, doomed: Doomed, start_us: int) -> Erased:
        """Removes about `ERASED_AT_ONCE` readings of a series from `start_us` on."""
        every = (doomed.series_id, start_us, _FOREVER_US, doomed.flags == 0, doomed.flags)
        row = self._connection.execute(_END, (*every, ERASED_AT_ONCE)).fetchone()
        end_us = row[0] if row else _FOREVER_US
        part = (doomed.series_id, start_us, end_us, doomed.flags == 0, doomed.flags)
        hours = dict(self._connection.execute(_HOURS, part).fetchall())
        if hours:
            self._connection.execute(_DELETE, part)
            self._renew_newest(doomed.series_id)
        return Erased(hours, end_us if row else None)

    def _learn(self, reading: Reading) -> _Known:
        row = self._connection.execute(_FIND, reading.series).fetchone()
        if row is not None:
            return _Known(row[0], Kind(row[1]), row[2])
        values = (*reading.series, reading.kind, reading.unit, *_newest(reading))
        cursor = self._connection.execute(_SERIES, values)
        return _Known(int(cursor.lastrowid or 0), reading.kind, reading.time_us)

    def _news(self, readings: Iterable[Reading]) -> Iterator[tuple[object, ...]]:
        """What the series' rows become; the value that the newest had before is not told again."""
        said: set[tuple[Series, float | str]] = set()
        for r in readings:
            if (r.series, r.value) in said:
                continue
            said.add((r.series, r.value))
            known = self._known[r.series]
            yield (r.unit, r.unit, *_newest(r), known.id, *(r.time_us,) * 3, r.value)

    def _renew_newest(self, series_id: int) -> None:
        row = self._connection.execute(
            "SELECT time_us, value, time_us + delay_us, flags FROM reading "
            "WHERE series = ? ORDER BY time_us DESC LIMIT 1",
            (series_id,),
        ).fetchone()
        if row is None:
            self._connection.execute("DELETE FROM series WHERE id = ?", (series_id,))
        else:
            self._connection.execute(
                "UPDATE series SET newest_us = ?, newest_value = ?, newest_received_us = ?, "
                "newest_flags = ? WHERE id = ?",
                (*row, series_id),
            )


def _climbs(kind: Kind, other: Kind) -> bool:
    """Whether a series of that kind turns out to be of the other: boolean, state, number."""
    return kind is Kind.BOOLEAN or (kind is Kind.STATE and other is Kind.NUMBER)


def _newest(reading: Reading) -> tuple[int, float | str, int, int]:
    received_us = reading.time_us + reading.delay_us
    return reading.time_us, reading.value, received_us, int(reading.flags)
