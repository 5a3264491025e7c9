"""Row groups as tables: the rows of one series and window in them, and their frames."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from telemetry.reading import Series
from telemetry.store.counting import microseconds
from telemetry.store.footers import TEXTS
from telemetry.store.layout import READINGS
from telemetry.window import Window

_EMPTY_READINGS = READINGS.empty_table()


def with_dictionaries(table: pa.Table) -> pa.Table:
    """The same, all of its texts as dictionaries: one that would gain nothing is none in a file."""
    for number, name in enumerate(table.column_names):
        if name in TEXTS:
            table = table.set_column(number, name, table[name].dictionary_encode())
    return table


def until(parts: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """As many of them as are needed for so many rows."""
    for part in parts:
        yield part
        rows -= len(part)
        if rows <= 0:
            break


def frame_of(parts: Sequence[pa.Table]) -> pd.DataFrame:
    """Readings as the frame of `telemetry.interface.Answer`."""
    table = pa.concat_tables(parts) if parts else _EMPTY_READINGS
    times = microseconds(table["time"])
    return pd.DataFrame(
        {
            "time_us": times,
            "value": table["value"].to_numpy(),
            "text": _texts(table["text"]),
            "delay_us": table["delay_ms"].to_numpy() * 1000,
            "flags": table["flags"].to_numpy().astype(np.int64),
        }
    )


def of_series(table: pa.Table, series: Series) -> pa.Table:
    """The rows of one series; they lie together."""
    theirs = _is(table["client"], series.client) & _is(table["metric"], series.metric)
    found = np.flatnonzero(theirs)
    return table.slice(found[0], len(found)) if len(found) else table.slice(0, 0)


def _is(column: pa.ChunkedArray, name: str) -> NDArray[np.bool_]:
    names = column.unify_dictionaries().combine_chunks()
    return np.asarray(names.indices.to_numpy() == pc.index(names.dictionary, name).as_py())


def between(table: pa.Table, window: Window) -> pa.Table:
    """The rows of one series that lie in the window; they are sorted by time."""
    times = microseconds(table["time"])
    start, end = np.searchsorted(times, [window.start_us, window.end_us])
    return table.slice(start, end - start)


def _texts(column: pa.ChunkedArray) -> pd.Series:
    if column.null_count == len(column):
        return pd.Series(np.full(len(column), None), dtype=object)
    texts = column.unify_dictionaries().combine_chunks()
    known = np.array([*texts.dictionary.to_pylist(), None], dtype=object)
    return pd.Series(known[texts.indices.fill_null(len(known) - 1).to_numpy()], dtype=object)
