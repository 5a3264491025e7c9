"""Sparkplug B: births, data by alias, deaths, and what hostile bytes come to."""

import gzip
import math
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.decoded import PAYLOAD_BYTES, ROWS, Decoded, Measurement, Note, NoteKind, Place
from collector.formats import DECODERS
from collector.formats.sparkplug import decode_sparkplug
from collector.formats.sparkplug_b_pb2 import DataType, Payload
from collector.formats.sparkplug_birth import Definition, read_birth, write_birth
from collector.message import Message
from collector.rejection import Fault, Rejected
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translator
from telemetry.families import TEMPLATES, Family, Format
from telemetry.reading import Flag, Kind, Series
from telemetry.template import TopicTemplate

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = Path("collector/formats/sparkplug_b.proto")
TIME_MS = 1_700_000_000_000
TIME_US = TIME_MS * 1000
ALIAS = 7
MESSAGES = ("NBIRTH", "NDATA", "NDEATH", "NCMD", "DBIRTH", "DDATA", "DDEATH", "DCMD")
TOPICS = ["spBv1.0/STATE/host"] + [
    f"spBv1.0/plant/{message}/gate" + ("/pump" if message[0] == "D" else "") for message in MESSAGES
]

RECORDED = bytes.fromhex(
    "0880d095ffbc3112120a0562645365711880d095ffbc3120045803122f0a0974616e6b2f74656d70"
    "10071898c895ffbc3120094a120a07656e67556e69741207080c4203c2b043650000ac41121d0a0a"
    "74616e6b2f6c6576656c10081898c895ffbc31200150ffffffff0f121a0a144e6f646520436f6e74"
    "726f6c2f52656269727468200b70001800"
)
"""A birth as another implementation writes it: bdSeq 3, `tank/temp` 21.5 °C, `tank/level` -1."""


class Host:
    """Hears messages one after the other and remembers what the collector would keep."""

    def __init__(self, memory: dict[str, bytes] | None = None) -> None:
        self.memory = memory or {}

    def hear(self, message: str, payload: Payload | bytes) -> Decoded:
        """What the message comes to; a type that starts with D is of the device `pump`."""
        device = "/pump" if message[0] == "D" else ""
        place = Place(f"spBv1.0/plant/{message}/gate{device}", f"plant/gate{device}")
        content = payload if isinstance(payload, bytes) else payload.SerializeToString()
        decoded = decode_sparkplug(content, place, self.memory)
        self.memory.update(decoded.remember or {})
        return decoded


def payload(*metrics: Payload.Metric, **fields: Any) -> Payload:  # fields of any type
    """A payload of those metrics, made at `TIME_MS`."""
    return Payload(**({"timestamp": TIME_MS, "metrics": metrics} | fields))


def metric(name: str = "", **fields: Any) -> Payload.Metric:  # fields of any type
    """A metric; without a name if that is empty."""
    return Payload.Metric(**({"name": name} if name else {}), **fields)


def bd_seq(number: int) -> Payload.Metric:
    """The metric by which a death is known."""
    return metric("bdSeq", datatype=DataType.Int64, long_value=number)


def temperature(alias: int | None = ALIAS, name: str = "tank/temp") -> Payload.Metric:
    """A Float as a birth defines it."""
    fields = {} if alias is None else {"alias": alias}
    unit = Payload.PropertySet(
        keys=["engUnit"], values=[Payload.PropertyValue(type=DataType.String, string_value="°C")]
    )
    return metric(name, datatype=DataType.Float, float_value=21.5, properties=unit, **fields)


def by_alias(alias: int = ALIAS, value: float = 22.5) -> Payload.Metric:
    """The same as data brings it."""
    return metric(alias=alias, float_value=value)


def born(number: int = 3, *metrics: Payload.Metric) -> Host:
    """A host that has heard the birth of the edge node."""
    host = Host()
    host.hear("NBIRTH", payload(bd_seq(number), *(metrics or (temperature(),)), seq=0))
    return host


def refusal(content: bytes, topic: str, memory: dict[str, bytes]) -> str:
    """Why a payload is refused, or an empty string; what it leaves behind is remembered."""
    try:
        decoded = decode_sparkplug(content, Place(topic, "plant/gate"), memory)
    except Rejected as rejected:
        return rejected.reason
    memory.update(decoded.remember or {})
    return ""


def reason_of(content: bytes, topic: str = TOPICS[2]) -> str:
    """Why a payload is refused that nothing came before."""
    return refusal(content, topic, {})


def names(decoded: Decoded) -> list[str]:
    """What was measured."""
    return [one.metric for one in decoded.measurements]


