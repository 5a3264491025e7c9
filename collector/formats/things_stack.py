"""The Things Stack: uplinks of LoRaWAN devices, as its MQTT server passes them on.

Source: https://www.thethingsindustries.com/docs/integrations/data-formats/
"""

import math
from collections.abc import Mapping

from collector.decoded import Decoded, Measurement, Memory, Note, NoteKind, Place
from collector.formats.clearing import clearable
from collector.formats.objects import Walk
from collector.formats.sieve import Fields, Sieve, Sifting, load_object, member, stamp_of
from collector.timestamps import Stamp
from telemetry.reading import Flag

_RAW = "bytes"
"""The payload once more, as formatters made from the console's example pass it on."""

_LOCATION = Sieve(
    frozenset({"source"}),
    {"latitude": "°", "longitude": "°", "altitude": "m", "accuracy": "m"},
)


@clearable
def decode_things_stack(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """What a payload formatter made of an uplink, with the strength of the best gateway's signal.

    An uplink is as old as its receipt by the network server, unless the decoded payload has a time
    of its own. A join is a note; all else (downlinks, service data) holds no readings.

    >>> place = Place("v3/app1@ttn/devices/dev1/up", "dev1")
    >>> payload = b'{"uplink_message": {"f_cnt": 1, "decoded_payload": {"temperature": 1.0}}}'
    >>> [(m.metric, m.value) for m in decode_things_stack(payload, place, {}).measurements]
    [('temperature', 1.0), ('f_cnt', 1.0)]

    Raises:
        Rejected: `no-object`, or why it is no JSON.
    """
    fields = load_object(payload)
    stamp = _received(fields)
    if "uplink_message" in fields:
        return _uplink(fields, place, stamp)
    if "join_accept" in fields:
        return Decoded(notes=(Note(NoteKind.ONLINE, "", "joined", stamp.time_us),))
    sifting = Sifting(_LOCATION, stamp)
    sifting.take("location", member(member(fields, "location_solved"), "location"))
    return sifting.decoded()


def _received(fields: Fields) -> Stamp:
    """The network server's time, which is nearer to the measurement than the application's."""
    by_network = stamp_of(member(fields, "uplink_message"), "received_at")
    return stamp_of(fields, "received_at") if by_network.time_us is None else by_network


def _uplink(fields: Fields, place: Place, stamp: Stamp) -> Decoded:
    uplink = member(fields, "uplink_message")
    content = {key: v for key, v in member(uplink, "decoded_payload").items() if key != _RAW}
    walk = Walk(place.zone)
    if stamp.bad_key:
        walk.refuse("bad-time", stamp.bad_key)
    walk.take("", content)
    for metric, (value, unit) in _link(uplink).items():
        if metric not in content:
            walk.put(metric, value, unit)
    flags = Flag.SIMULATED.value if fields.get("simulated") is True else 0
    return Decoded([_dated(m, stamp, flags) for m in walk.measurements], walk.faults, walk.notes)


def _dated(measurement: Measurement, stamp: Stamp, flags: int) -> Measurement:
    """As old as the uplink, if it says nothing else itself."""
    if measurement.time_us is not None:
        return measurement._replace(flags=measurement.flags | flags)
    return measurement._replace(
        time_us=stamp.time_us, flags=measurement.flags | stamp.flags | flags
    )


def _link(uplink: Fields) -> Mapping[str, tuple[object, str]]:
    """How the frame came in. The first frame's counter is left out of the message, being 0."""
    link: dict[str, tuple[object, str]] = {}
    best = _best_gateway(uplink.get("rx_metadata"))
    for metric, unit in (("rssi", "dBm"), ("snr", "dB")):
        if metric in best:
            link[metric] = best[metric], unit
    link["f_cnt"] = uplink.get("f_cnt", 0), ""
    return link


def _best_gateway(metadata: object) -> Fields:
    gateways = metadata if isinstance(metadata, list) else []
    return max((one for one in gateways if isinstance(one, dict)), key=_strength, default={})


def _strength(gateway: Fields) -> float:
    rssi = gateway.get("rssi")
    return rssi if isinstance(rssi, int | float) else -math.inf
