"""Files of readings that people have, turned into tables: CSV, Parquet, InfluxDB, Home Assistant.

`open_source` is all that others need; what it gives is described by `Piece`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from telemetry.sources.columns import WORDS
from telemetry.sources.csv import read_csv
from telemetry.sources.detect import detect
from telemetry.sources.homeassistant import read_home_assistant
from telemetry.sources.influx import read_influx
from telemetry.sources.opening import check_packed
from telemetry.sources.parquet import read_parquet
from telemetry.sources.piece import (
    SCHEMA,
    BadRow,
    Form,
    Options,
    Piece,
    Precision,
    SourceError,
    Why,
    gathered,
)

__all__ = [
    "ROLES",
    "SCHEMA",
    "BadRow",
    "Form",
    "Options",
    "Piece",
    "Precision",
    "SourceError",
    "Why",
    "files_in",
    "open_source",
]

ROLES = tuple(WORDS)
"""What a column may be."""

_READERS: Mapping[Form, Callable[[Path, Options], Iterator[Piece]]] = {
    Form.CSV: read_csv,
    Form.PARQUET: read_parquet,
    Form.INFLUX: read_influx,
    Form.HOME_ASSISTANT: read_home_assistant,
}
_IN_FOLDERS = ("*.csv", "*.csv.gz", "*.parquet", "*.lp", "*.lp.gz")


def open_source(path: Path, options: Options) -> Iterator[Piece]:
    """The readings of a file, or of every file in a folder, in pieces of bounded size.

    Each piece holds readings of one file. What cannot be read as a whole is said at once; what
    fails in the middle is said where it fails, after what could be read.

    Raises:
        SourceError: If a file is of no known kind, does not say what its columns are, is cut off
            or damaged, or if a folder has none.
        OSError: If a file cannot be opened.
    """
    for file in files_in(path):
        check_packed(file)
        form = options.form or detect(file)
        yield from gathered(_READERS[form](file, options), file)


def files_in(path: Path) -> list[Path]:
    """The file itself, or the files of readings in a folder and the folders in it, by name.

    Raises:
        SourceError: If there is none.
    """
    if not path.is_dir():
        return [path]
    found = sorted({file for pattern in _IN_FOLDERS for file in path.rglob(pattern)})
    if not found:
        raise SourceError(f"{path}: there is no file to import; name one, or a folder with some")
    return found
