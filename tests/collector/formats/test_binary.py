"""MessagePack and CBOR are read as JSON is, whatever anybody packs into them."""

import math
import time
from datetime import UTC, datetime
from itertools import product

import cbor2
import msgpack  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import Decoded, Decoder, NoteKind, Place
from collector.formats.binary import ANY_KEY_BYTES, decode_cbor, decode_msgpack, load_cbor
from collector.rejection import Rejected
from collector.timestamps import Stamp
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

BOTH = pytest.mark.parametrize("decoder", [decode_msgpack, decode_cbor])


def packed(decoder: Decoder, content: object) -> bytes:
    """The content in the decoder's format."""
    if decoder is decode_cbor:
        return cbor2.dumps(content)
    return bytes(msgpack.packb(content, datetime=True))


def decode(decoder: Decoder, content: object, place: Place = HERE) -> Decoded:
    """What becomes of the content in the decoder's format."""
    return decoder(packed(decoder, content), place, {})


@BOTH
def test_decode_binary_object_gives_a_metric_per_key(decoder: Decoder) -> None:
    """Objects, nested or not, with all kinds of values."""
    content = {"t": 21.5, "air": {"rh": 40, "x": None}, "on": True, "mode": "eco", "n": "7"}
    decoded = decode(decoder, content)
    assert values(decoded) == {"t": 21.5, "air.rh": 40.0, "on": 1.0, "mode": "eco", "n": 7.0}
    assert [m.flags for m in decoded.measurements] == [0, 0, 0, 0, Flag.QUOTED]
    assert [(n.kind, n.metric) for n in decoded.notes] == [(NoteKind.NO_VALUE, "air.x")]


@BOTH
def test_decode_binary_value_has_its_unit_and_the_topics_metric(decoder: Decoder) -> None:
    """`value` and `unit` are those of the topic's metric."""
    (one,) = decode(decoder, {"value": 21.5, "unit": "°C"}, NAMED).measurements
    assert (one.metric, one.value, one.unit) == ("m", 21.5, "°C")


@BOTH
def test_decode_binary_array_of_objects_is_a_batch(decoder: Decoder) -> None:
    """Each object has its own time."""
    decoded = decode(decoder, [{"ts": 1_700_000_000 + n, "a": n} for n in range(3)])
    assert times(decoded) == [TIME_US, TIME_US + 1_000_000, TIME_US + 2_000_000]


@BOTH
@pytest.mark.parametrize(
    ("value", "kind", "flags"),
    [
        (21.5, Kind.NUMBER, 0),
        (-7, Kind.NUMBER, 0),
        (2**64 - 1, Kind.NUMBER, Flag.INEXACT),
        (-(2**63), Kind.NUMBER, 0),
        (True, Kind.BOOLEAN, 0),
        ("eco", Kind.STATE, 0),
    ],
)
def test_decode_binary_scalar_is_the_value_of_the_topics_metric(
    decoder: Decoder, value: float | str, kind: Kind, flags: int
) -> None:
    """A bare value needs a metric in the topic."""
    (one,) = decode(decoder, value, NAMED).measurements
    expected = value if isinstance(value, str) else float(value)
    assert (one.metric, one.value, one.kind, one.flags) == ("m", expected, kind, flags)
    assert rejection(decoder, packed(decoder, value)) == "no-metric"


@BOTH
def test_decode_binary_nothing_at_the_root_is_a_note(decoder: Decoder) -> None:
    """It says that there is no value."""
    assert [n.kind for n in decode(decoder, None, NAMED).notes] == [NoteKind.NO_VALUE]


@BOTH
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "non-finite"),
        (-math.inf, "non-finite"),
        (b"\x01\x02", "binary"),
        ([1, 2], "array"),
        ([], "array"),
        ("21,5", "decimal-comma"),
        (datetime(2023, 11, 14, tzinfo=UTC), "unsupported"),
    ],
)
def test_decode_binary_bad_value_costs_only_itself(
    decoder: Decoder, value: object, reason: str
) -> None:
    """What is beside it is kept; a time that is not the object's own is no value."""
    decoded = decode(decoder, {"a": 1, "b": value, "z": 2})
    assert values(decoded) == {"a": 1.0, "z": 2.0}
    assert faults(decoded) == [(reason, "b")]


@BOTH
def test_decode_binary_keys_that_are_no_text_are_read_if_they_can_be(decoder: Decoder) -> None:
    """Integers are written out, bytes are text if they are UTF-8; others are no names."""
    content = {7: 1, -1: 2, b"k": 3, b"\xff": 4, 1.5: 5, None: 6, True: 7, "a": 8}
    decoded = decode(decoder, content)
    assert values(decoded) == {"7": 1.0, "-1": 2.0, "k": 3.0, "a": 8.0}
    assert faults(decoded) == [("no-metric", "")]


