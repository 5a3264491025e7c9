"""Shelly, first generation: `shellies/<id>/…`, one value a topic, a few objects.

Source: https://shelly-api-docs.shelly.cloud/gen1/
"""

from collector.decoded import Decoded, Measurement, Memory, Place
from collector.formats.clearing import clearable
from collector.formats.plain import decode_plain
from collector.formats.presence import decode_presence
from collector.formats.sieve import Fields, Sieve, Sifting, load_object, member
from telemetry.reading import Kind

_COMMANDS = frozenset({"command", "set"})
_DESCRIBING_TOPICS = frozenset({"", "announce", "settings", "sensor.act_reasons"})
_BOOLEAN = frozenset({"input", "longpush", "overtemperature", "overload", "loaderror", "vibration"})
"""What is said with 0 and 1."""

_ELSEWHERE = frozenset({"temperature_f", "ext_temperature_f"})
"""The same measurement again, in °F."""

_UNITS = {
    "power": "W",
    "overpower_value": "W",
    "reactive_power": "var",
    "voltage": "V",
    "adc": "V",
    "current": "A",
    "energy": "W·min",
    "returned_energy": "W·min",
    "total": "Wh",
    "total_returned": "Wh",
    "temperature": "°C",
    "ext_temperature": "°C",
    "ext_humidity": "%",
    "humidity": "%",
    "battery": "%",
    "bat": "%",
    "lux": "lx",
    "tilt": "°",
    "concentration": "ppm",
    "pos": "%",
    "brightness": "%",
    "gain": "%",
    "totalworktime": "s",
    "tC": "°C",
    "hum": "%",
    "rssi": "dBm",
    "uptime": "s",
}
_SET_UNIT = "sensor.temperature"
"""In °C or °F, as the client is set: nothing on the topic says which."""

_SIEVE = Sieve(
    frozenset(
        {
            "hwID",
            "tF",
            "source",
            "has_timer",
            "timer_started",
            "timer_duration",
            "timer_remaining",
            "timestamp",
            "transition",
            "id",
        }
    ),
    _UNITS,
)


@clearable
def decode_shelly(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """The value or values of a topic under `shellies/<id>/`; its metric is the rest of the topic.

    What is sent to a client (`…/command`) or describes it (`announce`) is no reading; of `info`
    the uptime and the strength of the network are.

    >>> place = Place("shellies/plug/relay/0/power", "plug", "relay.0.power")
    >>> [(m.metric, m.value, m.unit) for m in decode_shelly(b"42.17", place, {}).measurements]
    [('relay.0.power', 42.17, 'W')]

    Raises:
        Rejected: Why it is no value, or no JSON.
    """
    metric = place.metric
    if _is_no_reading(metric):
        return Decoded()
    if metric == "online":
        return decode_presence(payload, place._replace(metric=""), memory)
    if payload.lstrip().startswith((b"{", b"[")):
        return _object(load_object(payload), metric)
    decoded = decode_plain(payload, place, memory)
    return Decoded([_known(m) for m in decoded.measurements], (), decoded.notes)


def _is_no_reading(metric: str) -> bool:
    commanded = not _COMMANDS.isdisjoint(metric.split("."))  # also roller.0.command.pos
    return metric in _DESCRIBING_TOPICS or commanded or _quantity(metric) in _ELSEWHERE


def _object(fields: Fields, metric: str) -> Decoded:
    sifting = Sifting(_SIEVE)
    sifting.take(metric, _info(fields) if metric == "info" else fields)
    return sifting.decoded()


def _info(fields: Fields) -> Fields:
    told = {"uptime": fields.get("uptime"), "rssi": member(fields, "wifi_sta").get("rssi")}
    return {key: value for key, value in told.items() if value is not None}


def _known(measurement: Measurement) -> Measurement:
    """With its unit, and as yes or no where 0 and 1 mean that."""
    metric, value = measurement.metric, measurement.value
    quantity = _quantity(metric)
    if quantity in _BOOLEAN and value in (0.0, 1.0):
        return measurement._replace(kind=Kind.BOOLEAN)
    unit = "" if metric == _SET_UNIT else _UNITS.get(quantity, "")
    return measurement._replace(unit=unit)


def _quantity(metric: str) -> str:
    """The last part of a metric that is no number of a channel.

    >>> _quantity("relay.0.power"), _quantity("input.0")
    ('power', 'input')
    """
    return next((part for part in reversed(metric.split(".")) if not part.isdigit()), "")
