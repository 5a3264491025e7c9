"""Home Assistant discovery: messages in the shapes of its documentation."""

import time

import pytest

from collector.decoded import FIELDS, Description, NoteKind
from collector.message import Message
from collector.rejection import Rejected
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translator
from telemetry.families import TEMPLATES, Family
from telemetry.reading import Series, SeriesName
from telemetry.template import TopicTemplate
from tests.collector.formats.arriving import arrive, is_silent, reasons

HOME = Family.HOME_ASSISTANT
SENSOR = "homeassistant/sensor/shed/config"


def described(payload: object, topic: str = SENSOR) -> list[Description]:
    """What a discovery message describes; it holds nothing else."""
    decoded = arrive(HOME, topic, payload)
    assert (list(decoded.faults), list(decoded.measurements)) == ([], [])
    return list(decoded.descriptions)


def test_home_assistant_sensor_in_long_words_is_described() -> None:
    """Topic, key, name and unit, as a bridge publishes them."""
    payload = {
        "availability": [{"topic": "zigbee2mqtt/bridge/state"}],
        "device": {"identifiers": ["zigbee2mqtt_0x00"], "name": "shelf", "model": "WSDCGQ01LM"},
        "device_class": "temperature",
        "enabled_by_default": True,
        "name": "Air",
        "state_class": "measurement",
        "state_topic": "zigbee2mqtt/shelf",
        "unique_id": "0x00_temperature_zigbee2mqtt",
        "unit_of_measurement": "°C",
        "value_template": "{{ value_json.temperature }}",
    }
    topic = "homeassistant/sensor/0x00158d00018255df/temperature/config"
    assert described(payload, topic) == [
        Description("zigbee2mqtt/shelf", "temperature", "Air", "°C")
    ]


def test_home_assistant_sensor_in_abbreviations_with_a_base_topic_is_described() -> None:
    """`~` stands for the base topic at the start or the end of a topic."""
    payload = {
        "~": "tele/shed",
        "name": "Shed",
        "stat_t": "~/SENSOR",
        "unit_of_meas": "%",
        "val_tpl": "{{value_json['AM2301'].Humidity}}",
        "dev": {"ids": ["1234"], "name": "Shed"},
    }
    assert described(payload) == [Description("tele/shed/SENSOR", "AM2301.Humidity", "Shed", "%")]
    at_the_end = {"~": "air/state", "stat_t": "shed/~", "name": "Air"}
    assert described(at_the_end) == [Description("shed/air/state", "", "Air", "")]


def test_home_assistant_device_describes_its_components() -> None:
    """They share the topic of the device, unless they have their own; a removed one is skipped."""
    payload = {
        "dev": {"ids": "ea334450945afc", "name": "Kitchen"},
        "o": {"name": "bla2mqtt", "sw": "2.1"},
        "cmps": {
            "id1": {
                "p": "sensor",
                "device_class": "temperature",
                "unit_of_measurement": "°C",
                "value_template": "{{ value_json.temperature }}",
                "unique_id": "temp01ae_t",
            },
            "id2": {
                "p": "sensor",
                "name": "Damp",
                "stat_t": "kitchen/other",
                "unit_of_meas": "%",
                "val_tpl": "{{ value_json.humidity | round(1) }}",
            },
            "id3": {"p": "sensor"},
        },
        "state_topic": "kitchen/state",
        "qos": 2,
    }
    assert described(payload, "homeassistant/device/0AFFD2/config") == [
        Description("kitchen/state", "temperature", "Temperature", "°C"),
        Description("kitchen/other", "humidity", "Damp", "%"),
    ]


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("{{ value_json.temperature }}", "temperature"),
        ("{{value_json.t}}", "t"),
        ("{{ value_json['a b'].c[\"d\"] }}", "a b.c.d"),
        ("{{ value_json.ENERGY.Power | float | round(2) }}", "ENERGY.Power"),
        ("{{ value_json.x | default('none') | is_defined }}\n", "x"),
        ("{{ value }}", ""),
        ("{{ value | float }}", ""),
        ("{{- value_json.x -}}", "x"),
    ],
)
def test_home_assistant_simple_template_gives_the_key(template: str, key: str) -> None:
    """Members of members, through filters that leave a number as large as it is."""
    payload = {"stat_t": "a/b", "name": "N", "val_tpl": template}
    assert described(payload) == [Description("a/b", key, "N", "")]


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.energy / 1000 }}",
        "{{ value_json.energy | float / 60 }}",
        "{{ value_json.energy | multiply(0.001) }}",
        "{{ (value_json.a + value_json.b) }}",
        "{% if value_json.on %}1{% endif %}",
        "{{ value_json['ENERGY'].Power[0] }}",
        "{{ states('sensor.a') }}",
        "",
        5,
        None,
        ["{{ value }}"],
    ],
)
def test_home_assistant_template_that_computes_describes_nothing(template: object) -> None:
    """Its unit is not that of the payload; without a template the whole payload is meant."""
    payload = {"stat_t": "a/b", "unit_of_meas": "kWh", "name": "N", "val_tpl": template}
    found = described(payload)
    assert found == ([Description("a/b", "", "N", "kWh")] if template is None else [])