@BOTH
def test_decode_binary_equal_keys_count_once(decoder: Decoder) -> None:
    """The last counts, as in JSON."""
    pairs = packed(decoder, {"a": 1, "b": 2}).replace(b"b", b"a")
    assert values(decoder(pairs, HERE, {})) == {"a": 2.0}


@BOTH
@pytest.mark.parametrize("key", ["ts", "time", "t"])
def test_decode_binary_typed_time_is_the_objects_time(decoder: Decoder, key: str) -> None:
    """A timestamp of the format under a time key is the time, to the microsecond."""
    moment = datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)
    (one,) = decode(decoder, {"a": 1, key: moment}).measurements
    assert (one.metric, one.time_us, one.flags) == ("a", TIME_US + 250_000, 0)


@BOTH
def test_decode_binary_time_before_2000_is_a_clock_that_was_never_set(decoder: Decoder) -> None:
    """The reading is as old as its receipt, and says why."""
    (one,) = decode(decoder, {"a": 1, "ts": datetime(1970, 1, 1, tzinfo=UTC)}).measurements
    assert (one.time_us, one.flags) == (None, Flag.CLOCK_UNSET)


@BOTH
@pytest.mark.parametrize("content", [{}, [], [{}], {"ts": 1_700_000_000}])
def test_decode_binary_without_values_is_rejected(decoder: Decoder, content: object) -> None:
    """An object without a measurement is nothing."""
    assert rejection(decoder, packed(decoder, content)) == "no-values"


@BOTH
def test_decode_binary_array_of_scalars_is_rejected(decoder: Decoder) -> None:
    """Nobody knows what they measure."""
    assert rejection(decoder, packed(decoder, [1, 2]), NAMED) == "array"
    assert rejection(decoder, packed(decoder, b"\x01"), NAMED) == "binary"


@BOTH
def test_decode_binary_bytes_behind_the_value_are_a_fault_of_all(decoder: Decoder) -> None:
    """A payload is one value and nothing else; nor may any of it be missing."""
    whole = packed(decoder, {"a": 1.5, "b": "eco"})
    assert rejection(decoder, whole + b"\x00").startswith("malformed")
    assert rejection(decoder, whole + whole).startswith("malformed")
    for end in range(1, len(whole)):
        assert rejection(decoder, whole[:end]).startswith("malformed")
    assert rejection(decoder, b"") == "empty"


@pytest.mark.parametrize(
    ("decoder", "payload", "reason"),
    [
        (decode_msgpack, b"\x91" * 100_000, "too-deep"),
        (decode_msgpack, b"\x91" * 400 + b"\x01", "array"),
        (decode_msgpack, b"\xdd\x7f\xff\xff\xff", "malformed-msgpack"),
        (decode_msgpack, b"\xdf\x7f\xff\xff\xff", "malformed-msgpack"),
        (decode_msgpack, b"\xc6\x7f\xff\xff\xff", "malformed-msgpack"),
        (decode_msgpack, b"\xc1", "malformed-msgpack"),
        (decode_msgpack, b"\xa1\xff", "not-utf8"),
        (decode_msgpack, b"\xc7\x03\xff\xff\xff\xff", "malformed-msgpack"),
        (decode_msgpack, b"\xd7\xff" + b"\xff" * 8, "malformed-msgpack"),
        (decode_msgpack, b"\xd4\x05\x01", "unsupported"),
        (decode_cbor, b"\x81" * 100_000, "too-deep"),
        (decode_cbor, b"\x9b" + b"\xff" * 8, "malformed-cbor"),
        (decode_cbor, b"\xbb" + b"\x7f" * 8, "malformed-cbor"),
        (decode_cbor, b"\x5b" + b"\x7f" * 8, "malformed-cbor"),
        (decode_cbor, b"\xff", "malformed-cbor"),
        (decode_cbor, b"\x1c", "malformed-cbor"),
        (decode_cbor, b"\x61\xff", "not-utf8"),
        (decode_cbor, b"\xf0", "unsupported"),
    ],
)
def test_decode_binary_hostile_bytes_are_rejected(
    decoder: Decoder, payload: bytes, reason: str
) -> None:
    """Lengths that lie, depth without end, reserved bytes and text that is none."""
    assert rejection(decoder, payload, NAMED) == reason


