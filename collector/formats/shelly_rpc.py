"""Shelly, second generation and later: `<prefix>/events/rpc` and `<prefix>/status/<component>`.

Source: https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
"""

from collections.abc import Iterator, Sequence

from collector.decoded import FIELDS, Decoded, Memory, Place
from collector.formats.clearing import clearable
from collector.formats.harvest import Harvest, dotted
from collector.formats.sieve import Fields, Sieve, Sifting, load_object, member, stamp_of

_STATUSES = frozenset({"NotifyStatus", "NotifyFullStatus"})
_SPEAKING = frozenset({"input", "button", "bthomedevice", "bthomesensor"})
"""Components whose events somebody caused; the others tell of settings and updates."""

_ONLY = {"sys": ("uptime", "ram_free"), "wifi": ("rssi",)}
"""Of what runs the client, the members that are measured."""

_SILENT = frozenset(
    {
        "ble",
        "bthome",
        "cloud",
        "eth",
        "ht_ui",
        "knx",
        "matter",
        "modbus",
        "mqtt",
        "plugs_ui",
        "schedule",
        "script",
        "serial",
        "service",
        "ts",
        "ui",
        "webhook",
        "ws",
        "zigbee",
    }
)
"""Components that only describe."""

_DESCRIBING = frozenset(
    {
        "id",
        "source",
        "tF",
        "target_F",
        "current_F",
        "minute_ts",
        "timer_started_at",
        "timer_duration",
        "transition",
        "move_timeout",
        "move_started_at",
        "pos_control",
        "last_direction",
        "calibration",
        "last_update_ts",
        "last_updated_ts",
        "packet_id",
        "flags",
    }
)
_PHASES = ("", "a_", "b_", "c_", "n_", "total_")
_ENERGIES = ("total_act_energy", "total_act_ret_energy")
_UNITS = {
    **{f"{phase}current": "A" for phase in _PHASES},
    **{f"{phase}voltage": "V" for phase in _PHASES},
    **{f"{phase}act_power": "W" for phase in _PHASES},
    **{f"{phase}aprt_power": "VA" for phase in _PHASES},
    **{f"{phase}freq": "Hz" for phase in _PHASES},
    **{f"{phase}{energy}": "Wh" for phase in _PHASES for energy in _ENERGIES},
    "total_act": "Wh",
    "total_act_ret": "Wh",
    "aenergy.total": "Wh",
    "ret_aenergy.total": "Wh",
    "apower": "W",
    "aprtpower": "VA",
    "tC": "°C",
    "target_C": "°C",
    "current_C": "°C",
    "rh": "%",
    "lux": "lx",
    "brightness": "%",
    "current_pos": "%",
    "target_pos": "%",
    "battery.V": "V",
    "battery.percent": "%",
    "bthomedevice.battery": "%",
    "percent": "%",
    "rssi": "dBm",
    "uptime": "s",
    "ram_free": "B",
}
_SIEVE = Sieve(_DESCRIBING, _UNITS)


@clearable
def decode_shelly_rpc(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """What a notification or the status of one component measures, by component: `switch:0.apower`.

    >>> place = Place("plug/events/rpc", "plug")
    >>> payload = b'{"method": "NotifyStatus", "params": {"switch:0": {"apower": 8.9}}}'
    >>> [(m.metric, m.value, m.unit) for m in decode_shelly_rpc(payload, place, {}).measurements]
    [('switch:0.apower', 8.9, 'W')]

    Raises:
        Rejected: `no-object`, or why it is no JSON.
    """
    fields = load_object(payload)
    if place.metric:
        return _status({place.metric: fields})
    params = member(fields, "params")
    method = str(fields.get("method"))
    if method == "NotifyEvent":
        return _events(params)
    return _status(params) if method in _STATUSES else Decoded()


def _status(components: Fields) -> Decoded:
    sifting = Sifting(_SIEVE, stamp_of(components, "ts"))
    for component, status in components.items():
        kind = component.partition(":")[0]
        if kind not in _SILENT and isinstance(status, dict):
            sifting.take(component, _measured(kind, status), kind)
    return sifting.decoded()


def _measured(kind: str, status: Fields) -> Fields:
    only = _ONLY.get(kind)
    return status if only is None else {key: status[key] for key in only if key in status}


def _events(params: Fields) -> Decoded:
    """Buttons pushed; each event may have a time of its own."""
    harvest = Harvest()
    outer = stamp_of(params, "ts")
    events = params.get("events")
    told = events if isinstance(events, list) else []
    for event in _caused(told[:FIELDS]):
        own = stamp_of(event, "ts")
        stamp = outer if own.time_us is None else own
        harvest.put(dotted(str(event["component"]), "event"), event.get("event"), "", stamp)
    if len(told) > FIELDS:
        harvest.refuse("too-many-fields")
    return Decoded(harvest.measurements, harvest.faults, harvest.notes)


def _caused(events: Sequence[object]) -> Iterator[Fields]:
    for event in events:
        if not isinstance(event, dict) or event.get("event") == "config_changed":
            continue
        if str(event.get("component")).partition(":")[0] in _SPEAKING:
            yield event
