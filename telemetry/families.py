"""Payload formats by name, and the topics of the families of clients that people own."""

from collections.abc import Mapping
from enum import StrEnum


class Format(StrEnum):
    """How a payload is written; `collector/formats/` reads them."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    KEY_VALUE = "key-value"
    CSV = "csv"
    INFLUX = "influx"
    SENML_JSON = "senml-json"
    SENML_CBOR = "senml-cbor"
    MSGPACK = "msgpack"
    CBOR = "cbor"
    SPARKPLUG = "sparkplug"
    PRESENCE = "presence"
    ZIGBEE2MQTT = "zigbee2mqtt"
    TASMOTA = "tasmota"
    SHELLY = "shelly"
    SHELLY_RPC = "shelly-rpc"
    ESPHOME = "esphome"
    HOME_ASSISTANT = "home-assistant"
    THINGS_STACK = "things-stack"
    OWNTRACKS = "owntracks"


class Family(StrEnum):
    """Clients whose topics and payloads Culex knows."""

    ZIGBEE2MQTT = "zigbee2mqtt"
    TASMOTA = "tasmota"
    SHELLY = "shelly"
    ESPHOME = "esphome"
    HOME_ASSISTANT = "home-assistant"
    THINGS_STACK = "things-stack"
    OWNTRACKS = "owntracks"
    SPARKPLUG = "sparkplug"


Templates = tuple[tuple[str, Format], ...]

_Z2M_WORDS = (
    *("state", "set", "get"),
    *("info", "devices", "groups", "logging", "event", "definitions", "extensions", "converters"),
    *("health", "log", "config"),
)
"""Last levels that are no device's name: of the bridge, and commands to devices."""

_ZIGBEE2MQTT: Templates = (
    ("zigbee2mqtt/{client}", Format.ZIGBEE2MQTT),
    ("zigbee2mqtt/{client}/availability", Format.PRESENCE),
    *((f"zigbee2mqtt/{{client}}/{word}", Format.ZIGBEE2MQTT) for word in _Z2M_WORDS),
    ("zigbee2mqtt/{client}/{part}", Format.ZIGBEE2MQTT),
    ("zigbee2mqtt/{client}/{part}/availability", Format.PRESENCE),
)

_TASMOTA: Templates = (
    ("tele/{client}/LWT", Format.PRESENCE),
    ("tele/{client}/SENSOR", Format.TASMOTA),
    ("tele/{client}/STATE", Format.TASMOTA),
    ("stat/{client}/RESULT", Format.TASMOTA),
    ("stat/{client}/STATUS8", Format.TASMOTA),
    ("stat/{client}/STATUS10", Format.TASMOTA),
    ("stat/{client}/STATUS11", Format.TASMOTA),
    ("stat/{client}/{metric}", Format.TASMOTA),
)

_SHELLY: Templates = (
    ("shellies/{client}/online", Format.PRESENCE),
    ("shellies/{client}/events/rpc", Format.SHELLY_RPC),
    ("shellies/{client}/status/{metric}", Format.SHELLY_RPC),
    ("shellies/{client}/{path}", Format.SHELLY),
    ("shellies/{client}", Format.SHELLY),
    ("{client}/online", Format.PRESENCE),
    ("{client}/events/rpc", Format.SHELLY_RPC),
    ("{client}/status/{metric}", Format.SHELLY_RPC),
)
"""The last three with the topic prefix as a new client of the second generation has it."""

_ESPHOME_STATES = (
    *("sensor", "binary_sensor", "switch", "text_sensor", "light", "number", "select", "lock"),
    *("fan", "cover", "valve", "text", "alarm_control_panel"),
)
_ESPHOME_PARTS = ("fan", "cover", "valve", "climate")

_ESPHOME: Templates = (
    ("{client}/status", Format.PRESENCE),
    *((f"{{client}}/{kind}/{{metric}}/state", Format.ESPHOME) for kind in _ESPHOME_STATES),
    *((f"{{client}}/{kind}/{{any}}/{{metric}}/state", Format.ESPHOME) for kind in _ESPHOME_PARTS),
)

_THINGS_STACK: Templates = (
    ("v3/{any}/devices/{client}/up", Format.THINGS_STACK),
    ("v3/{any}/devices/{client}/join", Format.THINGS_STACK),
    ("v3/{any}/devices/{client}/location/solved", Format.THINGS_STACK),
)

_OWNTRACKS: Templates = (
    ("owntracks/{client}/{part}", Format.OWNTRACKS),
    ("owntracks/{client}/{part}/event", Format.OWNTRACKS),
    ("owntracks/{client}/{part}/step", Format.OWNTRACKS),
)

_HOME_ASSISTANT: Templates = (
    ("homeassistant/{any}/{client}/config", Format.HOME_ASSISTANT),
    ("homeassistant/{any}/{client}/{any}/config", Format.HOME_ASSISTANT),
)

_SPARKPLUG: Templates = (
    *(
        (f"spBv1.0/{{part}}/{message}/{{client}}", Format.SPARKPLUG)
        for message in ("NBIRTH", "NDATA", "NDEATH")
    ),
    *(
        (f"spBv1.0/{{part}}/{message}/{{client}}/{{part}}", Format.SPARKPLUG)
        for message in ("DBIRTH", "DDATA", "DDEATH")
    ),
    ("spBv1.0/STATE/{client}", Format.SPARKPLUG),
)

TEMPLATES: Mapping[Family, Templates] = {
    Family.ZIGBEE2MQTT: _ZIGBEE2MQTT,
    Family.TASMOTA: _TASMOTA,
    Family.SHELLY: _SHELLY,
    Family.ESPHOME: _ESPHOME,
    Family.HOME_ASSISTANT: _HOME_ASSISTANT,
    Family.THINGS_STACK: _THINGS_STACK,
    Family.OWNTRACKS: _OWNTRACKS,
    Family.SPARKPLUG: _SPARKPLUG,
}
"""Topic templates of each family, with the format of their payloads; the first that fits wins."""
