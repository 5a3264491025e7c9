"""An export as the bytes of a file, the same over HTTP as on the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain, islice
from typing import Literal, get_args

from telemetry.export import ExportQuery, Subject, export
from telemetry.fault import Fault
from telemetry.interface import Querier
from telemetry.store.csv_text import csv_long
from telemetry.store.parquet import parquet_bytes
from telemetry.text import csv_wide, json_array

Format = Literal["csv", "json", "parquet"]
Layout = Literal["long", "wide"]

FORMATS: tuple[Format, ...] = get_args(Format)
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


class ShapeError(Fault, ValueError):
    """A format and a layout that do not go together; the message says which do."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """How an export is written.

    Attributes:
        format: The kind of file.
        layout: One row per reading, or one row per instant.
        zone: In which CSV and JSON write times; Parquet has UTC.

    Raises:
        ShapeError: If the format has no such layout.
    """

    format: Format
    layout: Layout
    zone: tzinfo

    def __post_init__(self) -> None:
        if self.layout == "wide" and self.format != "csv":
            raise ShapeError(f"wide goes with csv alone, not with {self.format}")


def rendered(querier: Querier, query: ExportQuery, about: Subject, shape: Shape) -> Iterator[bytes]:
    """The bytes of an export in parts; the first rows are read before this returns.

    So what fails at once fails here, and not after a header that promises an answer.

    Raises:
        StoreError: If the store cannot be read; from the iterator too, in the middle: what came
            before is then not the whole.
    """
    parts, names = export(querier, query, about), query.mean_columns
    parts = chain(list(islice(parts, 1)), parts)
    if shape.format == "parquet":
        return parquet_bytes(parts, names)
    if shape.format == "json":
        text = json_array(parts, names, shape.zone)
    elif shape.layout == "wide":
        text = csv_wide(parts, about.units, names, shape.zone)
    else:
        text = csv_long(parts, names, shape.zone)
    return (part.encode() for part in text)
