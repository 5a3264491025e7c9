"""Zigbee2MQTT: messages in the shapes of its documentation."""

import pytest

from collector.decoded import DEPTH, FIELDS
from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, reasons, route

Z2M = Family.ZIGBEE2MQTT


def test_zigbee2mqtt_sensor_gives_its_measurements_with_units() -> None:
    """Temperature, humidity, pressure and link quality have the units that all devices use."""
    payload = {
        "battery": 100,
        "humidity": 44.72,
        "linkquality": 92,
        "pressure": 1008.2,
        "temperature": 27.34,
        "voltage": 3005,
    }
    assert measured(arrive(Z2M, "zigbee2mqtt/balcony", payload)) == {
        "battery": (100.0, "%"),
        "humidity": (44.72, "%"),
        "linkquality": (92.0, "lqi"),
        "pressure": (1008.2, "hPa"),
        "temperature": (27.34, "°C"),
        "voltage": (3005.0, ""),
    }


def test_zigbee2mqtt_bulb_gives_nested_colour_and_no_update() -> None:
    """`color` is nested; firmware updates and colour modes describe."""
    payload = {
        "brightness": 215,
        "color": {"x": 0.4575, "y": 0.4099},
        "color_mode": "xy",
        "color_temp": 325,
        "linkquality": 120,
        "state": "ON",
        "update": {"installed_version": 16777241, "latest_version": 16777241, "state": "idle"},
        "update_available": False,
    }
    decoded = arrive(Z2M, "zigbee2mqtt/kitchen/floor_light", payload)
    assert measured(decoded) == {
        "brightness": (215.0, ""),
        "color.x": (0.4575, ""),
        "color.y": (0.4099, ""),
        "color_temp": (325.0, ""),
        "linkquality": (120.0, "lqi"),
        "state": (1.0, ""),
    }
    assert decoded.measurements[-1].kind is Kind.BOOLEAN
    assert route(Z2M, "zigbee2mqtt/kitchen/floor_light").place.client == "kitchen/floor_light"


@pytest.mark.parametrize(
    "last_seen",
    [1_581_520_546_014, "2020-02-12T15:15:46.014Z", "2020-02-12T16:15:46.014+01:00"],
)
def test_zigbee2mqtt_last_seen_is_the_time(last_seen: object) -> None:
    """In ms since 1970 or ISO 8601, with an offset or in UTC."""
    decoded = arrive(Z2M, "zigbee2mqtt/door", {"contact": True, "last_seen": last_seen})
    (measurement,) = decoded.measurements
    assert (measurement.metric, measurement.kind) == ("contact", Kind.BOOLEAN)
    assert (measurement.time_us, measurement.flags) == (1_581_520_546_014_000, 0)


def test_zigbee2mqtt_button_gives_its_action_and_not_its_release() -> None:
    """An action is a state; the empty one that follows it holds nothing."""
    assert measured(arrive(Z2M, "zigbee2mqtt/switch", {"action": "single"})) == {
        "action": ("single", "")
    }
    assert is_silent(arrive(Z2M, "zigbee2mqtt/switch", {"action": ""}))


def test_zigbee2mqtt_null_is_no_value() -> None:
    """What the device has not told yet is a note."""
    decoded = arrive(Z2M, "zigbee2mqtt/plug", {"power": None, "state": None})
    assert kinds(decoded) == ["no-value", "no-value"]


@pytest.mark.parametrize(
    ("topic", "client", "payload", "kind"),
    [
        ("zigbee2mqtt/door/availability", "door", {"state": "online"}, "online"),
        ("zigbee2mqtt/door/availability", "door", "offline", "offline"),
        ("zigbee2mqtt/hall/lamp/availability", "hall/lamp", {"state": "offline"}, "offline"),
        ("zigbee2mqtt/bridge/state", "bridge", {"state": "online"}, "online"),
        ("zigbee2mqtt/bridge/state", "bridge", "offline", "offline"),
    ],
)
def test_zigbee2mqtt_availability_is_a_note(
    topic: str, client: str, payload: object, kind: str
) -> None:
    """Of devices and of the bridge, in the old spelling and in the new."""
    assert route(Z2M, topic).place.client == client
    assert kinds(arrive(Z2M, topic, payload)) == [kind]


@pytest.mark.parametrize(
    "topic",
    [
        "zigbee2mqtt/bridge/info",
        "zigbee2mqtt/bridge/devices",
        "zigbee2mqtt/bridge/logging",
        "zigbee2mqtt/bridge/converters",
        "zigbee2mqtt/lamp/set",
        "zigbee2mqtt/lamp/get",
    ],
)
@pytest.mark.parametrize("payload", [{"state": "ON"}, [{"ieee_address": "0x00"}], "ON", b"\xff"])
def test_zigbee2mqtt_bridge_and_commands_hold_nothing(topic: str, payload: object) -> None:
    """What describes the network, or is sent to a device, is neither reading nor fault."""
    assert is_silent(arrive(Z2M, topic, payload))
    assert route(Z2M, topic).place.client in {"bridge", "lamp"}


def test_zigbee2mqtt_texts_and_arrays_that_describe_are_left_out() -> None:
    """Schedules, dates and versions are no measurements and no faults."""
    payload = {
        "schedule": [{"hour": 6, "temperature": 21}],
        "firmware": "0x00000019 built 2020",
        "local_temperature": 20.5,
        "time": "12:30",
    }
    assert measured(arrive(Z2M, "zigbee2mqtt/valve", payload)) == {
        "local_temperature": (20.5, "°C")
    }


def test_zigbee2mqtt_number_that_cannot_be_read_is_a_fault() -> None:
    """A value that was meant as a number is missed by somebody; its neighbours are kept."""
    payload = '{"temperature": "21,5", "humidity": "nan", "battery": 1e400, "power": 1.5}'
    with pytest.raises(Rejected, match="non-finite"):
        arrive(Z2M, "zigbee2mqtt/plug", payload)
    decoded = arrive(Z2M, "zigbee2mqtt/plug", payload.replace("1e400", "88"))
    assert reasons(decoded) == [("decimal-comma", "temperature"), ("non-finite", "humidity")]
    assert [m.value for m in decoded.measurements] == [88.0, 1.5]


def test_zigbee2mqtt_unusable_last_seen_costs_no_reading() -> None:
    """It is a fault that names it."""
    decoded = arrive(Z2M, "zigbee2mqtt/plug", {"power": 1.5, "last_seen": "soon"})
    assert reasons(decoded) == [("bad-time", "last_seen")]
    assert [m.time_us for m in decoded.measurements] == [None]


def test_zigbee2mqtt_object_beyond_the_bounds_is_cut() -> None:
    """Too many fields, or too deep ones, are a fault each."""
    many = arrive(Z2M, "zigbee2mqtt/plug", {f"k{n}": n for n in range(FIELDS + 50)})
    assert (len(many.measurements), reasons(many)) == (FIELDS, [("too-many-fields", "")])
    deep: object = 1
    for _ in range(900):
        deep = {"a": deep}
    assert reasons(arrive(Z2M, "zigbee2mqtt/plug", deep)) == [("too-deep", ".".join("a" * DEPTH))]


@pytest.mark.parametrize("payload", ["21.5", "[]", "null", '"on"', "{", "\x00", b"\xff"])
def test_zigbee2mqtt_payload_that_is_no_object_is_rejected(payload: object) -> None:
    """A device publishes objects, unless it is set to another output."""
    with pytest.raises(Rejected):
        arrive(Z2M, "zigbee2mqtt/plug", payload)