@BOTH
def test_decode_binary_objects_in_objects_end_somewhere(decoder: Decoder) -> None:
    """Beyond 16 objects in one another a field is a fault, as in JSON."""
    content: object = 1
    for _ in range(100):
        content = {"x": content}
    assert [reason for reason, _ in faults(decode(decoder, content))] == ["too-deep"]


def test_decode_msgpack_timestamp_of_any_size_is_a_time() -> None:
    """32, 64 and 96 bits, nanoseconds and all; beyond the year 9999 it is none."""
    seconds = 1_700_000_000
    for stamp in (
        b"\xd6\xff" + seconds.to_bytes(4),
        b"\xd7\xff" + (999 << 34 | seconds).to_bytes(8),
        b"\xc7\x0c\xff" + (999).to_bytes(4) + seconds.to_bytes(8),
    ):
        decoded = decode_msgpack(b"\x82\xa1a\x01\xa2ts" + stamp, HERE, {})
        assert times(decoded) == [TIME_US]
    decoded = decode(decode_msgpack, {"a": 1, "ts": msgpack.Timestamp(2**60)})
    assert times(decoded) == [None]
    assert faults(decoded) == [("bad-time", "ts")]


def test_decode_msgpack_extension_costs_only_itself() -> None:
    """What an application made for itself is no value."""
    decoded = decode(decode_msgpack, {"a": 1, "b": msgpack.ExtType(5, b"x")})
    assert values(decoded) == {"a": 1.0}
    assert faults(decoded) == [("unsupported", "b")]


@pytest.mark.parametrize(
    ("hexadecimal", "value", "flags"),
    [
        ("f93c00", 1.0, 0),
        ("f90001", 5.960464477539063e-08, 0),
        ("fa47c35000", 100000.0, 0),
        ("c249010000000000000000", 2.0**64, 0),
        ("c349010000000000000000", -(2.0**64), Flag.INEXACT),
        ("c48221196ab3", 273.15, 0),
        ("c4821903e801", None, 0),
        ("c4821b7fffffffffffffff01", None, 0),
        ("c5822003", 1.5, 0),
        ("c5821b7fffffffffffffff01", None, 0),
        ("d9d9f718ff", 255.0, 0),
    ],
)
def test_decode_cbor_number_of_any_sort_is_a_number(
    hexadecimal: str, value: float | None, flags: int
) -> None:
    """Half floats, big integers, decimal and binary fractions; no power of ten is ever made."""
    payload = bytes.fromhex(hexadecimal)
    if value is None:
        assert rejection(decode_cbor, payload, NAMED) == "non-finite"
    else:
        (one,) = decode_cbor(payload, NAMED, {}).measurements
        assert (one.value, one.flags) == (value, flags)


def test_decode_cbor_big_integer_without_end_is_not_finite() -> None:
    """Nor is its text ever made, which would take Python very long."""
    payload = b"\xc2\x59\xff\xff" + b"\x01" * 65_535
    assert rejection(decode_cbor, payload, NAMED) == "non-finite"


def test_decode_cbor_indefinite_lengths_are_read() -> None:
    """Maps, arrays and texts may end when they end."""
    payload = bytes.fromhex("bf 61 61 01 7f 61 62 61 63 ff 7f 61 78 61 79 ff 61 64 9f 01 ff ff")
    decoded = decode_cbor(payload, HERE, {})
    assert values(decoded) == {"a": 1.0, "bc": "xy"}
    assert faults(decoded) == [("array", "d")]


def test_decode_cbor_times_in_both_ways_are_times() -> None:
    """Tag 0 is a text, tag 1 seconds; what is neither leaves the reading its receipt."""
    text = cbor2.CBORTag(0, "2023-11-14T23:13:20+01:00")
    assert cbor2.dumps(text)[0] == 0xC0
    for tag, flags in ((text, 0), (cbor2.CBORTag(1, 1_700_000_000), 0)):
        (one,) = decode(decode_cbor, {"a": 1, "ts": tag}).measurements
        assert (one.time_us, one.flags) == (TIME_US, flags)
    for tag in (cbor2.CBORTag(0, "soon"), cbor2.CBORTag(1, math.nan), cbor2.CBORTag(1, "x")):
        decoded = decode(decode_cbor, {"a": 1, "ts": tag})
        assert times(decoded) == [None]
        assert faults(decoded) == [("bad-time", "ts")]


def test_decode_cbor_undefined_is_no_value() -> None:
    """It is what null is."""
    assert [n.metric for n in decode_cbor(b"\xa1\x61a\xf7", HERE, {}).notes] == ["a"]
    assert [n.metric for n in decode_cbor(b"\xf7", NAMED, {}).notes] == ["m"]


