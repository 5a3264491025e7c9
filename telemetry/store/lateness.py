"""How many readings came long after they were measured, by the flag they carry."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from telemetry.ledger import Account
from telemetry.reading import Flag
from telemetry.store.block import UNREADABLE, open_block
from telemetry.store.counting import microseconds, shown
from telemetry.store.head import Connection
from telemetry.store.layout import Block
from telemetry.window import HOUR_US, Window

_COLUMNS = ["client", "metric", "time", "flags"]
_KEPT_BLOCKS = 4000  # which never change
_LATE = Flag.LATE.value
_HEAD = f"""SELECT client, count(*) FROM reading JOIN series ON series.id = reading.series
    WHERE flags & {_LATE} AND time_us >= ? AND time_us < ? GROUP BY client"""  # noqa: S608  # a constant


def late_readings(
    connection: Connection, root: Path, blocks: Iterable[Block], window: Window
) -> Counter[str]:
    """How many late readings of each client were measured in the hours of a window.

    What a block has is counted once, and then known. One that cannot be read has none.
    """
    found = Counter(dict(connection.execute(_HEAD, (window.start_us, window.end_us)).fetchall()))
    for block in blocks:
        for (client, hour_us), number in _of_block(root, block).items():
            if window.start_us <= hour_us < window.end_us:
                found[client] += number
    return found


def _of_block(root: Path, block: Block) -> Counter[Account]:
    try:
        return _counted(root, block)
    except UNREADABLE:
        return Counter()


@lru_cache(maxsize=_KEPT_BLOCKS)
def _counted(root: Path, block: Block) -> Counter[Account]:
    """By client and the hour in which they were measured.

    Raises:
        OSError, pa.ArrowException, ValueError: If it cannot be read.
    """
    found: Counter[Account] = Counter()
    with open_block(root / block.path, block.tier) as file:
        for number in range(file.num_row_groups):
            table = shown(file.read_row_group(number, columns=_COLUMNS), block)
            late = table.filter(pc.not_equal(pc.bit_wise_and(table["flags"], _LATE), 0))
            found.update(dict(_by_hour(late)))
    return found


def _by_hour(table: pa.Table) -> Iterator[tuple[Account, int]]:
    times_us = microseconds(table["time"])
    hours = pa.array(times_us - times_us % HOUR_US)
    counted = table.append_column("hour_us", hours).group_by(["client", "hour_us"])
    for row in counted.aggregate([([], "count_all")]).to_pylist():
        yield Account(row["client"], row["hour_us"]), row["count_all"]
