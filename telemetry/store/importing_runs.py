"""Runs: rows of files on their way into the history, sorted by day, on disk and not in memory.

Files come in any order and of any size. So many rows as fit into memory at a time are sorted by day
and series and written to a file of their own; a day is then read out of all of them. What is left
of these files by a crash is removed like other files that no build has finished.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from telemetry.exact import Ints
from telemetry.store.block import make_folder
from telemetry.store.identity import Bools
from telemetry.store.layout import Site
from telemetry.window import DAY_US

RUN_ROWS = 2_000_000
"""Rows in memory before they are written to a file."""

_BATCH_ROWS = 131_072
_FOLDER = ".import/rows"
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")

ROWS = pa.schema(
    [
        pa.field("series", pa.int32(), nullable=False),
        pa.field("time_us", pa.int64(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("received_us", pa.int64(), nullable=False),
        pa.field("flags", pa.int32(), nullable=False),
    ]
)
"""`series` is the number that its `Roster` gives it."""


class _Stretch(NamedTuple):
    """Rows of one day that lie together: where, and from which series to which."""

    path: Path
    batch: int
    first: int
    last: int


class Runs:
    """Takes rows in any order and gives them day by day, in the order in which they came.

    As a context manager it leaves no file behind.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: list[pa.Table] = []
        self._days: defaultdict[int, list[_Stretch]] = defaultdict(list)
        self._files: dict[Path, tuple[pa.NativeFile, pa.ipc.RecordBatchFileReader]] = {}

    def add(self, rows: pa.Table) -> None:
        """Takes rows with the columns of `ROWS`.

        Raises:
            OSError: If they could not be written.
        """
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= RUN_ROWS:
            self.spill()

    def spill(self) -> None:
        """Writes what is in memory; to be called before a day is read.

        Raises:
            OSError: If that is not possible.
        """
        rows = pa.concat_tables([ROWS.empty_table(), *self._waiting]).combine_chunks()
        self._waiting.clear()
        if len(rows):
            folder = self._site.root / _FOLDER
            make_folder(folder, self._site.root.parent)
            path = folder / f"{self._site.build}-{len(self._files)}.arrow"
            self._write(_by_day(rows), path)
            source = pa.OSFile(str(path))
            self._files[path] = source, pa.ipc.open_file(source)

    def _write(self, rows: pa.Table, path: Path) -> None:
        series, days = _integers(rows["series"]), _integers(rows["time_us"]) // DAY_US
        (batch,) = rows.combine_chunks().to_batches()
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, ROWS, options=_COMPRESSED) as writer,
        ):
            for number, (begin, end) in enumerate(_stretches(days)):
                writer.write_batch(batch.slice(begin, end - begin))
                stretch = _Stretch(path, number, int(series[begin]), int(series[end - 1]))
                self._days[int(days[begin]) * DAY_US].append(stretch)

    def days(self) -> Sequence[int]:
        """When each day begins that has rows, in order."""
        return sorted(self._days)

    def counts(self, day_us: int, series: int) -> Ints:
        """How many rows of a day each of so many series has."""
        found = np.zeros(series, np.int64)
        for stretch in self._days[day_us]:
            found += np.bincount(_integers(self._batch(stretch)["series"]), minlength=series)
        return found

    def read(self, day_us: int, wanted: Bools) -> pa.Table:
        """The rows of a day whose series are wanted.

        Raises:
            OSError: If they cannot be read.
        """
        found = []
        for stretch in self._days[day_us]:
            if wanted[stretch.first : stretch.last + 1].any():
                batch = self._batch(stretch)
                mask = wanted[_integers(batch["series"])]
                found.append(batch if mask.all() else batch.filter(pa.array(mask)))
        return pa.Table.from_batches(found, ROWS).combine_chunks()

    def _batch(self, stretch: _Stretch) -> pa.RecordBatch:
        return self._files[stretch.path][1].get_batch(stretch.batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for path, (source, _reader) in self._files.items():
            source.close()
            path.unlink(missing_ok=True)


def _by_day(rows: pa.Table) -> pa.Table:
    """The rows by day and series, of each as they came."""
    series, days = _integers(rows["series"]), _integers(rows["time_us"]) // DAY_US
    keys = (days - days.min()) * (int(series.max()) + 1) + series
    if np.all(keys[1:] >= keys[:-1]):
        return rows
    return rows.take(pa.array(np.argsort(keys, kind="stable")))


def _stretches(days: Ints) -> Iterator[tuple[int, int]]:
    """Where the rows of a day begin and end, in batches."""
    ends = [*(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    begin = 0
    for end in ends:
        for start in range(begin, end, _BATCH_ROWS):
            yield start, min(start + _BATCH_ROWS, end)
        begin = end


def _integers(column: pa.ChunkedArray | pa.Array) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)
