"""JSON objects become measurements; a bad field costs only itself."""

import json
import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.decoded import DEPTH, FIELDS, ROWS, Decoded, Measurement, NoteKind, Place
from collector.formats.objects import Walk, decode_fields, decode_json
from collector.rejection import Rejected
from collector.timestamps import TIME_KEYS
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


def decode(content: object, place: Place = HERE) -> Decoded:
    """What comes of JSON: of bytes as they are, of anything else as it is written."""
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return decode_json(payload, place, {})


def test_decode_json_object_gives_a_metric_per_key() -> None:
    """Nested keys are joined with dots, and values are read as bare ones."""
    content = {"t_in": 21.5, "air": {"rh": 40, "co2": 1}, "on": True, "mode": "eco", "n": "7"}
    decoded = decode(content)
    expected = {"t_in": 21.5, "air.rh": 40.0, "air.co2": 1.0, "on": 1.0, "mode": "eco", "n": 7.0}
    assert values(decoded) == expected
    assert [m.flags for m in decoded.measurements] == [0, 0, 0, 0, 0, Flag.QUOTED]
    assert [m.kind for m in decoded.measurements][3:5] == [Kind.BOOLEAN, Kind.STATE]


def test_decode_json_object_of_numbers_is_the_same_by_the_short_cut() -> None:
    """An object of numbers alone gives what it gives beside something else."""
    numbers = {"a": 21.5, "b": 2, "c": -0.0, "ä b": 1e15}
    beside = decode({**numbers, "z": "x"}).measurements
    assert decode(numbers).measurements == beside[:-1]
    assert all(type(one.value) is float for one in beside[:-1])
    assert decode({"a": 1}).measurements == [Measurement("a", 1.0, Kind.NUMBER)]


@pytest.mark.parametrize(
    ("content", "value", "flags"),
    [
        (b'{"a": 9007199254740993}', 2.0**53, Flag.INEXACT),
        (b'{"a": 9007199254740992}', 2.0**53, 0),
        (b'{"a": 18446744073709551615}', 2.0**64, Flag.INEXACT),
        (b'{"a": 18446744073709551617}', 2.0**64, Flag.INEXACT),
        (b'{"a": -9223372036854775809}', -(2.0**63), Flag.INEXACT),
        (b'{"a": -9223372036854775808}', -(2.0**63), 0),
        (b'{"a": "9007199254740993"}', 2.0**53, Flag.INEXACT | Flag.QUOTED),
        (b'{"a": 5e-324}', 5e-324, 0),
        (b'{"a": 1, "a": 2}', 2.0, 0),
    ],
)
def test_decode_json_number_at_the_edge_is_kept(content: bytes, value: float, flags: int) -> None:
    """What a double cannot hold is rounded and flagged; of equal keys the last counts."""
    (one,) = decode(content).measurements
    assert (one.value, one.kind, one.flags) == (value, Kind.NUMBER, flags)


def test_decode_json_names_are_kept_as_they_are() -> None:
    """Dots, slashes, emoji, mark-up and names that mean something to JavaScript are just names."""
    keys = ["a.b", "a/b", "😀", "__proto__", "constructor", "<script>", "'; DROP TABLE reading"]
    assert list(values(decode(dict.fromkeys(keys, 1.5)))) == keys
    assert list(values(decode(dict.fromkeys(keys, "x")))) == keys


def test_decode_json_byte_order_mark_and_spaces_are_no_matter() -> None:
    """Editors and printf leave them."""
    assert values(decode(b'\xef\xbb\xbf {"a": 1}\r\n')) == {"a": 1.0}


def test_decode_json_under_a_metric_prefixes_its_keys() -> None:
    """With a metric in the topic an object's keys follow it, and `value` stands for itself."""
    decoded = decode({"value": 21.5, "unit": "°C", "battery": 88}, NAMED)
    assert values(decoded) == {"m": 21.5, "m.battery": 88.0}
    assert [m.unit for m in decoded.measurements] == ["°C", ""]
    assert values(decode({"a": 1, "b": 2}, NAMED)) == {"m.a": 1.0, "m.b": 2.0}


