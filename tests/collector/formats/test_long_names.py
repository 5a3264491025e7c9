"""A name as long as the payload, before each of its values, costs little; every value counts."""

import tracemalloc

import msgpack  # type: ignore[import-untyped]  # it ships no types
import pytest

from collector.decoded import FIELDS, PAYLOAD_BYTES, Place
from collector.formats import DECODERS
from telemetry.families import Format
from tests.collector.formats.decoding import HERE, NAMED

MOST_BYTES = 10_000_000
"""More than twice what any needs. A copy of the name for each value would take 20 to 240 MB."""

LONG = "😀" * 20_000
"""No name, of 80 kB in memory as in the payload."""

NUMBERS = ",".join(f'"{number}":1' for number in range(16_000))
MEMBERS = f'{{"{LONG}":{{{NUMBERS}}}}}'
LATER = ",".join(['{"ts":1700000000,"a":1}'] * 3000)
ROWS = f'{{"{LONG}":[{LATER}]}}'
RECORDS = ",".join(['{"n":"a","v":1}'] * 3000)
PACK = f'[{{"n":"a","bn":"b","v":1}},{{"bn":"{LONG}"}},{RECORDS}]'
COLUMNS = ",".join(f"c{number}" for number in range(FIELDS))
LINE = ",".join(f"f{number}=1" for number in range(FIELDS))
EMPTY_TEXTS = {"ts": 1_700_000_000, "a": dict.fromkeys(range(128), "")}


@pytest.mark.parametrize(
    ("format_", "place", "payload", "faults"),
    [
        (Format.CSV, HERE, f"{LONG}\n" + "1\n" * 3000, 3000),
        (Format.CSV, NAMED, f"{LONG}\n" + "1\n" * 3000, 3000),
        (Format.CSV, NAMED, f"{COLUMNS}\n" + f"{'1x,' * 255}1x\n" * 100, 100 * FIELDS),
        (Format.JSON, HERE, ROWS, 3000),
        (Format.JSON, NAMED, MEMBERS, FIELDS + 1),
        (Format.AUTO, HERE, PACK, 3000),
        (Format.SENML_JSON, NAMED, PACK, 3000),
        (Format.KEY_VALUE, NAMED, f"{LONG}=1 t=1700000000 " * 2, 2),
        (Format.INFLUX, HERE, f"a,b={LONG} {LINE}\n", FIELDS),
        (Format.INFLUX, HERE, f"a,b={LONG[:300]} {LINE}\n" * 40, 40 * FIELDS),
        (Format.ZIGBEE2MQTT, HERE, MEMBERS, FIELDS),
        (Format.TASMOTA, Place("tele/a/SENSOR", "a"), MEMBERS, FIELDS),
        (Format.OWNTRACKS, HERE, MEMBERS.replace("{", '{"_type":"steps",', 1), FIELDS),
        (Format.SHELLY_RPC, HERE, f'{{"method":"NotifyStatus","params":{MEMBERS}}}', FIELDS),
        (Format.THINGS_STACK, HERE, f'{{"uplink_message":{{"decoded_payload":{ROWS}}}}}', 3000),
    ],
)
def test_text_of_long_names_takes_little_memory(
    format_: Format, place: Place, payload: str, faults: int
) -> None:
    """Each value is counted, and none has a copy of its name."""
    assert faults_in_bounds(format_, place, payload.encode()) == faults


@pytest.mark.parametrize("prefix", ["a", "😀" * 240, LONG])
def test_faults_alike_take_little_memory(prefix: str) -> None:
    """Faults alike are one, under a short name, the longest that can be kept, or none."""
    payload = msgpack.packb({prefix: [EMPTY_TEXTS] * 300})
    assert faults_in_bounds(Format.MSGPACK, HERE, payload) == 300 * 128


def faults_in_bounds(format_: Format, place: Place, payload: bytes) -> int:
    """How many values the ledger sets apart of a payload, which is decoded in little memory."""
    assert len(payload) <= PAYLOAD_BYTES
    tracemalloc.start()
    try:
        decoded = DECODERS[format_](payload, place, {})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    return sum(bool(fault.metric) for fault in decoded.faults)
