"""SenML packs are resolved as RFC 8428 says, in JSON and in CBOR."""

import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import ROWS, Decoded, Decoder, Place
from collector.formats.senml import (
    RELATIVE_S,
    decode_pack,
    decode_senml_cbor,
    decode_senml_json,
    is_pack,
)
from telemetry.reading import Flag, Kind
from tests.collector.formats.decoding import (
    HERE,
    MOMENTS_US,
    NAMED,
    NAMES,
    TIME_US,
    assert_sound,
    faults,
    rejection,
    steady,
    times,
    values,
)

BOTH = pytest.mark.parametrize("decoder", [decode_senml_json, decode_senml_cbor])
LABELS = {"bs": -6, "bv": -5, "bu": -4, "bt": -3, "bn": -2, "bver": -1, "n": 0, "u": 1, "v": 2}
LABELS |= {"vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8}
"""Table 6 of the RFC."""

DEVICE = "urn:dev:ow:10e2073a01080063:"


def packed(decoder: Decoder, pack: object) -> bytes:
    """The pack as the decoder's format writes it."""
    if decoder is decode_senml_json:
        return json.dumps(pack).encode()
    if isinstance(pack, list):
        pack = [
            {LABELS.get(key, key): value for key, value in record.items()}
            if isinstance(record, dict)
            else record
            for record in pack
        ]
    return cbor2.dumps(pack)


def decode(decoder: Decoder, pack: object, place: Place = HERE) -> Decoded:
    """What becomes of the pack."""
    return decoder(packed(decoder, pack), place, {})


@BOTH
def test_decode_senml_base_values_hold_until_the_next(decoder: Decoder) -> None:
    """Name, time, unit and value of the base are those of every record after it."""
    pack = [
        {"bn": DEVICE, "bt": 1_700_000_000, "bu": "A", "bv": 1, "bver": 5},
        {"n": "voltage", "u": "V", "v": 119.5},
        {"n": "current", "t": -5, "v": 0.25},
        {"n": "current", "t": -4, "v": -1, "bt": 1_700_000_010, "bu": "mA", "bv": 100},
        {"n": "current"},
    ]
    decoded = decode(decoder, pack)
    second_us = 1_000_000
    assert [(m.metric, m.value, m.unit, m.time_us) for m in decoded.measurements] == [
        (DEVICE + "voltage", 120.5, "V", TIME_US),
        (DEVICE + "current.A", 1.25, "A", TIME_US - 5 * second_us),
        (DEVICE + "current.mA", 99.0, "mA", TIME_US + 6 * second_us),
        (DEVICE + "current.mA", 100.0, "mA", TIME_US + 10 * second_us),
    ]
    assert not decoded.faults


@BOTH
def test_decode_senml_values_of_all_sorts_have_their_kind(decoder: Decoder) -> None:
    """Numbers, texts and booleans; what is only data is a fault that costs nothing else."""
    vd = "aGkgCg" if decoder is decode_senml_json else b"hi \n"
    pack = [
        {"n": "temp", "u": "Cel", "v": 23.1},
        {"n": "label", "vs": "Machine Room"},
        {"n": "open", "vb": False},
        {"n": "nfc", "vd": vd},
        {"n": "count", "vs": "7"},
    ]
    decoded = decode(decoder, pack)
    assert [(m.metric, m.value, m.kind, m.unit, m.flags) for m in decoded.measurements] == [
        ("temp", 23.1, Kind.NUMBER, "Cel", 0),
        ("label", "Machine Room", Kind.STATE, "", 0),
        ("open", 0.0, Kind.BOOLEAN, "", 0),
        ("count", 7.0, Kind.NUMBER, "", Flag.QUOTED),
    ]
    assert faults(decoded) == [("binary", "nfc")]


@BOTH
def test_decode_senml_sum_is_a_metric_of_its_own(decoder: Decoder) -> None:
    """A sum over time has a base too, and the unit times seconds."""
    pack = [{"bs": 100, "bu": "W", "n": "power", "v": 5, "s": 20}, {"n": "x", "s": 1}]
    assert [(m.metric, m.value, m.unit) for m in decode(decoder, pack).measurements] == [
        ("power", 5.0, "W"),
        ("power.sum", 120.0, "W·s"),
        ("x.sum", 101.0, "W·s"),
    ]
    assert decode(decoder, [{"n": "x", "s": 1}]).measurements[0].unit == ""


@BOTH
@pytest.mark.parametrize(
    ("pack", "place", "metric"),
    [
        ([{"n": "temp", "v": 1}], HERE, "temp"),
        ([{"n": "temp", "v": 1}], NAMED, "m.temp"),
        ([{"bn": DEVICE, "n": "temp", "v": 1}], HERE, DEVICE + "temp"),
        ([{"n": DEVICE + "temp", "v": 1}], HERE, DEVICE + "temp"),
        ([{"bn": DEVICE, "v": 1}], HERE, DEVICE),
        ([{"bn": DEVICE, "n": "temp", "v": 1}], NAMED, f"m.{DEVICE}temp"),
        ([{"bn": "other:"}, {"bn": DEVICE, "n": "temp", "v": 1}], HERE, DEVICE + "temp"),
    ],
)
def test_decode_senml_metric_is_the_whole_name(
    decoder: Decoder, pack: object, place: Place, metric: str
) -> None:
    """Whatever else is in the pack: two devices may speak over one topic, in packs of their own."""
    assert list(values(decode(decoder, pack, place))) == [metric]


@BOTH
def test_decode_senml_units_of_one_name_stay_apart(decoder: Decoder) -> None:
    """The example of positions in RFC 8428 (5.1.3) has one name for all that it measures."""
    pack = [
        {"bn": DEVICE[:-1], "bt": 1_320_067_464, "bu": "%RH", "v": 20},
        {"u": "lon", "v": 24.30621},
        {"u": "lat", "v": 60.07965},
        {"t": 60, "v": 20.3},
    ]
    decoded = decode(decoder, pack)
    device = DEVICE[:-1]
    expected = [(f"{device}.%RH", 20), (f"{device}.lon", 24.30621), (f"{device}.lat", 60.07965)]
    assert [(m.metric, m.value) for m in decoded.measurements] == [
        *expected,
        (f"{device}.%RH", 20.3),
    ]


@BOTH
def test_decode_senml_devices_of_one_pack_stay_apart(decoder: Decoder) -> None:
    """Two base names give two series for one name."""
    pack = [{"bn": "a:", "n": "temp", "v": 1}, {"bn": "b:", "n": "temp", "v": 2}]
    assert values(decode(decoder, pack)) == {"a:temp": 1.0, "b:temp": 2.0}


@BOTH
@pytest.mark.parametrize(
    ("record", "time_us", "flags"),
    [
        ({"t": 1_700_000_000.25}, TIME_US + 250_000, 0),
        ({"bt": 1_700_000_000, "t": 0.25}, TIME_US + 250_000, 0),
        ({"bt": 1_700_000_001, "t": -1}, TIME_US, 0),
        ({}, None, 0),
        ({"t": 0}, None, 0),
        ({"bt": 5, "t": -5}, None, 0),
        ({"t": RELATIVE_S}, None, Flag.CLOCK_UNSET),
    ],
)
def test_decode_senml_time_is_base_and_own_together(
    decoder: Decoder, record: dict[str, float], time_us: int | None, flags: int
) -> None:
    """Zero is now, which is the time of receipt; before 2000 no clock was set."""
    (one,) = decode(decoder, [{"n": "a", "v": 1, **record}]).measurements
    assert (one.time_us, one.flags) == (time_us, flags)


@BOTH
@pytest.mark.parametrize("seconds", [-5, -0.5, 0.5, 60, RELATIVE_S - 1, -(2**40)])
def test_decode_senml_time_relative_to_now_is_a_fault(decoder: Decoder, seconds: float) -> None:
    """Only the clock could tell when that was; the record of now beside it is kept."""
    decoded = decode(decoder, [{"n": "a", "v": 1, "t": seconds}, {"n": "a", "v": 2}])
    assert values(decoded) == {"a": 2.0}
    assert faults(decoded) == [("relative-time", "a")]


@BOTH
def test_decode_senml_impossible_time_costs_no_reading(decoder: Decoder) -> None:
    """The reading is as old as its receipt, and a fault says why."""
    decoded = decode(decoder, [{"n": "a", "v": 1, "t": 1.7e21}])
    assert times(decoded) == [None]
    assert faults(decoded) == [("bad-time", "a")]


@BOTH
@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"n": "b"}, ("no-value", "b")),
        ({"n": "b", "v": "21"}, ("malformed-senml", "b")),
        ({"n": "b", "v": True}, ("malformed-senml", "b")),
        ({"n": "b", "v": None}, ("malformed-senml", "b")),
        ({"n": "b", "vb": 1}, ("malformed-senml", "b")),
        ({"n": "b", "vs": 1}, ("malformed-senml", "b")),
        ({"n": "b", "v": 1, "vs": "x"}, ("malformed-senml", "b")),
        ({"n": "b", "v": 1, "t": "now"}, ("malformed-senml", "b")),
        ({"n": "b", "v": 1, "u": 5}, ("malformed-senml", "b")),
        ({"n": "b", "v": 1, "magic_": 1}, ("not-understood", "b")),
        ({"n": "b", "vs": "x\x07"}, ("control-character", "b")),
        ({"n": "b", "vs": ""}, ("empty", "b")),
        ({"n": "x" * 300, "v": 1}, ("long-name", "x" * 100 + "…")),
        ({"v": 1}, ("no-metric", "")),
    ],
)
def test_decode_senml_bad_record_costs_only_itself(
    decoder: Decoder, record: dict[str, object], fault: tuple[str, str]
) -> None:
    """The records beside it are kept."""
    decoded = decode(decoder, [{"n": "a", "v": 1}, record, {"n": "z", "v": 2}])
    assert values(decoded) == {"a": 1.0, "z": 2.0}
    assert faults(decoded) == [fault]


