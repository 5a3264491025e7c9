"""Pairs become measurements, whatever stands between them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import NoteKind, Place
from collector.formats.keyvalue import decode_keyvalue, read_pairs
from telemetry.reading import Flag, Kind
from tests.collector.formats.decoding import (
    HERE,
    MOMENTS_US,
    NAMED,
    NAMES,
    NUMBERS,
    TIME_US,
    assert_sound,
    faults,
    rejection,
    steady,
    times,
    values,
)


@pytest.mark.parametrize(
    "payload",
    [
        b"temp=21.5 hum=40",
        b"temp=21.5,hum=40",
        b"temp=21.5;hum=40;",
        b"temp=21.5&hum=40",
        b"temp=21.5\nhum=40\n",
        b"temp=21.5\r\nhum=40\r\n",
        b"\xef\xbb\xbf temp = 21.5 ,  hum =40",
        b"temp\t=\t21.5\thum\t=\t40",
    ],
)
def test_decode_keyvalue_any_separator_is_one(payload: bytes) -> None:
    """Spaces, commas, semicolons, ampersands and line ends separate pairs."""
    decoded = decode_keyvalue(payload, HERE, {})
    assert values(decoded) == {"temp": 21.5, "hum": 40.0}
    assert not decoded.faults


def test_decode_keyvalue_under_a_metric_prefixes_its_keys() -> None:
    """With a metric in the topic keys follow it; `value` and `unit` are its own."""
    decoded = decode_keyvalue(b"value=21.5 unit=C battery=88", NAMED, {})
    assert [(m.metric, m.value, m.unit) for m in decoded.measurements] == [
        ("m", 21.5, "C"),
        ("m.battery", 88.0, ""),
    ]


def test_decode_keyvalue_values_have_kinds() -> None:
    """Numbers, yes and no, and states are told apart; a state may have spaces and quotes."""
    payload = b"a=1 b=on c=heating up, d='it is; \\'so\\'' e=\"7\" f=don't g=null"
    decoded = decode_keyvalue(payload, HERE, {})
    assert [(m.metric, m.value, m.kind, m.flags) for m in decoded.measurements] == [
        ("a", 1.0, Kind.NUMBER, 0),
        ("b", 1.0, Kind.BOOLEAN, 0),
        ("c", "heating up", Kind.STATE, 0),
        ("d", "it is; 'so'", Kind.STATE, 0),
        ("e", 7.0, Kind.NUMBER, Flag.QUOTED),
        ("f", "don't", Kind.STATE, 0),
    ]
    assert [(n.kind, n.metric) for n in decoded.notes] == [(NoteKind.NO_VALUE, "g")]


def test_decode_keyvalue_large_integer_is_flagged() -> None:
    """What no double holds is rounded and says so."""
    (one,) = decode_keyvalue(b"a=9007199254740993", HERE, {}).measurements
    assert (one.value, one.flags) == (2.0**53, Flag.INEXACT)


@pytest.mark.parametrize(
    ("pair", "fault"),
    [
        ("b=21,5", ("decimal-comma", "b")),
        ("b=21.5 °C", ("malformed-number", "b")),
        ("b=1_000", ("malformed-number", "b")),
        ("b=", ("empty", "b")),
        ('b=""', ("empty", "b")),
        ("b=nan", ("non-finite", "b")),
        ("b=48.1,11.5", ("malformed-number", "b")),
        ('b="x" y', ("malformed-key-value", "b")),
        ('b="open', ("malformed-key-value", "b")),
        ("b=1=2", ("malformed-number", "b")),
        ("b=" + "x" * 65, ("long-text", "b")),
    ],
)
def test_decode_keyvalue_bad_pair_costs_only_itself(pair: str, fault: tuple[str, str]) -> None:
    """A decimal comma is not taken for a separator; the pairs beside a bad one are kept."""
    decoded = decode_keyvalue(f"a=1 {pair}; z=2".encode(), HERE, {})
    assert values(decoded) == {"a": 1.0, "z": 2.0}
    assert faults(decoded) == [fault]


def test_decode_keyvalue_equals_sign_within_a_value_belongs_to_it() -> None:
    """Only a word after a separator is a key."""
    assert [pair[:2] for pair in read_pairs("key=bm90IGEga2V5== n=1")] == [
        ("key", "bm90IGEga2V5=="),
        ("n", 1),
    ]


@pytest.mark.parametrize(
    "text",
    ["ts=1700000000", "time=2023-11-14T22:13:20Z", "time=2023-11-14 22:13:20+00:00",
     "date=2023-11-14 time=22:13:20Z", 'time="1700000000"'],
)  # fmt: skip  # one time in five ways
def test_decode_keyvalue_time_is_that_of_all_pairs(text: str) -> None:
    """A time key is no metric, and is honoured wherever it stands."""
    for payload in (f"{text} a=1", f"a=1,{text}"):
        decoded = decode_keyvalue(payload.encode(), HERE, {})
        assert [(m.metric, m.time_us, m.flags) for m in decoded.measurements] == [("a", TIME_US, 0)]


def test_decode_keyvalue_unset_clock_is_flagged() -> None:
    """The reading is as old as its receipt."""
    (one,) = decode_keyvalue(b"ts=12 a=1", HERE, {}).measurements
    assert (one.time_us, one.flags) == (None, Flag.CLOCK_UNSET)


@pytest.mark.parametrize("line", ["ts=%d a=%d\n", "a=%d ts=%d\n"])
def test_decode_keyvalue_lines_with_times_are_readings_of_their_own(line: str) -> None:
    """A key that comes again begins the next reading if each has a time."""
    first = line.startswith("ts")
    payload = "".join(
        line % ((1_700_000_000 + n, n) if first else (n, 1_700_000_000 + n)) for n in range(3)
    )
    decoded = decode_keyvalue(payload.encode(), HERE, {})
    assert [m.value for m in decoded.measurements] == [0.0, 1.0, 2.0]
    assert times(decoded) == [TIME_US, TIME_US + 1_000_000, TIME_US + 2_000_000]


def test_decode_keyvalue_key_again_without_a_time_replaces_the_first() -> None:
    """The last of equal keys counts, as in JSON."""
    assert values(decode_keyvalue(b"a=1 b=2 a=3", HERE, {})) == {"a": 3.0, "b": 2.0}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"21.5", "malformed-key-value"),
        (b"heating up", "malformed-key-value"),
        (b"=1", "malformed-key-value"),
        (b"status: a=1", "malformed-key-value"),
        (b"ts=1700000000", "no-values"),
        (b"a=\xff", "not-utf8"),
        (b"\x01a=1", "binary"),
    ],
)
def test_decode_keyvalue_without_pairs_is_rejected(payload: bytes, reason: str) -> None:
    """What does not begin with a pair is none."""
    assert rejection(decode_keyvalue, payload) == reason


@pytest.mark.parametrize(
    "payload",
    [
        b"a=" * 100_000,
        b'a="' * 60_000,
        b"a=1" + b" " * 200_000 + b"b=2",
        b"a" * 200_000 + b"=1",
        b'a="' + b"\\" * 200_000,
        b"a=1\n" * 50_000,
        b"a=,;" * 50_000,
    ],
)
def test_decode_keyvalue_hostile_text_takes_no_longer_than_its_length(payload: bytes) -> None:
    """No text makes the reader go over it again and again."""
    began = time.process_time()
    assert_sound(decode_keyvalue, payload, HERE)
    assert time.process_time() - began < 3


@steady
@given(
    fields=st.dictionaries(NAMES, NUMBERS | st.booleans(), min_size=1),
    between=st.sampled_from([" ", ",", ", ", "; ", "&", "\n", "\r\n"]),
    time_us=MOMENTS_US,
)
def test_decode_keyvalue_comes_back_as_it_was(
    fields: dict[str, float], between: str, time_us: int
) -> None:
    """Numbers and booleans under any names are read again exactly."""
    pairs = {f"x{name}": value for name, value in fields.items()}
    moment = min(time_us, 10**17 - 1)
    text = between.join(f"{key}={value!r}" for key, value in {"ts": moment, **pairs}.items())
    decoded = decode_keyvalue(text.encode(), HERE, {})
    assert values(decoded) == pairs
    assert set(times(decoded)) == {moment}


@steady
@given(
    payload=st.binary(max_size=100) | st.text("ab=,; &'\"\\\n1.5ts", max_size=60).map(str.encode),
    place=st.sampled_from([HERE, NAMED]),
)
def test_decode_keyvalue_arbitrary_bytes_raise_nothing_but_rejected(
    payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_keyvalue, payload, place)
