"""The table of readings: how they are put into batches changes nothing."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import telemetry.store
from telemetry.reading import Kind, Reading, Series
from telemetry.store.table import ReadingTable
from tests.telemetry.builders import steady

SCHEMA = "".join(
    Path(telemetry.store.__file__).with_name(f"{name}.sql").read_text("utf-8")
    for name in ("readings", "blocks", "revision")
)

READINGS = st.builds(
    Reading,
    st.sampled_from([Series("a", "m"), Series("a", "n")]),
    st.integers(0, 5),
    st.sampled_from([0.0, 1.0, 2.0, "x"]),
    st.sampled_from([*Kind]),
    st.sampled_from(["", "V", "W"]),
    st.integers(0, 2),
    st.sampled_from([0, 1]),
)
TOLD = "id, client, metric, kind, unit, newest_us, newest_value, newest_flags, oldest_us"
"""All of a series but when it was revised, which is a matter of batches."""

BATCHES = st.lists(st.lists(st.lists(READINGS, max_size=4), max_size=4), max_size=4)
Parts = Sequence[Sequence[Reading]]


@contextmanager
def stored(batches: Sequence[Parts]) -> Iterator[tuple[list[int], list[object]]]:
    """How many of each part were new, and all rows of both tables, after these batches."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
        table = ReadingTable(connection)
        counts = [count for parts in batches for count in table.store(parts)]
        rows: list[object] = connection.execute("SELECT * FROM reading").fetchall()
        rows += connection.execute(f"SELECT {TOLD} FROM series ORDER BY client, metric").fetchall()  # noqa: S608  # a constant
        yield counts, rows


@steady
@given(batches=BATCHES)
def test_readings_of_a_batch_are_stored_as_one_after_the_other(batches: Sequence[Parts]) -> None:
    """Counts, flags of conflict, and what the newest is: as if each had come by itself."""
    alone = [[[reading]] for parts in batches for part in parts for reading in part]
    with stored(batches) as (counts, rows), stored(alone) as (each, expected):
        assert [row for row in rows if row not in expected] == []
        assert len(rows) == len(expected)
        lengths = [len(part) for parts in batches for part in parts]
        ones = iter(each)
        assert counts == [sum(next(ones) for _ in range(length)) for length in lengths]