@pytest.mark.parametrize(
    ("entity", "name"),
    [
        ({"name": "Air", "dev_cla": "power"}, "Air"),
        ({"name": None, "dev_cla": "signal_strength"}, "Signal strength"),
        ({"dev": {"name": "Lamp"}}, "Lamp"),
        ({"name": "", "dev": {"name": "Lamp"}}, "Lamp"),
        ({"name": "x" * 300, "dev_cla": "power"}, "Power"),
        ({"name": ["x"], "unit_of_meas": "W"}, ""),
    ],
)
def test_home_assistant_entity_without_a_name_is_called_by_what_it_measures(
    entity: dict[str, object], name: str
) -> None:
    """Or else by its device."""
    (description,) = described({"stat_t": "a/b", **entity})
    assert description.name == name


def test_home_assistant_light_in_json_is_described_by_its_state() -> None:
    """The object of such a light has its state under `state`."""
    payload = {"schema": "json", "name": "Lamp", "stat_t": "node/light/lamp/state"}
    assert described(payload) == [Description("node/light/lamp/state", "state", "Lamp", "")]


@pytest.mark.parametrize(
    "payload",
    [
        {"automation_type": "trigger", "topic": "zigbee2mqtt/switch/action", "type": "action"},
        {"name": "Restart", "command_topic": "node/button/restart/command"},
        {"stat_t": "a/b"},
        {"stat_t": 5, "name": "N"},
        {"components": []},
        {"components": {"a": 5, "b": None}},
        {},
    ],
)
def test_home_assistant_entity_without_values_describes_nothing(payload: object) -> None:
    """Buttons, triggers and what has neither name nor unit are no faults."""
    assert is_silent(arrive(HOME, SENSOR, payload))


def test_home_assistant_empty_message_is_a_note() -> None:
    """An entity is taken back."""
    decoded = arrive(HOME, SENSOR, b"")
    assert [note.kind for note in decoded.notes] == [NoteKind.CLEARED]


def test_home_assistant_device_with_too_many_components_is_cut() -> None:
    """The first 256 are described, the rest is one fault."""
    components = {f"c{n}": {"name": "N", "stat_t": f"a/{n}"} for n in range(FIELDS + 9)}
    decoded = arrive(HOME, SENSOR, {"components": components})
    assert (len(decoded.descriptions), reasons(decoded)) == (FIELDS, [("too-many-fields", "")])


@pytest.mark.parametrize("payload", ["5", "[]", "{", "null"])
def test_home_assistant_payload_that_is_no_object_is_rejected(payload: str) -> None:
    """Configurations are objects."""
    with pytest.raises(Rejected):
        arrive(HOME, SENSOR, payload)


def test_home_assistant_hostile_template_takes_no_time() -> None:
    """No template makes the expression that reads it go back and forth."""
    hostile = "{{ value_json" + ".a" * 20_000 + " | float" * 10_000 + " |"
    before = time.perf_counter()
    assert described({"stat_t": "a/b", "name": "N", "val_tpl": hostile}) == []
    assert time.perf_counter() - before < 1.0


def test_home_assistant_topic_too_long_for_any_client_is_left_out() -> None:
    """Topic and base topic have 1024 characters together at most, a key as many as a name."""
    described_by = {"name": "N", "val_tpl": "{{ value_json.k }}"}
    longest = {"~": "b" * 1000, "stat_t": "~" + "/" * 23, **described_by}
    assert described(longest) == [Description("b" * 1000 + "/" * 23, "k", "N", "")]
    assert described({**longest, "stat_t": "~" + "/" * 24}) == []
    assert described({**longest, "~": "/" * 200_000}) == []
    assert described({"stat_t": "b" * 1024, **described_by}) == []
    assert (
        described({"stat_t": "b", "name": "N", "val_tpl": f"{{{{ value_json.{'k' * 257} }}}}"})
        == []
    )


@pytest.mark.parametrize(
    ("topic", "template", "family", "series"),
    [
        ("zigbee2mqtt/shelf", "{{ value_json.temperature }}", Family.ZIGBEE2MQTT, "temperature"),
        ("tele/shed/SENSOR", "{{ value_json.A.Power }}", Family.TASMOTA, "A.Power"),
        ("node/sensor/air/state", "{{ value }}", Family.ESPHOME, "air"),
        ("desk/status/switch:0", "{{ value_json.apower }}", Family.SHELLY, "switch:0.apower"),
    ],
)
def test_home_assistant_name_reaches_the_series_of_another_family(
    topic: str, template: str, family: Family, series: str
) -> None:
    """The names of series and their decoders agree, so that a name finds its series."""
    texts = (*TEMPLATES[family], *TEMPLATES[HOME])
    topics = Topics(Rule(TopicTemplate(text), format_) for text, format_ in texts)
    payload = f'{{"name": "N", "unit_of_meas": "U", "stat_t": "{topic}", "val_tpl": "{template}"}}'
    message = Message("homeassistant/sensor/x/config", payload.encode(), 1, retain=True)
    translator = Translator(topics, Tolerance(1, 1), lambda _series: True, {})
    translation = translator.translate(message, topics.route(message.topic))
    client = topics.route(topic).place.client
    assert list(translation.names) == [SeriesName(Series(client, series), "N", "U")]