@BOTH
def test_decode_senml_unknown_label_is_ignored(decoder: Decoder) -> None:
    """An extension need not be understood unless it says so; update time and base are no value."""
    pack = [{"bu": "Cel", "bfoo": 1}, {"n": "a", "v": 1, "ut": 60, "x-y": {}, "l": "[]"}]
    decoded = decode(decoder, pack)
    assert values(decoded) == {"a": 1.0}
    assert not decoded.faults


@BOTH
@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        ([], "no-values"),
        ([{"bn": DEVICE}], "no-values"),
        ({}, "malformed-senml"),
        ({"n": "a", "v": 1}, "malformed-senml"),
        ([[]], "malformed-senml"),
        ([1], "malformed-senml"),
        ("a", "malformed-senml"),
        ([{"n": "a", "v": 1}, {"bt": "now"}], "malformed-senml"),
        ([{"bn": 5, "n": "a", "v": 1}], "malformed-senml"),
        ([{"bv": True, "n": "a", "v": 1}], "malformed-senml"),
        ([{"n": "a", "v": 1}, {"bver": 11, "n": "b", "v": 1}], "newer-version"),
        ([{"n": "a", "v": 1}, {"bmagic_": 1}], "not-understood"),
    ],
)
def test_decode_senml_pack_that_cannot_be_trusted_is_rejected(
    decoder: Decoder, pack: object, reason: str
) -> None:
    """What is wrong with a base value, or a newer version, is wrong with all of the pack."""
    assert rejection(decoder, packed(decoder, pack)) == reason


