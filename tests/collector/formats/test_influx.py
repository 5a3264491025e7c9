"""Line protocol becomes measurements; tags stay in the names of series."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import FIELDS, ROWS, Place
from collector.formats.influx import decode_influx
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


def test_decode_influx_line_of_the_reference_is_read() -> None:
    """The first example of the protocol's own reference."""
    payload = b'myMeasurement,tag1=value1,tag2=value2 fieldKey="fieldValue" 1556813561098000000'
    (one,) = decode_influx(payload, HERE, {}).measurements
    assert one.metric == "myMeasurement.fieldKey{tag1=value1,tag2=value2}"
    assert (one.value, one.kind, one.time_us) == ("fieldValue", Kind.STATE, 1556813561098000)


@pytest.mark.parametrize(
    ("text", "value", "kind", "flags"),
    [
        ("21.5", 21.5, Kind.NUMBER, 0),
        ("-1.234456e+78", -1.234456e78, Kind.NUMBER, Flag.INEXACT),
        ("1", 1.0, Kind.NUMBER, 0),
        ("-3i", -3.0, Kind.NUMBER, 0),
        ("9223372036854775807i", 2.0**63, Kind.NUMBER, Flag.INEXACT),
        ("18446744073709551615u", 2.0**64, Kind.NUMBER, Flag.INEXACT),
        *((text, 1.0, Kind.BOOLEAN, 0) for text in ("t", "T", "true", "True", "TRUE")),
        *((text, 0.0, Kind.BOOLEAN, 0) for text in ("f", "F", "false", "False", "FALSE")),
        ('"dry, a=b # c"', "dry, a=b # c", Kind.STATE, 0),
        (r'"a \"b\" \\ c"', r'a "b" \ c', Kind.STATE, 0),
        ('"21.5"', 21.5, Kind.NUMBER, Flag.QUOTED),
    ],
)
def test_decode_influx_field_types_are_told_apart(
    text: str, value: float | str, kind: Kind, flags: int
) -> None:
    """Floats, integers with `i` or `u`, booleans in all their spellings, and texts in quotes."""
    (one,) = decode_influx(f"m f={text} 1700000000000000000".encode(), HERE, {}).measurements
    assert (one.metric, one.value, one.kind, one.flags) == ("m.f", value, kind, flags)
    assert one.time_us == TIME_US


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("air temp=1", "air.temp"),
        ("air value=1", "air"),
        ("air,room=lab temp=1", "air.temp{room=lab}"),
        ("air,b=2,a=1 temp=1", "air.temp{a=1,b=2}"),
        ("air,a=1,b=2 value=1", "air{a=1,b=2}"),
        ("air,host=a temp=1", "air.temp"),
        ("air,host=a,room=lab temp=1", "air.temp{room=lab}"),
        (r"my\ air,the\,room=a\ b t\=i=1", "my air.t=i{the\\,room=a b}"),
        (r"air,a=1\,b\=2 temp=1", r"air.temp{a=1\,b\=2}"),
        ("läb,r=ü temp=1", "läb.temp{r=ü}"),
    ],
)
def test_decode_influx_names_tell_series_apart(line: str, metric: str) -> None:
    """Tags stand in the order of their names; only one that names the client is left out."""
    assert list(values(decode_influx(line.encode(), HERE, {}))) == [metric]


def test_decode_influx_under_a_metric_does_not_repeat_it() -> None:
    """A measurement that the topic names already is not said twice."""
    assert values(decode_influx(b"m temp=1", NAMED, {})) == {"m.temp": 1.0}
    assert values(decode_influx(b"m value=1", NAMED, {})) == {"m": 1.0}
    assert values(decode_influx(b"air temp=1", NAMED, {})) == {"m.air.temp": 1.0}


def test_decode_influx_several_lines_have_times_of_their_own() -> None:
    """Comments and empty lines are nothing; the last line need not end."""
    payload = (
        b"# written by hand\r\n\r\n  m f=1 1700000000000000000\r\n"
        b"m f=2 1700000001000000\n\nm f=3 1700000002000\nm f=4 1700000003 \nm f=5"
    )
    decoded = decode_influx(payload, HERE, {})
    assert [m.value for m in decoded.measurements] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert times(decoded) == [*(TIME_US + n * 1_000_000 for n in range(4)), None]
    assert not decoded.faults


@pytest.mark.parametrize(
    ("text", "flags", "fault"),
    [
        ("0", Flag.CLOCK_UNSET, []),
        ("12", Flag.CLOCK_UNSET, []),
        ("-5", 0, [("bad-time", "m")]),
        ("soon", 0, [("bad-time", "m")]),
        ("1700000000x", 0, [("bad-time", "m")]),
        ("170000000000000000000000", 0, [("bad-time", "m")]),
    ],
)
def test_decode_influx_unusable_time_costs_no_reading(
    text: str, flags: int, fault: list[tuple[str, str]]
) -> None:
    """The reading is as old as its receipt, and a flag or a fault says why."""
    decoded = decode_influx(f"m f=1 {text}".encode(), HERE, {})
    assert [(m.time_us, m.flags) for m in decoded.measurements] == [(None, flags)]
    assert faults(decoded) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nan", "non-finite"),
        ("-inf", "non-finite"),
        ("1e309", "non-finite"),
        ("1_000", "malformed-number"),
        ("0x1F", "malformed-number"),
        ("1.5i", "malformed-number"),
        ("-1u", "malformed-number"),
        ("on", "malformed-number"),
        ("null", "malformed-number"),
        ("", "empty"),
        ('""', "empty"),
        ('"a\nb"', "control-character"),
        ('"' + "x" * 65 + '"', "long-text"),
    ],
)
def test_decode_influx_bad_field_costs_only_itself(text: str, reason: str) -> None:
    """The fields beside it are kept, on its line and on others."""
    decoded = decode_influx(f"m a=1,b={text},c=2\nm d=3".encode(), HERE, {})
    assert values(decoded) == {"m.a": 1.0, "m.c": 2.0, "m.d": 3.0}
    assert faults(decoded) == [(reason, "m.b")]