def test_decode_cbor_that_says_what_it_is_is_read() -> None:
    """Tag 55799 may stand before anything."""
    payload = b"\xd9\xd9\xf7" + cbor2.dumps([{"a": 1}, {"b": [1, 2]}])
    decoded = decode_cbor(payload, HERE, {})
    assert values(decoded) == {"a": 1.0}
    assert faults(decoded) == [("array", "b")]


def _tag(number: int) -> bytes:
    if number < 24:
        return bytes([0xC0 | number])
    if number < 256:
        return bytes([0xD8, number])
    return b"\xd9" + number.to_bytes(2)


@pytest.mark.parametrize("inner", [b"\x01", b"\x61a", b"\x41a", b"\x82\x01\x02", b"\xa0", b"\xf6"])
def test_load_cbor_no_tag_makes_an_object(inner: bytes) -> None:
    """Of 65 536 tags only those of numbers, times and CBOR itself give anything to read."""
    known = {int, float, str, bytes, list, dict, Stamp, type(None)}
    for number in range(65_536):
        try:
            content = load_cbor(b"\xa1\x61x" + _tag(number) + inner)
        except Rejected:
            continue
        assert isinstance(content, dict)
        if number in (0, 1, 2, 3, 4, 5, 55799):
            assert type(content["x"]) in known | {object}
        else:
            assert type(content["x"]) is object


def test_load_cbor_shared_values_are_not_followed() -> None:
    """An array that holds itself would be walked for ever."""
    assert rejection(decode_cbor, bytes.fromhex("d81c81d81d00"), NAMED) == "unsupported"


def test_load_cbor_keys_of_equal_hash_take_no_time() -> None:
    """Arrays of -1 and -2 hash alike in Python: 15 000 of them as keys took five seconds."""
    keys = [bytes([0x8E, *ones]) for ones in product((0x20, 0x21), repeat=14)][:15_000]
    payload = b"\xb9" + len(keys).to_bytes(2) + b"".join(key + b"\x01" for key in keys)
    began = time.process_time()
    assert rejection(decode_cbor, payload) == "keys-not-text"
    small = b"\xb9" + (900).to_bytes(2) + b"".join(key + b"\x01" for key in keys[:900])
    assert len(small) < ANY_KEY_BYTES
    assert faults(decode_cbor(small, HERE, {})) == [("no-metric", "")]
    assert time.process_time() - began < 1


def test_load_msgpack_keys_of_equal_hash_take_no_time() -> None:
    """Timestamps hash to the sum of their parts; as keys they are never hashed at all."""
    stamps = (b"\xc7\x0c\xff" + n.to_bytes(4) + (10**6 - n).to_bytes(8) for n in range(15_000))
    payload = b"\xde" + (15_000).to_bytes(2) + b"".join(stamp + b"\x01" for stamp in stamps)
    began = time.process_time()
    assert faults(decode_msgpack(payload, HERE, {})) == [("no-metric", "")]
    assert time.process_time() - began < 1


@BOTH
@steady
@given(fields=st.dictionaries(NAMES, NUMBERS | st.booleans(), min_size=1), time_us=MOMENTS_US)
def test_decode_binary_comes_back_as_it_was(
    decoder: Decoder, fields: dict[str, float], time_us: int
) -> None:
    """Numbers and booleans under any names are read again exactly, at their time."""
    named = {f"x{name}": value for name, value in fields.items()}
    moment = min(time_us, 10**17 - 1)
    decoded = decode(decoder, {"ts": moment, **named})
    assert values(decoded) == named
    assert set(times(decoded)) == {moment}


CONTENT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9)
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["ts", "value", "unit"]) | st.integers(0, 9),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@BOTH
@steady
@given(content=CONTENT, place=st.sampled_from([HERE, NAMED]))
def test_decode_binary_arbitrary_content_raises_nothing_but_rejected(
    decoder: Decoder, content: object, place: Place
) -> None:
    """Whatever is packed, the answer can be kept or is a reason."""
    assert_sound(decoder, packed(decoder, content), place)


@BOTH
@steady
@given(
    payload=st.binary(max_size=100)
    | st.lists(st.sampled_from(b"\xa1\xb9\x9f\xff\x81\x61a\xc0\xc1\xc2\xc4\xd8\xd6\x01\xfb"))
    .map(bytes),
    place=st.sampled_from([HERE, NAMED]),
)  # fmt: skip  # a line for each way of making bytes
def test_decode_binary_arbitrary_bytes_raise_nothing_but_rejected(
    decoder: Decoder, payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decoder, payload, place)