@pytest.mark.parametrize(
    ("decoder", "payload", "reason"),
    [
        (decode_senml_json, b"[{", "malformed-json"),
        (decode_senml_json, b"\xff", "not-utf8"),
        (decode_senml_cbor, b"\x81\xa2", "malformed-cbor"),
        (decode_senml_cbor, b"", "empty"),
    ],
)
def test_decode_senml_broken_bytes_are_rejected(
    decoder: Decoder, payload: bytes, reason: str
) -> None:
    """As JSON or CBOR they are nothing already."""
    assert rejection(decoder, payload) == reason


def test_decode_senml_cbor_numbers_of_all_sorts_are_numbers() -> None:
    """Decimal fractions are allowed (section 6), integers may be big."""
    pack = [{0: "a", 2: cbor2.CBORTag(4, [-1, 231])}, {0: "b", 2: 2**70, -5: 0.5}]
    assert values(decode_senml_cbor(cbor2.dumps(pack), HERE, {})) == {"a": 23.1, "b": 2.0**70}
    huge = [{0: "c", -5: 10**307 * 17, 2: 0.5}, {0: "d", 2: 1e308, -5: 1e308}]
    assert faults(decode_senml_cbor(cbor2.dumps(huge), HERE, {})) == [("non-finite", "d")]