def test_schema_compiled_again_is_the_module_in_the_tree(tmp_path: Path) -> None:
    """The generated module and its types are what protoc makes of the .proto file."""
    outputs = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, SCHEMA], cwd=ROOT, check=True
    )
    for suffix in ("_pb2.py", "_pb2.pyi"):
        file = SCHEMA.with_name(SCHEMA.stem + suffix)
        assert (tmp_path / file).read_text("utf-8") == (ROOT / file).read_text("utf-8")


def test_birth_of_another_implementation_is_read() -> None:
    """Field numbers and types are those that others use."""
    measured = TIME_US - 1_000_000
    decoded = Host().hear("NBIRTH", RECORDED)
    assert decoded.measurements == [
        Measurement("tank/temp", 21.5, Kind.NUMBER, "°C", measured),
        Measurement("tank/level", -1.0, Kind.NUMBER, "", measured),
    ]
    assert decoded.notes == [Note(NoteKind.ONLINE, "", "bdSeq 3", TIME_US)]
    assert not decoded.faults


def test_formats_know_sparkplug() -> None:
    """The decoder is in the table that templates choose from."""
    assert DECODERS[Format.SPARKPLUG] is decode_sparkplug


def test_templates_name_node_and_device_by_their_group() -> None:
    """Each type of message leads to the client `group/node` or `group/node/device`."""
    topics = Topics(
        Rule(TopicTemplate(template), format_) for template, format_ in TEMPLATES[Family.SPARKPLUG]
    )
    routes = {topic: topics.route(topic) for topic in TOPICS if "CMD" not in topic}
    assert {route.format for route in routes.values()} == {Format.SPARKPLUG}
    assert {topic.split("/")[-1]: route.place.client for topic, route in routes.items()} == {
        "gate": "plant/gate",
        "pump": "plant/gate/pump",
        "host": "host",
    }
    with pytest.raises(Rejected, match="unmapped"):
        topics.route("spBv1.0/plant/NCMD/gate")


def test_message_through_the_translator_becomes_readings() -> None:
    """What a birth leaves behind reaches the data that follows it, under the same client."""
    rules = [Rule(TopicTemplate(t), f) for t, f in TEMPLATES[Family.SPARKPLUG]]
    topics, tolerance = Topics(rules), Tolerance(60_000_000, 300_000_000)
    translator = Translator(topics, tolerance, lambda _: True, {})
    contents = {"NBIRTH": payload(temperature()), "NDATA": payload(by_alias())}
    readings = []
    for message, content in contents.items():
        topic = f"spBv1.0/plant/{message}/gate"
        arrived = Message(topic, content.SerializeToString(), TIME_US + 5)
        translation = translator.keep(translator.translate(arrived, topics.route(topic)))
        readings += translation.readings
    assert [(one.series, one.value, one.unit, one.delay_us) for one in readings] == [
        (Series("plant/gate", "tank/temp"), 21.5, "°C", 5),
        (Series("plant/gate", "tank/temp"), 22.5, "°C", 5),
    ]


def test_data_by_alias_has_the_name_type_and_unit_of_its_birth() -> None:
    """Whatever data leaves out was said once, at the birth."""
    decoded = born().hear("NDATA", payload(by_alias()))
    assert decoded.measurements == [Measurement("tank/temp", 22.5, Kind.NUMBER, "°C", TIME_US)]


def test_data_after_a_restart_is_read_from_memory_alone() -> None:
    """A new process knows the aliases by the bytes that were kept."""
    kept = {key: bytes(bytearray(value)) for key, value in born().memory.items()}
    assert all(key.startswith("sparkplug") for key in kept)
    assert names(Host(kept).hear("NDATA", payload(by_alias()))) == ["tank/temp"]


def test_rebirth_with_other_aliases_replaces_the_old_ones() -> None:
    """An alias means what the newest birth says, and no longer what an older one said."""
    host = born(3, temperature(1, "a"), temperature(2, "b"))
    host.hear("NBIRTH", payload(bd_seq(3), temperature(2, "a"), temperature(5, "b")))
    decoded = host.hear("NDATA", payload(by_alias(1), by_alias(2), by_alias(5)))
    assert names(decoded) == ["a", "b"]
    assert decoded.faults == [Fault("unknown-alias", "alias 1")]


def test_alias_unknown_costs_only_its_metric_until_the_next_birth() -> None:
    """The other metrics are kept, and the same payload is read whole once a birth came."""
    host = born(3, temperature(1, "a"))
    data = payload(by_alias(1), by_alias(2))
    decoded = host.hear("NDATA", data)
    assert (names(decoded), decoded.faults) == (["a"], [Fault("unknown-alias", "alias 2")])
    host.hear("NBIRTH", payload(bd_seq(4), temperature(1, "a"), temperature(2, "b")))
    assert names(host.hear("NDATA", data)) == ["a", "b"]