def test_decode_json_value_with_unit_in_a_field_is_one_reading() -> None:
    """`{"value", "unit"}` under a key is that key's reading with its unit."""
    (one,) = decode({"temp": {"value": 21.5, "unit": " K "}}).measurements
    assert (one.metric, one.value, one.unit) == ("temp", 21.5, "K")


def test_decode_json_value_without_a_name_is_called_value() -> None:
    """Where neither topic nor key names it, its own key does."""
    assert values(decode({"value": 21.5})) == {"value": 21.5}


@pytest.mark.parametrize("unit", [None, 5, "x" * 33, "a\nb", ["C"]])
def test_decode_json_unit_that_is_none_is_left_out(unit: object) -> None:
    """A unit that cannot be shown costs nothing but itself."""
    (one,) = decode({"temp": {"value": 21.5, "unit": unit}}).measurements
    assert (one.metric, one.unit) == ("temp", "")


def test_decode_json_unit_without_a_value_is_a_state() -> None:
    """A `unit` that belongs to nothing is a member like any other."""
    assert values(decode({"unit": "pump"})) == {"unit": "pump"}


def test_decode_json_null_is_a_note() -> None:
    """`null` says that there is no value: no reading, no fault."""
    decoded = decode({"a": None, "b": {"c": None}})
    assert not decoded.measurements
    assert not decoded.faults
    assert [(n.kind, n.metric) for n in decoded.notes] == [
        (NoteKind.NO_VALUE, "a"),
        (NoteKind.NO_VALUE, "b.c"),
    ]


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        (b'"b": [1, 2]', ("array", "b")),
        (b'"b": []', ("array", "b")),
        (b'"b": [{"c": 1}]', ("array", "b")),
        (b'"b": "21,5"', ("decimal-comma", "b")),
        (b'"b": "21.5 \xc2\xb0C"', ("malformed-number", "b")),
        (b'"b": ""', ("empty", "b")),
        (b'"b": "NaN"', ("non-finite", "b")),
        (b'"b": "x\\u0007"', ("control-character", "b")),
        (b'"b": "' + b"x" * 65 + b'"', ("long-text", "b")),
        (b'"": 1', ("no-metric", "")),
        (b'"' + b"b" * 257 + b'": 1', ("long-name", "b" * 100 + "…")),
        (b'"b\\u0000": 1', ("control-character", "b\0")),
        (b'"b": ' + b'{"c":' * 20 + b"1" + b"}" * 20, ("too-deep", "b" + ".c" * (DEPTH - 1))),
    ],
)
def test_decode_json_bad_field_costs_only_itself(field: bytes, fault: tuple[str, str]) -> None:
    """A good field is kept whatever its neighbour is; the bad one is a fault with its name."""
    decoded = decode(b'{"a": 1, ' + field + b', "z": 2}')
    assert values(decoded) == {"a": 1.0, "z": 2.0}
    assert faults(decoded) == [fault]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{}", "no-values"),
        (b"[]", "no-values"),
        (b"[{}]", "no-values"),
        (b'{"ts": 1700000000}', "no-values"),
        (b"[1, 2]", "array"),
        (b'[{"a": 1}, 2]', "array"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "too-deep"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": Infinity}', "malformed-json"),
        (b'{"a": 1e309}', "non-finite"),
        (b'{"a": ' + b"9" * 5000 + b"}", "non-finite"),
        (b'{"a": 01}', "malformed-json"),
        (b'{"a": +1}', "malformed-json"),
        (b'{"a": 0x1F}', "malformed-json"),
        (b'{"a": "\\ud800"}', "malformed-json"),
        (b"{'a': 1}", "malformed-json"),
        (b'{"a": 1,}', "malformed-json"),
        (b'{"a": 1} {"b": 2}', "malformed-json"),
        (b'{"a": 1', "malformed-json"),
        (b'{"a": 1}\x00', "malformed-json"),
        (b'{"a": "\xff"}', "not-utf8"),
        ('{"a": 1}'.encode("utf-16"), "binary"),
        (b"\x1f\x8b\x08\x00", "binary"),
    ],
)
def test_decode_json_that_is_nothing_is_rejected(payload: bytes, reason: str) -> None:
    """Hostile or broken payloads are rejected with their reason."""
    assert rejection(decode_json, payload) == reason


