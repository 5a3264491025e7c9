"""Text formats are told apart by how they begin; a state stays a state where there is doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import NoteKind, Place
from collector.formats.auto import decode_auto
from collector.formats.plain import decode_plain
from collector.rejection import Rejected
from tests.collector.formats.decoding import (
    HERE,
    NAMED,
    TIME_US,
    assert_sound,
    faults,
    rejection,
    steady,
    times,
    values,
)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"a": 1}', {"a": 1.0}),
        (b' \r\n{"a": 1}', {"a": 1.0}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1.0}),
        (b'[{"a": 1}, {"b": 2}]', {"a": 1.0, "b": 2.0}),
        (b'\n[{"bn": "d:", "n": "a", "v": 1}, {"n": "b", "vs": "x"}]', {"d:a": 1.0, "d:b": "x"}),
        (b'[{"n": "pump", "power": 5}]', {"n": "pump", "power": 5.0}),
        (b"temp=21.5", {"temp": 21.5}),
        (b" temp = 21.5; hum = 40\n", {"temp": 21.5, "hum": 40.0}),
        (b"mode=eco", {"mode": "eco"}),
        (b"a=b c", {"a": "b c"}),
        (b"air temp=21.5,rh=40i", {"air.temp": 21.5, "air.rh": 40.0}),
        (b"# now\nair,room=lab temp=21.5 1700000000", {"air.temp{room=lab}": 21.5}),
    ],
)
def test_decode_auto_tells_text_formats_apart(
    payload: bytes, expected: dict[str, float | str]
) -> None:
    """JSON, SenML, key=value and line protocol, on a topic that names no metric."""
    decoded = decode_auto(payload, HERE, {})
    assert values(decoded) == expected
    assert not decoded.faults


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"21.5", {"m": 21.5}),
        (b"on", {"m": 1.0}),
        (b'"on"', {"m": 1.0}),
        (b"heating up", {"m": "heating up"}),
        (b"temp=21.5", {"m.temp": 21.5}),
        (b"relay=on", {"m.relay": 1.0}),
        (b"mode=heating up, n=1", {"m.mode": "heating up", "m.n": 1.0}),
        (b"air temp=21.5", {"m.air.temp": 21.5}),
        (b"m temp=21.5", {"m.temp": 21.5}),
        (b'{"value": 21.5}', {"m": 21.5}),
        (b"a=b", {"m": "a=b"}),
        (b"a=b c", {"m": "a=b c"}),
        (b"temp=21,5", {"m": "temp=21,5"}),
        (b"E=mc2", {"m": "E=mc2"}),
        (b"go to x=y", {"m": "go to x=y"}),
        (b"heating to=21,5", {"m": "heating to=21,5"}),
        (b"https://host/?a=1", {"m": "https://host/?a=1"}),
        (b'<a href="x=1">', {"m": '<a href="x=1">'}),
        (b"=cmd|' /C calc'!A0", {"m": "=cmd|' /C calc'!A0"}),
        (b"a >= b", {"m": "a >= b"}),
    ],
)
def test_decode_auto_with_a_metric_doubts_what_may_be_a_state(
    payload: bytes, expected: dict[str, float | str]
) -> None:
    """Where a bare state is possible, only a number or yes or no makes pairs of it."""
    decoded = decode_auto(payload, NAMED, {})
    assert values(decoded) == expected
    assert not decoded.faults


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"21,5", "decimal-comma"),
        (b"NaN", "non-finite"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "too-deep"),
        (b"[1, 2]", "array"),
        (b"[idle]", "malformed-json"),
        (b"{", "malformed-json"),
        ("21".encode("utf-16"), "binary"),
        (b"\x1f\x8b\x08\x00=", "binary"),
        (bytes.fromhex("81a474656d7015"), "binary"),
        (b"\xffa=1", "not-utf8"),
        (b"a=1\xff", "not-utf8"),
    ],
)
def test_decode_auto_that_is_no_text_format_is_rejected(payload: bytes, reason: str) -> None:
    """Binary formats must be named; broken ones say what they seemed to be."""
    assert rejection(decode_auto, payload, NAMED) == reason


def test_decode_auto_bare_value_without_a_metric_is_rejected() -> None:
    """It has no name."""
    for payload in (b"21.5", b"on", b"heating up", b"x >= 1"):
        assert rejection(decode_auto, payload, HERE) == "no-metric"


def test_decode_auto_null_is_a_note() -> None:
    """It says that there is no value."""
    assert [note.kind for note in decode_auto(b"null", NAMED, {}).notes] == [NoteKind.NO_VALUE]


def test_decode_auto_pairs_with_faults_stay_pairs() -> None:
    """One good pair is enough to know what the others should be, and each line has its time."""
    decoded = decode_auto(b"ts=1700000000 a=21,5 b=1", NAMED, {})
    assert values(decoded) == {"m.b": 1.0}
    assert faults(decoded) == [("decimal-comma", "m.a")]
    assert times(decoded) == [TIME_US]


@steady
@given(payload=st.text(max_size=40).filter(lambda text: "=" not in text).map(str.encode))
def test_decode_auto_without_an_equals_sign_is_plain_or_json(payload: bytes) -> None:
    """Nothing that was a bare value is taken for anything else."""
    try:
        plain = decode_plain(payload, NAMED, {})
    except Rejected:
        return
    if payload.lstrip()[:1] not in (b"{", b"["):
        assert decode_auto(payload, NAMED, {}) == plain


@steady
@given(
    payload=st.binary(max_size=80)
    | st.text('ab=,{}[]"\n 1.5', max_size=60).map(str.encode)
    | st.text(max_size=60).map(str.encode),
    place=st.sampled_from([HERE, NAMED]),
)
def test_decode_auto_arbitrary_bytes_raise_nothing_but_rejected(
    payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_auto, payload, place)
