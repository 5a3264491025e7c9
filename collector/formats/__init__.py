"""How payloads are written: one decoder for each format, behind one table."""

from collections.abc import Mapping

from collector.decoded import Decoder
from collector.formats.auto import decode_auto
from collector.formats.binary import decode_cbor, decode_msgpack
from collector.formats.csv_rows import decode_csv
from collector.formats.esphome import decode_esphome
from collector.formats.home_assistant import decode_home_assistant
from collector.formats.influx import decode_influx
from collector.formats.keyvalue import decode_keyvalue
from collector.formats.objects import decode_json
from collector.formats.owntracks import decode_owntracks
from collector.formats.plain import decode_plain
from collector.formats.presence import decode_presence
from collector.formats.senml import decode_senml_cbor, decode_senml_json
from collector.formats.shelly import decode_shelly
from collector.formats.shelly_rpc import decode_shelly_rpc
from collector.formats.sparkplug import decode_sparkplug
from collector.formats.tasmota import decode_tasmota
from collector.formats.things_stack import decode_things_stack
from collector.formats.zigbee2mqtt import decode_zigbee2mqtt
from telemetry.families import Format

DECODERS: Mapping[Format, Decoder] = {
    Format.AUTO: decode_auto,
    Format.PLAIN: decode_plain,
    Format.JSON: decode_json,
    Format.KEY_VALUE: decode_keyvalue,
    Format.CSV: decode_csv,
    Format.INFLUX: decode_influx,
    Format.SENML_JSON: decode_senml_json,
    Format.SENML_CBOR: decode_senml_cbor,
    Format.MSGPACK: decode_msgpack,
    Format.CBOR: decode_cbor,
    Format.SPARKPLUG: decode_sparkplug,
    Format.PRESENCE: decode_presence,
    Format.ZIGBEE2MQTT: decode_zigbee2mqtt,
    Format.TASMOTA: decode_tasmota,
    Format.SHELLY: decode_shelly,
    Format.SHELLY_RPC: decode_shelly_rpc,
    Format.ESPHOME: decode_esphome,
    Format.HOME_ASSISTANT: decode_home_assistant,
    Format.THINGS_STACK: decode_things_stack,
    Format.OWNTRACKS: decode_owntracks,
}
"""The decoder of each format. It is given payloads of at most `PAYLOAD_BYTES`."""

FORMAT_OF_CONTENT_TYPE: Mapping[str, Format] = {
    "text/plain": Format.AUTO,
    "text/csv": Format.CSV,
    "text/tab-separated-values": Format.CSV,
    "text/json": Format.JSON,
    "application/json": Format.JSON,
    "application/senml+json": Format.SENML_JSON,
    "application/sensml+json": Format.SENML_JSON,
    "application/senml+cbor": Format.SENML_CBOR,
    "application/sensml+cbor": Format.SENML_CBOR,
    "application/cbor": Format.CBOR,
    "application/msgpack": Format.MSGPACK,
    "application/x-msgpack": Format.MSGPACK,
    "application/vnd.msgpack": Format.MSGPACK,
}
"""The format that an MQTT 5 content type means; the template's own format wins."""

_SUFFIXES = {"json": Format.JSON, "cbor": Format.CBOR}


def format_of(content_type: str) -> Format | None:
    """The format that a content type means, or None if it is none that we read.

    Of an unknown type the suffix tells (RFC 6839).

    >>> str(format_of("Application/JSON; charset=utf-8")), format_of("image/png")
    ('json', None)
    >>> str(format_of("application/vnd.example+cbor"))
    'cbor'
    """
    name = content_type.partition(";")[0].strip().lower()
    return FORMAT_OF_CONTENT_TYPE.get(name) or _SUFFIXES.get(name.rpartition("+")[2])