def test_alias_that_two_metrics_claim_stands_for_neither() -> None:
    """Firmware that sends alias 0 for everything is read by name, and never guessed at."""
    host = born(3, temperature(0, "a"), temperature(0, "b"))
    decoded = host.hear("NDATA", payload(metric("b", alias=0, float_value=1.0), by_alias(0)))
    assert names(decoded) == ["b"]
    assert decoded.faults == [Fault("unknown-alias", "alias 0")]


def test_alias_of_a_device_is_not_one_of_its_node() -> None:
    """Data is read by the birth of its own topic, so no reading gets into another client."""
    host = born(3, temperature(1, "a"))
    host.hear("DBIRTH", payload(temperature(2, "b")))
    assert names(host.hear("DDATA", payload(by_alias(2)))) == ["b"]
    assert host.hear("DDATA", payload(by_alias(1))).faults == [Fault("unknown-alias", "alias 1")]
    assert host.hear("NDATA", payload(by_alias(2))).faults == [Fault("unknown-alias", "alias 2")]


def test_birth_of_a_node_voids_the_aliases_of_its_devices() -> None:
    """After a node's rebirth its devices are born again, perhaps with other aliases."""
    host = born()
    host.hear("DBIRTH", payload(temperature(2, "b")))
    host.hear("NBIRTH", payload(bd_seq(4), temperature()))
    assert host.hear("DDATA", payload(by_alias(2))).faults == [Fault("unknown-alias", "alias 2")]
    host.hear("DBIRTH", payload(temperature(2, "c")))
    assert names(host.hear("DDATA", payload(by_alias(2)))) == ["c"]


def test_birth_of_a_node_redelivered_voids_nothing() -> None:
    """The same birth again is no other session."""
    host, birth = Host(), payload(bd_seq(3), temperature())
    host.hear("NBIRTH", birth)
    host.hear("DBIRTH", payload(temperature(2, "b")))
    host.hear("NBIRTH", birth)
    assert names(host.hear("DDATA", payload(by_alias(2)))) == ["b"]


def test_device_of_a_node_never_heard_of_is_read_by_its_birth() -> None:
    """A device may be plugged in before we hear its node's next birth."""
    host = Host()
    host.hear("DBIRTH", payload(temperature(2, "b")))
    assert names(host.hear("DDATA", payload(by_alias(2)))) == ["b"]


def test_death_with_the_number_of_the_birth_takes_the_node_offline() -> None:
    """Its will has no time of its own, and what comes after it has no aliases."""
    host = born(3)
    decoded = host.hear("NDEATH", payload(bd_seq(3)))
    assert decoded.notes == (Note(NoteKind.OFFLINE, "", "bdSeq 3"),)
    assert not decoded.measurements
    assert host.hear("NDATA", payload(by_alias())).faults == [Fault("unknown-alias", "alias 7")]


@pytest.mark.parametrize("number", [2, 4])
def test_death_of_another_session_says_nothing(number: int) -> None:
    """A stale will that comes after the next birth takes nobody offline."""
    host = born(3)
    decoded = host.hear("NDEATH", payload(bd_seq(number)))
    assert decoded == Decoded()
    assert names(host.hear("NDATA", payload(by_alias()))) == ["tank/temp"]


@pytest.mark.parametrize("metrics", [[bd_seq(0)], []])
def test_death_without_a_birth_says_nothing(metrics: list[Payload.Metric]) -> None:
    """Nobody can tell whose it is."""
    assert Host().hear("NDEATH", payload(*metrics)) == Decoded()


def test_death_of_a_node_without_numbers_takes_it_offline() -> None:
    """A node that sends no bdSeq at its birth has none in its will either."""
    host = Host()
    host.hear("NBIRTH", payload(temperature()))
    assert host.hear("NDEATH", payload()).notes == (Note(NoteKind.OFFLINE),)


def test_number_of_a_session_is_read_from_either_integer_field() -> None:
    """Some encoders write bdSeq as a 32-bit integer."""
    host = Host()
    number = metric("bdSeq", datatype=DataType.UInt8, int_value=5)
    assert [note.detail for note in host.hear("NBIRTH", payload(number)).notes] == ["bdSeq 5"]
    assert host.hear("NDEATH", payload(bd_seq(5))).notes


def test_death_voids_the_aliases_of_devices() -> None:
    """With the node go its devices."""
    host = born(3)
    host.hear("DBIRTH", payload(temperature(2, "b")))
    host.hear("NDEATH", payload(bd_seq(3)))
    assert host.hear("DDATA", payload(by_alias(2))).faults == [Fault("unknown-alias", "alias 2")]


