"""The rows of a block of CSV as columns of texts, and the rows that have not the right cells."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from telemetry.sources.blocks import Block, Lines
from telemetry.sources.opening import check_utf8
from telemetry.sources.piece import BadRow, Why, bad_row

_LINES_OF_A_ROW = 100
"""Lines that one row may take, with line ends in quotes."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How the rows of a file are written.

    Attributes:
        delimiter: What stands between cells.
        types: The type of each column: text, or text with a dictionary.
    """

    delimiter: str
    types: Sequence[pa.DataType]

    @property
    def names(self) -> list[str]:
        """A name for each column that no other has."""
        return [f"c{number}" for number in range(len(self.types))]


@dataclass(slots=True)
class Rows:
    """The rows of a block.

    Attributes:
        columns: Their cells, column by column, none null.
        block: Where they come from.
        malformed: Rows that have not as many cells as the header.
        lines: On which line each begins; None until somebody asks.
    """

    columns: list[pa.Array]
    block: Block
    malformed: list[BadRow]
    lines: Lines | None = None

    def line_numbers(self) -> Lines:
        """On which line each row begins."""
        if self.lines is None:
            self.lines = self.block.numbered()
        return self.lines

    def __len__(self) -> int:
        return len(self.columns[0])


class _Refused(NamedTuple):
    """A row that pyarrow refused: its place among all rows, from 0, and its text."""

    place: int
    text: str


def read_rows(block: Block, grid: Grid) -> Rows:
    """The rows of a block.

    Where a row is a line, which is so in all but odd files, line numbers follow from the places
    of rows among the lines that are not empty. Where the counts differ, because a cell has line
    ends in it or a quotation mark is left open, the block is taken apart line by line.

    Raises:
        SourceError: If the block is no UTF-8.
    """
    refused: list[_Refused] = []
    try:
        table = _parse(block, grid)
    except pa.ArrowInvalid:
        check_utf8(block.data, block.first_line)
        try:
            table = _parse(block, grid, refused)
        except pa.ArrowInvalid:
            return _taken_apart(block, grid)
    columns = [_flat(column) for column in table.columns]
    if not refused and b'"' not in block.data:
        return Rows(columns, block, [])
    lines = block.numbered()
    if len(lines) != table.num_rows + len(refused):
        return _taken_apart(block, grid)
    bad = [bad_row(lines[one.place], Why.MALFORMED_ROW, one.text) for one in refused]
    kept = np.delete(lines, [one.place for one in refused])
    return Rows(columns, block, _without_blank(bad, grid.delimiter), kept)


def _parse(block: Block, grid: Grid, refused: list[_Refused] | None = None) -> pa.Table:
    """The rows of a block; those without the right cells go to `refused`, if there is one."""
    found: list[_Refused] = [] if refused is None else refused

    def refuse(row: pv.InvalidRow) -> str:
        found.append(_Refused(row.number - 1, row.text))
        return "skip"

    return pv.read_csv(
        pa.BufferReader(block.data),
        read_options=pv.ReadOptions(
            column_names=grid.names, use_threads=False, block_size=max(len(block.data), 1)
        ),
        parse_options=pv.ParseOptions(
            delimiter=grid.delimiter,
            newlines_in_values=b'"' in block.data,
            invalid_row_handler=refuse if refused is not None else None,
        ),
        convert_options=pv.ConvertOptions(
            column_types=dict(zip(grid.names, grid.types, strict=True))
        ),
    )


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def _without_blank(bad: list[BadRow], delimiter: str) -> list[BadRow]:
    """Without rows of spaces alone, as spreadsheets leave them behind."""
    return [row for row in bad if row.sample.strip(f"{delimiter} \t")]


def _taken_apart(block: Block, grid: Grid) -> Rows:
    """The rows line by line: one with the wrong quotation marks costs one line and no more."""
    cells: list[list[str]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    for line, text, row in _apart(block, grid):
        if row is None:
            bad.append(bad_row(line, Why.MALFORMED_ROW, text))
        else:
            cells.append(row)
            lines.append(line)
    columns = zip(*cells, strict=True) if cells else ([] for _ in grid.types)
    arrays = [
        pa.array(column, pa.string()).cast(kind)
        if not pa.types.is_dictionary(kind)
        else pa.array(column, pa.string()).dictionary_encode()
        for column, kind in zip(columns, grid.types, strict=True)
    ]
    return Rows(arrays, block, _without_blank(bad, grid.delimiter), np.array(lines, np.int64))


def _apart(block: Block, grid: Grid) -> Iterator[tuple[int, str, list[str] | None]]:
    """For each row the number of its line, that line, and its cells if they are right."""
    lines = [line.removesuffix("\r") for line in block.data.decode().split("\n")]
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        end = _end_of_quotes(lines, at)
        row = _cells("\n".join(lines[at:end]), grid)
        if row is None and end > at + 1:
            end = at + 1
            row = _cells(lines[at], grid)
        yield block.first_line + at, lines[at], row
        at = end


def _end_of_quotes(lines: Sequence[str], at: int) -> int:
    """The line after which as many quotation marks were closed as opened, from a line on."""
    marks = 0
    for end in range(at, min(at + _LINES_OF_A_ROW, len(lines))):
        marks += lines[end].count('"')
        if marks % 2 == 0:
            return end + 1
    return at + 1


def _cells(text: str, grid: Grid) -> list[str] | None:
    row = split(text, grid.delimiter)
    return row if row is not None and len(row) == len(grid.types) else None


def split(text: str, delimiter: str) -> list[str] | None:
    """The cells of one row, or None if its quotation marks are wrong.

    >>> split('a;"b;c"', ";"), split('a;"b', ";")
    (['a', 'b;c'], None)
    """
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None
