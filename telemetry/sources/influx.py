"""Files of line protocol, as `influx_inspect export` and `influxd inspect export-lp` write them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from telemetry.reading import Flag
from telemetry.sources.assembly import Read, assembled
from telemetry.sources.blocks import Block, read_blocks
from telemetry.sources.csv import same_text
from telemetry.sources.lines import Line, Subject, any_line, open_quotes, read_subject
from telemetry.sources.names import Names, client_fault, name_fault
from telemetry.sources.opening import check_utf8, open_text
from telemetry.sources.piece import BadRow, Options, Piece, Precision, Why, bad_row, in_file
from telemetry.sources.times import Times, within
from telemetry.sources.values import Values, read_values

_PER_US = {Precision.NS: (1, 1000), Precision.US: (1, 1), Precision.MS: (1000, 1)}
_PER_US[Precision.S] = (1_000_000, 1)
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), "true"),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), "false"),
}
_LINES_OF_A_TEXT = 100
_KNOWN_SERIES = 100_000
_DATABASE_LINES, _DATA_LINES = "# DDL", "# DML"


class _Series(dict[str, "_Keys | None"]):
    """The series that lines were about, by head and key of a field; None for a malformed head.

    Attributes:
        clients: The number of each client.
        metrics: The number of each metric.
        numbers: For each series the numbers of its client and its metric.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.clients: dict[str, int] = {}
        self.metrics: dict[str, int] = {}
        self.numbers: list[tuple[int, int]] = []

    def __missing__(self, head: str) -> "_Keys | None":
        subject = read_subject(head, self.options.client, self.options.client_tag)
        found = self[head] = None if subject is None else _Keys(subject, self)
        return found

    def learn(self, subject: Subject, key: str) -> int:
        """The place of a series that is new."""
        client = self.clients.setdefault(subject.client, len(self.clients))
        metric = self.metrics.setdefault(subject.metric(key), len(self.metrics))
        self.numbers.append((client, metric))
        return len(self.numbers) - 1


class _Keys(dict[str, int]):
    """The places of the series of one head, by the keys of fields."""

    def __init__(self, subject: Subject, series: _Series) -> None:
        super().__init__()
        self._subject, self._series = subject, series

    def __missing__(self, key: str) -> int:
        place = self[key] = self._series.learn(self._subject, key)
        return place


@dataclass(slots=True)
class _Fields:
    """What the lines of a block hold, and lines that are none.

    Attributes:
        series: The series of each field.
        texts: The value of each field, as it would stand in a CSV file.
        quoted: Which fields stood in quotes.
        counts: How many fields each line has.
        times: The time of each line.
        lines: The number of each line.
        malformed: What is no line.
    """

    series: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    quoted: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    malformed: list[BadRow] = field(default_factory=list)


def read_influx(path: Path, options: Options) -> Iterator[Piece]:
    """The readings of a file of line protocol, in small pieces.

    Raises:
        SourceError: If it cannot be read any further; what came before is then not the whole.
    """
    series, in_data = _Series(options), True
    with in_file(path), open_text(path) as text:
        for block in read_blocks(text):
            check_utf8(block.data, block.first_line)
            fields = _Fields()
            in_data = _take(block, series, fields, in_data)
            yield _piece(block, fields, series)
            if len(series.numbers) > _KNOWN_SERIES:
                series = _Series(options)


def _take(block: Block, series: _Series, fields: _Fields, in_data: bool) -> bool:
    """Takes in the lines of a block; returns whether what follows is data still."""
    lines = block.data.decode().split("\n")
    at = 0
    while at < len(lines):
        text, number = lines[at].rstrip("\r"), block.first_line + at
        at += 1
        if text.startswith("#"):
            in_data = (in_data or text.startswith(_DATA_LINES)) and not text.startswith(
                _DATABASE_LINES
            )
        elif in_data and text.strip():
            if '"' not in text and "\\" not in text and _put_plain(text, number, series, fields):
                continue
            line, more = _odd_line(text, lines, at)
            at += more
            if line is None or not _put(line, number, series, fields):
                fields.malformed.append(bad_row(number, Why.MALFORMED_LINE, text))
    return in_data


def _odd_line(text: str, lines: list[str], at: int) -> tuple[Line | None, int]:
    """A line that is not plain, and how many more of the text it takes for its line ends."""
    whole = text
    for more, following in enumerate(lines[at : at + _LINES_OF_A_TEXT]):
        if not open_quotes(whole):
            line = any_line(whole)
            return (line, more) if line is not None else (any_line(text), 0)
        whole = f"{whole}\n{following}"
    return any_line(text), 0