def test_device_comes_and_goes_by_its_own_messages() -> None:
    """Its birth and death are notes, with the time of the payload; the node is not touched."""
    host = born()
    came = host.hear("DBIRTH", payload(temperature(2, "b"), seq=1))
    went = host.hear("DDEATH", payload(seq=2))
    assert list(came.notes) == [Note(NoteKind.ONLINE, time_us=TIME_US)]
    assert list(went.notes) == [Note(NoteKind.OFFLINE, time_us=TIME_US)]
    assert host.hear("DDATA", payload(by_alias(2))).faults == [Fault("unknown-alias", "alias 2")]
    assert names(host.hear("NDATA", payload(by_alias()))) == ["tank/temp"]


def test_death_of_a_device_never_born_leaves_nothing_behind() -> None:
    """Names of devices cost nothing to make up."""
    decoded = Host().hear("DDEATH", payload())
    assert (list(decoded.notes), decoded.remember) == (
        [Note(NoteKind.OFFLINE, time_us=TIME_US)],
        {},
    )


@pytest.mark.parametrize(
    ("before", "number", "missing"),
    [(0, 1, 0), (255, 0, 0), (4, 4, 0), (4, 6, 1), (254, 1, 2), (4, 256 + 5, 0)],
)
def test_sequence_with_a_gap_says_how_many_messages_are_missing(
    before: int, number: int, missing: int
) -> None:
    """The readings of a message after a gap are kept, and the gap is noted."""
    host = born()
    host.hear("NDATA", payload(seq=before))
    decoded = host.hear("NDATA", payload(by_alias(), seq=number))
    assert names(decoded) == ["tank/temp"]
    details = [f"{missing} messages of its edge node are missing before this one"]
    assert [note.detail for note in decoded.notes] == details[: bool(missing)]


def test_sequence_is_one_for_a_node_and_its_devices() -> None:
    """A node's birth starts it; each of their messages takes the next number."""
    host = Host()
    host.hear("NDATA", payload(seq=9))
    heard = [host.hear("NBIRTH", payload(bd_seq(3), seq=0))]
    heard.append(host.hear("DBIRTH", payload(seq=1)))
    heard.append(host.hear("NDATA", payload(seq=2)))
    heard.append(host.hear("DDATA", payload(seq=3)))
    heard.append(host.hear("DDEATH", payload(seq=5)))
    missing = [[n.detail for n in decoded.notes if "missing" in n.detail] for decoded in heard]
    assert [len(details) for details in missing] == [0, 0, 0, 0, 1]


INTEGERS = [
    (DataType.Int8, 8, True),
    (DataType.Int16, 16, True),
    (DataType.Int32, 32, True),
    (DataType.Int64, 64, True),
    (DataType.UInt8, 8, False),
    (DataType.UInt16, 16, False),
    (DataType.UInt32, 32, False),
    (DataType.UInt64, 64, False),
]


def measured(**fields: Any) -> Measurement:  # fields of any type
    """The one measurement of a payload with one metric."""
    decoded = Host().hear("NDATA", payload(metric("x", **fields)))
    assert not decoded.faults
    (one,) = decoded.measurements
    return one


def fault(**fields: Any) -> str:  # fields of any type
    """Why the one metric of a payload is no reading."""
    decoded = Host().hear("NDATA", payload(metric("x", **fields)))
    assert not decoded.measurements
    ((reason, name),) = [(one.reason, one.metric) for one in decoded.faults]
    assert name == "x"
    return reason


@given(data=st.data(), integer=st.sampled_from(INTEGERS))
def test_integer_of_any_width_is_read_as_it_was_written(
    data: st.DataObject, integer: tuple[int, int, bool]
) -> None:
    """Two's complement of its own width, or of the 32 or 64 bits of the field it stands in."""
    datatype, bits, signed = integer
    low = -(1 << bits - 1) if signed else 0
    number = data.draw(st.integers(low, low + (1 << bits) - 1))
    width = data.draw(st.sampled_from([one for one in (bits, 32, 64) if one >= bits]))
    field = "int_value" if width <= 32 and data.draw(st.booleans()) else "long_value"
    one = measured(datatype=datatype, **{field: number % (1 << width)})
    assert (one.value, one.kind) == (float(number), Kind.NUMBER)
    assert bool(one.flags & Flag.INEXACT) == (int(float(number)) != number)


@pytest.mark.parametrize(
    ("content", "number"),
    [(0xFF, -1), (0xFFFFFFFF, -1), (0x80, -128), (0xFFFFFF80, -128), (0x7F, 127), (0, 0)],
)
def test_int8_is_read_from_eight_bits_and_from_all(content: int, number: int) -> None:
    """Encoders send the eight bits alone, or all thirty-two."""
    assert measured(datatype=DataType.Int8, int_value=content).value == number


@pytest.mark.parametrize(
    ("datatype", "content"),
    [
        (DataType.Int8, 256),
        (DataType.Int16, 0x18000),
        (DataType.UInt8, 256),
        (DataType.Int32, 2**40),
    ],
)
def test_integer_too_wide_for_its_type_is_a_fault(datatype: int, content: int) -> None:
    """Bits are never cut off."""
    assert fault(datatype=datatype, long_value=content) == "out-of-range"


