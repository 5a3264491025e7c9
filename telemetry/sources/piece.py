"""What a file comes to: tables of readings, and reports of the rows that are none."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from enum import IntEnum, StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from telemetry.fault import Fault

REPORTED_ROWS = 1000
"""Bad rows of one file that are reported; more are counted."""
SAMPLE_CHARACTERS = 100
PIECE_ROWS = 200_000

NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("client", NAME),
        pa.field("metric", NAME),
        pa.field("time_us", pa.int64()),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("received_us", pa.int64()),
        pa.field("flags", pa.int32()),
    ]
)
"""Columns of the tables: `value` is null in a text, `text` in a number; `received_us` is null where
the file does not say; `unit` may be empty."""


class SourceError(Fault, ValueError):
    """A file that cannot be read, or not any further; the message says what to do."""


class Form(StrEnum):
    """What kind of file it is."""

    CSV = "csv"
    PARQUET = "parquet"
    INFLUX = "influx"
    HOME_ASSISTANT = "homeassistant"


class Precision(StrEnum):
    """The unit of times in line protocol, as InfluxDB's own commands call it."""

    NS = "ns"
    US = "us"
    MS = "ms"
    S = "s"


@dataclass(frozen=True, slots=True)
class Options:
    """What a file does not say itself.

    Attributes:
        form: What kind of file it is; None to find out.
        client: Whose readings they are, where no column says so.
        metric: What was measured, where a column of values has no column of metrics beside it.
        zone: What a time without an offset is read in.
        columns: Which column is the `time`, `client`, `metric`, `value` or `unit`, where its name
            does not tell: pairs of one of these words and a name.
        client_tag: Which tag of line protocol is the client; empty for the usual ones.
        precision: The unit of times in line protocol.
        latest_us: A reading of a later time is a bad row; the end of the year 2099 if not said.
    """

    form: Form | None = None
    client: str = ""
    metric: str = ""
    zone: tzinfo = UTC
    columns: tuple[tuple[str, str], ...] = ()
    client_tag: str = ""
    precision: Precision = Precision.NS
    latest_us: int = 4_102_444_799_999_999


class Why(IntEnum):
    """Why a row is no reading; a number, so that an array of rows can hold it."""

    NOTHING = 0
    BAD_TIME = 1
    NO_TIME = 2
    CLOCK_UNSET = 3
    FUTURE = 4
    NO_CLIENT = 5
    NO_METRIC = 6
    LONG_NAME = 7
    RESERVED = 8
    CONTROL_CHARACTER = 9
    EMPTY = 10
    NON_FINITE = 11
    DECIMAL_COMMA = 12
    MALFORMED_NUMBER = 13
    LONG_TEXT = 14
    MALFORMED_ROW = 15
    MALFORMED_LINE = 16
    UNSUPPORTED_COLUMN = 17

    @property
    def reason(self) -> str:
        """The word for it, as the quarantine has it.

        >>> Why.MALFORMED_NUMBER.reason
        'malformed-number'
        """
        return self.name.lower().replace("_", "-")


class BadRow(NamedTuple):
    """A row that is no reading.

    Attributes:
        line: Where it begins, as an editor counts; in Parquet the number of the row from 1 on, in
            a database that of its key.
        reason: Why, in a word of `Why`.
        sample: The beginning of it.
    """

    line: int
    reason: str
    sample: str


def bad_row(line: int, why: Why, sample: str) -> BadRow:
    """The report of a bad row, its sample cut.

    >>> bad_row(3, Why.EMPTY, "x" * 200).sample == "x" * 99 + "…"
    True
    """
    if len(sample) > SAMPLE_CHARACTERS:
        sample = sample[: SAMPLE_CHARACTERS - 1] + "…"
    return BadRow(int(line), why.reason, sample)


@dataclass(frozen=True, slots=True)
class Piece:
    """Readings of a file in its order, and its bad rows between them.

    Attributes:
        table: The readings, with the columns of `SCHEMA`.
        bad: Bad rows, of one file never more than `REPORTED_ROWS` in all its pieces together.
        bad_count: How many there are, those in `bad` among them.
        skipped: Rows that say that there is no value, such as `unavailable`; no fault.
        booleans: Which rows are yes or no, as their words say; `value` is then 1.0 or 0.0. None if
            none is.
        path: The file.
    """

    table: pa.Table
    bad: Sequence[BadRow] = ()
    bad_count: int = 0
    skipped: int = 0
    booleans: pa.Array | None = None
    path: Path = field(default=Path())


@contextmanager
def in_file(path: Path) -> Iterator[None]:
    """Puts the name of a file before what goes wrong with it."""
    try:
        yield
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None


def nothing(bad: Sequence[BadRow] = (), bad_count: int = 0) -> Piece:
    """A piece without readings."""
    return Piece(SCHEMA.empty_table(), bad, bad_count)


def gathered(pieces: Iterable[Piece], path: Path) -> Iterator[Piece]:
    """The pieces of a file in larger ones, its bad rows beyond the first ones counted only.

    What was read before a `SourceError` comes before it.
    """
    some: list[Piece] = []
    reported = 0
    try:
        for piece in pieces:
            kept = tuple(islice(piece.bad, REPORTED_ROWS - reported))
            reported += len(kept)
            some.append(replace(piece, bad=kept, path=path))
            if sum(one.table.num_rows for one in some) >= PIECE_ROWS:
                yield _joined(some)
                some = []
    except SourceError:
        if some:
            yield _joined(some)
        raise
    if some:
        yield _joined(some)


def _joined(pieces: Sequence[Piece]) -> Piece:
    table = pa.concat_tables([piece.table for piece in pieces]).unify_dictionaries()
    return Piece(
        table,
        sorted(row for piece in pieces for row in piece.bad),
        sum(piece.bad_count for piece in pieces),
        sum(piece.skipped for piece in pieces),
        _joined_booleans(pieces),
        pieces[0].path,
    )


def _joined_booleans(pieces: Sequence[Piece]) -> pa.Array | None:
    if all(piece.booleans is None for piece in pieces):
        return None
    return pa.concat_arrays(
        [
            pa.repeat(pa.scalar(value=False), piece.table.num_rows)
            if piece.booleans is None
            else piece.booleans
            for piece in pieces
        ]
    )