def test_decode_json_scalar_is_the_value_of_the_topics_metric() -> None:
    """Any JSON value may be a bare one where the topic names it."""
    assert values(decode(21.5, NAMED)) == {"m": 21.5}
    assert decode("21.5", NAMED).measurements[0].flags == Flag.QUOTED
    assert [n.kind for n in decode(None, NAMED).notes] == [NoteKind.NO_VALUE]
    assert rejection(decode_json, b"21.5") == "no-metric"
    assert rejection(decode_json, b'"21,5"', NAMED) == "decimal-comma"


@pytest.mark.parametrize("value", ["1", '"x"', "null"])
def test_decode_json_object_with_too_many_fields_is_cut(value: str) -> None:
    """The first 256 fields are kept, the rest is one fault, whatever they are."""
    fields = ", ".join(f'"k{number}": {value}' for number in range(10_000))
    decoded = decode(f"{{{fields}}}".encode())
    assert len(decoded.measurements) + len(decoded.notes) == FIELDS
    assert faults(decoded) == [("too-many-fields", "")]


def test_decode_json_object_with_as_many_fields_as_may_be_is_whole() -> None:
    """256 fields are not too many, by the short cut or without it."""
    fields: dict[str, object] = {f"k{number}": number for number in range(FIELDS)}
    assert len(decode(fields).measurements) == FIELDS
    assert not decode(fields).faults
    assert not decode({**fields, "k0": "x"}).faults


def test_decode_json_too_many_fields_inside_are_said_once() -> None:
    """However deep the last field is, what is left out is one fault."""
    inner = {f"k{number}": number for number in range(300)}
    decoded = decode({"a": {"b": {"c": inner, "d": 1}, "e": 1}, "f": 1})
    assert len(decoded.measurements) == FIELDS
    assert faults(decoded) == [("too-many-fields", "a.b.c")]


@pytest.mark.parametrize(
    "time",
    [
        b'"ts": 1700000000',
        b'"time": 1700000000.0',
        b'"timestamp": 1700000000000',
        b'"time_ms": "1700000000000"',
        b'"t": 1700000000000000',
        b'"_time": 1700000000000000000',
        b'"datetime": "2023-11-14T23:13:20+01:00"',
        b'"date": "2023-11-14", "time": "22:13:20Z"',
    ],
)
def test_decode_json_time_of_the_client_is_recognised(time: bytes) -> None:
    """Seconds, ms, µs, ns and ISO 8601 under a usual key are the time, and no metric."""
    (one,) = decode(b'{"a": 1, ' + time + b"}").measurements
    assert (one.metric, one.time_us, one.flags) == ("a", TIME_US, 0)


@pytest.mark.parametrize(
    ("time", "flags", "fault"),
    [
        (b'"ts": 0', Flag.CLOCK_UNSET, []),
        (b'"time": "1970-01-01T00:00:07Z"', Flag.CLOCK_UNSET, []),
        (b'"ts": 1.7e21', 0, [("bad-time", "ts")]),
        (b'"time": "soon"', 0, [("bad-time", "time")]),
        (b'"date": "2023-11-14"', 0, [("bad-time", "date")]),
        (b'"ts": null', 0, []),
        (b'"ts": [1700000000]', 0, [("bad-time", "ts")]),
    ],
)
def test_decode_json_unusable_time_costs_no_reading(
    time: bytes, flags: int, fault: list[tuple[str, str]]
) -> None:
    """The reading is as old as its receipt; a flag or a fault says why; the key is no metric."""
    decoded = decode(b'{"a": 1, ' + time + b"}")
    (one,) = decoded.measurements
    assert (one.metric, one.time_us, one.flags) == ("a", None, flags)
    assert faults(decoded) == fault


