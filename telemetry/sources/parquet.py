"""Parquet: our own blocks and exports, and tables of others with a column of times."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from telemetry.sources.assembly import Read, assembled, only_faults
from telemetry.sources.columns import Columns, Measured, recognise
from telemetry.sources.csv import same_text
from telemetry.sources.flattening import row_by_row
from telemetry.sources.names import read_clients, read_metrics, read_units, same_name
from telemetry.sources.piece import Options, Piece, SourceError, Why, bad_row, in_file, nothing
from telemetry.sources.typed import is_readable, typed_flags, typed_times, typed_values
from telemetry.sources.values import Values, patched, read_values

_BATCH_ROWS = 65_536
_CELLS = 200_000
_INDEX = "__index_level_"
_UNREADABLE = (pa.ArrowException, OSError, ValueError)


def read_parquet(path: Path, options: Options) -> Iterator[Piece]:
    """The readings of a Parquet file, in small pieces.

    Raises:
        SourceError: If it is none, is cut off, or its columns do not say what they are.
    """
    with in_file(path):
        try:
            file = pq.ParquetFile(path)
        except _UNREADABLE as error:
            raise SourceError(
                f"it is no Parquet file or is cut off ({_first_line(error)}); copy it again"
            ) from None
        with file:
            yield from _pieces(file, options, path.stem)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _pieces(file: pq.ParquetFile, options: Options, stem: str) -> Iterator[Piece]:
    schema = file.schema_arrow
    columns = recognise(schema.names, options, stem, _only_time(schema))
    measured = [one for one in columns.measured if not schema.names[one.place].startswith(_INDEX)]
    readable = [one for one in measured if is_readable(schema.types[one.place])]
    left_out = [one.metric for one in measured if one not in readable]
    if left_out:
        bad = [bad_row(1, Why.UNSUPPORTED_COLUMN, metric) for metric in left_out]
        yield nothing(bad, len(bad))
    used = [*columns.places.values(), *(one.place for one in readable)]
    rows = max(1, _CELLS // len(readable)) if columns.is_wide and readable else _BATCH_ROWS
    batches = file.iter_batches(rows, columns=[schema.names[place] for place in used])
    row = 1
    for batch in _readable(batches):
        table = _Batch(batch, schema.names, columns, options, row)
        yield from table.wide(readable) if columns.is_wide else table.long()
        row += batch.num_rows


def _only_time(schema: pa.Schema) -> str:
    """The column that is a time by its type, if it is the only one."""
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    return times[0] if len(times) == 1 else ""


def _readable(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except _UNREADABLE as error:
        raise SourceError(
            f"it is damaged ({_first_line(error)}); copy it again and import it once more: "
            "what was read already is not stored twice"
        ) from None


class _Batch:
    """Rows of the file that were read together.

    Args:
        batch: The rows.
        titles: The names of all columns of the file.
        columns: Which is what.
        options: What the file does not say.
        row: The number of the first row.
    """

    def __init__(
        self, batch: pa.RecordBatch, titles: list[str], columns: Columns, options: Options, row: int
    ) -> None:
        self._batch, self._titles, self._columns = batch, titles, columns
        self._options, self._row = options, row

    def long(self) -> Iterator[Piece]:
        """Each row is a reading."""
        own, rows = self._columns.own, self._batch.num_rows
        times = typed_times(self._column("time"), self._options.zone, self._options.latest_us)
        read = Read(
            read_clients(self._names("client", self._columns.client), own=own),
            read_metrics(self._names("metric", self._columns.metric), own=own),
            times,
            self._values(),
            read_units(self._column("unit")) if self._has("unit") else same_text("", rows),
        )
        if self._has("received"):
            received = typed_times(self._column("received"), self._options.zone, 2**62)
            there = received.faults == 0
            read.received_us = pa.array(received.time_us, mask=None if there.all() else ~there)
        elif self._has("delay_ms") and pa.types.is_integer(self._column("delay_ms").type):
            delays = self._column("delay_ms").fill_null(0).cast(pa.int64()).to_numpy()
            read.received_us = pa.array(times.time_us + delays * 1000)
        if self._has("flags"):
            read.flags = typed_flags(self._column("flags"))
        yield assembled(read, self._reports)

    def _values(self) -> Values:
        """The column of values; where it has none, that of texts."""
        if not is_readable(self._column("value").type):
            raise SourceError(f"its values are of type {self._column('value').type}; use numbers")
        values = typed_values(self._column("value"))
        if not self._has("text") or not values.number.null_count:
            return values
        text = self._column("text").cast(pa.string())
        rows = np.flatnonzero(
            (text.is_valid().to_numpy(zero_copy_only=False)) & (values.faults == Why.EMPTY)
        )
        return patched(values, rows, read_values(text.take(pa.array(rows))))

    def wide(self, measured: list[Measured]) -> Iterator[Piece]:
        """Each row is an instant; a null or a NaN in it is no reading."""
        if not measured:
            return
        times = typed_times(self._column("time"), self._options.zone, self._options.latest_us)
        clients = read_clients(self._names("client", self._columns.client), own=False)
        bad = (times.faults != 0) | (clients.faults != 0)
        if bad.any():
            yield only_faults(
                np.where(times.faults == 0, clients.faults, times.faults), self._reports
            )
        columns = [self._batch.column(self._titles[one.place]) for one in measured]
        values = _joined([typed_values(column, nan_is_none=True) for column in columns])
        there = (values.faults != Why.EMPTY) & np.tile(~bad, len(columns))
        flat, places = row_by_row(there, len(columns))

        def report(some: npt.NDArray[np.intp]) -> list[tuple[int, str]]:
            return [
                (
                    self._row + int(flat.rows[place]),
                    self._cell(measured, flat.columns[place], place, flat.rows),
                )
                for place in some
            ]

        yield assembled(flat.read(measured, clients, times, _taken(values, places)), report)

    def _cell(
        self, measured: list[Measured], column: int, place: int, rows: npt.NDArray[np.intp]
    ) -> str:
        one = measured[column]
        cell = self._batch.column(self._titles[one.place])[int(rows[place])].as_py()
        return f"{one.metric}: {cell}"

    def _has(self, role: str) -> bool:
        return role in self._columns.places

    def _column(self, role: str) -> pa.Array:
        return self._batch.column(self._titles[self._columns.places[role]])

    def _names(self, role: str, name: str) -> pa.Array:
        return self._column(role) if self._has(role) else same_name(name, self._batch.num_rows)

    def _reports(self, places: npt.NDArray[np.intp]) -> list[tuple[int, str]]:
        names = [self._titles[place] for place in self._columns.places.values()]
        rows = self._batch.select(names).take(pa.array(places)).to_pylist()
        return [
            (self._row + int(place), ", ".join(f"{cell}" for cell in row.values()))
            for place, row in zip(places, rows, strict=True)
        ]


def _joined(columns: list[Values]) -> Values:
    """Columns one below the other."""
    booleans = [
        np.zeros(len(one.faults), np.bool_) if one.booleans is None else one.booleans
        for one in columns
    ]
    return Values(
        pa.concat_arrays([one.number for one in columns]),
        pa.concat_arrays([one.text for one in columns]),
        np.concatenate([one.faults for one in columns]),
        np.concatenate([one.flags for one in columns]),
        np.concatenate(booleans),
    )


def _taken(values: Values, places: npt.NDArray[np.intp]) -> Values:
    rows = pa.array(places)
    booleans = None if values.booleans is None else values.booleans[places]
    numbers, text = values.number.take(rows), values.text.take(rows)
    return Values(numbers, text, values.faults[places], values.flags[places], booleans)
