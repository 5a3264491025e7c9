"""Tasmota: messages in the shapes of its documentation."""

from zoneinfo import ZoneInfo

import pytest

from collector.decoded import Place
from collector.formats.tasmota import decode_tasmota
from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Flag, Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, reasons

TASMOTA = Family.TASMOTA


def test_tasmota_sensors_have_the_units_that_the_message_names() -> None:
    """Temperatures are in TempUnit, pressures in PressureUnit; others have one unit."""
    payload = {
        "Time": "2018-02-07T20:16:19",
        "DHT11": {"Temperature": 78.8, "Humidity": 27.0, "DewPoint": 42.1},
        "BMP280": {"Temperature": 80.9, "Pressure": 984.4},
        "PMS5003": {"PM2.5": 2, "PB0.3": 423},
        "TempUnit": "F",
        "PressureUnit": "hPa",
    }
    assert measured(arrive(TASMOTA, "tele/shed/SENSOR", payload)) == {
        "DHT11.Temperature": (78.8, "°F"),
        "DHT11.Humidity": (27.0, "%"),
        "DHT11.DewPoint": (42.1, "°F"),
        "BMP280.Temperature": (80.9, "°F"),
        "BMP280.Pressure": (984.4, "hPa"),
        "PMS5003.PM2.5": (2.0, "µg/m³"),
        "PMS5003.PB0.3": (423.0, ""),
    }


def test_tasmota_energy_of_several_phases_is_numbered() -> None:
    """Arrays count from 1, as relays and channels do; when counting began is no reading."""
    payload = {
        "Time": "2020-03-03T00:00:00+00:00",
        "ENERGY": {
            "TotalStartTime": "2018-11-23T15:33:47",
            "Total": 3.185,
            "Yesterday": 3.058,
            "Today": 0.127,
            "Period": 5,
            "Power": [0, 12],
            "ApparentPower": 7.84,
            "ReactivePower": -7.21,
            "Factor": [0.39, 1.0],
            "Frequency": 50,
            "Voltage": 221,
            "Current": [0.0, 0.052],
        },
    }
    assert measured(arrive(TASMOTA, "tele/pow/SENSOR", payload)) == {
        "ENERGY.Total": (3.185, "kWh"),
        "ENERGY.Yesterday": (3.058, "kWh"),
        "ENERGY.Today": (0.127, "kWh"),
        "ENERGY.Period": (5.0, "Wh"),
        "ENERGY.Power.1": (0.0, "W"),
        "ENERGY.Power.2": (12.0, "W"),
        "ENERGY.ApparentPower": (7.84, "VA"),
        "ENERGY.ReactivePower": (-7.21, "var"),
        "ENERGY.Factor.1": (0.39, ""),
        "ENERGY.Factor.2": (1.0, ""),
        "ENERGY.Frequency": (50.0, "Hz"),
        "ENERGY.Voltage": (221.0, "V"),
        "ENERGY.Current.1": (0.0, "A"),
        "ENERGY.Current.2": (0.052, "A"),
    }


@pytest.mark.parametrize(
    ("time", "time_us", "flags"),
    [
        ("2024-02-24T22:20:38", 1_708_809_638_000_000, Flag.ZONE_ASSUMED),
        ("2024.02.24 22:20:38", 1_708_809_638_000_000, Flag.ZONE_ASSUMED),
        ("2024-02-24T22:20:38+01:00", 1_708_809_638_000_000, 0),
        ("1970-01-01T00:00:11", None, Flag.CLOCK_UNSET),
    ],
)
def test_tasmota_local_time_is_read_in_the_zone(time: str, time_us: int | None, flags: int) -> None:
    """Without an offset it is the template's zone and flagged; before NTP it is no time."""
    place = Place("tele/shed/SENSOR", "shed", zone=ZoneInfo("Europe/Berlin"))
    payload = f'{{"Time":"{time}","DS18B20":{{"Id":"01131B123456","Temperature":20.6}}}}'
    decoded = decode_tasmota(payload.encode(), place, {})
    (measurement,) = decoded.measurements
    assert (measurement.metric, measurement.unit) == ("DS18B20.Temperature", "")
    assert (measurement.time_us, measurement.flags, reasons(decoded)) == (time_us, flags, [])


STATE = {
    "Time": "2024-02-24T22:20:38+00:00",
    "Uptime": "0T00:10:11",
    "UptimeSec": 611,
    "Heap": 24,
    "SleepMode": "Dynamic",
    "Sleep": 50,
    "LoadAvg": 19,
    "MqttCount": 1,
    "POWER": "OFF",
    "Dimmer": 50,
    "Color": "255,128,0",
    "HSBColor": "30,100,50",
    "Channel": [50, 25, 0],
    "Wifi": {
        "AP": 1,
        "SSId": "attic",
        "BSSId": "E6:8D:8C:4B:BE:F7",
        "Channel": 3,
        "Mode": "11n",
        "RSSI": 44,
        "Signal": -78,
        "LinkCount": 1,
        "Downtime": "0T00:00:05",
    },
}


def test_tasmota_state_gives_relays_light_and_network() -> None:
    """What switches and what is measured; names, addresses and colours as text are left out."""
    assert measured(arrive(TASMOTA, "tele/lamp/STATE", STATE)) == {
        "UptimeSec": (611.0, "s"),
        "Heap": (24.0, "kB"),
        "LoadAvg": (19.0, "%"),
        "POWER": (0.0, ""),
        "Dimmer": (50.0, "%"),
        "Channel.1": (50.0, ""),
        "Channel.2": (25.0, ""),
        "Channel.3": (0.0, ""),
        "Wifi.Channel": (3.0, ""),
        "Wifi.RSSI": (44.0, "%"),
        "Wifi.Signal": (-78.0, "dBm"),
        "Wifi.LinkCount": (1.0, ""),
    }


