"""What the footers of blocks say, so that a file is opened but to read what is wanted of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from telemetry.reading import Series
from telemetry.window import Window

TEXTS = frozenset({"client", "metric", "text"})
"""The columns of texts."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a row group holds, by its statistics: names from first to last, and its times."""

    first: Series
    last: Series
    start_us: int
    end_us: int

    def is_of(self, series: Series) -> bool:
        """Whether it holds that series alone."""
        return self.first == series == self.last

    def lies_in(self, window: Window) -> bool:
        """Whether all of it lies in the window."""
        return window.start_us <= self.start_us and self.end_us < window.end_us

    def may_hold(self, series: Series, window: Window) -> bool:
        """Whether there can be something of the series in that window."""
        return (
            self.first.client <= series.client <= self.last.client
            and self.first.metric <= series.metric <= self.last.metric
            and self.start_us < window.end_us
            and self.end_us >= window.start_us
        )


@dataclass(frozen=True, slots=True)
class Footer:
    """What the footer of a file says.

    Attributes:
        metadata: With it the file is opened again in no time.
        groups: Its row groups.
        dictionaries: The columns of texts that lie in it as dictionaries.
    """

    metadata: pq.FileMetaData
    groups: Sequence[Group]
    dictionaries: Sequence[str]


def reopened(path: Path, footer: Footer) -> pq.ParquetFile:
    """The file, of which texts are read as the dictionaries they are: in a tenth of the time.

    To read ahead takes threads, which cost more here than the few columns that are read.
    """
    return pq.ParquetFile(
        path,
        metadata=footer.metadata,
        read_dictionary=footer.dictionaries,
        pre_buffer=False,
        page_checksum_verification=True,
    )


def footer_of(metadata: pq.FileMetaData) -> Footer:
    """What is kept of a file while others are read."""
    groups = [_group(metadata.row_group(n)) for n in range(metadata.num_row_groups)]
    columns = map(metadata.row_group(0).column, range(metadata.num_columns)) if groups else ()
    dictionaries = [
        one.path_in_schema
        for one in columns
        if one.path_in_schema in TEXTS and "RLE_DICTIONARY" in one.encodings
    ]
    return Footer(metadata, groups, dictionaries)


def _group(metadata: pq.RowGroupMetaData) -> Group:
    client, metric, time = (metadata.column(n).statistics for n in range(3))
    return Group(
        Series(client.min, metric.min),
        Series(client.max, metric.max),
        int(time.min_raw),
        int(time.max_raw),
    )