def test_decode_senml_cbor_example_of_the_rfc_is_read() -> None:
    """The bytes of section 6: voltage, and the current of the last five seconds."""
    payload = bytes.fromhex(
        "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00"
        "106223614120050067766f6c7461676501615602fb405e066666666666a3006763757272656e7406"
        "2402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccda3006763757272"
        "656e74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e"
        "74062002fb3ff999999999999aa3006763757272656e74060002fb3ffb333333333333"
    )
    decoded = decode_senml_cbor(payload, HERE, {})
    assert [m.value for m in decoded.measurements] == [120.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]
    assert times(decoded)[0] == 1_276_020_076_001_000
    assert times(decoded)[1] == 1_276_020_071_001_000
    assert [m.unit for m in decoded.measurements] == ["V", *["A"] * 6]


def test_decode_pack_with_too_many_records_is_cut() -> None:
    """The first 10 000 are kept, the rest is one fault."""
    decoded = decode_pack([{"n": "a", "v": 1}] * (ROWS + 5), HERE)
    assert len(decoded.measurements) == ROWS
    assert faults(decoded) == [("too-many-rows", "")]


@pytest.mark.parametrize(
    "content",
    [None, {}, [], [1], [{}], [{"n": 1, "v": 2}], [{"n": "a"}], [{"n": "a", "v": 1}, 1],
     [{"temp": 1}], [{"v": 1}, {"n": "a", "v": 1}]],
)  # fmt: skip  # what is no pack, from nothing to almost one
def test_is_pack_of_other_json_is_false(content: object) -> None:
    """Only a list of objects of which the first has a name is a pack."""
    assert not is_pack(content)


@BOTH
@steady
@given(
    records=st.dictionaries(NAMES, st.floats(-1e15, 1e15), min_size=1, max_size=5),
    base=st.sampled_from([{}, {"bn": DEVICE}, {"bu": "Cel"}, {"bver": 10}]),
    time_us=MOMENTS_US,
)
def test_decode_senml_comes_back_as_it_was(
    decoder: Decoder, records: dict[str, float], base: dict[str, object], time_us: int
) -> None:
    """Values are read again exactly, times to the second."""
    seconds = min(time_us // 1_000_000, 10**11 - 1)
    pack = [{"n": name, "v": value, "t": seconds} for name, value in records.items()]
    decoded = decode(decoder, [base, *pack])
    start = str(base.get("bn", ""))
    assert values(decoded) == {start + name: value for name, value in records.items()}
    assert set(times(decoded)) == {seconds * 1_000_000}


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
RECORDS = st.dictionaries(st.sampled_from([*LABELS, "x_", "by_", "value"]), ANYTHING, max_size=6)


@BOTH
@steady
@given(pack=st.lists(RECORDS, max_size=4), place=st.sampled_from([HERE, NAMED]))
def test_decode_senml_arbitrary_records_raise_nothing_but_rejected(
    decoder: Decoder, pack: list[dict[str, object]], place: Place
) -> None:
    """Whatever stands under the labels, the answer can be kept or is a reason."""
    assert_sound(decoder, packed(decoder, pack), place)


@BOTH
@steady
@given(payload=st.binary(max_size=80))
def test_decode_senml_arbitrary_bytes_raise_nothing_but_rejected(
    decoder: Decoder, payload: bytes
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decoder, payload, HERE)
