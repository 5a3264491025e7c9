"""Payloads become measurements, or say why not; nothing a client sends raises anything else."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import FIELDS, PAYLOAD_BYTES, decode
from collector.rejection import Rejected
from telemetry.reading import Kind


def values(payload: bytes, metric: str = "") -> dict[str, float | str]:
    """The values that a payload holds, by metric."""
    return {m.metric: m.value for m in decode(payload, metric).measurements}


def reasons(payload: bytes, metric: str = "") -> list[str]:
    """The faults of single fields of a payload."""
    return [fault.reason for fault in decode(payload, metric).faults]


@pytest.mark.parametrize(
    ("payload", "value", "kind"),
    [
        (b"21.5", 21.5, Kind.NUMBER),
        (b" 21.5\r\n", 21.5, Kind.NUMBER),
        (b"+5", 5.0, Kind.NUMBER),
        (b"-.5e1", -5.0, Kind.NUMBER),
        (b"5.", 5.0, Kind.NUMBER),
        (b"\xef\xbb\xbf21.5", 21.5, Kind.NUMBER),
        (b'"21.5"', 21.5, Kind.NUMBER),
        (b"-0.0", -0.0, Kind.NUMBER),
        (b"9007199254740993", 9007199254740992.0, Kind.NUMBER),
        (b"true", 1.0, Kind.BOOLEAN),
        (b"OFF", 0.0, Kind.BOOLEAN),
        (b"Yes", 1.0, Kind.BOOLEAN),
        (b'"no"', 0.0, Kind.BOOLEAN),
        (b"heating up", "heating up", Kind.STATE),
        ("läuft °".encode(), "läuft °", Kind.STATE),
        (b"<script>", "<script>", Kind.STATE),
        (b"=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", Kind.STATE),
    ],
)
def test_decode_bare_value_is_read(payload: bytes, value: float | str, kind: Kind) -> None:
    """A bare number, boolean or short text is one measurement of the topic's metric."""
    (measurement,) = decode(payload, "m").measurements
    assert (measurement.metric, measurement.value, measurement.kind) == ("m", value, kind)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'""', "empty"),
        (b"NaN", "non-finite"),
        (b"-Infinity", "non-finite"),
        (b"1e309", "non-finite"),
        (b"1" * 5000, "non-finite"),
        (b"1_000", "malformed-number"),
        (b"21,5", "malformed-number"),
        (b"0x1F", "malformed-number"),
        (b"12:30", "malformed-number"),
        (b"21.5\x00", "malformed-number"),
        ("\u0663\u066b\u0665".encode(), "malformed-number"),
        ("21.5 °C".encode(), "malformed-number"),
        ("\u22125".encode(), "malformed-number"),
        ("21.5".encode("utf-16"), "not-utf8"),
        (b"\x1f\x8b\x08\x00", "not-utf8"),
        (b"null", "no-values"),
        (b"{}", "no-values"),
        (b'{"ts": 1700000000}', "no-values"),
        (b"[1, 2]", "array"),
        (b"[" * 100_000, "array"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "too-deep"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": 1e309}', "non-finite"),
        (b'{"a": "\xff"}', "not-utf8"),
        (b'{"a": 1', "malformed-json"),
        (b'"open', "malformed-json"),
        (b"a" * 65, "long-text"),
        (b"a\x07b", "control-character"),
        (b"1" * (PAYLOAD_BYTES + 1), "too-large"),
    ],
)
def test_decode_payload_that_is_no_reading_is_rejected(payload: bytes, reason: str) -> None:
    """Hostile or broken payloads are rejected with their reason."""
    with pytest.raises(Rejected) as caught:
        decode(payload, "m")
    assert caught.value.reason == reason


def test_decode_bare_value_without_metric_is_rejected() -> None:
    """A bare value on a topic that names no metric has no name."""
    with pytest.raises(Rejected, match="no-metric"):
        decode(b"21.5")


def test_decode_object_gives_a_metric_per_key() -> None:
    """Nested keys are joined with dots, null is skipped, values are read as bare ones."""
    payload = b'{"t_in": 21.5, "air": {"rh": 40, "co2": null}, "on": true, "mode": "eco", "n": "7"}'
    assert values(payload) == {"t_in": 21.5, "air.rh": 40.0, "on": 1.0, "mode": "eco", "n": 7.0}


def test_decode_object_under_a_metric_prefixes_its_keys() -> None:
    """With a metric in the topic an object's keys follow it, and `value` stands for itself."""
    payload = b'{"value": 21.5, "unit": "\xc2\xb0C", "battery": 88}'
    assert values(payload, "temp") == {"temp": 21.5, "temp.battery": 88.0}
    assert [m.unit for m in decode(payload, "temp").measurements] == ["°C", ""]


