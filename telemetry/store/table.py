"""The clustered table of readings: what is new goes in, each reading once."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, starmap
from operator import itemgetter, lt
from typing import NamedTuple

import pandas as pd

from telemetry.ledger import Account
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.store.head import Connection
from telemetry.store.revision import begin, revise
from telemetry.window import ALL_TIME, HOUR_US

_FIND = "SELECT id, kind, newest_us, oldest_us FROM series WHERE client = ? AND metric = ?"
_SERIES = """INSERT INTO series
    (client, metric, kind, unit, newest_us, newest_value, newest_received_us, newest_flags,
    oldest_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?5)"""
_TELL = f"""{_SERIES.replace("?5", "?")} ON CONFLICT (client, metric) DO UPDATE SET
    kind = CASE WHEN kind = 'boolean' OR excluded.kind = 'number' THEN excluded.kind ELSE kind END,
    unit = CASE WHEN excluded.unit = '' OR unit <> '' AND excluded.newest_us <= newest_us
        THEN unit ELSE excluded.unit END,
    newest_value = iif(excluded.newest_us > newest_us, excluded.newest_value, newest_value),
    newest_received_us =
        iif(excluded.newest_us > newest_us, excluded.newest_received_us, newest_received_us),
    newest_flags = iif(excluded.newest_us > newest_us, excluded.newest_flags, newest_flags),
    newest_us = max(newest_us, excluded.newest_us),
    oldest_us = min(oldest_us, excluded.oldest_us)"""
_REACH = "UPDATE series SET oldest_us = ? WHERE id = ?"
_CLIMB = "UPDATE series SET kind = ? WHERE id = ?"
_NEWEST = f"""UPDATE series SET unit = CASE WHEN ?2 = '' THEN unit ELSE ?2 END,
    newest_us = ?3, newest_value = ?4, newest_received_us = ?5, newest_flags = ?6 | CASE WHEN EXISTS
        (SELECT 1 FROM reading WHERE series = id AND time_us = ?3 AND value <> ?4)
        THEN {Flag.CONFLICT.value} ELSE 0 END
    WHERE id = ?1 AND (newest_us < ?3 OR newest_us = ?3 AND NOT EXISTS
        (SELECT 1 FROM reading WHERE series = id AND time_us = ?3 AND value = ?4))"""  # noqa: S608  # a constant
_READING = "INSERT INTO reading VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_AT_ONCE = 50
_READINGS = _READING.replace(" ON", ", (?, ?, ?, ?, ?)" * (_AT_ONCE - 1) + " ON")
_CHECKED = f"""INSERT INTO reading SELECT ?1, ?2, ?3, ?4, ?5 | CASE WHEN EXISTS
        (SELECT 1 FROM reading WHERE series = ?1 AND time_us = ?2 AND value <> ?3)
        THEN {Flag.CONFLICT.value} ELSE 0 END
    WHERE true ON CONFLICT DO NOTHING"""  # noqa: S608  # a constant
_DOOMED = "series = ?1 AND time_us >= ?2 AND time_us < ?3 AND (?4 OR flags & ?5)"
_END = f"SELECT time_us + 1 FROM reading WHERE {_DOOMED} ORDER BY time_us LIMIT 1 OFFSET ?6"  # noqa: S608  # a constant
_DELETE = f"DELETE FROM reading WHERE {_DOOMED}"  # noqa: S608  # a constant
_HOURS = f"""SELECT received_us - (received_us % {HOUR_US} + {HOUR_US}) % {HOUR_US}, count(*)
    FROM (SELECT time_us + delay_us AS received_us FROM reading WHERE {_DOOMED}) GROUP BY 1"""  # noqa: S608  # a constant
_GONE = "DELETE FROM series WHERE client = ? AND metric = ?"
_RENEW = """UPDATE series
    SET newest_us = ?, newest_value = ?, newest_received_us = ?, newest_flags = ?
    WHERE client = ? AND metric = ?"""
_ERASED = """SELECT client, metric FROM series
    WHERE client = coalesce(?, client) AND (? OR newest_flags & ?) ORDER BY client, metric"""

ERASED_AT_ONCE = 20_000
"""Readings removed in one transaction, which must fit into the log of a disk that is full."""

LONG_AGO_US = ALL_TIME.start_us
_TIME, _KIND = itemgetter(1), itemgetter(3)  # of a reading

Row = tuple[int, int, float | str, int, int]


class News(NamedTuple):
    """What readings that did not come through the head say of their series.

    Attributes:
        series: Whose they are.
        kind: How its values are meant.
        unit: In which unit, or an empty string.
        oldest_us: When the first of them was measured.
        newest: The last of them: its time, its value, when it arrived, and its flags.
    """

    series: Series
    kind: Kind
    unit: str
    oldest_us: int
    newest: tuple[int, float | str, int, int]


class Doomed(NamedTuple):
    """Readings to be removed: of a series, and if `flags` is not 0 those with one of them."""

    series_id: int
    client: str
    flags: int


class Erased(NamedTuple):
    """What one step removed.

    Attributes:
        readings: How many, by client and hour of receipt.
        series: How many of the series have nothing more to be removed.
        next_us: Where the next step starts in the series after them.
    """

    readings: Counter[Account]
    series: int
    next_us: int


@dataclass(slots=True)
class _Known:
    """What is in the series' row, so that it is not asked for each reading."""

    id: int
    kind: Kind
    newest_us: int
    oldest_us: int


