"""CSV, one row a reading or one row an instant; tabs and semicolons for commas too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.sources.assembly import Read, assembled, only_faults
from telemetry.sources.blocks import Block, read_blocks
from telemetry.sources.columns import DELIMITERS, Columns, recognise, sniff
from telemetry.sources.flags import read_flags
from telemetry.sources.flattening import Flat, flattened
from telemetry.sources.names import read_clients, read_metrics, read_units, same_name
from telemetry.sources.opening import check_utf8, open_text
from telemetry.sources.piece import NAME, Options, Piece, SourceError, in_file, nothing
from telemetry.sources.pipeline import ahead
from telemetry.sources.rows import Grid, Rows, read_rows, split
from telemetry.sources.times import read_times
from telemetry.sources.values import read_values

_REPEATED = ("client", "metric", "unit", "flags")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*")
_CELLS = 200_000
_COMPRESSED = {".gz", ".csv", ".tsv", ".txt"}


@dataclass(frozen=True, slots=True)
class Reader:
    """How one file is to be read.

    Attributes:
        columns: Which column is what.
        grid: How its rows are written.
        options: What it does not say.
    """

    columns: Columns
    grid: Grid
    options: Options

    @property
    def comma(self) -> bool:
        """Whether numbers may have a decimal comma: where no comma stands between cells."""
        return self.grid.delimiter == ";"


def read_csv(path: Path, options: Options) -> Iterator[Piece]:
    """The readings of a CSV file, in small pieces.

    Raises:
        SourceError: If its header does not say what its columns are, or it cannot be read any
            further; what came before is then not the whole.
    """
    with in_file(path), open_text(path) as text:
        blocks = read_blocks(text)
        reader, first = _begin(next(blocks, None), path, options)

        def read(block: Block) -> list[Piece]:
            return list(_pieces(read_rows(block, reader.grid), reader))

        for pieces in ahead(read, chain([first], blocks)):
            yield from pieces


def _begin(first: Block | None, path: Path, options: Options) -> tuple[Reader, Block]:
    """What the header says, and the rest of the block in which it stands."""
    if first is not None:
        check_utf8(first.data, first.first_line)
    if first is None or not first.data.strip():
        raise SourceError("the file is empty; nothing was imported")
    number = int(first.numbered()[0])
    header, delimiter = first.line(number), ""
    if match := _SEPARATOR_LINE.fullmatch(header):  # as Excel writes it
        delimiter = match[1]
        number = int([*first.numbered(), number][1])
        header = first.line(number)
    delimiter = delimiter or sniff(header)
    titles = split(header, delimiter)
    if titles is None or delimiter not in (*DELIMITERS, "|"):
        raise SourceError(f"its header cannot be read: {header[:60]!r}")
    columns = recognise(titles, options, stem(path))
    named = {columns.places[role] for role in _REPEATED if role in columns.places}
    types = [NAME if place in named else pa.string() for place in range(len(titles))]
    return Reader(columns, Grid(delimiter, types), options), first.after(
        number - first.first_line + 1
    )


def stem(path: Path) -> str:
    """The name of a file without the endings that say how it is written.

    >>> stem(Path("a/kitchen.north.csv.gz"))
    'kitchen.north'
    """
    while path.suffix.lower() in _COMPRESSED:
        path = path.with_suffix("")
    return path.name


def _pieces(rows: Rows, reader: Reader) -> Iterator[Piece]:
    if rows.malformed:
        yield nothing(rows.malformed, len(rows.malformed))
    if not len(rows):
        return
    if not reader.columns.is_wide:
        yield _long(rows, reader)
        return
    step = max(1, _CELLS // len(reader.columns.measured))
    for start in range(0, len(rows), step):
        yield from _wide(rows, reader, start, step)


def _long(rows: Rows, reader: Reader) -> Piece:
    columns, own = reader.columns, reader.columns.own
    places, count = columns.places, len(rows)
    times = read_times(rows.columns[places["time"]], reader.options.zone, reader.options.latest_us)
    read = Read(
        read_clients(_names(rows, places.get("client"), columns.client), own=own),
        read_metrics(_names(rows, places.get("metric"), columns.metric), own=own),
        times,
        read_values(_value_cells(rows, columns), comma=reader.comma),
        read_units(rows.columns[places["unit"]]) if "unit" in places else same_text("", count),
    )
    if "received" in places:
        read.received_us = _received(rows.columns[places["received"]], reader.options)
    elif "delay_ms" in places:
        read.received_us = _delayed(rows.columns[places["delay_ms"]], times.time_us)
    if "flags" in places:
        read.flags = _flags(rows.columns[places["flags"]])
    return assembled(read, lambda bad: _reports(rows, bad))


def _names(rows: Rows, place: int | None, name: str) -> pa.Array:
    return same_name(name, len(rows)) if place is None else rows.columns[place]


def same_text(text: str, rows: int) -> pa.Array:
    """That text for so many rows."""
    return pa.repeat(pa.scalar(text, pa.string()), rows)


def _value_cells(rows: Rows, columns: Columns) -> pa.Array:
    """The cells with values; of two columns for numbers and texts, the one that is not empty."""
    cells = rows.columns[columns.places["value"]]
    if "text" not in columns.places:
        return cells
    return pc.if_else(pc.equal(cells, ""), rows.columns[columns.places["text"]], cells)


def _received(cells: pa.Array, options: Options) -> pa.Array | None:
    """When readings arrived; null where the cell is empty or no time."""
    empty = pc.equal(cells, "").to_numpy(zero_copy_only=False)
    if empty.all():
        return None
    there = np.flatnonzero(~empty)
    times = read_times(cells.take(pa.array(there)) if empty.any() else cells, options.zone, 2**62)
    received_us, unknown = np.zeros(len(cells), np.int64), empty.copy()
    received_us[there], unknown[there] = times.time_us, times.time_us < 0
    return pa.array(received_us, mask=unknown if unknown.any() else None)


def _delayed(cells: pa.Array, time_us: npt.NDArray[np.int64]) -> pa.Array | None:
    try:
        delays = cells.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return pa.array(time_us + delays * 1000)


def _flags(cells: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    known = [read_flags(text) for text in cells.dictionary.to_pylist()]
    flags: npt.NDArray[np.int32] = np.array(known or [0], np.int32)[cells.indices.to_numpy()]
    return flags


def _wide(rows: Rows, reader: Reader, start: int, step: int) -> Iterator[Piece]:
    """Some of the rows, a reading for each cell that is not empty, row by row.

    A row without a time is one bad row, whatever stands in its cells.
    """
    columns, options = reader.columns, reader.options
    some = [column.slice(start, step) for column in rows.columns]
    times = read_times(some[columns.places["time"]], options.zone, options.latest_us)
    names = _names(rows, columns.places.get("client"), columns.client).slice(start, step)
    clients = read_clients(names, own=False)
    bad = times.faults != 0
    bad |= clients.faults != 0
    if bad.any():
        faults = np.where(times.faults == 0, clients.faults, times.faults)
        yield only_faults(faults, lambda places: _reports(rows, places + start))
    metrics = [some[one.place] for one in columns.measured]
    flat, cells = flattened(metrics, ~bad)
    read = flat.read(columns.measured, clients, times, read_values(cells, comma=reader.comma))
    yield assembled(read, lambda places: _cells(rows, reader, flat, places, start))


def _cells(
    rows: Rows, reader: Reader, flat: Flat, places: npt.NDArray[np.intp], start: int
) -> list[tuple[int, str]]:
    """The lines of cells, and for each its metric and what stands in it."""
    lines = rows.line_numbers()[flat.rows[places] + start]
    found = []
    for line, place in zip(lines, places, strict=True):
        one = reader.columns.measured[flat.columns[place]]
        cell = rows.columns[one.place][int(flat.rows[place]) + start].as_py()
        found.append((int(line), f"{one.metric}: {cell}"))
    return found


def _reports(rows: Rows, places: npt.NDArray[np.intp]) -> list[tuple[int, str]]:
    """The lines of rows and their texts; none of a row without anything in its cells."""
    lines = rows.line_numbers()[places]
    texts = rows.block.texts(lines)
    empty = " \t,;|"
    return [
        (int(line), text if text.strip(empty) else "")
        for line, text in zip(lines, texts, strict=True)
    ]