def test_decode_json_naive_time_is_read_in_the_topics_zone() -> None:
    """It says that its zone was assumed."""
    (one,) = decode({"a": 1, "ts": "2023-11-14T22:13:20"}).measurements
    assert (one.time_us, one.flags) == (TIME_US, Flag.ZONE_ASSUMED)


def test_decode_json_time_beside_a_value_wins_over_that_of_the_object() -> None:
    """A value's own time is its time; the others have that of the whole object."""
    second_us = 1_000_000
    decoded = decode({"ts": 1_700_000_000, "a": {"value": 1, "ts": 1_700_000_001}, "b": 2})
    assert times(decoded) == [TIME_US + second_us, TIME_US]
    decoded = decode({"ts": 1_700_000_000, "a": {"value": 1, "ts": "soon"}, "b": {"c": 1}})
    assert times(decoded) == [TIME_US, TIME_US]
    assert faults(decoded) == [("bad-time", "a.ts")]


def test_decode_json_time_key_inside_is_a_metric_there() -> None:
    """Only an object at the top, or with a value, has a time: `ts` inside may be anything."""
    assert values(decode({"a": 1, "b": {"ts": 12}})) == {"a": 1.0, "b.ts": 12.0}


def test_decode_json_short_t_that_is_no_time_is_a_metric() -> None:
    """A `t` with a temperature in it is kept as a reading."""
    assert values(decode({"t": 21.5, "h": 40})) == {"t": 21.5, "h": 40.0}


def test_decode_json_array_of_objects_is_a_batch() -> None:
    """Each object is a reading with its own time; a bad one costs only itself."""
    rows = [{"ts": 1_700_000_000 + n, "a": n, "b": "on"} for n in range(3)]
    decoded = decode([*rows, {"a": "21,5"}])
    assert [m.value for m in decoded.measurements] == [0.0, 1.0, 1.0, 1.0, 2.0, 1.0]
    assert times(decoded)[::2] == [TIME_US, TIME_US + 1_000_000, TIME_US + 2_000_000]
    assert faults(decoded) == [("decimal-comma", "a")]


def test_decode_json_array_of_objects_without_times_is_kept_in_order() -> None:
    """Without times of their own they are as old as their receipt."""
    assert values(decode([{"a": 1}, {"b": 2}])) == {"a": 1.0, "b": 2.0}


def test_decode_json_batch_inside_an_object_needs_times() -> None:
    """Objects in a list under a key are readings of that key if each says when it was."""
    rows = [{"ts": 1_700_000_000 + n, "a": n} for n in range(2)]
    decoded = decode({"site": "roof", "log": rows})
    assert [m.metric for m in decoded.measurements] == ["site", "log.a", "log.a"]
    assert times(decoded) == [None, TIME_US, TIME_US + 1_000_000]
    assert faults(decode({"log": [*rows, {"a": 1}]})) == [("array", "log")]


def test_decode_json_batch_inside_uses_up_nobodys_room() -> None:
    """Each row may bring as many fields as an object may; so may the object around them."""
    rows = [{"ts": 1_700_000_000 + n, **dict.fromkeys("abcd", 1)} for n in range(200)]
    decoded = decode({"log": rows, "z": 1})
    assert len(decoded.measurements) == 801
    assert not decoded.faults


def test_decode_json_batches_in_one_another_end_somewhere() -> None:
    """Lists of objects nest no deeper than objects do."""
    content: object = {"ts": 1_700_000_000, "a": 1}
    for _ in range(200):
        content = {"ts": 1_700_000_000, "x": [content]}
    assert [reason for reason, _ in faults(decode(content))] == ["array"]