@pytest.mark.parametrize(
    ("fields", "value", "kind"),
    [
        ({"datatype": DataType.Float, "float_value": 21.5}, 21.5, Kind.NUMBER),
        ({"datatype": DataType.Double, "double_value": 0.1}, 0.1, Kind.NUMBER),
        ({"datatype": DataType.Boolean, "boolean_value": True}, 1.0, Kind.BOOLEAN),
        ({"datatype": DataType.Boolean, "boolean_value": False}, 0.0, Kind.BOOLEAN),
        ({"datatype": DataType.String, "string_value": "heating"}, "heating", Kind.STATE),
        ({"datatype": DataType.Text, "string_value": "off"}, 0.0, Kind.BOOLEAN),
        ({"datatype": DataType.Text, "string_value": "21.5"}, 21.5, Kind.NUMBER),
        ({"double_value": 2.5}, 2.5, Kind.NUMBER),
        ({"boolean_value": True}, 1.0, Kind.BOOLEAN),
        ({"string_value": "idle"}, "idle", Kind.STATE),
    ],
)
def test_value_is_what_its_type_says(
    fields: dict[str, Any], value: float | str, kind: Kind
) -> None:
    """Numbers, yes or no, and states; without a type, what the field can only mean."""
    one = measured(**fields)
    assert (one.value, one.kind) == (value, kind)


def test_uuid_is_a_state_though_it_begins_with_a_digit() -> None:
    """Its type says that it is no malformed number."""
    text = "550e8400-e29b-41d4-a716-446655440000"
    one = measured(datatype=DataType.UUID, string_value=text)
    assert (one.value, one.kind) == (text, Kind.STATE)
    assert fault(datatype=DataType.UUID, string_value="550e8400") == "malformed-uuid"


def test_date_time_is_its_number_of_milliseconds() -> None:
    """A moment that is a value can be charted, in the unit in which it was sent."""
    birth = payload(metric("x", alias=1, datatype=DataType.DateTime, long_value=TIME_MS))
    host = Host()
    (first,) = host.hear("NBIRTH", birth).measurements
    (second,) = host.hear("NDATA", payload(metric(alias=1, long_value=TIME_MS))).measurements
    assert first == second == Measurement("x", float(TIME_MS), Kind.NUMBER, "ms", TIME_US)


@pytest.mark.parametrize("datatype", range(DataType.Int8Array, DataType.DateTimeArray + 1))
def test_array_is_a_fault(datatype: int) -> None:
    """An array is no single reading."""
    assert fault(datatype=datatype, bytes_value=b"\x01\x02") == "array"


@pytest.mark.parametrize(
    ("datatype", "fields"),
    [
        (DataType.DataSet, {"dataset_value": Payload.DataSet(columns=["a"])}),
        (DataType.Template, {"template_value": Payload.Template(is_definition=True)}),
        (DataType.Bytes, {"bytes_value": b"21.5"}),
        (DataType.File, {"bytes_value": b"21.5"}),
        (DataType.PropertySet, {"string_value": "a"}),
        (DataType.PropertySetList, {"string_value": "a"}),
        (DataType.Unknown, {"bytes_value": b"21.5"}),
        (DataType.Unknown, {"extension_value": Payload.Extension()}),
        (35, {"float_value": 1.0}),
        (35, {"int_value": 1}),
    ],
)
def test_value_that_is_no_single_one_is_a_fault(datatype: int, fields: dict[str, Any]) -> None:
    """Tables, templates, files, and types that nobody knows."""
    assert fault(datatype=datatype, **fields) == "unsupported-type"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"int_value": 200}, "unknown-type"),
        ({"datatype": DataType.Float, "string_value": "21.5"}, "wrong-type"),
        ({"datatype": DataType.Boolean, "int_value": 1}, "wrong-type"),
        ({"datatype": DataType.Double, "double_value": math.nan}, "non-finite"),
        ({"datatype": DataType.Float, "float_value": -math.inf}, "non-finite"),
        ({"datatype": DataType.String, "string_value": "21,5"}, "decimal-comma"),
        ({"datatype": DataType.String, "string_value": "a\nb"}, "control-character"),
        ({"datatype": DataType.String, "string_value": "a" * 65}, "long-text"),
    ],
)
def test_value_that_cannot_be_told_is_a_fault(fields: dict[str, Any], reason: str) -> None:
    """An integer may be signed or not; a value in a field of another type means nothing."""
    assert fault(**fields) == reason


