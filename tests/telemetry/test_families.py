"""The families' templates can be used, and each leads to a decoder that keeps its promises."""

import json
import math
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoded import NoteKind
from collector.formats import DECODERS
from collector.rejection import Rejected
from collector.topics import Rule, Topics
from telemetry.families import TEMPLATES, Family, Format
from telemetry.settings import Settings
from telemetry.template import TopicTemplate
from tests.collector.formats.arriving import ANYTHING, arrive, route

ENTRIES = sorted(chain.from_iterable(TEMPLATES.values()))
MINE = sorted(set(Family) - {Family.SPARKPLUG})


@pytest.mark.parametrize(("text", "format_"), ENTRIES)
def test_template_of_a_family_parses_and_its_format_has_a_decoder(
    text: str, format_: Format
) -> None:
    """Whoever turns the family on gets topics and a decoder for each."""
    assert TopicTemplate(text).text == text
    assert format_ in DECODERS


@pytest.mark.parametrize("family", MINE)
def test_family_has_templates_and_none_twice(family: Family) -> None:
    """There is something to turn on, and the first that fits is the only one of its text."""
    texts = [text for text, _ in TEMPLATES[family]]
    assert texts
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("family", MINE)
def test_family_turned_on_adds_its_topics_after_those_of_ones_own(family: Family) -> None:
    """What somebody writes under [[topics]] is tried before."""
    settings = Settings(families=(family,))
    added = settings.all_topics[len(settings.topics) :]
    assert [(topic.template, topic.format) for topic in added] == list(TEMPLATES[family])


@pytest.mark.parametrize("family", MINE)
def test_family_takes_no_topic_that_all_share(family: Family) -> None:
    """No filter takes more than is literally the family's: each has a level that is no wildcard."""
    topics = Topics(Rule(TopicTemplate(text), format_) for text, format_ in TEMPLATES[family])
    assert [one for one in topics.filters if set(one.split("/")) <= {"+", "#"}] == []


ROUTES = (
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/lamp", "lamp", "", Format.ZIGBEE2MQTT),
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/a/b", "a/b", "", Format.ZIGBEE2MQTT),
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/a/availability", "a", "", Format.PRESENCE),
    (Family.TASMOTA, "tele/plug/SENSOR", "plug", "", Format.TASMOTA),
    (Family.TASMOTA, "stat/plug/POWER1", "plug", "POWER1", Format.TASMOTA),
    (Family.SHELLY, "shellies/a/relay/0/power", "a", "relay.0.power", Format.SHELLY),
    (Family.SHELLY, "shellies/a/events/rpc", "a", "", Format.SHELLY_RPC),
    (Family.SHELLY, "a/status/em:0", "a", "em:0", Format.SHELLY_RPC),
    (Family.ESPHOME, "a/sensor/x/state", "a", "x", Format.ESPHOME),
    (Family.ESPHOME, "a/status", "a", "", Format.PRESENCE),
    (Family.ESPHOME, "a/cover/x/position/state", "a", "position", Format.ESPHOME),
    (Family.HOME_ASSISTANT, "homeassistant/sensor/a/config", "a", "", Format.HOME_ASSISTANT),
    (Family.HOME_ASSISTANT, "homeassistant/cover/a/config", "a", "", Format.HOME_ASSISTANT),
    (Family.HOME_ASSISTANT, "homeassistant/sensor/a/b/config", "a", "", Format.HOME_ASSISTANT),
    (Family.THINGS_STACK, "v3/app@ttn/devices/a/up", "a", "", Format.THINGS_STACK),
    (Family.OWNTRACKS, "owntracks/a/phone/event", "a/phone", "", Format.OWNTRACKS),
)
"""A topic of each kind, and what it names."""


