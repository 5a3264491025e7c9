"""What the rows of a block are counted by: the client and the hour in which they arrived."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.exact import Ints
from telemetry.ledger import Account
from telemetry.reading import RESERVED_CLIENTS
from telemetry.store.layout import Block
from telemetry.window import HOUR_US


def receipts(table: pa.Table) -> Counter[Account]:
    """How many of these readings of each client arrived in each hour."""
    received_us = microseconds(table["time"]) + table["delay_ms"].to_numpy() * 1000
    hours = pa.array(received_us - received_us % HOUR_US)
    counted = table.append_column("hour_us", hours).group_by(["client", "hour_us"])
    return Counter(
        {
            Account(row["client"], row["hour_us"]): row["count_all"]
            for row in counted.aggregate([([], "count_all")]).to_pylist()
            if row["client"] not in RESERVED_CLIENTS
        }
    )


def shown(table: pa.Table, block: Block) -> pa.Table:
    """The rows of a block that are visible."""
    if block.through is None:
        return table
    through = block.through
    same = pc.and_(
        pc.equal(table["client"], through.client), pc.less_equal(table["metric"], through.metric)
    )
    return table.filter(pc.or_(pc.less(table["client"], through.client), same))


def microseconds(column: pa.ChunkedArray) -> Ints:
    """Times as integers."""
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
