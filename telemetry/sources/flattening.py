"""Cells of rows and columns as one column of readings, row by row, without the empty ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.sources.assembly import Read
from telemetry.sources.columns import Measured
from telemetry.sources.names import Names
from telemetry.sources.times import Times
from telemetry.sources.values import Values

_NULL = "null"


@dataclass(frozen=True, slots=True)
class Flat:
    """Cells that are not empty.

    Attributes:
        rows: The row of each.
        columns: The place of its column among those that are metrics.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]

    def read(
        self, measured: Sequence[Measured], clients: Names, times: Times, values: Values
    ) -> Read:
        """The readings of the cells, of which there are values already.

        Args:
            measured: The columns.
            clients: Whose the rows are.
            times: When the rows were measured.
            values: The values of the cells.
        """
        places = pa.array(self.columns.astype(np.int32))
        metrics = pa.array([one.metric for one in measured], pa.string())
        units = pa.array([one.unit for one in measured], pa.string())
        named = pa.DictionaryArray.from_arrays(places, metrics)
        return Read(
            Names(clients.names.take(pa.array(self.rows)), clients.faults[self.rows]),
            Names(named, np.zeros(len(places), np.uint8)),
            Times(times.time_us[self.rows], times.flags[self.rows], times.faults[self.rows]),
            values,
            units.take(places),
        )


def flattened(columns: Sequence[pa.Array], good: npt.NDArray[np.bool_]) -> tuple[Flat, pa.Array]:
    """Which cells of good rows are not empty, and their texts without spaces around them.

    The word `null` is empty too.

    >>> columns = [pa.array(["1", "", "x"]), pa.array(["2", "3", "y"])]
    >>> flat, cells = flattened(columns, np.array([True, True, False]))
    >>> cells.to_pylist(), flat.rows.tolist(), flat.columns.tolist()
    (['1', '2', '3'], [0, 0, 1], [0, 1, 1])
    """
    cells = pc.utf8_trim_whitespace(pa.concat_arrays(columns))
    empty = pc.or_(pc.equal(cells, ""), pc.equal(cells, _NULL)).to_numpy(zero_copy_only=False)
    flat, places = row_by_row(~empty & np.tile(good, len(columns)), len(columns))
    return flat, cells.take(pa.array(places))


def row_by_row(there: npt.NDArray[np.bool_], columns: int) -> tuple[Flat, npt.NDArray[np.intp]]:
    """The cells that are there, in the order of rows, and their places among all column by column.

    Args:
        there: Which cells are there, column after column.
        columns: How many columns there are.
    """
    rows = len(there) // columns
    order = np.arange(len(there)).reshape(columns, rows).T.ravel()
    places = order[there[order]]
    return Flat(places % rows, places // rows), places
