"""Blocks: small, the same again when read, and read one series at a time."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.store.encoding import ROWS_AT_LEAST, ROWS_PER_PAGE, row_groups, write_options
from tests.benchmarks.readings import DAY_S, JITTERED, NOISE, QUANTISED, SCHEMA, Shape, regular
from tests.telemetry.builders import NOON_US, SECOND_US, steady

SERIES = 20
READER_TYPES = [
    pa.string(),
    pa.string(),
    pa.timestamp("us", tz="UTC"),
    pa.float64(),
    pa.string(),
    pa.int64(),
    pa.int32(),
]


def written(path: Path, table: pa.Table, groups: list[int] | None = None) -> Path:
    """The table as a block at the path, with the options that its data ask for."""
    start = 0
    with pq.ParquetWriter(path, table.schema, **write_options(table)) as writer:
        for rows in groups or [len(table)]:
            writer.write_table(table.slice(start, rows), row_group_size=max(rows, 1))
            start += rows
    return path


def block(count: int, **columns: object) -> pa.Table:
    """So many rows of one series a second apart, except for the columns given."""
    given_columns = {
        "client": ["boiler"] * count,
        "metric": ["temperature"] * count,
        "time": NOON_US + np.arange(count) * SECOND_US,
        "value": [20.5] * count,
        "text": [None] * count,
        "delay_ms": [0] * count,
        "flags": [0] * count,
    } | columns
    return pa.table(
        [pa.array(given_columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA
    )


BLOCKS: dict[str, Callable[[], pa.Table]] = {
    "empty": lambda: block(0),
    "one row": lambda: block(1),
    "two different rows": lambda: block(2, value=[-0.0, 1e300]),
    "constant": lambda: block(5000),
    "states": lambda: block(3, value=[None] * 3, text=["on", "", "häßlich"]),
    "texts that all differ": lambda: block(
        30_000, value=[None] * 30_000, text=[f"failure {n * n}" for n in range(30_000)]
    ),
    "numbers and states": lambda: block(
        4, value=[1.0, None, 2.0, None], text=[None, "a", None, ""]
    ),
    "nothing but null": lambda: block(900, value=[None] * 900),
    "huge integers": lambda: block(
        3, delay_ms=[2**63 - 1, -(2**63), 0], flags=[2**31 - 1, -(2**31), 0]
    ),
    "before 1970": lambda: block(3, time=[-(10**15), -1, 0]),
    "the whole range of times": lambda: block(2, time=[-(2**62), 2**62]),
    "numbers that all differ": lambda: regular(2, DAY_S, 10, NOISE),
    "tenths": lambda: regular(3, DAY_S, 10, QUANTISED),
    "dictionaries that differ": lambda: pa.concat_tables(
        [block(2), block(2, client=["pump"] * 2, metric=["power", "speed"])]
    ),
    "plain strings": lambda: block(9).cast(pa.schema(zip(SCHEMA.names, READER_TYPES, strict=True))),
}


@pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS.keys())
def test_write_options_of_any_block_give_it_back(
    make: Callable[[], pa.Table], tmp_path: Path
) -> None:
    """What is read, its checksums verified, is what was written, in types every reader knows."""
    table = make()
    path = written(tmp_path / "block.parquet", table)
    answer = pq.read_table(path, page_checksum_verification=True, partitioning=None)
    assert answer.schema.types == READER_TYPES
    assert answer.equals(table.cast(answer.schema).combine_chunks())


@steady
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**62), 2**62),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text(max_size=5),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=60,
    )
)
def test_write_options_of_chance_give_it_back(
    rows: list[tuple[int, float | None, str | None, int]],
) -> None:
    """Any readings come back as they were, the order of the rows included."""
    times, values, texts, delays = zip(*rows, strict=True) if rows else ([], [], [], [])
    table = block(len(rows), time=times, value=values, text=texts, delay_ms=delays)
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, **write_options(table)) as writer:
        writer.write_table(table)
    answer = pq.read_table(pa.BufferReader(sink.getvalue()), page_checksum_verification=True)
    assert answer.equals(table.cast(answer.schema).combine_chunks())


def test_write_options_of_a_sample_fit_the_rest(tmp_path: Path) -> None:
    """Options chosen from other data write a block that is larger, and as right."""
    table = regular(2, DAY_S, 10, NOISE)
    with pq.ParquetWriter(tmp_path / "b", table.schema, **write_options(block(9))) as writer:
        writer.write_table(table)
    answer = pq.read_table(tmp_path / "b", partitioning=None)
    assert answer.equals(table.cast(answer.schema).combine_chunks())


def encoding_of(table: pa.Table, column: str) -> str:
    """How the options encode the column."""
    options = write_options(table)
    if column in (options["use_dictionary"] or []):
        return "DICTIONARY"
    return str(options["column_encoding"][column])


@pytest.mark.parametrize(
    ("shape", "column", "encoding"),
    [
        (QUANTISED, "value", "DICTIONARY"),
        (NOISE, "value", "BYTE_STREAM_SPLIT"),
        (QUANTISED, "time", "DELTA_BINARY_PACKED"),
        (JITTERED, "time", "DELTA_BINARY_PACKED"),
        (QUANTISED, "client", "DICTIONARY"),
        (QUANTISED, "text", "DICTIONARY"),
        (QUANTISED, "delay_ms", "BYTE_STREAM_SPLIT"),
    ],
)
def test_write_options_encoding_is_chosen_by_the_data(
    shape: Shape, column: str, encoding: str
) -> None:
    """Few distinct values make a dictionary, noise is split, times are differences."""
    assert encoding_of(regular(SERIES, DAY_S, 10, shape), column) == encoding


def test_write_options_times_that_metrics_share_are_split() -> None:
    """Metrics of one message have the same jittered times, and cost them once."""
    apart = regular(SERIES, DAY_S, 10, JITTERED)
    times = apart["time"].to_numpy().reshape(SERIES, -1)
    shared = pa.array(np.repeat(times[::4], 4, axis=0).reshape(-1), apart["time"].type)
    assert encoding_of(apart.set_column(2, "time", shared), "time") == "BYTE_STREAM_SPLIT"


def test_write_options_texts_that_all_differ_have_no_dictionary() -> None:
    """A dictionary of every text would hold each twice."""
    assert encoding_of(BLOCKS["texts that all differ"](), "text") == "DELTA_LENGTH_BYTE_ARRAY"


@pytest.mark.parametrize(
    ("shape", "most"),
    [(QUANTISED, 1.45), (JITTERED, 3.7), (NOISE, 9.7)],
    ids=["quantised", "jittered", "noise"],
)
def test_write_options_bytes_per_reading_keep_the_budget(
    shape: Shape, most: float, tmp_path: Path
) -> None:
    """Without rollups: 1.45 bytes regular and in tenths, 3.7 with jitter, 9.7 with noise."""
    table = regular(SERIES, DAY_S, 10, shape)
    groups = row_groups([len(table) // SERIES] * SERIES)
    path = written(tmp_path / "block.parquet", table, groups)
    assert path.stat().st_size / len(table) <= most


def test_write_options_one_series_is_one_row_group(tmp_path: Path) -> None:
    """Who asks for a series by its names is given one row group of the file by its statistics."""
    table = regular(8, ROWS_AT_LEAST, 1)
    path = written(tmp_path / "block.parquet", table, row_groups([ROWS_AT_LEAST] * 8))
    fragment = next(ds.dataset(path).get_fragments())
    asked = (pc.field("client") == "client-00001") & (pc.field("metric") == "power")
    assert len(fragment.split_by_row_group()) == 8
    assert len(fragment.split_by_row_group(asked)) == 1


@pytest.mark.parametrize("column", SCHEMA.names)
def test_write_options_flipped_bit_of_a_page_is_noticed(column: str, tmp_path: Path) -> None:
    """A bit that the disk turned is an error of who verifies checksums."""
    path = written(tmp_path / "block.parquet", regular(2, DAY_S, 10, NOISE))
    chunk = pq.read_metadata(path).row_group(0).column(SCHEMA.get_field_index(column))
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    data = bytearray(path.read_bytes())
    data[start + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match="checksum"):
        pq.read_table(path, page_checksum_verification=True, partitioning=None)


def test_write_options_pages_have_their_rows() -> None:
    """Three streams of a full page fill a block of zstd, to within the width of a number."""
    assert 0 <= 131_072 - 3 * ROWS_PER_PAGE < 8


counts = st.lists(st.integers(0, 400), max_size=40)
bounds = st.tuples(st.integers(1, 60), st.integers(2, 5)).map(lambda two: (two[0], two[0] * two[1]))


@steady
@given(counts, bounds)
def test_row_groups_hold_every_row_once(rows: list[int], limits: tuple[int, int]) -> None:
    """The row groups hold the rows of all series, none is empty and none too large."""
    groups = row_groups(rows, *limits)
    assert sum(groups) == sum(rows)
    assert all(0 < group <= limits[1] for group in groups)


@steady
@given(counts, bounds)
def test_row_groups_of_a_series_are_as_few_as_can_be(
    rows: list[int], limits: tuple[int, int]
) -> None:
    """A series touches one row group, or as many as its rows need; a big one shares none."""
    at_least, at_most = limits
    edges = np.cumsum([0, *row_groups(rows, *limits)])
    start = 0
    for count in rows:
        end = start + count
        touched = np.flatnonzero((edges[:-1] < end) & (edges[1:] > start))
        assert len(touched) == -(-count // at_most)
        if count >= at_least:
            assert (edges[touched[0]], edges[touched[-1] + 1]) == (start, end)
        start = end


@steady
@given(counts, bounds)
def test_row_groups_are_small_for_a_reason(rows: list[int], limits: tuple[int, int]) -> None:
    """A row group of fewer than `at_least` rows is the last, or stands before a big series."""
    at_least, at_most = limits
    edges = np.cumsum([0, *row_groups(rows, *limits)])
    big = {
        int(end - count)
        for end, count in zip(np.cumsum(rows), rows, strict=True)
        if count >= at_least
    }
    for start, end in pairwise(edges):
        assert end - start >= at_least or end in {sum(rows), *big}
    assert at_most >= max(np.diff(edges), default=0)


@steady
@given(st.integers(1, 10_000_000))
def test_row_groups_of_one_series_are_nearly_equal(count: int) -> None:
    """No piece of a large series is more than a row larger than another."""
    groups = row_groups([count])
    assert max(groups) - min(groups) <= 1