def test_decode_value_with_unit_in_a_field_is_one_reading() -> None:
    """`{"value", "unit"}` under a key is that key's reading with its unit."""
    (measurement,) = decode(b'{"temp": {"value": 21.5, "unit": "K"}}').measurements
    assert (measurement.metric, measurement.value, measurement.unit) == ("temp", 21.5, "K")


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (b'"b": [1, 2]', "array"),
        (b'"b": "21,5"', "malformed-number"),
        (b'"b": ""', "empty"),
        (b'"": 1', "no-metric"),
        (b'"' + b"b" * 300 + b'": 1', "long-name"),
        (b'"b\\u0000": 1', "control-character"),
        (b'"b": ' + b'{"c":' * 20 + b"1" + b"}" * 20, "too-deep"),
    ],
)
def test_decode_bad_field_beside_a_good_one_costs_only_itself(field: bytes, reason: str) -> None:
    """A good field is kept whatever its neighbour is; the bad one is a fault."""
    payload = b'{"a": 1, ' + field + b', "z": 2}'
    assert values(payload) == {"a": 1.0, "z": 2.0}
    assert reasons(payload) == [reason]


def test_decode_object_with_too_many_fields_is_cut() -> None:
    """The first 256 fields are kept, the rest is one fault."""
    fields = ", ".join(f'"k{number}": {number}' for number in range(10_000))
    payload = f"{{{fields}}}".encode()
    assert len(values(payload)) == FIELDS
    assert reasons(payload) == ["too-many-fields"]


@pytest.mark.parametrize(
    "time",
    [
        b'"ts": 1700000000',
        b'"time": 1700000000.0',
        b'"timestamp": 1700000000000',
        b'"time_ms": "1700000000000"',
        b'"t": 1700000000000000',
        b'"_time": 1700000000000000000',
        b'"Time": "2023-11-14T22:13:20"',
        b'"datetime": "2023-11-14T23:13:20+01:00"',
        b'"date": "2023-11-14", "time": "22:13:20"',
    ],
)
def test_decode_time_of_the_client_is_recognised(time: bytes) -> None:
    """Seconds, ms, µs, ns and ISO 8601 under a usual key are the time, and no metric."""
    (measurement,) = decode(b'{"a": 1, ' + time + b"}").measurements
    assert (measurement.metric, measurement.time_us) == ("a", 1_700_000_000_000_000)


@pytest.mark.parametrize(
    "time",
    [b'"ts": 0', b'"ts": 12.5', b'"time": "soon"', b'"ts": 1.7e21', b'"date": "2023-11-14"'],
)
def test_decode_unusable_time_is_a_fault_that_costs_no_reading(time: bytes) -> None:
    """A time before 2000, or none at all, leaves the time of receipt; its key is no metric."""
    payload = b'{"a": 1, ' + time + b"}"
    (measurement,) = decode(payload).measurements
    assert (measurement.metric, measurement.time_us) == ("a", None)
    assert reasons(payload) == ["bad-time"]


@pytest.mark.parametrize(
    "fields",
    [b'"ts": null', b'"t": 21.5', b'"ts": 1700000000, "time": "soon"', b'"b": {"ts": 12}'],
)
def test_decode_object_without_need_of_a_time_has_no_fault(fields: bytes) -> None:
    """No time, a `t` that is a metric, a second time, a `ts` inside: nothing to complain of."""
    assert reasons(b'{"a": 1, ' + fields + b"}") == []


def test_decode_unusable_time_of_a_value_leaves_that_of_the_object() -> None:
    """A fault names the key, and the reading has the time of the object around it."""
    payload = b'{"ts": 1700000000, "a": {"value": 1, "ts": "soon"}}'
    decoded = decode(payload)
    assert [m.time_us for m in decoded.measurements] == [1_700_000_000_000_000]
    assert [(fault.reason, fault.metric) for fault in decoded.faults] == [("bad-time", "a.ts")]


def test_decode_short_t_that_is_no_time_is_a_metric() -> None:
    """A `t` with a temperature in it is kept as a reading."""
    assert values(b'{"t": 21.5, "h": 40}') == {"t": 21.5, "h": 40.0}


def test_decode_time_beside_a_value_wins_over_that_of_the_object() -> None:
    """A value's own time is its time; the others have that of the whole object."""
    payload = b'{"ts": 1700000000, "a": {"value": 1, "ts": 1700000001}, "b": 2}'
    times = [m.time_us for m in decode(payload).measurements]
    assert times == [1_700_000_001_000_000, 1_700_000_000_000_000]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text() | st.sampled_from(["value", "unit", "ts", "t", "date", "time"]), inner
        )
    ),
)


@given(
    payload=st.binary(max_size=300) | st.text(max_size=80).map(str.encode),
    metric=st.sampled_from(["", "m"]),
)
def test_decode_arbitrary_bytes_raises_nothing_but_rejected(payload: bytes, metric: str) -> None:
    """Whatever the bytes are, the answer is finite measurements, faults or Rejected."""
    _decode_anything(payload, metric)


@given(value=JSON)
def test_decode_arbitrary_json_raises_nothing_but_rejected(value: object) -> None:
    """Whatever the JSON is, the answer is finite measurements, faults or Rejected."""
    _decode_anything(json.dumps(value).encode(), "")


def _decode_anything(payload: bytes, metric: str) -> None:
    try:
        decoded = decode(payload, metric)
    except Rejected:
        return
    assert decoded.measurements or decoded.faults
    for measurement in decoded.measurements:
        assert measurement.metric
        assert isinstance(measurement.value, str) or math.isfinite(measurement.value)
        assert measurement.time_us is None or measurement.time_us > 0
