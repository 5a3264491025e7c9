"""What lies where below data/blocks, and with which columns: `data/README.md` in code."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from telemetry.exact import Ints
from telemetry.reading import Series
from telemetry.window import DAY_US, HOUR_US

SCHEMA = 1
"""Written beside each block; another number means other columns."""


_NAME = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")
_SERIES = (pa.field("client", _NAME, nullable=False), pa.field("metric", _NAME, nullable=False))

READINGS = pa.schema(
    [
        *_SERIES,
        pa.field("time", _TIME, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", _NAME),
        pa.field("delay_ms", pa.int64(), nullable=False),
        pa.field("flags", pa.int32(), nullable=False),
    ]
)
"""Sorted by client, metric, time, value, text; either a value or a text."""

ROLLUPS = pa.schema(
    [
        *_SERIES,
        pa.field("time", _TIME, nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("sum", "sumsq", "min", "max", "first", "last")),
        pa.field("first_time", _TIME),
        pa.field("last_time", _TIME),
        pa.field("integral", pa.float64()),
        pa.field("states", pa.int64(), nullable=False),
    ]
)
"""Sorted by client, metric, time. See `telemetry.rollup.COLUMNS`."""


class Tier(StrEnum):
    """How fine a block is; the values are names of folders."""

    READINGS = "readings"
    MINUTES = "rollup_1m"
    HOURS = "rollup_1h"


@dataclass(frozen=True, slots=True)
class Block:
    """One immutable file, as the manifest knows it.

    Attributes:
        tier: What its rows are.
        path: Below data/blocks.
        sha256: Of its bytes, in hexadecimal digits.
        size: In bytes.
        rows: How many.
        first_us: The oldest time in it.
        last_us: The newest.
        part: Blocks with the same number were made from the same readings; 0 before it has one.
        through: The last series that is visible already, or `None` if all of it is.
    """

    tier: Tier
    path: str
    sha256: str
    size: int
    rows: int
    first_us: int
    last_us: int
    part: int = 0
    through: Series | None = None

    def shows(self, series: Series) -> bool:
        """Whether what it has of this series is part of the store."""
        return self.through is None or series <= self.through

    def shown(self) -> "Block":
        """The same, all of it visible."""
        return replace(self, through=None)


def delay_ms(time_us: Ints, delay_us: Ints) -> Ints:
    """Delays in whole milliseconds, rounded down unless that moves the receipt to another hour.

    The ledger counts by the hour of receipt, and must find it again.
    """
    rounded = delay_us // 1000
    moved = (time_us + rounded * 1000) // HOUR_US != (time_us + delay_us) // HOUR_US
    return np.asarray(rounded + moved, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Site:
    """Where blocks are built, and by whom.

    Attributes:
        root: The folder data/blocks.
        build: What the names of all files begin with that one build makes.
    """

    root: Path
    build: str


def schema_of(tier: Tier) -> pa.Schema:
    """The columns of that tier."""
    return READINGS if tier is Tier.READINGS else ROLLUPS


def folder_of(tier: Tier, day_us: int) -> PurePosixPath:
    """Where blocks of that tier and day lie, below data/blocks.

    >>> str(folder_of(Tier.READINGS, 1_795_392_000_000_000))
    'readings/day=2026-11-23'
    >>> str(folder_of(Tier.HOURS, 1_795_392_000_000_000))
    'rollup_1h/month=2026-11'
    """
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=day_us)
    name = f"month={date:%Y-%m}" if tier is Tier.HOURS else f"day={date:%Y-%m-%d}"
    return PurePosixPath(tier.value) / name


def blocks_folder(store: Path) -> Path:
    """Where the blocks of the store in that SQLite file are."""
    return store.with_name("blocks")


def month_of(time_us: int) -> tuple[int, int]:
    """The year and month, in UTC.

    >>> month_of(1_795_392_000_000_000)
    (2026, 11)
    """
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return date.year, date.month


def month_start(time_us: int) -> int:
    """The start of the month in UTC, in microseconds.

    >>> month_start(1_795_392_000_000_000) == 1_793_491_200_000_000
    True
    """
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=day_of(time_us))
    return day_of(time_us) - (date.day - 1) * DAY_US


def day_of(time_us: int) -> int:
    """The start of the day in UTC, in microseconds.

    >>> day_of(90_000_000_000)
    86400000000
    >>> day_of(-1)
    -86400000000
    """
    return time_us - time_us % DAY_US