@pytest.mark.parametrize(
    "line",
    ["m", "m ", "m f", "m f=21,5", "m f=1,", "m,f=1", "m,t= f=1", "m,=x f=1", "m =1", "m f=1 2 3",
     'm f="open', 'm f="x"y', "m, f=1", "\\ f=1"],
)  # fmt: skip  # one line for each part that can be wrong
def test_decode_influx_malformed_line_costs_only_itself(line: str) -> None:
    """Nothing of it is kept: `21,5` must not be 21."""
    decoded = decode_influx(f"m a=1\n{line}\nm z=2".encode(), HERE, {})
    assert values(decoded) == {"m.a": 1.0, "m.z": 2.0}
    assert faults(decoded) == [("malformed-line", "")]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"# nothing\n", "no-values"),
        (b"m f=\xff", "not-utf8"),
        (b"\x1f\x8b\x08", "binary"),
    ],
)
def test_decode_influx_without_a_line_is_rejected(payload: bytes, reason: str) -> None:
    """What is no text, or only comments, is nothing."""
    assert rejection(decode_influx, payload) == reason


def test_decode_influx_with_too_many_lines_or_fields_is_cut() -> None:
    """What is over the caps is one fault each."""
    decoded = decode_influx(b"m f=1\n" * (ROWS + 5), HERE, {})
    assert len(decoded.measurements) == ROWS
    assert faults(decoded) == [("too-many-rows", "")]
    fields = ",".join(f"f{number}=1" for number in range(FIELDS + 5))
    decoded = decode_influx(f"m {fields}\nm z=1".encode(), HERE, {})
    assert len(decoded.measurements) == FIELDS + 1
    assert faults(decoded) == [("too-many-fields", f"m.f{FIELDS}")]


def test_decode_influx_name_with_too_many_tags_is_a_fault() -> None:
    """A name of more than 256 characters cannot be kept."""
    tags = ",".join(f"t{number}=x" for number in range(80))
    assert [reason for reason, _ in faults(decode_influx(f"m,{tags} f=1".encode(), HERE, {}))] == [
        "long-name"
    ]


@pytest.mark.parametrize(
    "payload",
    [
        b'm f="x\n' * 30_000,
        b"m" + b",a=b" * 50_000 + b" f=1",
        ("m" + "".join(f",t{n}=x" for n in range(15_000)) + " "
         + ",".join(f"f{n}=1" for n in range(300))).encode(),
        b"m " + b"f=1," * 50_000,
        b'm f="' + b"\\" * 200_000,
        b"m\\" * 100_000,
        b" " * 200_000 + b"m f=1" + b" " * 50_000 + b"x y",
        b"\n#" * 100_000,
    ],
    ids=range(8),
)  # fmt: skip  # many tags with many fields are one case
def test_decode_influx_hostile_text_takes_no_longer_than_its_length(payload: bytes) -> None:
    """No text makes the reader go over it again and again."""
    began = time.process_time()
    assert_sound(decode_influx, payload, HERE)
    assert time.process_time() - began < 3


def _escaped(name: str) -> str:
    for character in ",= ":
        name = name.replace(character, f"\\{character}")
    return name


WORDS = NAMES | st.sampled_from(["a b", "a,b", "a=b", "läb"])


@steady
@given(
    measurement=WORDS,
    tags=st.dictionaries(WORDS, WORDS, max_size=3),
    fields=st.dictionaries(WORDS.map("f{}".format), NUMBERS | st.booleans(), min_size=1),
    time_us=MOMENTS_US,
)
def test_decode_influx_comes_back_as_it_was(
    measurement: str, tags: dict[str, str], fields: dict[str, float], time_us: int
) -> None:
    """Values, order and time are read again exactly; every field has a name of its own."""
    moment = min(time_us, 10**17 - 1)
    head = "".join(f",{_escaped(key)}={_escaped(value)}" for key, value in tags.items())
    body = ",".join(f"{_escaped(key)}={value!r}" for key, value in fields.items())
    line = f"{_escaped(measurement)}{head} {body} {moment * 1000}"
    decoded = decode_influx(line.encode(), HERE, {})
    assert [m.value for m in decoded.measurements] == list(fields.values())
    assert len({m.metric for m in decoded.measurements}) == len(fields)
    assert set(times(decoded)) == {moment}


@steady
@given(
    payload=st.binary(max_size=100)
    | st.text('mft, =\\"\n#1.5iu', max_size=60).map("m f=1 {}".format).map(str.encode),
    place=st.sampled_from([HERE, NAMED]),
)
def test_decode_influx_arbitrary_bytes_raise_nothing_but_rejected(
    payload: bytes, place: Place
) -> None:
    """Whatever the bytes are, the answer can be kept or is a reason."""
    assert_sound(decode_influx, payload, place)
