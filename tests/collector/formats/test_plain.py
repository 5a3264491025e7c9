"""Bare values are read by a strict grammar; what is none is rejected with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import NoteKind
from collector.formats.plain import decode_plain
from telemetry.reading import Flag, Kind
from tests.collector.formats.decoding import HERE, NAMED, NUMBERS, assert_sound, rejection, steady


@pytest.mark.parametrize(
    ("payload", "value", "kind", "flags"),
    [
        (b"21.5", 21.5, Kind.NUMBER, 0),
        (b" 21.5\r\n", 21.5, Kind.NUMBER, 0),
        (b"\xef\xbb\xbf21.5", 21.5, Kind.NUMBER, 0),
        (b"\xef\xbb\xbf\t21.5", 21.5, Kind.NUMBER, 0),
        (b'"21.5"', 21.5, Kind.NUMBER, Flag.QUOTED),
        (b'" +5 "', 5.0, Kind.NUMBER, Flag.QUOTED),
        (b"9007199254740993", 9007199254740992.0, Kind.NUMBER, Flag.INEXACT),
        (b"true", 1.0, Kind.BOOLEAN, 0),
        (b'"no"', 0.0, Kind.BOOLEAN, 0),
        (b"heating up", "heating up", Kind.STATE, 0),
        ("läuft °".encode(), "läuft °", Kind.STATE, 0),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>", Kind.STATE, 0),
        (b"=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", Kind.STATE, 0),
    ],
)
def test_decode_plain_bare_value_is_one_measurement(
    payload: bytes, value: float | str, kind: Kind, flags: int
) -> None:
    """A bare number, boolean or short text is one measurement of the topic's metric."""
    (one,) = decode_plain(payload, NAMED, {}).measurements
    assert (one.metric, one.value, one.kind, one.flags) == ("m", value, kind, flags)
    assert (one.unit, one.time_us) == ("", None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b'""', "empty"),
        (b"NaN", "non-finite"),
        (b"21,5", "decimal-comma"),
        (b"21.5\x00", "malformed-number"),
        ("\u0663\u066b\u0665".encode(), "malformed-number"),
        ("21.5 °C".encode(), "malformed-number"),
        (b"\xff\xfe2\x001\x00", "binary"),
        ("21.5".encode("utf-16-be"), "binary"),
        (b"21.5 \xff", "not-utf8"),
        (b"\xc3\x28 on", "not-utf8"),
        (b"\x1f\x8b\x08\x00\x00", "binary"),
        (b"\x08\x01\x12\x03abc", "binary"),
        (bytes.fromhex("a16474656d70f94d60"), "not-utf8"),
        (bytes.fromhex("81a474656d7015"), "binary"),
        (b'"open', "malformed-json"),
        (b'"\xed\xa0\x80"', "not-utf8"),
        (b'"\\ud800"', "malformed-json"),
        (b'"on" off', "malformed-json"),
        (b"a\x07b", "control-character"),
        (b"a" * 65, "long-text"),
    ],
)
def test_decode_plain_payload_that_is_no_value_is_rejected(payload: bytes, reason: str) -> None:
    """Hostile or broken payloads are rejected with their reason."""
    assert rejection(decode_plain, payload, NAMED) == reason


def test_decode_plain_null_is_a_note() -> None:
    """`null` says that there is no value, which is neither a reading nor a fault."""
    decoded = decode_plain(b" null\n", NAMED, {})
    assert not decoded.measurements
    assert not decoded.faults
    assert [(note.kind, note.metric) for note in decoded.notes] == [(NoteKind.NO_VALUE, "m")]


def test_decode_plain_without_a_metric_is_rejected() -> None:
    """A bare value on a topic that names no metric has no name; bytes are bytes there too."""
    assert rejection(decode_plain, b"21.5", HERE) == "no-metric"
    assert rejection(decode_plain, b"\x00\x01", HERE) == "binary"


@steady
@given(value=NUMBERS)
def test_decode_plain_number_comes_back_as_it_was(value: float) -> None:
    """Whatever number is written in Python's shortest form is read again exactly."""
    (one,) = decode_plain(repr(value).encode(), NAMED, {}).measurements
    assert one.value == value
    assert one.kind is Kind.NUMBER


@steady
@given(payload=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_decode_plain_arbitrary_bytes_raise_nothing_but_rejected(payload: bytes) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_plain, payload, NAMED)