@pytest.mark.parametrize("fields", [{"is_null": True}, {"is_null": True, "int_value": 3}, {}])
def test_null_is_a_note(fields: dict[str, Any]) -> None:
    """A metric that has no value says so, and is no reading of 0."""
    decoded = Host().hear("NDATA", payload(metric("x", datatype=DataType.Int8, **fields)))
    assert decoded.notes == [Note(NoteKind.NO_VALUE, "x")]
    assert not decoded.measurements
    assert not decoded.faults


@pytest.mark.parametrize(("code", "said"), [(0, "bad quality"), (500, "stale"), (192, "")])
def test_value_of_bad_quality_is_no_reading(code: int, said: str) -> None:
    """What its sender does not believe is noted, and not charted."""
    quality = Payload.PropertySet(
        keys=["Quality"], values=[Payload.PropertyValue(type=DataType.Int32, int_value=code)]
    )
    decoded = born().hear(
        "NDATA", payload(metric(alias=ALIAS, float_value=1.0, properties=quality))
    )
    assert len(decoded.measurements) == (not said)
    assert [(note.metric, note.detail) for note in decoded.notes] == [("tank/temp", said)][
        : bool(said)
    ]


def test_historical_and_transient_values_are_kept() -> None:
    """Both were measured; whether they are late is told by their time."""
    one = measured(float_value=1.0, is_historical=True, is_transient=True, timestamp=TIME_MS - 9)
    assert (one.value, one.time_us, one.flags) == (1.0, TIME_US - 9000, 0)


def test_unit_that_data_changes_holds_from_then_on() -> None:
    """Properties come with data only when they change."""
    host = born(3, temperature(), temperature(8, "other"))
    data = by_alias()
    data.properties.keys.append("Engineering Units")
    data.properties.values.add(type=DataType.String, string_value="K")
    units = [
        [one.unit for one in host.hear("NDATA", content).measurements]
        for content in (payload(data), payload(by_alias(), by_alias(8)))
    ]
    assert units == [["K"], ["K", "°C"]]
    assert host.hear("NDATA", payload(data)).remember == {}


def test_unit_of_a_metric_never_born_is_for_that_value_alone() -> None:
    """Only births define metrics, so data leaves none behind."""
    decoded = born().hear("NDATA", payload(temperature(None, "stranger")))
    assert [(one.metric, one.unit) for one in decoded.measurements] == [("stranger", "°C")]
    assert decoded.remember == {}


def test_type_that_data_brings_wins_over_that_of_the_birth() -> None:
    """It is the newer of the two."""
    host = born(3, metric("x", alias=1, datatype=DataType.UInt8, int_value=0))
    data = payload(metric(alias=1, datatype=DataType.Int8, int_value=0xFF))
    assert [one.value for one in host.hear("NDATA", data).measurements] == [-1.0]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a" * 257, Fault("long-name", "a" * 100 + "…")),
        ("a\x00b", Fault("control-character", "a\x00b")),
    ],
)
def test_name_that_cannot_be_kept_is_a_fault(name: str, fault: Fault) -> None:
    """A bad name costs its metric alone, at a birth and in data."""
    for message in ("NBIRTH", "NDATA"):
        decoded = Host().hear(message, payload(temperature(1, name), temperature(2, "good")))
        assert (names(decoded), decoded.faults) == (["good"], [fault])


def test_metric_without_name_and_alias_is_a_fault() -> None:
    """Nobody knows what it measures."""
    assert Host().hear("NDATA", payload(metric(float_value=1.0))).faults == [Fault("no-metric")]


def test_text_that_is_not_utf8_costs_only_its_metric() -> None:
    """A Latin-1 name, value or unit leaves the other metrics of the birth as they are."""
    birth = payload(
        temperature(1, "Zuluft"),
        temperature(2, "ABluft"),
        metric("mode", datatype=DataType.String, string_value="Aheizen"),
    ).SerializeToString()
    birth = birth.replace(b"AB", b"\xdcB").replace(b"Ah", b"\xdch").replace(b"\xc2\xb0C", b"\xb0CC")
    decoded = Host().hear("NBIRTH", birth)
    assert decoded.measurements == [Measurement("Zuluft", 21.5, Kind.NUMBER, "", TIME_US)]
    assert decoded.faults == [Fault("not-utf8", "\\xdcBluft"), Fault("not-utf8", "mode")]


def test_levers_and_session_numbers_are_not_readings() -> None:
    """They may be named by alias, and need no fault either."""
    rebirth = metric("Node Control/Rebirth", alias=9, datatype=DataType.Boolean)
    host = born(3, rebirth)
    decoded = host.hear("NDATA", payload(metric(alias=9, boolean_value=True)))
    assert (decoded.measurements, decoded.faults) == ([], [])
    lever = payload(metric("Device Control/Reboot", boolean_value=False))
    assert host.hear("DDATA", lever).measurements == []