@pytest.mark.parametrize(
    ("topic", "wrapper"),
    [("STATUS8", "StatusSNS"), ("STATUS10", "StatusSNS"), ("STATUS11", "StatusSTS")],
)
def test_tasmota_status_on_demand_is_the_same_as_telemetry(topic: str, wrapper: str) -> None:
    """The answers to `Status 8`, `10` and `11` wrap what SENSOR and STATE bring."""
    inner = {"Time": "2020-03-03T00:00:00Z", "AM2301": {"Temperature": 15.5}, "TempUnit": "C"}
    decoded = arrive(TASMOTA, f"stat/shed/{topic}", {wrapper: inner})
    assert measured(decoded) == {"AM2301.Temperature": (15.5, "°C")}
    assert [m.time_us for m in decoded.measurements] == [1_583_193_600_000_000]


def test_tasmota_power_is_read_bare_and_from_results() -> None:
    """Both topics tell the state of a relay; a setting in a result is none."""
    (bare,) = arrive(TASMOTA, "stat/plug/POWER1", "ON").measurements
    assert (bare.metric, bare.value, bare.kind) == ("POWER1", 1.0, Kind.BOOLEAN)
    assert measured(arrive(TASMOTA, "stat/plug/RESULT", {"POWER1": "ON", "Dimmer": 5})) == {
        "POWER1": (1.0, ""),
        "Dimmer": (5.0, "%"),
    }
    assert measured(arrive(TASMOTA, "stat/plug/POWER", {"POWER": "OFF"})) == {"POWER": (0.0, "")}


def test_tasmota_button_action_is_a_state() -> None:
    """A button that is detached from its relay tells how it was pushed."""
    decoded = arrive(TASMOTA, "stat/plug/RESULT", {"Button1": {"Action": "DOUBLE"}})
    assert measured(decoded) == {"Button1.Action": ("DOUBLE", "")}


def test_tasmota_zigbee_bridge_gives_its_devices() -> None:
    """A device behind a bridge is named by its address; its name is no reading."""
    payload = {
        "ZbReceived": {
            "0x329F": {
                "Device": "0x329F",
                "Name": "cellar",
                "Humidity": 69.45,
                "Endpoint": 1,
                "LinkQuality": 92,
            }
        }
    }
    assert measured(arrive(TASMOTA, "tele/bridge/SENSOR", payload)) == {
        "ZbReceived.0x329F.Humidity": (69.45, "%"),
        "ZbReceived.0x329F.LinkQuality": (92.0, "lqi"),
    }


@pytest.mark.parametrize(("payload", "kind"), [("Online", "online"), ("Offline", "offline")])
def test_tasmota_last_will_is_a_note(payload: str, kind: str) -> None:
    """LWT says who came and went, also on a template of one's own."""
    assert kinds(arrive(TASMOTA, "tele/shed/LWT", payload)) == [kind]
    own = Place("shed/tele/LWT", "shed", "LWT")
    assert kinds(decode_tasmota(payload.encode(), own, {})) == [kind]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("stat/shed/RESULT", {"Command": "Unknown"}),
        ("stat/shed/RESULT", {"TelePeriod": 300}),
        ("stat/shed/RESULT", {"Module": {"1": "Sonoff Basic"}}),
        ("stat/shed/STATUS", {"Status": {"Module": 1, "FriendlyName": ["Tasmota"]}}),
        ("stat/shed/STATUS5", {"StatusNET": {"Hostname": "shed", "Mac": "5C:CF:7F:00:00:00"}}),
        ("stat/shed/LOGGING", "22:20:38.429 MQT: stat/shed/RESULT"),
        ("stat/shed/UPGRADE", "Successful. Restarting"),
    ],
)
def test_tasmota_settings_and_logs_hold_nothing(topic: str, payload: object) -> None:
    """They describe, and are no faults."""
    assert is_silent(arrive(TASMOTA, topic, payload))


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_tasmota_info_on_a_template_of_ones_own_holds_nothing(number: str) -> None:
    """Versions and addresses are told at a restart."""
    place = Place(f"tele/shed/INFO{number}", "shed", f"INFO{number}")
    payload = b'{"Info1":{"Module":"Sonoff Basic","Version":"9.5.0(tasmota)"}}'
    assert is_silent(decode_tasmota(payload, place, {}))


def test_tasmota_hostile_sensor_costs_only_its_bad_parts() -> None:
    """Units that can be none, a bad time and a broken number leave the rest."""
    payload = {
        "Time": "soon",
        "TempUnit": "x" * 5000,
        "PressureUnit": ["hPa"],
        "A": {"Temperature": "21,5", "Humidity": 40, "Power": [[1], {"a": 1}, 3]},
    }
    decoded = arrive(TASMOTA, "tele/shed/SENSOR", payload)
    assert reasons(decoded) == [
        ("bad-time", "Time"),
        ("decimal-comma", "A.Temperature"),
        ("array", "A.Power.1"),
        ("unsupported", "A.Power.2"),
    ]
    assert [(m.metric, m.value, m.unit) for m in decoded.measurements] == [
        ("A.Humidity", 40.0, "%"),
        ("A.Power.3", 3.0, "W"),
    ]


@pytest.mark.parametrize("payload", [" ", "[1]", "ON", '{"Time":'])
def test_tasmota_telemetry_that_is_no_object_is_rejected(payload: str) -> None:
    """SENSOR is an object."""
    with pytest.raises(Rejected):
        arrive(TASMOTA, "tele/shed/SENSOR", payload)