def test_decode_json_batch_with_too_many_rows_is_cut() -> None:
    """The first 10 000 are kept, the rest is one fault."""
    decoded = decode(b"[" + b",".join([b'{"a":1}'] * (ROWS + 5)) + b"]")
    assert len(decoded.measurements) == ROWS
    assert faults(decoded) == [("too-many-rows", "")]


@steady
@given(fields=st.dictionaries(NAMES, NUMBERS, min_size=1), time_us=MOMENTS_US)
def test_decode_json_object_comes_back_as_it_was(fields: dict[str, float], time_us: int) -> None:
    """Numbers under any names, with a time in microseconds, are read again exactly."""
    named = {f"x{name}": value for name, value in fields.items()}
    decoded = decode({"time_us": min(time_us, 10**17 - 1), **named})
    assert values(decoded) == named
    assert set(times(decoded)) == {min(time_us, 10**17 - 1)}
    assert values(decode(named)) == named


PLACES = st.sampled_from([HERE, NAMED])
KEYS = st.text(max_size=8) | st.sampled_from(["value", "unit", "ts", "t", "date", "time", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)

TIMES = st.sampled_from([1_700_000_000_000, 1_700_000_000.25, "2026-11-23T08:00:00"])
NUMBER = st.floats(-1e3, 1e3) | st.sampled_from([7, 2**53])
BIG = st.sampled_from([2**53 + 1, 0])
ANYTHING = TIMES | NUMBER | st.integers() | st.floats() | st.text(max_size=3) | BIG
USUAL = st.sampled_from([("ts", "a"), ("t", "value"), ("value", "time", "a"), ("ts", "a", "b")])
UNUSUAL = st.sampled_from(["a", "ts", "t", "unit", "\x07", ""])


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, object]]:
    """Rows with the same keys, of a time and numbers, but for a column or a row."""
    columns: dict[str, st.SearchStrategy[object]] = {
        key: TIMES if key in TIME_KEYS else NUMBER for key in draw(USUAL)
    }
    odd = {**columns, draw(UNUSUAL): draw(st.sampled_from([NUMBER, BIG, ANYTHING]))}
    other = dict([*odd.items()][1:])
    most, last = draw(
        st.sampled_from([(columns, columns), (odd, odd), (columns, odd), (columns, other)])
    )
    return [*draw(st.lists(_row(most), min_size=1)), draw(_row(last))]


def _row(columns: Mapping[str, st.SearchStrategy[object]]) -> st.SearchStrategy[dict[str, object]]:
    """Rows with these columns in this order."""
    return st.tuples(*columns.values()).map(lambda row: dict(zip(columns, row, strict=True)))


@settings(steady, max_examples=500)
@given(rows=alike(), place=PLACES)
def test_decode_fields_reads_rows_by_the_short_cut_as_one_by_one(
    rows: list[dict[str, object]], place: Place
) -> None:
    """Rows alike give what they give if each is walked through; so do those that are not."""
    walk = Walk(place.zone)
    for row in rows:
        walk.take(place.metric, row)
    try:
        decoded = decode_fields(rows, place)
    except Rejected:
        assert (walk.measurements, walk.faults, walk.notes) == ([], [], [])
    else:
        assert decoded == walk.decoded()


def test_decode_json_long_keys_are_not_remembered() -> None:
    """What is kept of objects seen before is small, whatever keys anybody sends."""
    tracemalloc.start()
    try:
        for number in range(100):
            decode({f"{number}{'😀' * 50_000}": 1})
            decode({f"{key}-{number}{'😀' * 200}": 1 for key in range(250)})
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 12_000_000  # most of it single names, remembered as such


@steady
@given(payload=st.binary(max_size=300), place=PLACES)
def test_decode_json_arbitrary_bytes_raise_nothing_but_rejected(
    payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_json, payload, place)


@steady
@given(content=JSON, place=PLACES)
def test_decode_json_arbitrary_json_raises_nothing_but_rejected(
    content: object, place: Place
) -> None:
    """Whatever the JSON is, the answer can be kept or is a reason."""
    assert_sound(decode_json, json.dumps(content).encode(), place)
