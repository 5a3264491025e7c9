"""Tasmota: telemetry and the answers to commands that hold measurements.

The last level of the topic says what a message is, whatever FullTopic is set to.
Source: https://tasmota.github.io/docs/MQTT/, https://tasmota.github.io/docs/JSON-Status-Responses/
"""

import re

from collector.decoded import Decoded, Memory, Place
from collector.formats.clearing import clearable
from collector.formats.harvest import read_unit
from collector.formats.plain import decode_plain
from collector.formats.presence import decode_presence
from collector.formats.sieve import Fields, Sieve, Sifting, load_object, member, stamp_of

_WRAPPERS = {"STATUS8": "StatusSNS", "STATUS10": "StatusSNS", "STATUS11": "StatusSTS"}
_POWER = re.compile(r"POWER[0-9]{0,2}")
_ANSWER = re.compile(r"(POWER|Shutter|Switch|Button|Channel)[0-9]{0,2}|Dimmer|CT|White")
"""Members of a command's answer that tell a state; all others are settings."""

_OLD_DATE = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2}) ")
_DESCRIBING = frozenset(
    {
        "Time",
        "Uptime",
        "SleepMode",
        "Sleep",
        "MqttCount",
        "TempUnit",
        "PressureUnit",
        "SpeedUnit",
        "TotalStartTime",
        "Color",
        "HSBColor",
        "Scheme",
        "Fade",
        "LedTable",
        "SSId",
        "BSSId",
        "Mode",
        "AP",
        "APMac",
        "Hostname",
        "IPAddress",
        "Mac",
        "mac",
        "Id",
        "UID",
        "DATA",
        "Device",
        "Name",
        "Model",
        "ModelId",
        "Manufacturer",
        "IEEEAddr",
        "Endpoint",
        "RGB",
        "RGBb",
    }
)
_WATT_HOURS = ("Total", "Yesterday", "Today", "TotalTariff", "ExportTariff")
_MORE_WATT_HOURS = ("ImportActive", "ExportActive")
_PARTICLES = ("PM1", "PM2.5", "PM10", "CF1", "CF2.5", "CF10")
_UNITS = {
    **dict.fromkeys(_PARTICLES, "µg/m³"),
    **{f"ENERGY.{key}": "kWh" for key in (*_WATT_HOURS, *_MORE_WATT_HOURS)},
    "ENERGY.Period": "Wh",
    "Humidity": "%",
    "Moisture": "%",
    "Power": "W",
    "ApparentPower": "VA",
    "ReactivePower": "var",
    "Voltage": "V",
    "Current": "A",
    "Frequency": "Hz",
    "PhaseAngle": "°",
    "CarbonDioxide": "ppm",
    "eCO2": "ppm",
    "TVOC": "ppb",
    "Illuminance": "lx",
    "Distance": "cm",
    "Weight": "kg",
    "BatteryPercentage": "%",
    "LinkQuality": "lqi",
    "Dimmer": "%",
    "UptimeSec": "s",
    "Heap": "kB",
    "LoadAvg": "%",
    "Vcc": "V",
    "Wifi.RSSI": "%",
    "Wifi.Signal": "dBm",
}
_SETTABLE = {
    "TempUnit": ("Temperature", "DewPoint", "HeatIndex"),
    "PressureUnit": ("Pressure", "SeaPressure"),
    "SpeedUnit": ("Speed", "Speed.Act", "Speed.Avg", "Speed.Min", "Speed.Max"),
}
"""What is measured in the unit that the message itself names."""

_PHASES = ("Power", "ApparentPower", "ReactivePower", "Factor", "Frequency", "Voltage", "Current")
_NUMBERED = frozenset(
    {*_PHASES, *_WATT_HOURS, *_MORE_WATT_HOURS, "Period", "PhaseAngle", "Channel"}
)


@clearable
def decode_tasmota(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """What SENSOR, STATE, STATUS8, STATUS10, STATUS11, RESULT and POWER measure; LWT is a note.

    `Time` is the client's local time: it is read in the template's zone and flagged, unless
    `SetOption52 1` adds the offset. Other messages (INFO1, LOGGING, …) hold no readings.

    >>> place = Place("tele/shed/SENSOR", "shed")
    >>> payload = b'{"AM2301": {"Temperature": 24.9}, "TempUnit": "C"}'
    >>> [(m.metric, m.value, m.unit) for m in decode_tasmota(payload, place, {}).measurements]
    [('AM2301.Temperature', 24.9, '°C')]

    Raises:
        Rejected: `no-object`, or why it is no JSON or no value.
    """
    last = place.topic.rpartition("/")[2]
    if last == "LWT":
        return decode_presence(payload, place._replace(metric=""), memory)
    if _POWER.fullmatch(last) and not payload.lstrip().startswith(b"{"):
        return decode_plain(payload, place._replace(metric=last), memory)
    if last in ("SENSOR", "STATE"):
        return _telemetry(load_object(payload), place)
    if last in _WRAPPERS:
        return _telemetry(member(load_object(payload), _WRAPPERS[last]), place)
    if last == "RESULT" or _POWER.fullmatch(last):
        return _telemetry(_answer(load_object(payload)), place)
    return Decoded()


def _answer(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if _ANSWER.fullmatch(key) or key == "Time"}


def _telemetry(fields: Fields, place: Place) -> Decoded:
    sieve = Sieve(_DESCRIBING, {**_UNITS, **_settable(fields)}, _NUMBERED)
    sifting = Sifting(sieve, stamp_of(_with_iso_time(fields), "Time", place.zone))
    sifting.take("", fields)
    return sifting.decoded()


def _settable(fields: Fields) -> dict[str, str]:
    units: dict[str, str] = {}
    for key, metrics in _SETTABLE.items():
        named = fields.get(key)
        if isinstance(named, str):
            unit = f"°{named}" if named in ("C", "F") else read_unit(named)
            units |= dict.fromkeys(metrics, unit)
    return units


def _with_iso_time(fields: Fields) -> Fields:
    """Firmware before 5.13 writes `2018.02.01 21:29:40`."""
    time = fields.get("Time")
    if not isinstance(time, str):
        return fields
    return {"Time": _OLD_DATE.sub(r"\1-\2-\3T", time)}
