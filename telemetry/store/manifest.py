"""The manifest: which files are part of the store, inside the transactions of its owner."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from telemetry.condition import Damage
from telemetry.interface import StoreUnavailable
from telemetry.reading import Series
from telemetry.store.head import Connection
from telemetry.store.layout import SCHEMA, Block, Tier, day_of
from telemetry.window import Window

_COLUMNS = "tier, path, sha256, bytes, rows, first_us, last_us, part, through"
_OVERLAPPING = f"""SELECT {_COLUMNS} FROM block
    WHERE tier = ? AND last_us >= ? AND first_us < ? AND damage = '' ORDER BY first_us, id"""  # noqa: S608  # a constant
_VERSION = "SELECT (SELECT coalesce(max(id), 0) FROM block), (SELECT count(*) FROM block)"
_DAMAGED = """SELECT 1 FROM block
    WHERE damage <> '' AND tier = ? AND last_us >= ? AND first_us < ?"""
_EVERY_DAMAGED = f"SELECT damage, {_COLUMNS} FROM block WHERE damage <> '' ORDER BY path"  # noqa: S608  # a constant
_ROUND = f"""SELECT id, {_COLUMNS} FROM block
    WHERE through IS NULL OR damage <> '' ORDER BY id <= ?, id"""  # noqa: S608  # a constant
_ALL = f"SELECT {_COLUMNS} FROM block ORDER BY id"  # noqa: S608  # a constant
_UNFINISHED = (
    f"SELECT {_COLUMNS} FROM block WHERE through IS NOT NULL AND damage = '' ORDER BY part, id"  # noqa: S608  # a constant
)
_OLDEST = f"""SELECT {_COLUMNS} FROM block
    WHERE tier = ? AND last_us >= ? AND through IS NULL AND damage = ''
    ORDER BY last_us, first_us LIMIT 1"""  # noqa: S608  # a constant
_WHOLE = f"SELECT {_COLUMNS} FROM block WHERE through IS NULL AND damage = '' ORDER BY id"  # noqa: S608  # a constant
_ADD = f"INSERT INTO block ({_COLUMNS}, schema) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {SCHEMA})"  # noqa: S608  # a constant
_LAST_ID = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'block'), 0) + 1"
_SHOW = "UPDATE block SET through = ? WHERE part = ?"
_DROP = "DELETE FROM block WHERE path = ?"
_DROPPED = "INSERT OR REPLACE INTO dropped VALUES (?, ?)"
_DENSE = """INSERT INTO dense VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET hours = hours | excluded.hours"""
_DENSE_DAYS = """SELECT day_us, hours FROM dense
    WHERE client = ? AND metric = ? AND day_us >= ? AND day_us < ? ORDER BY day_us"""

_SPARSE = "DELETE FROM dense WHERE client = ? AND metric = ? AND day_us < ?"
_EXPIRE = """UPDATE series SET readings_from_us = ?3
    WHERE client = ?1 AND metric = ?2 AND readings_from_us < ?3"""
_EXPIRED = "SELECT client, metric FROM series WHERE readings_from_us > ?"

_BUILDS = 100  # one that is given up may write on for a moment, but not for days

_NOTHING = Series("", "")
"""Comes before every series."""


class Dense(NamedTuple):
    """Hours of a day of which there are minutes of a series, a bit for each."""

    series: Series
    day_us: int
    hours: int


class Expiry(NamedTuple):
    """Of a tier nothing of a series is left that was measured before."""

    tier: Tier
    series: Series
    before_us: int


class Conflict(StoreUnavailable):
    """What is to leave the store has left it meanwhile: make the change anew."""


def every_dropped(connection: Connection) -> list[tuple[str, int]]:
    """The files that are no part of the store any more, and since when."""
    return connection.execute("SELECT path, dropped_us FROM dropped").fetchall()


def forget_dropped(connection: Connection, path: str) -> None:
    """The file is gone."""
    connection.execute("DELETE FROM dropped WHERE path = ?", (path,))


def block_version(connection: Connection) -> tuple[int, int]:
    """Changes whenever a block leaves the store, or is added."""
    last, count = connection.execute(_VERSION).fetchone()
    return int(last), int(count)


def last_builds(connection: Connection) -> list[str]:
    """What the names of files begin with that the last builds made, oldest first."""
    row = connection.execute("SELECT value FROM state WHERE key = 'builds'").fetchone()
    return str(row[0]).split() if row else []


def add_build(connection: Connection, build: str) -> None:
    """Notes what names the next build gives, so that what it leaves can be found."""
    builds = " ".join([*last_builds(connection), build][-_BUILDS:])
    connection.execute("INSERT OR REPLACE INTO state VALUES ('builds', ?)", (builds,))


def note_relief(connection: Connection, now_us: int) -> None:
    """Notes when readings went before their time, because room was short."""
    connection.execute("INSERT OR REPLACE INTO state VALUES ('relieved_us', ?)", (now_us,))


def forget_dense(connection: Connection, series: Series) -> None:
    """There are no minutes of the series any more."""
    connection.execute("DELETE FROM dense WHERE client = ? AND metric = ?", series)


def overlapping(connection: Connection, tier: Tier, window: Window) -> list[Block]:
    """The sound blocks of that tier with times in the window, oldest first."""
    rows = connection.execute(_OVERLAPPING, (tier, window.start_us, window.end_us))
    return [_block(*row) for row in rows]


def every_block(connection: Connection) -> list[Block]:
    """All blocks, damaged ones too, in the order in which they were added."""
    return [_block(*row) for row in connection.execute(_ALL)]


def whole_blocks(connection: Connection) -> list[Block]:
    """The sound blocks of which every series is visible, in the order in which they were added."""
    return [_block(*row) for row in connection.execute(_WHOLE)]


def last_beat_us(connection: Connection) -> int:
    """When the collector last said that it runs, by its clock; 0 if it never did."""
    row = connection.execute("SELECT value FROM state WHERE key = 'beat_us'").fetchone()
    return int(row[0]) if row else 0


def oldest_block(connection: Connection, tier: Tier, from_us: int) -> Block | None:
    """The sound block of that tier that ends first, but not before; every series is visible."""
    row = connection.execute(_OLDEST, (tier, from_us)).fetchone()
    return None if row is None else _block(*row)


def unfinished(connection: Connection) -> list[Block]:
    """Blocks of which not every series is visible yet."""
    return [_block(*row) for row in connection.execute(_UNFINISHED)]


def add(connection: Connection, blocks: Iterable[Block], *, hidden: bool = False) -> int:
    """Makes blocks part of the store, as one part, whose number is returned.

    Args:
        connection: In a transaction.
        blocks: Made from the same readings.
        hidden: Whether no series is visible before `show` says so.
    """
    (part,) = connection.execute(_LAST_ID).fetchone()
    through = _through(_NOTHING) if hidden else None
    connection.executemany(
        _ADD,
        [
            (one.tier, one.path, one.sha256, one.size, one.rows, one.first_us, one.last_us, part,
             through)
            for one in blocks
        ],
    )  # fmt: skip
    return int(part)


def show(connection: Connection, part: int, through: Series | None) -> None:
    """Makes the series up to that one visible, or all."""
    connection.execute(_SHOW, (None if through is None else _through(through), part))


def drop(connection: Connection, blocks: Iterable[Block], now_us: int) -> None:
    """Takes blocks out of the store; their files are removed once no reader can need them."""
    paths = [one.path for one in blocks]
    for path in paths:
        if not connection.execute(_DROP, (path,)).rowcount:
            raise Conflict(f"{path} is no part of the store any more")
    connection.executemany(_DROPPED, [(path, now_us) for path in paths])


def mark_damage(connection: Connection, part: int, reason: str) -> None:
    """Notes why a part cannot be read: none of it is asked any more."""
    connection.execute("UPDATE block SET damage = ? WHERE part = ?", (reason, part))


def is_damaged(connection: Connection, window: Window, tier: Tier = Tier.READINGS) -> bool:
    """Whether a block of that tier and window is known to be damaged."""
    found = connection.execute(_DAMAGED, (tier, window.start_us, window.end_us)).fetchone()
    return found is not None


def known_damage(connection: Connection) -> list[Damage]:
    """The blocks that are known to be damaged."""
    rows = connection.execute("SELECT path, damage FROM block WHERE damage <> '' ORDER BY path")
    return [Damage(*row) for row in rows]


def damaged_blocks(connection: Connection) -> list[tuple[Block, str]]:
    """The blocks that are known to be damaged, and why."""
    return [(_block(*row), why) for why, *row in connection.execute(_EVERY_DAMAGED)]


def numbered_blocks(connection: Connection, after: int) -> list[tuple[int, Block]]:
    """All blocks that are not being added just now, with their numbers; it begins behind `after`.

    At the end it goes on with the first.
    """
    return [(number, _block(*row)) for number, *row in connection.execute(_ROUND, (after,))]


def mark_file(connection: Connection, path: str, reason: str) -> None:
    """Notes why a block cannot be read; with an empty reason, that it can."""
    connection.execute("UPDATE block SET damage = ? WHERE path = ?", (reason, path))


def is_listed(connection: Connection, path: str) -> bool:
    """Whether a file is part of the store."""
    found = connection.execute("SELECT 1 FROM block WHERE path = ?", (path,)).fetchone()
    return found is not None


def mark_dense(connection: Connection, dense: Iterable[Dense]) -> None:
    """Notes which hours there are minutes of."""
    connection.executemany(_DENSE, [(*one.series, one.day_us, one.hours) for one in dense])


def dense_days(connection: Connection, series: Series, window: Window) -> list[Dense]:
    """The days that touch the window of which a series has minutes, in order."""
    days = (day_of(window.start_us), window.end_us)
    return [Dense(series, *row) for row in connection.execute(_DENSE_DAYS, (*series, *days))]


def expire(connection: Connection, expiries: Iterable[Expiry]) -> None:
    """Notes what is over: questions about it are answered from what is left."""
    for tier, series, before_us in expiries:
        if tier is Tier.READINGS:
            connection.execute(_EXPIRE, (*series, before_us))
        elif tier is Tier.MINUTES:
            connection.execute(_SPARSE, (*series, before_us))


def expired_series(connection: Connection, time_us: int) -> set[Series]:
    """The series whose readings of that time are over."""
    return {Series(*row) for row in connection.execute(_EXPIRED, (time_us,))}


def _block(*facts: Any) -> Block:
    """A row of the manifest; what SQLite answers has no types."""
    tier, *rest, through = facts
    shown = None if through is None else Series(*orjson.loads(through))
    return Block(*(Tier(tier), *rest, shown))


def _through(series: Series) -> str:
    return orjson.dumps([*series]).decode()
