"""An export as the bytes of a file, the same over HTTP as on the command line."""

from collections.abc import Iterator
from itertools import chain, islice

import pandas as pd

from telemetry.export import ExportQuery, Subject, subject
from telemetry.export_rows import export_rows
from telemetry.interface import Querier
from telemetry.provenance import Manifest, Request
from telemetry.shape import Shape
from telemetry.store.csv_text import csv_long
from telemetry.store.parquet import parquet_bytes
from telemetry.tally import Tally
from telemetry.text import csv_wide, json_array


def rendered(querier: Querier, query: ExportQuery, about: Subject, shape: Shape) -> Iterator[bytes]:
    """The bytes of an export in parts; the first rows are read before this returns.

    So what fails at once fails here, and not after a header that promises an answer.

    Raises:
        StoreError: If the store cannot be read; from the iterator too, in the middle: what came
            before is then not the whole.
    """
    return _written(_begun(querier, query, about), query, about, shape)


class Cited:
    """An export that is counted while it is read, for a manifest at its end.

    Attributes:
        content: Its bytes in parts, as `rendered` has them.

    Raises:
        UnknownClient: If the client has no readings at all.
        UnknownMetric: If it lacks one of the metrics.
        StoreError: If the store cannot be read; from the content too.
    """

    def __init__(self, querier: Querier, asked: Request) -> None:
        self._querier = querier
        self._asked = asked
        self._about = about = subject(querier, asked.query)
        self._tally = tally = Tally(about, asked.shape)
        parts = tally.counted(_begun(querier, asked.query, about))
        self.content = tally.hashed(_written(parts, asked.query, about, asked.shape))

    def manifest(self, made_us: int, origin: str = "") -> Manifest:
        """What can be said of the content once it was read to its end.

        Args:
            made_us: Now.
            origin: Scheme and host of the dashboard, if they are known.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._querier.snapshot() as snapshot:
            ended = snapshot.as_of
        return Manifest(self._asked, self._about, self._tally, ended, made_us, origin)


def _begun(querier: Querier, query: ExportQuery, about: Subject) -> Iterator[pd.DataFrame]:
    parts = export_rows(querier, query, about)
    return chain(list(islice(parts, 1)), parts)


def _written(
    parts: Iterator[pd.DataFrame], query: ExportQuery, about: Subject, shape: Shape
) -> Iterator[bytes]:
    names = query.mean_columns
    if shape.format == "parquet":
        return parquet_bytes(parts, names)
    if shape.format == "json":
        text = json_array(parts, names, shape.zone)
    elif shape.layout == "wide":
        text = csv_wide(parts, about.units, names, shape.zone)
    else:
        text = csv_long(parts, names, shape.zone)
    return (part.encode() for part in text)
