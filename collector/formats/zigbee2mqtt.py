"""Zigbee2MQTT: `zigbee2mqtt/<friendly name>` with an object of what the device exposes.

Source: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
"""

from collector.decoded import Decoded, Memory, Place
from collector.formats.clearing import clearable
from collector.formats.presence import decode_presence
from collector.formats.sieve import Sieve, Sifting, load_object, stamp_of

_BRIDGE = "bridge"
_COMMANDS = frozenset({"set", "get"})
_DESCRIBING = frozenset(
    {
        "last_seen",
        "elapsed",
        "update",
        "update_available",
        "device",
        "color_mode",
        "action_group",
        "action_transaction_id",
        "group_list",
        "level_config",
        "identify",
        "power_on_behavior",
        "time",
        "date",
    }
)
_CELSIUS = (
    "temperature",
    "local_temperature",
    "device_temperature",
    "external_temperature",
    "current_heating_setpoint",
    "occupied_heating_setpoint",
    "unoccupied_heating_setpoint",
    "occupied_cooling_setpoint",
)
_PERCENT = ("humidity", "soil_moisture", "battery", "position", "pi_heating_demand")
_UNITS = {
    **dict.fromkeys(_CELSIUS, "°C"),
    **dict.fromkeys(_PERCENT, "%"),
    "pressure": "hPa",
    "illuminance": "lx",
    "illuminance_lux": "lx",
    "co2": "ppm",
    "pm25": "µg/m³",
    "power": "W",
    "current": "A",
    "energy": "kWh",
    "linkquality": "lqi",
}
"""Those that are the same for every device: a `voltage` is in V or in mV, as its page says."""

_SIEVE = Sieve(_DESCRIBING, _UNITS)


@clearable
def decode_zigbee2mqtt(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """What a device or group measures; the time is `last_seen` where that is switched on.

    Of the bridge, only `bridge/state` says anything: whether it is there. Commands to devices
    (`/set`, `/get`) are nothing that anybody measured.

    >>> place = Place("zigbee2mqtt/shelf", "shelf")
    >>> payload = b'{"temperature": 27.34, "update": {"state": "idle"}}'
    >>> [(m.metric, m.value, m.unit) for m in decode_zigbee2mqtt(payload, place, {}).measurements]
    [('temperature', 27.34, '°C')]

    Raises:
        Rejected: `no-object`, or why it is no JSON.
    """
    last = place.topic.rpartition("/")[2]
    if place.client.split("/", 1)[0] == _BRIDGE:
        return decode_presence(payload, place, memory) if last == "state" else Decoded()
    if last in _COMMANDS:
        return Decoded()
    fields = load_object(payload)
    sifting = Sifting(_SIEVE, stamp_of(fields, "last_seen", place.zone))
    sifting.take(place.metric, fields)
    return sifting.decoded()
