"""What kind of file it is: by what stands in it, then by its name."""

import codecs
import re
from pathlib import Path

from telemetry.sources.lines import any_line
from telemetry.sources.opening import CUT_OFF, open_text, open_unpacked
from telemetry.sources.piece import Form, SourceError

ENDINGS = {
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
    ".txt": Form.CSV,
    ".parquet": Form.PARQUET,
    ".lp": Form.INFLUX,
    ".db": Form.HOME_ASSISTANT,
}
_PARQUET, _SQLITE = b"PAR1", b"SQLite format 3\0"
_SAMPLE = 65_536
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNUSUAL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ODD_SHARE = 20
"""One byte of so many that no text has: then it is none."""


def detect(path: Path) -> Form:
    """What kind of file it is.

    Raises:
        SourceError: If it is none that can be read.
    """
    try:
        with open_unpacked(path) as file:
            start = file.read(_SAMPLE)
    except CUT_OFF:
        start = b""  # said where it is read
    if start.startswith(_PARQUET):
        return Form.PARQUET
    if start.startswith(_SQLITE):
        return Form.HOME_ASSISTANT
    named = by_name(path)
    if named in (Form.PARQUET, Form.HOME_ASSISTANT):
        return named
    if not start.startswith(_UTF_16) and _is_binary(start):
        raise SourceError(
            f"{path}: this is no file of readings; CSV, Parquet, InfluxDB line protocol and "
            "Home Assistant's database can be read"
        )
    return Form.INFLUX if named is Form.INFLUX or _has_lines(path) else Form.CSV


def _is_binary(start: bytes) -> bool:
    """Whether bytes are no text: by the first line, as a text may be damaged further on."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
        start = start.partition(b"\n")[0]
    except UnicodeDecodeError:
        pass  # Latin-1, or no text at all
    return len(_UNUSUAL.findall(start)) * _ODD_SHARE > len(start)


def by_name(path: Path) -> Form | None:
    """What kind of file it is by its ending.

    >>> by_name(Path("a/b.CSV.gz")), by_name(Path("c.jpg"))
    (<Form.CSV: 'csv'>, None)
    """
    name = path.name.lower().removesuffix(".gz")
    return ENDINGS.get(Path(name).suffix)


def _has_lines(path: Path) -> bool:
    """Whether the first line that is no comment is line protocol."""
    try:
        with open_text(path) as text:
            start = text.read(_SAMPLE).decode(errors="replace")
    except SourceError:
        return False
    if start.startswith("# INFLUXDB EXPORT") or start.startswith("# DDL"):
        return True
    lines = (line for line in start.splitlines() if line.strip() and not line.startswith("#"))
    line = any_line(next(lines, ""))
    return line is not None and all(field.text for field in line.fields)
