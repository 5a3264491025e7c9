"""Stores for benchmarks: a long history in blocks, laid out as sealing and compaction leave it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa

from telemetry.reading import Series
from telemetry.rollup import roll
from telemetry.store import open_appender
from telemetry.store.block import BlockWriter
from telemetry.store.encoding import ROLLUP_ROWS_AT_LEAST, ROWS_AT_LEAST, row_groups
from telemetry.store.head import Connection, open_writer
from telemetry.store.layout import Block, Site, Tier, blocks_folder, day_of, month_of
from telemetry.store.manifest import Dense, add, mark_dense
from telemetry.store.part import rollup_table
from telemetry.window import HOUR_US, MINUTE_US

_ALL_HOURS = (1 << 24) - 1
_SERIES = """INSERT INTO series (client, metric, kind, unit, newest_us, newest_value,
    newest_received_us, newest_flags, oldest_us) VALUES (?, ?, 'number', '', ?, 0.0, ?, 0, ?)"""


def write_history(
    path: Path, days: Iterable[pa.Table], *, dense: bool = True, kept_us: int = 0
) -> Path:
    """The store at `path` with a block of readings for each day and the rollups that belong to it.

    Args:
        path: The SQLite file.
        days: Readings as `tests.benchmarks.readings` makes them, a table for each day, in order;
            each has the same series.
        dense: Whether they have minutes.
        kept_us: Of days before, only hours are kept.
    """
    open_appender(path).close()
    site = Site(blocks_folder(path), "bench")
    blocks: list[Block] = []
    hours: list[tuple[int, list[Series], pa.Table]] = []
    for jittered in days:
        table, day_us = _within_day(jittered)
        series, counts = _series_of(table)
        if day_us >= kept_us:
            blocks.append(_written(site, Tier.READINGS, day_us, table, counts))
        if dense and day_us >= kept_us:
            blocks.append(_rolled(site, Tier.MINUTES, table, series, counts))
        hours.append((day_us, series, _rollups(table, series, counts, HOUR_US)))
    blocks += _months(site, hours)
    with closing(open_writer(path)) as connection:
        minutes = [one for one in hours if dense and one[0] >= kept_us]
        _note(connection, blocks, minutes, hours[0][1], kept_us)
    return path


def _within_day(table: pa.Table) -> tuple[pa.Table, int]:
    """The table without a reading before its day, whatever jitter did to the first ones."""
    times = table["time"].cast(pa.int64()).to_numpy()
    day_us = day_of(int(times.max()))
    clipped = pa.array(np.maximum(times, day_us)).cast(table.schema.field("time").type)
    return table.set_column(2, table.schema.field("time"), clipped), day_us


def _series_of(table: pa.Table) -> tuple[list[Series], list[int]]:
    """The series of a table in order, and how many rows each has: the same number."""
    found = table.group_by(["client", "metric"], use_threads=False).aggregate([([], "count_all")])
    rows = found.to_pylist()
    return [Series(r["client"], r["metric"]) for r in rows], [r["count_all"] for r in rows]


def _rollups(table: pa.Table, series: list[Series], counts: list[int], width_us: int) -> pa.Table:
    places = np.repeat(np.arange(len(series)), counts)
    times = table["time"].cast(pa.int64()).to_numpy()
    return rollup_table(series, roll(places, times, table["value"].to_numpy(), width_us))


def _rolled(
    site: Site, tier: Tier, table: pa.Table, series: list[Series], counts: list[int]
) -> Block:
    rolled = _rollups(table, series, counts, MINUTE_US)
    each = [len(rolled) // len(series)] * len(series)
    return _written(site, tier, day_of(table["time"][0].value), rolled, each)


def _months(site: Site, hours: list[tuple[int, list[Series], pa.Table]]) -> Iterator[Block]:
    """The hours of each month as one block, by series."""
    for _, some in groupby(hours, lambda one: month_of(one[0])):
        month = [*some]
        table = pa.concat_tables(one[2] for one in month).unify_dictionaries()
        count = len(month[0][1])
        owner = np.tile(np.repeat(np.arange(count), 24), len(month))
        by_series = table.take(pa.array(np.argsort(owner, kind="stable"))).combine_chunks()
        each = [len(table) // count] * count
        yield _written(site, Tier.HOURS, month[0][0], by_series, each)


def _written(site: Site, tier: Tier, day_us: int, table: pa.Table, counts: Sequence[int]) -> Block:
    with BlockWriter(site, tier, day_us) as writer:
        least = ROWS_AT_LEAST if tier is Tier.READINGS else ROLLUP_ROWS_AT_LEAST
        writer.write(table, row_groups(counts, least))
        block = writer.finish()
    assert block is not None
    return block


def _note(
    connection: Connection,
    blocks: Sequence[Block],
    dense: list[tuple[int, list[Series], pa.Table]],
    series: list[Series],
    kept_us: int,
) -> None:
    """Makes the blocks part of the store."""
    oldest_us = min(block.first_us for block in blocks)
    newest_us = max(block.last_us for block in blocks if block.tier is Tier.READINGS)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_SERIES, [(*one, newest_us, newest_us, oldest_us) for one in series])
    connection.execute("UPDATE series SET readings_from_us = ?", (kept_us,))
    for block in blocks:
        add(connection, [block])
    for day_us, some, _ in dense:
        mark_dense(connection, [Dense(one, day_us, _ALL_HOURS) for one in some])
    connection.execute("UPDATE state SET value = value + 1 WHERE key = 'sequence'")
    connection.execute("COMMIT")
