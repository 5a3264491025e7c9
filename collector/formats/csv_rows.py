"""CSV (RFC 4180): a header and rows, each a reading with its own time."""

import csv
import re
from collections.abc import Iterator, Sequence

from collector.decoded import ROWS, Decoded, Memory, Place
from collector.formats.objects import Walk
from collector.formats.plain import read_utf8
from collector.rejection import Rejected
from collector.values import unquoted

_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_DELIMITERS = ("\t", ";")


def decode_csv(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    r"""The measurements of each row, as of an object that has the header's names for keys.

    The header is that of the topic template, or else the first line. Where the first line has tabs
    or semicolons, they stand between cells, and commas do not. An empty cell, and one that has no
    name above it, is nothing.

    >>> decoded = decode_csv(b"ts,temp\n1700000000,21.5\n", Place("clients/a", "a"), {})
    >>> [(m.metric, m.value, m.time_us) for m in decoded.measurements]
    [('temp', 21.5, 1700000000000000)]

    Raises:
        Rejected: `no-header` if there should be one and its line has numbers, `malformed-csv` if
            it cannot be read, `no-values` if nothing follows it, or why the payload is no text.
    """
    lines = [line for line in _LINE_ENDS.split(read_utf8(payload)) if line.strip()]
    delimiter = next((one for one in _DELIMITERS if one in lines[0]), ",")
    columns = list(place.columns)
    if not columns:
        columns = _header(lines.pop(0), delimiter)
    walk = Walk(place.zone)
    for number, row in enumerate(_rows(lines, delimiter, columns)):
        if number == ROWS:
            walk.refuse("too-many-rows", place.metric)
            break
        if row is None:
            walk.refuse("malformed-row", place.metric)
        else:
            walk.take(place.metric, row)
    return walk.decoded()


def _header(line: str, delimiter: str) -> list[str]:
    cells = _cells(line, delimiter)
    if cells is None:
        raise Rejected("malformed-csv")
    if not all(isinstance(unquoted(cell), str) for cell in cells if cell):
        raise Rejected("no-header")
    return cells


def _rows(
    lines: Sequence[str], delimiter: str, columns: Sequence[str]
) -> Iterator[dict[str, object] | None]:
    """The cells of each row by the names above them, or None for a row that is none."""
    at = 0
    while at < len(lines):
        cells, taken = _row(lines, at, delimiter, len(columns))
        at += taken
        if cells is None:
            yield None
        elif cells != columns:
            named = zip(columns, cells, strict=True)
            yield {name: unquoted(cell) for name, cell in named if name and cell}


def _row(lines: Sequence[str], at: int, delimiter: str, width: int) -> tuple[list[str] | None, int]:
    """The cells of the row that begins at a line, if they are right, and how many lines it takes.

    A row that is wrong takes one line only, so that a stray quotation mark costs no more.
    """
    end = _end_of_quotes(lines, at)
    cells = _cells("\n".join(lines[at:end]), delimiter)
    if cells is None or len(cells) != width:
        end = at + 1
        cells = _cells(lines[at], delimiter)
    return (cells if cells and len(cells) == width else None), end - at


def _end_of_quotes(lines: Sequence[str], at: int) -> int:
    """The line after which as many quotation marks were closed as opened, from a line on."""
    open_ = False
    for end in range(at, len(lines)):
        open_ ^= lines[end].count('"') % 2 == 1
        if not open_:
            return end + 1
    return at + 1


def _cells(text: str, delimiter: str) -> list[str] | None:
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return [cell.strip() for cell in cells]
