"""What a store consists of, told without reading its files."""

from contextlib import closing
from pathlib import Path

import pytest

from telemetry.interface import StoreMissing
from telemetry.job import Compact, Seal
from telemetry.reading import Reading, Series
from telemetry.store import open_appender
from telemetry.store.head import SCHEMA
from telemetry.store.inventory import inventory
from tests.telemetry.builders import NOON_US, SECOND_US, fill

DAY_US = 86_400 * SECOND_US
BOILER = Series("boiler", "temperature")


def measured(first: int, count: int) -> list[Reading]:
    """Readings of two days ago, ten seconds apart, from the `first` on."""
    start_us = NOON_US - 2 * DAY_US
    return [
        Reading(BOILER, start_us + n * 10 * SECOND_US, n / 10) for n in range(first, first + count)
    ]


def test_inventory_counts_files_rows_and_sizes_of_each_tier(tmp_path: Path) -> None:
    """Sealed twice there are two files of the day; once compacted nothing is left to merge."""
    path = fill(tmp_path / "culex.db", measured(0, 400))
    with closing(open_appender(path)) as appender:
        appender.do(Seal(NOON_US - 2 * DAY_US + 3600 * SECOND_US))
        appender.do(Seal(NOON_US))
        before = inventory(path)
        appender.do(Compact(NOON_US))
        after = inventory(path)
    assert before.schema == SCHEMA
    assert before.sqlite.count(".") == 2
    files = [*(tmp_path / "blocks").glob("readings/*/*.parquet")]
    readings = after.stocks[0]
    assert [(one.stocks[0].files, one.stocks[0].surplus) for one in (before, after)] == [
        (2, 1), (1, 0)
    ]  # fmt: skip
    assert (readings.tier, readings.rows, readings.damaged) == ("readings", 400, 0)
    assert readings.size == sum(one.stat().st_size for one in files if ".dropped" not in one.parts)
    assert readings.last_us - readings.first_us == 399 * 10 * SECOND_US
    assert readings.written_us == files[0].stat().st_mtime_ns // 1000


def test_inventory_of_readings_that_are_not_sealed_has_no_file(tmp_path: Path) -> None:
    """What is in the head alone is in no tier."""
    assert inventory(fill(tmp_path / "culex.db", measured(0, 3))).stocks == []


def test_inventory_where_no_store_is_says_so(tmp_path: Path) -> None:
    """As every question does."""
    with pytest.raises(StoreMissing):
        inventory(tmp_path / "culex.db")