@pytest.mark.parametrize(("family", "topic", "client", "metric", "format_"), ROUTES)
def test_topic_of_a_family_names_its_client_and_metric(
    family: Family, topic: str, client: str, metric: str, format_: Format
) -> None:
    """Each kind of topic leads where the documentation says."""
    way = route(family, topic)
    assert (way.place.client, way.place.metric, way.format) == (client, metric, format_)


@pytest.mark.parametrize("families", [tuple(Family), tuple(reversed(Family))])
def test_families_all_turned_on_leave_each_other_their_topics(families: tuple[Family, ...]) -> None:
    """In any order; a topic of one is no topic of another."""
    settings = Settings(families=families)
    topics = Topics(Rule(TopicTemplate(one.template), one.format) for one in settings.all_topics)
    for _, topic, client, metric, format_ in ROUTES:
        way = topics.route(topic)
        assert (way.place.client, way.place.metric, way.format) == (client, metric, format_)
        assert way.subscription > 0


@pytest.mark.parametrize("format_", Format)
def test_format_has_a_decoder(format_: Format) -> None:
    """Whatever culex.toml names can be read."""
    assert format_ in DECODERS


@pytest.mark.parametrize(("family", "topic", "metric"), [(r[0], r[1], r[3]) for r in ROUTES])
def test_empty_message_takes_a_retained_one_back(family: Family, topic: str, metric: str) -> None:
    """It is a note about that topic, and no fault."""
    decoded = arrive(family, topic, b"")
    assert [(note.kind, note.metric) for note in decoded.notes] == [(NoteKind.CLEARED, metric)]
    assert not decoded.faults


TOPICS = (
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/lamp"),
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/lamp/availability"),
    (Family.ZIGBEE2MQTT, "zigbee2mqtt/bridge/state"),
    (Family.TASMOTA, "tele/plug/SENSOR"),
    (Family.TASMOTA, "stat/plug/STATUS10"),
    (Family.TASMOTA, "stat/plug/RESULT"),
    (Family.TASMOTA, "stat/plug/POWER"),
    (Family.SHELLY, "shellies/a/relay/0"),
    (Family.SHELLY, "shellies/a/info"),
    (Family.SHELLY, "a/events/rpc"),
    (Family.SHELLY, "a/status/switch:0"),
    (Family.ESPHOME, "a/sensor/x/state"),
    (Family.ESPHOME, "a/text_sensor/x/state"),
    (Family.ESPHOME, "a/light/x/state"),
    (Family.ESPHOME, "a/climate/x/mode/state"),
    (Family.HOME_ASSISTANT, "homeassistant/device/a/config"),
    (Family.THINGS_STACK, "v3/app@ttn/devices/a/up"),
    (Family.THINGS_STACK, "v3/app@ttn/devices/a/location/solved"),
    (Family.OWNTRACKS, "owntracks/a/phone"),
)


@pytest.mark.parametrize(("family", "topic"), TOPICS)
@given(content=ANYTHING)
def test_decoder_given_arbitrary_json_raises_nothing_but_rejected(
    family: Family, topic: str, content: object
) -> None:
    """Whatever the JSON is, the answer is finite measurements, faults, notes or Rejected."""
    _arrive_anything(family, topic, json.dumps(content).encode())


@pytest.mark.parametrize(("family", "topic"), TOPICS)
@given(payload=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_decoder_given_arbitrary_bytes_raises_nothing_but_rejected(
    family: Family, topic: str, payload: bytes
) -> None:
    """Whatever the bytes are, likewise."""
    _arrive_anything(family, topic, payload)


def _arrive_anything(family: Family, topic: str, payload: bytes) -> None:
    try:
        decoded = arrive(family, topic, payload)
    except Rejected:
        return
    for measurement in decoded.measurements:
        assert measurement.metric
        assert isinstance(measurement.value, str) or math.isfinite(measurement.value)
        assert measurement.time_us is None or measurement.time_us > 0
    assert all(fault.reason for fault in decoded.faults)
    assert all(one.topic and (one.name or one.unit) for one in decoded.descriptions)
