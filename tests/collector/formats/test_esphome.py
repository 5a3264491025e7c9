"""ESPHome: messages in the shapes of its documentation."""

import pytest

from collector.decoded import NoteKind, Place
from collector.formats.esphome import decode_esphome
from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, route

ESPHOME = Family.ESPHOME


@pytest.mark.parametrize(
    ("topic", "payload", "metric", "value", "kind"),
    [
        ("node/sensor/attic_temperature/state", "21.5", "attic_temperature", 21.5, Kind.NUMBER),
        ("node/binary_sensor/door/state", "ON", "door", 1.0, Kind.BOOLEAN),
        ("node/switch/pump/state", "OFF", "pump", 0.0, Kind.BOOLEAN),
        ("node/text_sensor/mode/state", "heating", "mode", "heating", Kind.STATE),
        ("node/number/target/state", "19.0", "target", 19.0, Kind.NUMBER),
        ("node/select/program/state", "eco", "program", "eco", Kind.STATE),
        ("node/lock/gate/state", "LOCKED", "gate", "LOCKED", Kind.STATE),
        ("node/fan/fan/state", "ON", "fan", 1.0, Kind.BOOLEAN),
        ("node/fan/fan/speed_level/state", "3", "fan.speed_level", 3.0, Kind.NUMBER),
        ("node/cover/blind/state", "open", "blind", "open", Kind.STATE),
        ("node/cover/blind/position/state", "40", "blind.position", 40.0, Kind.NUMBER),
        (
            "node/climate/stove/current_temperature/state",
            "20.4",
            "stove.current_temperature",
            20.4,
            Kind.NUMBER,
        ),
        ("node/climate/stove/mode/state", "heat", "stove.mode", "heat", Kind.STATE),
    ],
)
def test_esphome_state_is_a_reading_of_the_object(
    topic: str, payload: str, metric: str, value: float | str, kind: Kind
) -> None:
    """The object identifier is the metric, with what it is of a fan, cover or climate."""
    (measurement,) = arrive(ESPHOME, topic, payload).measurements
    assert (measurement.metric, measurement.value, measurement.kind) == (metric, value, kind)
    assert route(ESPHOME, topic).place.client == "node"


def test_esphome_light_is_an_object() -> None:
    """State, brightness and colours, and the effect as a state."""
    payload = {
        "effect": "Rainbow",
        "color_mode": "rgb",
        "state": "ON",
        "brightness": 178,
        "color": {"r": 255, "g": 127, "b": 0},
    }
    assert measured(arrive(ESPHOME, "node/light/lamp/state", payload)) == {
        "lamp.effect": ("Rainbow", ""),
        "lamp.state": (1.0, ""),
        "lamp.brightness": (178.0, ""),
        "lamp.color.r": (255.0, ""),
        "lamp.color.g": (127.0, ""),
        "lamp.color.b": (0.0, ""),
    }


@pytest.mark.parametrize("payload", ["nan", "NaN", "None"])
def test_esphome_sensor_without_a_value_is_a_note(payload: str) -> None:
    """A sensor that cannot read sends `nan`, or `None` if it is set to."""
    decoded = arrive(ESPHOME, "node/sensor/air/state", payload)
    assert kinds(decoded) == ["no-value"]
    assert decoded.notes[0].metric == "air"


@pytest.mark.parametrize(
    "payload",
    ["192.0.2.7", "2023.12.5 Dec 5 2023, 10:11:12", "a sentence that is far too long " * 9, "{x}"],
)
def test_esphome_text_that_describes_holds_nothing(payload: str) -> None:
    """Addresses, versions and sentences are neither states nor faults."""
    decoded = arrive(ESPHOME, "node/text_sensor/about/state", payload)
    assert not decoded.faults
    assert is_silent(decoded) or decoded.measurements[0].value == "{x}"


def test_esphome_topic_prefix_of_several_levels_needs_a_template_and_no_more() -> None:
    """The component is counted from the end, whatever the levels before it are called."""
    place = Place("home/fan/sensor/air/state", "fan", "air")
    assert [m.metric for m in decode_esphome(b"21.5", place, {}).measurements] == ["air"]


@pytest.mark.parametrize("topic", ["node/fan/fan/command", "node/cover/blind/position/command"])
def test_esphome_command_on_a_template_of_ones_own_holds_nothing(topic: str) -> None:
    """What somebody asks of a client is nothing that it measured."""
    assert is_silent(decode_esphome(b"50", Place(topic, "node", "fan"), {}))


@pytest.mark.parametrize("payload", ["online", "offline"])
def test_esphome_status_is_a_note(payload: str) -> None:
    """Birth and last will."""
    assert kinds(arrive(ESPHOME, "node/status", payload)) == [NoteKind(payload)]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("node/sensor/air/state", "21,5"),
        ("node/sensor/air/state", "inf"),
        ("node/sensor/air/state", "192.0.2.7"),
        ("node/sensor/air/state", b"\xff"),
        ("node/switch/pump/state", " "),
        ("node/light/lamp/state", '{"state":'),
        ("node/text_sensor/about/state", "\x01"),
        ("node/text_sensor/about/state", "NaN"),
    ],
)
def test_esphome_state_that_is_none_is_rejected(topic: str, payload: object) -> None:
    """Broken values are not readings, and a number that is none is missed."""
    with pytest.raises(Rejected):
        arrive(ESPHOME, topic, payload)
