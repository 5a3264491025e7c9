"""Shelly, first generation: messages in the shapes of its documentation."""

import pytest

from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, route

SHELLY = Family.SHELLY
CLIENT = "shelly1pm-A123B4"


@pytest.mark.parametrize(
    ("rest", "payload", "value", "unit"),
    [
        ("relay/0/power", "42.17", 42.17, "W"),
        ("relay/0/energy", "138838", 138838.0, "W·min"),
        ("relay/0/overpower_value", "2301.5", 2301.5, "W"),
        ("temperature", "34.21", 34.21, "°C"),
        ("ext_temperature/0", "21.62", 21.62, "°C"),
        ("ext_humidity/0", "45.1", 45.1, "%"),
        ("voltage/0", "12.05", 12.05, "V"),
        ("adc/0", "3.31", 3.31, "V"),
        ("emeter/2/power", "-12.4", -12.4, "W"),
        ("emeter/0/reactive_power", "5.1", 5.1, "var"),
        ("emeter/0/pf", "0.98", 0.98, ""),
        ("emeter/0/current", "0.41", 0.41, "A"),
        ("emeter/0/energy", "1834", 1834.0, "W·min"),
        ("emeter/0/returned_energy", "9", 9.0, "W·min"),
        ("emeter/0/total", "25012.3", 25012.3, "Wh"),
        ("emeter/0/total_returned", "0.0", 0.0, "Wh"),
        ("roller/0/pos", "65", 65.0, "%"),
        ("sensor/temperature", "70.7", 70.7, ""),
        ("sensor/humidity", "51.5", 51.5, "%"),
        ("sensor/battery", "88", 88.0, "%"),
        ("sensor/lux", "132", 132.0, "lx"),
        ("sensor/tilt", "3", 3.0, "°"),
        ("totalworktime", "81000", 81000.0, "s"),
    ],
)
def test_shelly_value_has_the_unit_that_its_topic_fixes(
    rest: str, payload: str, value: float, unit: str
) -> None:
    """The rest of the topic is the metric; `sensor/temperature` is in °C or °F by setting."""
    decoded = arrive(SHELLY, f"shellies/{CLIENT}/{rest}", payload)
    assert measured(decoded) == {rest.replace("/", "."): (value, unit)}


@pytest.mark.parametrize(
    ("rest", "payload", "value", "kind"),
    [
        ("relay/0", "on", 1.0, Kind.BOOLEAN),
        ("relay/0", "overpower", "overpower", Kind.STATE),
        ("input/0", "1", 1.0, Kind.BOOLEAN),
        ("longpush/0", "0", 0.0, Kind.BOOLEAN),
        ("overtemperature", "0", 0.0, Kind.BOOLEAN),
        ("roller/0", "close", "close", Kind.STATE),
        ("roller/0/stop_reason", "normal", "normal", Kind.STATE),
        ("sensor/state", "open", "open", Kind.STATE),
        ("sensor/motion", "true", 1.0, Kind.BOOLEAN),
        ("sensor/flood", "false", 0.0, Kind.BOOLEAN),
        ("sensor/illumination", "twilight", "twilight", Kind.STATE),
    ],
)
def test_shelly_state_is_a_state_and_0_and_1_are_yes_and_no(
    rest: str, payload: str, value: float | str, kind: Kind
) -> None:
    """Relays, inputs and contacts are drawn as states."""
    (measurement,) = arrive(SHELLY, f"shellies/{CLIENT}/{rest}", payload).measurements
    assert (measurement.value, measurement.kind) == (value, kind)


def test_shelly_light_status_is_an_object() -> None:
    """Colours, brightness and power are measured; timers and sources describe."""
    payload = {
        "ison": True,
        "has_timer": False,
        "timer_remaining": 0,
        "mode": "color",
        "red": 255,
        "gain": 40,
        "power": 12.3,
        "overpower": False,
        "source": "http",
    }
    decoded = arrive(SHELLY, "shellies/shellyrgbw2-1/color/0/status", payload)
    assert measured(decoded) == {
        "color.0.status.ison": (1.0, ""),
        "color.0.status.mode": ("color", ""),
        "color.0.status.red": (255.0, ""),
        "color.0.status.gain": (40.0, "%"),
        "color.0.status.power": (12.3, "W"),
        "color.0.status.overpower": (0.0, ""),
    }