@pytest.mark.parametrize(
    ("own_ms", "payload_ms", "time_us", "flags", "faults"),
    [
        (TIME_MS + 1, TIME_MS, TIME_US + 1000, 0, []),
        (None, TIME_MS, TIME_US, 0, []),
        (None, None, None, 0, []),
        (0, TIME_MS, TIME_US, 0, []),
        (0, None, None, Flag.CLOCK_UNSET, []),
        (None, 86_400_000, None, Flag.CLOCK_UNSET, []),
        (2**64 - 1, TIME_MS, TIME_US, 0, ["x.timestamp"]),
        (None, 2**64 - 1, None, 0, ["timestamp"]),
    ],
)
def test_time_is_the_metrics_own_or_else_the_payloads(
    own_ms: int | None, payload_ms: int | None, time_us: int | None, flags: int, faults: list[str]
) -> None:
    """A time that is none, or of a clock never set, does not cost the value."""
    one = metric("x", float_value=1.0, **({} if own_ms is None else {"timestamp": own_ms}))
    stamp = {} if payload_ms is None else {"timestamp": payload_ms}
    content = Payload(metrics=[one], **stamp).SerializeToString()
    decoded = Host().hear("NDATA", content)
    assert decoded.measurements == [Measurement("x", 1.0, Kind.NUMBER, "", time_us, flags)]
    assert decoded.faults == [Fault("bad-time", name) for name in faults]


@pytest.mark.parametrize("message", ["NCMD", "DCMD"])
def test_command_is_nothing_that_was_measured(message: str) -> None:
    """What a host writes to a node is no reading of it and no sign of its life."""
    assert born().hear(message, payload(by_alias(), seq=200)) == Decoded()


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b'{"online": true, "timestamp": 1700000000000}', Note(NoteKind.ONLINE, time_us=TIME_US)),
        (b'{"online": true}', Note(NoteKind.ONLINE)),
        (b'{"online": false, "timestamp": 1700000000000}', Note(NoteKind.OFFLINE)),
    ],
)
def test_state_of_a_host_is_its_presence(content: bytes, note: Note) -> None:
    """A host says when it came; its will was written then too, and says nothing of its end."""
    assert decode_sparkplug(content, Place(TOPICS[0], "host"), {}) == Decoded(notes=(note,))


@pytest.mark.parametrize("content", [b"", b"ONLINE", b"[]", b'{"online": 1}', b"{", b"\xff"])
def test_state_of_a_host_that_says_neither_is_refused(content: bytes) -> None:
    """Only `online` as a boolean is a state."""
    assert reason_of(content, TOPICS[0]) == "malformed-sparkplug"


@pytest.mark.parametrize(
    "topic",
    ["a/b", "spBv1.0/plant/NOTHING/gate", "spBv1.0/plant/DDATA/gate/", "clients/NDATA/a/b/c"],
)
def test_topic_of_another_shape_is_refused(topic: str) -> None:
    """A payload whose type of message is not known is not guessed at."""
    assert reason_of(payload(by_alias()).SerializeToString(), topic) == "no-sparkplug-topic"


def packed(body: bytes, algorithm: str = "DEFLATE") -> bytes:
    """A payload that holds another one."""
    said = metric("algorithm", datatype=DataType.String, string_value=algorithm)
    return Payload(uuid="SPBV1.0_COMPRESSED", body=body, metrics=[said]).SerializeToString()


@pytest.mark.parametrize(
    ("algorithm", "compress"), [("DEFLATE", zlib.compress), ("GZIP", gzip.compress)]
)
def test_compressed_payload_is_unpacked(algorithm: str, compress: Any) -> None:  # two signatures
    """A packed birth is a birth like any other."""
    birth = payload(bd_seq(3), temperature())
    decoded = Host().hear("NBIRTH", packed(compress(birth.SerializeToString()), algorithm))
    plain = Host().hear("NBIRTH", birth)
    assert names(decoded) == ["tank/temp"]
    assert (decoded.measurements, decoded.notes) == (plain.measurements, plain.notes)


def test_compressed_payload_that_unpacks_to_too_much_is_refused() -> None:
    """A few bytes do not become gigabytes: no more is unpacked than a payload may have."""
    bomb = zlib.compress(bytes(100 * PAYLOAD_BYTES), 9)
    assert reason_of(packed(bomb)) == "too-large"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no archive",
        zlib.compress(payload(by_alias()).SerializeToString())[:-6],
        zlib.compress(payload(by_alias()).SerializeToString())[:-2],
        zlib.compress(b"\xff"),
        zlib.compress(packed(zlib.compress(payload(by_alias()).SerializeToString()))),
    ],
    ids=["nothing", "no archive", "cut", "checksum cut", "no payload", "packed twice"],
)
def test_compressed_payload_that_is_none_is_refused(body: bytes) -> None:
    """Whatever else stands where the packed payload should be."""
    assert reason_of(packed(body)) == "malformed-sparkplug"


