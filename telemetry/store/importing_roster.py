"""The roster: which series files have, how their values are meant, and in which unit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from telemetry.exact import Ints
from telemetry.interface import StoreError
from telemetry.reading import Kind, Series
from telemetry.sources import Piece
from telemetry.store.identity import Bools
from telemetry.store.importing_runs import ROWS
from telemetry.window import LATEST_US

MOST_SERIES = 1_000_000
_KINDS = (Kind.NUMBER, Kind.STATE, Kind.BOOLEAN)


class Roster:
    """Numbers the series of files as they come.

    Args:
        received_us: When readings arrived of which the file does not say it.
    """

    def __init__(self, received_us: int) -> None:
        self._received_us = received_us
        self._numbers: dict[Series, int] = {}
        self._units: dict[int, str] = {}
        self._kinds = {kind: np.zeros(0, dtype=bool) for kind in _KINDS}

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def series(self) -> Sequence[Series]:
        """By their numbers."""
        return [*self._numbers]

    def unit(self, number: int) -> str:
        """The last unit of a series, or an empty string."""
        return self._units.get(number, "")

    def kind(self, number: int) -> Kind:
        """How the values of a series are meant: as of several that arrived one by one."""
        return next(kind for kind in _KINDS if self._kinds[kind][number])

    def rows(self, piece: Piece) -> pa.Table:
        """What a piece of a file holds, with the columns of `ROWS`.

        Raises:
            StoreError: If there are more series than anybody means.
        """
        table = piece.table.combine_chunks()
        series = self._numbered(_flat(table["client"]), _flat(table["metric"]))
        self._note_units(series, _flat(table["unit"]))
        self._note_kinds(series, table["text"].is_valid().to_numpy(), piece.booleans)
        columns = [
            pa.array(series.astype(np.int32)),
            table["time_us"],
            table["value"],
            table["text"],
            self._receipts(table["received_us"]),
            table["flags"],
        ]
        return pa.Table.from_arrays(columns, schema=ROWS)

    def _numbered(self, clients: pa.DictionaryArray, metrics: pa.DictionaryArray) -> Ints:
        width = max(1, len(metrics.dictionary))
        pairs = clients.indices.to_numpy().astype(np.int64) * width + metrics.indices.to_numpy()
        places, found = pd.factorize(pairs)
        names = clients.dictionary.to_pylist(), metrics.dictionary.to_pylist()
        numbers = [
            self._numbers.setdefault(
                Series(names[0][pair // width], names[1][pair % width]), len(self._numbers)
            )
            for pair in found.tolist()
        ]
        if len(self) > MOST_SERIES:
            raise StoreError(
                f"there are more than {MOST_SERIES} series in it: the column of metrics seems to "
                "be another; name the right one with --column metric=NAME"
            )
        return np.array(numbers, np.int64)[places]

    def _note_units(self, series: Ints, units: pa.Array) -> None:
        encoded = units.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        if names == [""] or not names:
            return
        codes = encoded.indices.to_numpy()
        told = np.array([name != "" for name in names])[codes]
        last = np.full(len(self), -1)
        last[series[told]] = codes[told]
        numbers = np.flatnonzero(last >= 0)
        self._units.update({number: names[last[number]] for number in numbers.tolist()})

    def _note_kinds(self, series: Ints, texts: Bools, booleans: pa.Array | None) -> None:
        yes_no = np.zeros(len(series), dtype=bool)
        if booleans is not None:
            yes_no = booleans.to_numpy(zero_copy_only=False)
        for kind, rows in zip(_KINDS, (~texts & ~yes_no, texts, yes_no), strict=True):
            found = np.zeros(len(self), dtype=bool)
            found[: len(self._kinds[kind])] = self._kinds[kind]
            found[series[rows]] = True
            self._kinds[kind] = found

    def _receipts(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """When each row arrived; what is no time at all is unknown."""
        if column.null_count == len(column):
            return pa.chunked_array([pa.repeat(pa.scalar(self._received_us), len(column))])
        received = column.fill_null(self._received_us).to_numpy()
        usable = (received >= 0) & (received <= LATEST_US)
        return pa.chunked_array([np.where(usable, received, self._received_us)])


def _flat(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