def _put_plain(text: str, number: int, series: _Series, fields: _Fields) -> bool:
    """Takes in a line of head, fields and time, as most are; returns whether it is one.

    This is where the time goes: no object is made for a line or a field.
    """
    words = text.split(" ")
    keys = series[words[0]] if len(words) == 3 else None  # noqa: PLR2004  # head, fields, time
    if keys is None:
        return False
    found, texts = [], []
    for cell in words[1].split(","):
        key, _, value = cell.partition("=")
        if not key or not value or "=" in value:
            return False
        found.append(keys[key])
        texts.append(value if value[-1] <= "9" else _plain_number(value))
    fields.series += found
    fields.texts += texts
    fields.counts.append(len(found))
    fields.times.append(words[2])
    fields.lines.append(number)
    return True


def _put(line: Line, number: int, series: _Series, fields: _Fields) -> bool:
    """Takes in the fields of a line; returns whether its head is right."""
    keys = series[line.head]
    if keys is None:
        return False
    for key, text, is_quoted in line.fields:
        if is_quoted:
            fields.quoted.append(len(fields.texts))
        fields.series.append(keys[key])
        fields.texts.append(text if is_quoted else _plain_number(text))
    fields.counts.append(len(line.fields))
    fields.times.append(line.time)
    fields.lines.append(number)
    return True


def _plain_number(text: str) -> str:
    """A value without quotes as it is written elsewhere; what is malformed stays it."""
    if text[-1:] in "iu" and text[:-1].lstrip("+-").isdecimal():
        return text[:-1]
    return _BOOLEANS.get(text, text)


def _piece(block: Block, fields: _Fields, series: _Series) -> Piece:
    counts = np.array(fields.counts, np.int64)
    numbers = np.array(series.numbers or [(0, 0)], np.int32)[np.array(fields.series, np.int64)]
    lines = np.repeat(np.array(fields.lines, np.int64), counts)
    metric_fault = partial(name_fault, missing=Why.NO_METRIC)
    read = Read(
        _named(numbers[:, 0], list(series.clients), client_fault),
        _named(numbers[:, 1], list(series.metrics), metric_fault),
        _repeated(_times(fields.times, series.options), counts),
        _values(fields),
        same_text("", len(lines)),
    )

    def report(places: npt.NDArray[np.intp]) -> list[tuple[int, str]]:
        return list(zip(lines[places].tolist(), block.texts(lines[places]), strict=True))

    piece = assembled(read, report)
    bad = sorted([*piece.bad, *fields.malformed])
    return Piece(piece.table, bad, piece.bad_count + len(fields.malformed), 0, piece.booleans)


def _repeated(times: Times, counts: npt.NDArray[np.int64]) -> Times:
    """The times of lines for each of their fields."""
    places = np.repeat(np.arange(len(counts)), counts)
    return Times(times.time_us[places], times.flags[places], times.faults[places])


def _named(codes: npt.NDArray[np.int32], names: list[str], fault: Callable[[str], Why]) -> Names:
    faults = np.array([fault(name) for name in names] or [Why.NOTHING], np.uint8)
    places = np.ascontiguousarray(codes)
    encoded = pa.DictionaryArray.from_arrays(pa.array(places), pa.array(names, pa.string()))
    return Names(encoded, faults[places])


def _times(texts: list[str], options: Options) -> Times:
    factor, divisor = _PER_US[options.precision]
    try:
        numbers = pa.array(texts, pa.string()).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return _odd_times(texts, options)
    limit = 2**62 // factor
    time_us = np.clip(numbers, -limit, limit) * factor // divisor
    time_us = np.where(time_us == -1, -2, time_us)  # -1 stands for none
    return within(time_us, np.zeros(len(texts), np.int32), options.latest_us)


def _odd_times(texts: list[str], options: Options) -> Times:
    """The same where some are missing or no whole numbers."""
    whole = [text.removeprefix("-").isdecimal() and len(text) <= 19 for text in texts]  # noqa: PLR2004  # as 64 bits hold
    times = _times(
        [text if good else "0" for text, good in zip(texts, whole, strict=True)], options
    )
    times.faults[~np.array(whole)] = Why.BAD_TIME
    times.faults[np.array([not text for text in texts])] = Why.NO_TIME
    return times


def _values(fields: _Fields) -> Values:
    """Without quotes there are numbers and booleans only; a number in quotes is flagged."""
    values = read_values(pa.array(fields.texts, pa.string()))
    quoted = np.zeros(len(fields.texts), np.bool_)
    quoted[fields.quoted] = True
    states = values.text.is_valid().to_numpy(zero_copy_only=False)
    values.faults[states & ~quoted] = Why.MALFORMED_NUMBER
    numbers = values.number.is_valid().to_numpy(zero_copy_only=False) & quoted
    if values.booleans is not None:
        numbers &= ~values.booleans
    values.flags[numbers] |= Flag.QUOTED.value
    return values