def test_shelly_external_sensors_leave_out_their_addresses() -> None:
    """Each has °C and, again, °F."""
    payload = {"0": {"hwID": "XXXXXXXXXXXXXXXX", "tC": 21.5, "tF": 70.7}}
    assert measured(arrive(SHELLY, f"shellies/{CLIENT}/ext_temperatures", payload)) == {
        "ext_temperatures.0.tC": (21.5, "°C")
    }


def test_shelly_button_event_gives_what_was_pushed() -> None:
    """Before the first push there is no event, but a count."""
    topic = "shellies/shellyix3-1/input_event/0"
    assert measured(arrive(SHELLY, topic, {"event": "SS", "event_cnt": 2})) == {
        "input_event.0.event": ("SS", ""),
        "input_event.0.event_cnt": (2.0, ""),
    }
    assert measured(arrive(SHELLY, topic, {"event": "", "event_cnt": 0})) == {
        "input_event.0.event_cnt": (0.0, "")
    }


def test_shelly_info_gives_uptime_and_signal() -> None:
    """The rest of it comes on topics of its own, or describes."""
    payload = {
        "wifi_sta": {"connected": True, "ssid": "attic", "ip": "192.0.2.7", "rssi": -61},
        "mac": "A4CF12B9F355",
        "time": "22:50",
        "unixtime": 1570650600,
        "update": {"status": "idle", "has_update": False, "old_version": "20190913"},
        "relays": [{"ison": True}],
        "uptime": 561474,
    }
    assert measured(arrive(SHELLY, f"shellies/{CLIENT}/info", payload)) == {
        "info.uptime": (561474.0, "s"),
        "info.rssi": (-61.0, "dBm"),
    }


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("shellies/announce", {"id": CLIENT, "mac": "A4CF12B9F355", "new_fw": False}),
        ("shellies/command", "announce"),
        (f"shellies/{CLIENT}/announce", {"id": CLIENT, "fw_ver": "20190821-095337/v1.5.2"}),
        (f"shellies/{CLIENT}/command", "update"),
        (f"shellies/{CLIENT}/relay/0/command", "on"),
        (f"shellies/{CLIENT}/roller/0/command/pos", "40"),
        (f"shellies/{CLIENT}/color/0/set", {"red": 255}),
        (f"shellies/{CLIENT}/temperature_f", "93.58"),
        (f"shellies/{CLIENT}/ext_temperature_f/0", "70.9"),
        (f"shellies/{CLIENT}/sensor/act_reasons", ["sensor"]),
        (f"shellies/{CLIENT}/settings", {"name": "plug"}),
    ],
)
def test_shelly_commands_and_descriptions_hold_nothing(topic: str, payload: object) -> None:
    """They are neither readings nor faults."""
    assert is_silent(arrive(SHELLY, topic, payload))


@pytest.mark.parametrize(("payload", "kind"), [("true", "online"), ("false", "offline")])
def test_shelly_online_is_a_note(payload: str, kind: str) -> None:
    """Of both generations, and of the second with either prefix."""
    for topic in (f"shellies/{CLIENT}/online", "shellyplus1-08b61fd141e8/online"):
        assert kinds(arrive(SHELLY, topic, payload)) == [kind]


def test_shelly_second_generation_under_shellies_is_told_apart() -> None:
    """A prefix `shellies/<name>` leads to the decoder of the second generation."""
    topic = "shellies/desk/status/switch:0"
    assert measured(arrive(SHELLY, topic, {"id": 0, "apower": 8.9})) == {
        "switch:0.apower": (8.9, "W")
    }
    assert route(SHELLY, "shellies/desk/events/rpc").place.client == "desk"


@pytest.mark.parametrize(
    ("rest", "payload"),
    [
        ("relay/0/power", "nan"),
        ("relay/0/power", "21,5"),
        ("relay/0/power", " "),
        ("relay/0/power", b"\xff\x00"),
        ("color/0/status", "[1]"),
        ("color/0/status", '{"a":'),
    ],
)
def test_shelly_value_that_is_none_is_rejected(rest: str, payload: object) -> None:
    """Broken values and objects are not readings."""
    with pytest.raises(Rejected):
        arrive(SHELLY, f"shellies/{CLIENT}/{rest}", payload)
