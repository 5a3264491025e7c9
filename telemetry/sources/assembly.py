"""Puts columns that were read together to a piece: good rows to the table, the rest reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from telemetry.reading import Flag
from telemetry.sources.names import Faults, Names
from telemetry.sources.piece import REPORTED_ROWS, SCHEMA, BadRow, Piece, Why, bad_row, nothing
from telemetry.sources.times import Times
from telemetry.sources.values import Values

_IMPORTED = Flag.IMPORTED.value
Report = Callable[[npt.NDArray[np.intp]], Sequence[tuple[int, str]]]
"""For places of rows, the line and the text of each; a row without text is not worth a word."""


@dataclass(slots=True)
class Read:
    """Rows whose columns were read.

    Attributes:
        clients: Whose.
        metrics: What was measured.
        times: When.
        values: The values.
        units: string, in which unit.
        received_us: int64, null where it is not said; None if it is nowhere.
        flags: Provenance that the file says; None if it says none.
    """

    clients: Names
    metrics: Names
    times: Times
    values: Values
    units: pa.Array
    received_us: pa.Array | None = None
    flags: npt.NDArray[np.int32] | None = None


def assembled(read: Read, report: Report) -> Piece:
    """The piece that rows come to; `report` is asked about bad ones only."""
    faults = _first(read.times.faults, read.clients.faults, read.metrics.faults, read.values.faults)
    table, booleans = _table(read), read.values.booleans
    if not faults.any():
        return Piece(table, booleans=_mask(booleans))
    good = faults == 0
    kept = None if booleans is None else booleans[good]
    bad, count = _reports(faults, report)
    return Piece(table.filter(pa.array(good)), bad, count, booleans=_mask(kept))


def only_faults(faults: Faults, report: Report) -> Piece:
    """A piece without readings, for rows of which the others are read elsewhere."""
    return nothing(*_reports(faults, report))


def _first(*all_faults: Faults) -> Faults:
    """For each row the first fault it has."""
    found = all_faults[0]
    for faults in all_faults[1:]:
        if faults.any():
            found = np.where(found == 0, faults, found)
    return found


def _table(read: Read) -> pa.Table:
    rows = len(read.times.time_us)
    flags = read.times.flags | read.values.flags | _IMPORTED
    if read.flags is not None:
        flags = flags | read.flags
    received = pa.nulls(rows, pa.int64()) if read.received_us is None else read.received_us
    arrays = [
        read.clients.names,
        read.metrics.names,
        pa.array(read.times.time_us),
        read.values.number,
        read.values.text,
        read.units,
        received,
        pa.array(flags.astype(np.int32, copy=False)),
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _reports(faults: Faults, report: Report) -> tuple[list[BadRow], int]:
    """The first bad rows, and how many there are."""
    bad = np.flatnonzero(faults)
    places = bad[:REPORTED_ROWS]
    told = zip(places, report(places), strict=True)
    rows = [bad_row(line, Why(int(faults[place])), text) for place, (line, text) in told if text]
    return rows, len(bad) - len(places) + len(rows)


def _mask(booleans: npt.NDArray[np.bool_] | None) -> pa.Array | None:
    return None if booleans is None or not booleans.any() else pa.array(booleans)
