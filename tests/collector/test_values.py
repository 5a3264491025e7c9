"""A single value is a number, yes or no, or a state, by a grammar stricter than Python's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rejection import Rejected
from collector.values import NULL, read_number, read_scalar, read_text, unquoted
from telemetry.reading import Flag, Kind
from tests.collector.formats.decoding import steady


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21.5", 21.5),
        (" 21.5\t\r\n", 21.5),
        ("+5", 5.0),
        ("-.5e1", -5.0),
        ("5.", 5.0),
        ("007", 7.0),
        ("1E-3", 0.001),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", 1.7976931348623157e308),
    ],
)
def test_read_text_number_is_read(text: str, value: float) -> None:
    """Digits with a sign, a point and an exponent are a number, denormals included."""
    assert read_text(text) == (value, Kind.NUMBER, 0)


def test_read_text_negative_zero_keeps_its_sign() -> None:
    """-0.0 is stored as it came."""
    assert math.copysign(1, read_text("-0.0")[0]) == -1  # type: ignore[arg-type]  # a number
    assert math.copysign(1, read_scalar(-0.0)[0]) == -1  # type: ignore[arg-type]  # a number


@pytest.mark.parametrize("text", ["true", "TRUE", "on", "On", "yes"])
def test_read_text_yes_is_one(text: str) -> None:
    """The usual words for yes are 1, in any case."""
    assert read_text(text) == (1.0, Kind.BOOLEAN, 0)


@pytest.mark.parametrize("text", ["false", "OFF", "no"])
def test_read_text_no_is_zero(text: str) -> None:
    """The usual words for no are 0, in any case."""
    assert read_text(text) == (0.0, Kind.BOOLEAN, 0)


@pytest.mark.parametrize("text", ["heating", "läuft °", "-", "v1.2", "a" * 64, "null", "t"])
def test_read_text_short_text_is_a_state(text: str) -> None:
    """Any other text of at most 64 characters is the name of a state."""
    assert read_text(text) == (text, Kind.STATE, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \t ", "empty"),
        ("NaN", "non-finite"),
        ("-nan", "non-finite"),
        ("inf", "non-finite"),
        ("Infinity", "non-finite"),
        ("-Infinity", "non-finite"),
        ("1e309", "non-finite"),
        ("-1e309", "non-finite"),
        ("9" * 309, "non-finite"),
        ("1" * 5000, "non-finite"),
        ("21,5", "decimal-comma"),
        ("-,5", "decimal-comma"),
        ("1_000", "malformed-number"),
        ("1,000.5", "malformed-number"),
        ("0x1F", "malformed-number"),
        ("12:30", "malformed-number"),
        ("1e", "malformed-number"),
        ("21.5\x00", "malformed-number"),
        ("\u0663\u066b\u0665", "malformed-number"),
        ("\U0001d7d9", "malformed-number"),
        ("\uff15", "malformed-number"),
        ("21.5 °C", "malformed-number"),
        ("\u22125", "malformed-number"),
        ("21.5\u00a0", "malformed-number"),
        ("21.5\x1f", "malformed-number"),
        ("a\x07b", "control-character"),
        ("a\x85b", "control-character"),
        ("a\x1f", "control-character"),
        ("a" * 65, "long-text"),
    ],
)
def test_read_text_that_is_no_value_says_why(text: str, reason: str) -> None:
    """What only looks like a number is no state, and no number by Python's laxer rules."""
    with pytest.raises(Rejected) as caught:
        read_text(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        (2**53, 0),
        (2**53 + 1, Flag.INEXACT),
        (-(2**53) - 1, Flag.INEXACT),
        (2**63, 0),
        (2**63 + 1, Flag.INEXACT),
        (2**64, 0),
        (10**300, Flag.INEXACT),
        (1e300, 0),
    ],
)
def test_read_number_that_no_double_holds_is_flagged(value: float, flags: int) -> None:
    """An integer that had to be rounded says so."""
    assert read_number(value) == (float(value), Kind.NUMBER, flags)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**309])
def test_read_number_that_cannot_be_charted_is_rejected(value: float) -> None:
    """No double that is infinite or not a number gets through, nor a larger integer."""
    with pytest.raises(Rejected, match="non-finite"):
        read_number(value)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, (1.0, Kind.BOOLEAN, 0)),
        (False, (0.0, Kind.BOOLEAN, 0)),
        (7, (7.0, Kind.NUMBER, 0)),
        (1e15, (1e15, Kind.NUMBER, 0)),
        (2.0**64, (2.0**64, Kind.NUMBER, Flag.INEXACT)),
        (-1e20, (-1e20, Kind.NUMBER, Flag.INEXACT)),
        ("7", (7.0, Kind.NUMBER, Flag.QUOTED)),
        (str(2**53 + 1), (float(2**53), Kind.NUMBER, Flag.QUOTED | Flag.INEXACT)),
        ("on", (1.0, Kind.BOOLEAN, 0)),
        ("eco", ("eco", Kind.STATE, 0)),
    ],
)
def test_read_scalar_of_a_parser_is_read(value: object, read: tuple[object, Kind, int]) -> None:
    """Numbers and booleans are themselves; a number in quotes is one and says so.

    A double beyond 64 bits may have been an integer and is flagged as if it was rounded.
    """
    assert read_scalar(value) == read


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "array"),
        ([1, 2], "array"),
        (b"\x01", "binary"),
        (None, "unsupported"),
        ((1, 2), "unsupported"),
    ],
)
def test_read_scalar_that_is_none_says_why(value: object, reason: str) -> None:
    """Lists, bytes and whatever else a parser makes are no values."""
    with pytest.raises(Rejected) as caught:
        read_scalar(value)
    assert caught.value.reason == reason


def test_unquoted_tells_numbers_from_texts() -> None:
    """Without quotes a numeral is a number, and an integer stays one; `null` is nothing."""
    assert unquoted("21.50") == 21.5
    assert type(unquoted("2")) is int
    assert unquoted(NULL) is None
    assert [unquoted(text) for text in ("", "on", "21,5", " 1")] == ["", "on", "21,5", " 1"]


@steady
@given(text=st.text(max_size=100))
def test_read_text_arbitrary_text_raises_nothing_but_rejected(text: str) -> None:
    """The answer is finite, or a short text without control characters."""
    try:
        value, kind, _ = read_text(text)
    except Rejected:
        return
    if kind is Kind.STATE:
        assert isinstance(value, str)
        assert 0 < len(value) <= 64
        assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in value)
    else:
        assert isinstance(value, float)
        assert math.isfinite(value)


@steady
@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_read_text_reads_every_number_that_python_writes(value: float) -> None:
    """The shortest text of a double reads back as the same double."""
    assert read_text(repr(value))[0] == value
