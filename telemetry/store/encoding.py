"""How a block is encoded: chosen from its data, within what every Parquet reader reads.

Nothing is guessed: each column of a sample is written in each encoding that suits its type, and the
smallest wins. Tenths of a degree are smallest in a dictionary, noise with its bytes split, times as
differences, but times that metrics share with their bytes split: the second metric then repeats the
first.

Split bytes are read by pyarrow, pandas, DuckDB, Polars and Spark 4.3; an older Spark (tried: 4.0)
needs `spark.sql.parquet.enableVectorizedReader=false`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_PAGE = 131_072 // 3
"""Three streams of split bytes fill a block of zstd, so those of noise share none with the others.

Measured on numbers like 20 ± 3 of full precision: 6.51 bytes each, against 6.78 with 20 000 rows
a page and 6.71 with 40 000.
"""

ROWS_AT_LEAST = ROWS_PER_PAGE
"""Measured on 10 000 series of 144 rows: one is read fastest, and the file is still small."""

ROLLUP_ROWS_AT_LEAST = 8_192
"""The same for rollups, of which a question wants a series' own: measured, ADR 11."""

ROWS_AT_MOST = 131_072
"""A day of one reading a second fits, and one hour of a faster series needs no whole day."""

_DICTIONARY_BYTES = 131_072  # 16 384 numbers: a row group with more distinct ones gains nothing
_STRETCHES, _TRIED_ROWS = 6, 3 * ROWS_PER_PAGE  # of the sample: from all over it, in full pages
_GAIN = 0.02  # bytes per row for which a later candidate is taken

_DICTIONARY: Final = "DICTIONARY"
_TEXT = (_DICTIONARY, "DELTA_LENGTH_BYTE_ARRAY")
_FLOAT = (_DICTIONARY, "PLAIN", "BYTE_STREAM_SPLIT")
_INTEGER = ("DELTA_BINARY_PACKED", _DICTIONARY, "BYTE_STREAM_SPLIT")

_FIXED: dict[str, Any] = {
    "version": "2.6",
    "data_page_version": "1.0",  # the second saves nothing here, and is read by fewer
    "compression": "zstd",
    "write_page_checksum": True,
    "write_statistics": True,
    "write_page_index": False,  # a row group has one to four pages
    "data_page_size": 1 << 20,
    "max_rows_per_page": ROWS_PER_PAGE,
    "dictionary_pagesize_limit": _DICTIONARY_BYTES,
    "store_schema": False,  # a stored dictionary type keeps pyarrow and Polars from pruning
}


def write_options(sample: pa.Table) -> dict[str, Any]:
    """The keyword arguments for `pq.ParquetWriter` that make blocks like the sample small.

    Every reader gets plain columns: texts as strings, times as timestamps in UTC, whatever was
    dictionary-encoded in the sample. pyarrow and Polars would take a dictionary type from a stored
    schema, and then compare no statistics: measured with pyarrow, one series out of 17 million rows
    of 200 takes 1.1 s of processor, and 0.03 s like this.

    Args:
        sample: The block, or a part of it, in its order. At most 131 070 rows of it are tried.
    """
    rows = _spread(sample)
    chosen = {name: _smallest(rows.select([name])) for name in sample.column_names}
    return _options(chosen)


def row_groups(
    rows_per_series: Sequence[int], at_least: int = ROWS_AT_LEAST, at_most: int = ROWS_AT_MOST
) -> list[int]:
    """How many rows each row group of a block holds, in order.

    A series of `at_least` rows or more has row groups of its own: one, or as few nearly equal ones
    as keep to `at_most`. Smaller series share: neighbours gather until they are `at_least` rows,
    fewer only before a series that has its own and at the end. So a series of up to `at_most` rows
    is in one row group, which is its own or has fewer than twice `at_least` rows.

    Args:
        rows_per_series: The rows of each series, in the order of the block.
        at_least: From how many rows on a row group is worth its place in the footer.
        at_most: No row group is larger; at least twice `at_least`.

    >>> row_groups([10, 20, 30, 500, 5], at_least=50, at_most=200)
    [60, 167, 167, 166, 5]
    """
    groups, shared = [], 0
    for rows in rows_per_series:
        if rows >= at_least:
            groups += [shared, *_pieces(rows, at_most)]
            shared = 0
        else:
            shared += rows
            if shared >= at_least:
                groups.append(shared)
                shared = 0
    return [rows for rows in [*groups, shared] if rows]


def _pieces(rows: int, at_most: int) -> Iterator[int]:
    count = -(-rows // at_most)
    return (rows // count + (number < rows % count) for number in range(count))


def _spread(table: pa.Table) -> pa.Table:
    """Stretches of the table from its first row to its last, or all of it."""
    if len(table) <= _TRIED_ROWS:
        return table
    rows = _TRIED_ROWS // _STRETCHES
    step = (len(table) - rows) // (_STRETCHES - 1)
    return pa.concat_tables(table.slice(number * step, rows) for number in range(_STRETCHES))


def _smallest(column: pa.Table) -> str:
    """The encoding that makes the column smallest; a later candidate if it gains enough."""
    name, kind = column.column_names[0], column.schema.types[0]
    candidates = _candidates(kind)
    if len(candidates) == 1 or not len(column):
        return candidates[0]
    best, least = "", float("inf")
    for encoding in candidates:
        size = _written(column, _options({name: encoding}))
        if size < least - _GAIN * len(column):
            best, least = encoding, size
    return best


def _candidates(kind: pa.DataType) -> Sequence[str]:
    if pa.types.is_floating(kind):
        return _FLOAT
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        return _INTEGER
    return _TEXT


def _written(column: pa.Table, options: dict[str, Any]) -> int:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, column.schema, **options) as writer:
        writer.write_table(column, row_group_size=ROWS_PER_PAGE)
    return int(sink.getvalue().size)


def _options(chosen: dict[str, str]) -> dict[str, Any]:
    dictionary = [name for name, encoding in chosen.items() if encoding == _DICTIONARY]
    others = {name: encoding for name, encoding in chosen.items() if encoding != _DICTIONARY}
    levels = {name: _level(encoding) for name, encoding in chosen.items()}
    return _FIXED | {
        "use_dictionary": dictionary or False,
        "column_encoding": others or None,
        "compression_level": levels,
    }


def _level(encoding: str) -> int:
    return 4 if encoding in {_DICTIONARY, "PLAIN"} else 1