class ReadingTable:
    """The write side of series and readings, inside the transactions of its owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[Series, _Known] = {}

    def forget(self) -> None:
        """Knows nothing of the table any more, as after a transaction that was given up."""
        self._known.clear()

    def store(self, parts: Sequence[Sequence[Reading]]) -> list[int]:
        """Stores readings, each once, and returns how many of each part are new.

        Parts are in order of arrival. A reading is flagged if another value stands at its time
        already. Where all readings of a series are newer than any before, none can be there yet:
        they go in together, series by series, which is what costs least. The others are looked
        up one by one, in their order, which costs twice an insert (measured, ADR 7).
        """
        ahead: list[Row] = []
        behind: set[Series] = set()
        news: list[tuple[object, ...]] = []
        for series, group in _by_series(chain.from_iterable(parts)).items():
            known = self._known.get(series) or self._learn(group[0])
            self._climb(known, set(map(_KIND, group)))
            if _is_ahead(group, known.newest_us):
                ahead += [(known.id, r[1], r[2], r[5], r[6]) for r in group]
                newest = [group[-1]._replace(unit=_last_unit(group))]
            else:
                behind.add(series)
                self._reach(known, min(map(_TIME, group)))
                revise(self._connection, known.id, min(map(_TIME, group)))
                newest = _newest_of(group, known.newest_us)
            if newest:
                known.newest_us = newest[-1].time_us
                news += [(known.id, reading.unit, *_newest(reading)) for reading in newest]
        self._connection.executemany(_NEWEST, news)  # first: what is there already is no news
        self._insert(ahead)
        if not behind:
            return list(map(len, parts))
        return [self._insert_if_new(part, behind) for part in parts]

    def tell(self, news: Iterable[News]) -> None:
        """Makes or renews the series of readings that are in blocks already."""
        rows = ((*one.series, one.kind, one.unit, *one.newest, one.oldest_us) for one in news)
        self._connection.executemany(_TELL, rows)
        self.forget()

    def _climb(self, known: _Known, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            if kind is not known.kind and _climbs(known.kind, kind):
                known.kind = kind
                self._connection.execute(_CLIMB, (kind, known.id))

    def _reach(self, known: _Known, time_us: int) -> None:
        """The series has a reading of that time, which may be older than any before."""
        if time_us < known.oldest_us:
            known.oldest_us = time_us
            self._connection.execute(_REACH, (time_us, known.id))

    def _insert(self, rows: Sequence[Row]) -> None:
        """Many with each statement: that takes two thirds of the time (measured, ADR 7)."""
        full = len(rows) - len(rows) % _AT_ONCE
        for start in range(0, full, _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            self._connection.execute(_READINGS, [*chain.from_iterable(some)])
        self._connection.executemany(_READING, rows[full:])

    def _insert_if_new(self, part: Sequence[Reading], behind: Container[Series]) -> int:
        """Inserts those of a part whose series are among these; returns how many are new of all."""
        rows = [(self._known[r[0]].id, r[1], r[2], r[5], r[6]) for r in part if r[0] in behind]
        before = self._connection.total_changes
        self._connection.executemany(_CHECKED, rows)
        return len(part) - len(rows) + self._connection.total_changes - before

    def erase(self, doomed: Sequence[Doomed], start_us: int) -> Erased:
        """Removes about `ERASED_AT_ONCE` readings of some series, of the first from then on."""
        found: Counter[Account] = Counter()
        for place, one in enumerate(doomed):
            left = ERASED_AT_ONCE - found.total()
            if left <= 0:
                return Erased(found, place, start_us)
            hours, next_us = self._erase(one, start_us, left)
            found.update({Account(one.client, hour): number for hour, number in hours.items()})
            if next_us is not None:
                return Erased(found, place, next_us)
            start_us = LONG_AGO_US
        return Erased(found, len(doomed), start_us)

    def _erase(self, doomed: Doomed, start_us: int, most: int) -> tuple[dict[int, int], int | None]:
        """How many of each hour are removed, and where those begin that are left."""
        every = (doomed.series_id, start_us, ALL_TIME.end_us, doomed.flags == 0, doomed.flags)
        row = self._connection.execute(_END, (*every, most - 1)).fetchone()
        end_us = row[0] if row else ALL_TIME.end_us
        part = (doomed.series_id, start_us, end_us, doomed.flags == 0, doomed.flags)
        hours = dict(self._connection.execute(_HOURS, part).fetchall())
        if hours:
            self._connection.execute(_DELETE, part)
        return hours, end_us if row else None

    def _learn(self, reading: Reading) -> _Known:
        known = self._known[reading.series] = self._find(reading) or self._make(reading)
        return known

    def _find(self, reading: Reading) -> _Known | None:
        row = self._connection.execute(_FIND, reading.series).fetchone()
        return None if row is None else _Known(row[0], Kind(row[1]), row[2], row[3])

    def _make(self, reading: Reading) -> _Known:
        """A series of which nothing is stored yet, not even that reading."""
        values = (*reading.series, reading.kind, reading.unit, *_newest(reading))
        number = int(self._connection.execute(_SERIES, values).lastrowid or 0)
        begin(self._connection, number)
        return _Known(number, reading.kind, reading.time_us - 1, reading.time_us)

    def newest_of(self, client: str | None, flags: int) -> list[Series]:
        """The series of `client`, or all, whose newest reading has one of the flags (0: any)."""
        rows = self._connection.execute(_ERASED, (client, flags == 0, flags))
        return [Series(*row) for row in rows.fetchall()]

    def renew(self, series: Series, left: pd.DataFrame) -> None:
        """The newest reading of a series is what is left; if that is nothing, it is no series.

        Args:
            series: The series.
            left: Its newest reading of all that there are, or empty.
        """
        if left.empty:
            self._connection.execute(_GONE, series)
            return
        row = left.iloc[0]
        value = row["value"] if row["text"] is None else row["text"]
        times = (int(row["time_us"]), int(row["time_us"] + row["delay_us"]))
        newest = (times[0], value, times[1], int(row["flags"]))
        self._connection.execute(_RENEW, (*newest, *series))


def _by_series(readings: Iterable[Reading]) -> dict[Series, list[Reading]]:
    groups: defaultdict[Series, list[Reading]] = defaultdict(list)
    for reading in readings:
        groups[reading[0]].append(reading)
    return groups


def _is_ahead(group: Sequence[Reading], newest_us: int) -> bool:
    """Whether each reading is newer than all before it."""
    times = [*map(_TIME, group)]
    return times[0] > newest_us and all(starmap(lt, pairwise(times)))


def _last_unit(group: Sequence[Reading]) -> str:
    return next((reading[4] for reading in reversed(group) if reading[4]), "")


def _newest_of(group: Iterable[Reading], newest_us: int) -> list[Reading]:
    """Those that are the newest one after the other, but for what is stored already.

    One that contradicts another before it is flagged.
    """
    found: list[Reading] = []
    values: set[float | str] = set()
    for reading in group:
        if reading.time_us > newest_us:
            newest_us = reading.time_us
            values = {reading.value}
            found.append(reading)
        elif reading.time_us == newest_us and reading.value not in values:
            flags = reading.flags | (Flag.CONFLICT.value if values else 0)
            values.add(reading.value)
            found.append(reading._replace(flags=flags))
    return found


def _climbs(kind: Kind, other: Kind) -> bool:
    """Whether a series of that kind turns out to be of the other: boolean, state, number."""
    return kind is Kind.BOOLEAN or (kind is Kind.STATE and other is Kind.NUMBER)


def _newest(reading: Reading) -> tuple[int, float | str, int, int]:
    received_us = reading.time_us + reading.delay_us
    return reading.time_us, reading.value, received_us, int(reading.flags)
