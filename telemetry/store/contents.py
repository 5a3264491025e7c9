"""What is in a block, as far as statistics and names tell: values are not decoded."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from telemetry.reading import Series
from telemetry.store.block import UNREADABLE, open_block
from telemetry.store.layout import Block

_NAMES = ["client", "metric"]


def rows_of(root: Path, block: Block) -> Counter[Series]:
    """How many rows a block has of each series.

    Raises:
        OSError, pa.ArrowException, ValueError: If it cannot be read.
    """
    found: Counter[Series] = Counter()
    with open_block(root / block.path, block.tier) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            alone = _alone(group)
            if alone is None:
                found += _counted(file.read_row_group(number, columns=_NAMES))
            else:
                found[alone] += group.num_rows
    return found


def may_have(root: Path, block: Block, client: str) -> bool:
    """Whether a block can have something of that client, as far as can be told."""
    try:
        with open_block(root / block.path, block.tier) as file:
            footer = file.metadata
            groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    except UNREADABLE:
        return True
    return any(_may_hold(group, client) for group in groups)


def _may_hold(group: pq.RowGroupMetaData, client: str) -> bool:
    names = group.column(0).statistics
    return names is None or not names.has_min_max or names.min <= client <= names.max


def series_of(table: pa.Table) -> set[Series]:
    """Whose rows a table has."""
    return {*_counted(table)}


def _alone(group: pq.RowGroupMetaData) -> Series | None:
    """The one series that a row group has, or `None` if it may have more."""
    client, metric = (group.column(number).statistics for number in range(2))
    if client is None or metric is None or not client.has_min_max or not metric.has_min_max:
        return None
    one = client.min == client.max and metric.min == metric.max
    return Series(client.min, metric.min) if one else None


def _counted(table: pa.Table) -> Counter[Series]:
    counted = table.group_by(_NAMES).aggregate([([], "count_all")])
    return Counter(
        {Series(row["client"], row["metric"]): row["count_all"] for row in counted.to_pylist()}
    )
