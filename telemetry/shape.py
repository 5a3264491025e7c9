"""The shape of an export: in which format and layout it is written, and in which zone."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, get_args

from telemetry.fault import Fault

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