def test_metrics_beyond_the_cap_are_refused() -> None:
    """A birth may define so many metrics and no more; the rest is counted."""
    birth = Payload(metrics=[metric(str(n), alias=n, float_value=1.0) for n in range(ROWS + 1)])
    host = Host()
    decoded = host.hear("NBIRTH", birth)
    assert len(decoded.measurements) == ROWS
    assert decoded.faults == [Fault("too-many-rows")]
    assert names(host.hear("NDATA", payload(by_alias(ROWS - 1)))) == [str(ROWS - 1)]
    assert host.hear("NDATA", payload(by_alias(ROWS))).faults != []


def test_templates_inside_templates_are_refused_from_some_depth_on() -> None:
    """Nesting cannot exhaust the stack."""
    deep = b""
    for _ in range(1000):
        for tag in (b"\x12", b"\x92\x01"):  # the metrics of a template, a template in a metric
            deep = tag + Payload(body=deep).SerializeToString()[1:]
    assert reason_of(b"\x12" + Payload(body=deep).SerializeToString()[1:]) == "malformed-sparkplug"


@pytest.mark.parametrize("content", [b"", b"21.5", b'{"a": 1}', b"\xff" * 300, b"\x9a\x06\x00"])
def test_payload_that_is_no_sparkplug_is_refused(content: bytes) -> None:
    """Neither text nor fields that nobody knows are a payload."""
    assert reason_of(content) == "malformed-sparkplug"


@given(content=st.binary(max_size=400), topic=st.sampled_from(TOPICS))
def test_arbitrary_bytes_are_decoded_or_refused(content: bytes, topic: str) -> None:
    """Whatever arrives, nothing but a refusal by its one name comes of it."""
    assert refusal(content, topic, born().memory) in ("", "malformed-sparkplug")


@given(data=st.data(), topic=st.sampled_from(TOPICS[1:]))
def test_damaged_birth_is_decoded_or_refused(data: st.DataObject, topic: str) -> None:
    """Bytes changed, cut out or put in reach further than random ones do; what follows is read."""
    content = bytearray(RECORDED)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    host = born()
    assert refusal(bytes(content), topic, host.memory) in ("", "malformed-sparkplug")
    assert "tank/temp" in names(host.hear("NDATA", RECORDED))


VALUES = st.one_of(
    st.builds(lambda v: {"int_value": v}, st.integers(0, 2**32 - 1)),
    st.builds(lambda v: {"long_value": v}, st.integers(0, 2**64 - 1)),
    st.builds(lambda v: {"double_value": v}, st.floats()),
    st.builds(lambda v: {"boolean_value": v}, st.booleans()),
    st.builds(lambda v: {"string_value": v}, st.text(max_size=6)),
    st.just({"is_null": True}),
)


@settings(max_examples=200)
@given(
    types=st.lists(st.sampled_from(DataType.values()), min_size=1, max_size=8),
    data=st.lists(st.lists(st.tuples(st.integers(0, 7), VALUES), max_size=5), max_size=5),
)
def test_data_by_alias_means_what_the_same_data_means_by_name(
    types: list[int], data: list[list[tuple[int, dict[str, Any]]]]
) -> None:
    """An alias is short for a name, and for nothing else."""
    birth = payload(
        *(metric(f"m/{n}", alias=n, datatype=one) for n, one in enumerate(types)), seq=0
    )
    hosts = {"alias": Host(), "name": Host()}
    for host in hosts.values():
        host.hear("NBIRTH", birth)
    for values in data:
        chosen = [(number % len(types), value) for number, value in values]
        short = payload(*(metric(alias=number, **value) for number, value in chosen))
        full = payload(*(metric(f"m/{number}", **value) for number, value in chosen))
        heard, same = hosts["alias"].hear("NDATA", short), hosts["name"].hear("NDATA", full)
        assert (heard.measurements, heard.faults) == (same.measurements, same.faults)
        assert heard.notes == same.notes


def test_birth_restored_is_not_parsed_for_each_message() -> None:
    """The same bytes are parsed once, as long as the cache has room for them."""
    record = write_birth("s", 1, [Definition("a", 1, DataType.Int8, "")])
    assert read_birth(record) is read_birth(record)


def test_births_beyond_the_cache_are_parsed_again() -> None:
    """The cache is bounded: births that nobody uses any more do not stay for ever."""
    first = write_birth("s", 1, [Definition("a", 1, DataType.Int8, "")])
    parsed = read_birth(first)
    for number in range(50):
        read_birth(write_birth("s", number, [Definition("a" * 100_000, 1, DataType.Int8, "")]))
    again = read_birth(first)
    assert again == parsed
    assert again is not parsed
    read_birth(write_birth("another", 1, ()))
    assert read_birth(first) is again
