"""Home Assistant discovery: names and units of series that other topics bring.

Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

import re
from collections.abc import Iterator

from collector.decoded import FIELDS, Decoded, Description, Memory, Place
from collector.formats.clearing import clearable
from collector.formats.harvest import read_unit
from collector.formats.sieve import Fields, load_object, member
from collector.rejection import Fault
from collector.topics import name_fault

_LONG = {
    "stat_t": "state_topic",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
    "dev": "device",
    "dev_cla": "device_class",
    "cmps": "components",
}
"""The abbreviations of what is read here."""

TOPIC_CHARACTERS = 1024
"""Of a topic and its base topic; a longer one is nobody's, as names have 256 at most."""

_REMOVED = frozenset({"p", "platform"})
"""All that is left of a component that a device takes back."""

_STEP = r"""\.\w+|\[\s*'[^']*'\s*\]|\[\s*"[^"]*"\s*\]"""
_FILTER = (
    r"\|\s*(?:float|int|round|default|is_defined|string|trim|lower|upper|bool)(?:\([^()]*\))?\s*"
)
_TEMPLATE = re.compile(rf"\{{\{{-?\s*value(?:_json((?:{_STEP})+))?\s*(?:{_FILTER})*-?\}}\}}")
"""`value` or a member of `value_json`, through nothing that changes the size of a number."""

_KEY = re.compile(r"""\.(\w+)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\]""")


@clearable
def decode_home_assistant(payload: bytes, _place: Place, _memory: Memory) -> Decoded:
    """What a discovery message says of the series that it describes; it holds no readings.

    One whose template computes something is left out: its unit would not be that of the payload.
    An empty message takes an entity back, and changes nothing that was named.

    >>> place = Place("homeassistant/sensor/shed/config", "shed")
    >>> payload = b'{"name": "Air", "stat_t": "shed/state", "val_tpl": "{{ value_json.t }}"}'
    >>> decode_home_assistant(payload, place, {}).descriptions
    [Description(topic='shed/state', key='t', name='Air', unit='')]

    Raises:
        Rejected: `no-object`, or why it is no JSON.
    """
    fields = _written_out(load_object(payload))
    entities = list(_entities(fields))
    faults = [Fault("too-many-fields")] if len(entities) > FIELDS else []
    described = [_description(entity) for entity in entities[:FIELDS]]
    return Decoded(faults=faults, descriptions=[one for one in described if one is not None])


def _written_out(fields: Fields) -> Fields:
    """With abbreviations written out; the long word wins."""
    return {**{_LONG[key]: value for key, value in fields.items() if key in _LONG}, **fields}


def _entities(fields: Fields) -> Iterator[Fields]:
    """The entity, or the components of a device, which share what stands beside them."""
    if "components" not in fields:
        yield fields
        return
    shared = {key: fields[key] for key in ("~", "state_topic", "device") if key in fields}
    for component in member(fields, "components").values():
        if isinstance(component, dict) and not component.keys() <= _REMOVED:
            yield {**shared, **_written_out(component)}


def _description(entity: Fields) -> Description | None:
    topic, key = _topic(entity), _key(entity)
    name, unit = _name(entity), read_unit(entity.get("unit_of_measurement"))
    if not topic or key is None or name_fault(key) or not (name or unit):
        return None
    return Description(topic, key, name, unit)


def _topic(entity: Fields) -> str:
    """The topic of the values, with `~` at its start or end replaced by the base topic."""
    topic, base = entity.get("state_topic"), entity.get("~")
    base = base if isinstance(base, str) else "~"  # itself
    if not isinstance(topic, str) or len(topic) + len(base) > TOPIC_CHARACTERS:
        return ""
    topic = base + topic[1:] if topic.startswith("~") else topic
    return topic[:-1] + base if topic.endswith("~") else topic


def _key(entity: Fields) -> str | None:
    """The dotted key that the value template reads, or None if it does more than that.

    >>> _key({"value_template": "{{ value_json.ENERGY['Power'] | float }}"})
    'ENERGY.Power'
    >>> _key({"value_template": "{{ value_json.mW / 1000 }}"}), _key({}), _key({"schema": "json"})
    (None, '', 'state')
    """
    template = entity.get("value_template")
    if template is None:
        return "state" if entity.get("schema") == "json" else ""
    match = _TEMPLATE.fullmatch(template.strip()) if isinstance(template, str) else None
    if match is None:
        return None
    return ".".join("".join(steps) for steps in _KEY.findall(match[1] or ""))


def _name(entity: Fields) -> str:
    """The entity's name; without one, what it measures; or else the device's."""
    device_class = entity.get("device_class")
    spoken = device_class.replace("_", " ").capitalize() if isinstance(device_class, str) else ""
    names = (entity.get("name"), spoken, member(entity, "device").get("name"))
    return next(
        (n.strip() for n in names if isinstance(n, str) and not name_fault(n) and n.strip()), ""
    )
