"""Rows become readings; a bad row costs only itself."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import ROWS, Place
from collector.formats.csv_rows import decode_csv
from telemetry.reading import Flag, Kind
from tests.collector.formats.decoding import (
    HERE,
    NAMED,
    NUMBERS,
    TIME_US,
    assert_sound,
    faults,
    rejection,
    steady,
    times,
    values,
)

DECLARED = Place("clients/a", "a", "", ("ts", "temp", "", "mode"))
"""A topic whose template says what the columns are."""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_decode_csv_rows_under_their_own_header_are_readings(delimiter: str, end: str) -> None:
    """Each row has its own time; header and line end tell what separates what."""
    lines = ["ts,temp,on,mode", "1700000000,21.5,true,eco", "", "1700000001,-3,off,dry"]
    payload = end.join(lines).replace(",", delimiter).encode()
    decoded = decode_csv(payload, HERE, {})
    assert [(m.metric, m.value) for m in decoded.measurements] == [
        ("temp", 21.5),
        ("on", 1.0),
        ("mode", "eco"),
        ("temp", -3.0),
        ("on", 0.0),
        ("mode", "dry"),
    ]
    assert times(decoded) == [TIME_US] * 3 + [TIME_US + 1_000_000] * 3
    assert not decoded.faults


def test_decode_csv_rows_under_the_templates_header_are_readings() -> None:
    """A column without a name is left out; the header may come all the same."""
    decoded = decode_csv(b"1700000000,21.5,x,eco", DECLARED, {})
    assert values(decoded) == {"temp": 21.5, "mode": "eco"}
    again = decode_csv(b"ts,temp,,mode\n1700000000,21.5,x,eco", DECLARED, {})
    assert again.measurements == decoded.measurements
    assert not again.faults


def test_decode_csv_semicolons_leave_decimal_commas_whole() -> None:
    """`21,5` is a fault and never 21 beside 5."""
    decoded = decode_csv(b"temp;hum\n21,5;40", HERE, {})
    assert values(decoded) == {"hum": 40.0}
    assert faults(decoded) == [("decimal-comma", "temp")]
    declared = Place("clients/a", "a", "", ("temp", "hum"))
    assert faults(decode_csv(b"21,5;40", declared, {})) == [("decimal-comma", "temp")]


def test_decode_csv_under_a_metric_prefixes_its_columns() -> None:
    """With a metric in the topic columns follow it; `value` and `unit` are its own."""
    decoded = decode_csv("ts,value,unit,raw\n1700000000,21.5,°C,7".encode(), NAMED, {})
    assert [(m.metric, m.value, m.unit) for m in decoded.measurements] == [
        ("m", 21.5, "°C"),
        ("m.raw", 7.0, ""),
    ]


def test_decode_csv_quoting_follows_rfc_4180() -> None:
    """Quotes hold delimiters, line ends and doubled quotes; a number in them is a number."""
    payload = b'"a","b","c"\r\n"21.5","x, ""y""","1\r\n2"\r\n'
    decoded = decode_csv(payload, HERE, {})
    assert [(m.metric, m.value, m.kind, m.flags) for m in decoded.measurements] == [
        ("a", 21.5, Kind.NUMBER, 0),
        ("b", 'x, "y"', Kind.STATE, 0),
    ]
    assert faults(decoded) == [("malformed-number", "c")]


def test_decode_csv_empty_cell_is_nothing() -> None:
    """A row need not have every value, and `null` is a note as everywhere."""
    decoded = decode_csv(b"a,b,c\n1,,\n,2,null", HERE, {})
    assert values(decoded) == {"a": 1.0, "b": 2.0}
    assert not decoded.faults
    assert [note.metric for note in decoded.notes] == ["c"]


@pytest.mark.parametrize(
    "row",
    ["1", "1,2,3", '"1,2', '"1"x,2', '1,"2', '"1\n2"'],
)
def test_decode_csv_bad_row_costs_only_itself(row: str) -> None:
    """Too few cells, too many, or quotes that do not close: the rows after it are kept."""
    decoded = decode_csv(f"a,b\n{row}\n5,6\n7,8".encode(), HERE, {})
    assert [m.value for m in decoded.measurements] == [5.0, 6.0, 7.0, 8.0]
    assert {reason for reason, _ in faults(decoded)} == {"malformed-row"}


def test_decode_csv_bad_cell_costs_only_itself() -> None:
    """What is wrong with one cell is not wrong with its row."""
    decoded = decode_csv(b"ts,a,b\nsoon,1,x\x07\n0,2,1e309", HERE, {})
    assert [(m.value, m.time_us, m.flags) for m in decoded.measurements] == [
        (1.0, None, 0),
        (2.0, None, Flag.CLOCK_UNSET),
    ]
    assert faults(decoded) == [("bad-time", "ts"), ("control-character", "b"), ("non-finite", "b")]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"21.5,40", "no-header"),
        (b"temp,40\n1,2", "no-header"),
        (b"ts,temp", "no-values"),
        (b'"ts,temp\n1,2', "malformed-csv"),
        (b"a,b\n\xff,2", "not-utf8"),
        (b"\x1f\x8b\x08", "binary"),
    ],
)
def test_decode_csv_that_is_none_is_rejected(payload: bytes, reason: str) -> None:
    """Without a header nobody knows what the numbers are."""
    assert rejection(decode_csv, payload) == reason


def test_decode_csv_with_too_many_rows_is_cut() -> None:
    """The first 10 000 are kept, the rest is one fault."""
    decoded = decode_csv(b"a\n" + b"1\n" * (ROWS + 5), HERE, {})
    assert len(decoded.measurements) == ROWS
    assert faults(decoded) == [("too-many-rows", "")]


@pytest.mark.parametrize(
    "payload",
    [
        b"a,b\n" + b'"x,1\n' * 40_000,
        b'a,b\n"x,1\n' + b"1,2\n" * 50_000,
        b"a\n" + b'"' * 200_000,
        b"," * 100_000 + b"\n" + b"," * 100_000,
        b"a\n" + b"\n" * 200_000,
    ],
)
def test_decode_csv_hostile_text_takes_no_longer_than_its_length(payload: bytes) -> None:
    """No text makes the reader go over it again and again."""
    began = time.process_time()
    assert_sound(decode_csv, payload, HERE)
    assert time.process_time() - began < 3


CELLS = NUMBERS | st.text(st.characters(codec="ascii", categories=("L",)), min_size=1, max_size=9)


@steady
@given(
    rows=st.lists(st.tuples(NUMBERS, CELLS), min_size=1, max_size=9),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_decode_csv_comes_back_as_it_was(
    rows: list[tuple[float, float | str]], delimiter: str, quoting: int
) -> None:
    """What Python's csv writes is read again exactly, each row at its own time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting)
    writer.writerow(["ts", "a", "b"])
    writer.writerows((1_700_000_000 + n, a, f"x {b}") for n, (a, b) in enumerate(rows))
    decoded = decode_csv(buffer.getvalue().encode(), HERE, {})
    assert [m.value for m in decoded.measurements][::2] == [a for a, _ in rows]
    assert [m.value for m in decoded.measurements][1::2] == [f"x {b}" for _, b in rows]
    assert times(decoded)[::2] == [TIME_US + n * 1_000_000 for n in range(len(rows))]


@steady
@given(
    payload=st.binary(max_size=100) | st.text('ab,;\t"\n1.5ts', max_size=60).map(str.encode),
    place=st.sampled_from([HERE, NAMED, DECLARED]),
)
def test_decode_csv_arbitrary_bytes_raise_nothing_but_rejected(
    payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_csv, payload, place)
