"""Inventory: which files the history consists of, by tier."""

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from telemetry.store.head import Connection, faults, open_reader, schema_of, snapshot
from telemetry.store.layout import Tier, blocks_folder

_STOCK = """SELECT tier, count(*), sum(rows), sum(bytes), min(first_us), max(last_us),
    sum(damage <> '') FROM block GROUP BY tier"""
_NEWEST = "SELECT path FROM block WHERE tier = ? ORDER BY id DESC LIMIT 1"
_PLACES = "SELECT count(DISTINCT rtrim(path, replace(path, '/', ''))) FROM block WHERE tier = ?"


class Stock(NamedTuple):
    """The files of one tier.

    Attributes:
        tier: `readings`, `rollup_1m` or `rollup_1h`.
        files: How many.
        rows: How many readings or rollups they hold.
        size: What they weigh, in bytes.
        first_us: The oldest time in them.
        last_us: The newest.
        damaged: How many cannot be read.
        surplus: How many fewer there will be once each day or month is one file.
        written_us: When the newest was written; `None` if that cannot be told.
    """

    tier: str
    files: int
    rows: int
    size: int
    first_us: int
    last_us: int
    damaged: int
    surplus: int
    written_us: int | None


class Inventory(NamedTuple):
    """What a store consists of.

    Attributes:
        schema: The version of its SQLite file.
        sqlite: The version of SQLite that reads it.
        stocks: By tier, the finest first; without those that have no file.
    """

    schema: int
    sqlite: str
    stocks: Sequence[Stock]


def inventory(path: Path) -> Inventory:
    """What the store in that SQLite file consists of; no file of the history is read.

    Raises:
        StoreMissing: If there is no store yet; `StoreUnavailable` if it cannot be read now.
    """
    with faults(path), closing(open_reader(path)) as connection, snapshot(connection):
        found = {row[0]: row for row in connection.execute(_STOCK)}
        (version,) = connection.execute("SELECT sqlite_version()").fetchone()
        root = blocks_folder(path)
        stocks = [_stock(connection, root, found[tier]) for tier in Tier if tier in found]
        return Inventory(schema_of(connection), str(version), stocks)


def _stock(connection: Connection, root: Path, row: Sequence[Any]) -> Stock:
    tier, files, *counts = row
    (places,) = connection.execute(_PLACES, (tier,)).fetchone()
    rest = (files - places, _written_us(connection, root, tier))
    return Stock._make([tier, files, *counts, *rest])


def _written_us(connection: Connection, root: Path, tier: str) -> int | None:
    (newest,) = connection.execute(_NEWEST, (tier,)).fetchone()
    with suppress(OSError):
        return (root / str(newest)).stat().st_mtime_ns // 1000
    return None
