"""SenML in JSON and in CBOR: packs of records that share base values.

Source: RFC 8428.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

from collector.decoded import ROWS, Decoded, Memory, Place
from collector.formats.binary import load_cbor
from collector.formats.harvest import Harvest, dotted, joined, read_unit
from collector.formats.objects import load_json
from collector.rejection import Rejected
from collector.timestamps import NO_TIME, Stamp, read_time

VERSION = 10
"""The newest version that is understood (4.4)."""

RELATIVE_S = 2**28
"""A time below is seconds from now, another seconds since 1970 (4.5.3)."""

Record = Mapping[str, object]

_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("bn", "bu", "n", "u", "vs"), (str,)),
    **dict.fromkeys(("bt", "bv", "bs", "bver", "t", "v", "s", "ut"), (int, float)),
    "vb": (bool,),
    "vd": (str, bytes),
}
_BASE = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
_VALUES = frozenset({"v", "vs", "vb", "vd"})
_ENTRY = _VALUES | {"s", "n", "t"}
_CBOR_LABELS = {
    **{"-6": "bs", "-5": "bv", "-4": "bu", "-3": "bt", "-2": "bn", "-1": "bver"},
    **{"0": "n", "1": "u", "2": "v", "3": "vs", "4": "vb", "5": "s", "6": "t", "7": "ut"},
    "8": "vd",
}


def decode_senml_json(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of a SenML pack in JSON.

    >>> pack = b'[{"bn": "urn:dev:ow:10e2:", "bu": "Cel", "n": "air", "v": 21.5}]'
    >>> decoded = decode_senml_json(pack, Place("clients/a", "a"), {})
    >>> [(m.metric, m.value, m.unit) for m in decoded.measurements]
    [('urn:dev:ow:10e2:air', 21.5, 'Cel')]

    Raises:
        Rejected: As `load_json` and `decode_pack`.
    """
    return decode_pack(load_json(payload), place)


def decode_senml_cbor(payload: bytes, place: Place, _memory: Memory) -> Decoded:
    """The measurements of a SenML pack in CBOR, where labels are integers (6).

    >>> pack = bytes.fromhex("81a2006361697202f94d60")
    >>> decoded = decode_senml_cbor(pack, Place("clients/a", "a"), {})
    >>> [(m.metric, m.value) for m in decoded.measurements]
    [('air', 21.5)]

    Raises:
        Rejected: As `load_cbor` and `decode_pack`.
    """
    pack = load_cbor(payload)
    if isinstance(pack, list) and all(isinstance(record, dict) for record in pack):
        pack = [{_CBOR_LABELS.get(key, key): record[key] for key in record} for record in pack]
    return decode_pack(pack, place)


def is_pack(content: object) -> bool:
    """Whether parsed JSON is a SenML pack: its first record has a name, and one has a value.

    >>> is_pack([{"n": "air", "v": 21.5}]), is_pack([{"ts": 1_700_000_000, "v": 21.5}])
    (True, False)
    """
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        return False
    first: Record = content[0] if content else {}
    named = any(isinstance(first.get(label), str) for label in ("bn", "n"))
    valued = _VALUES | {"s"}
    return named and any(not valued.isdisjoint(record) for record in content)


def decode_pack(pack: object, place: Place) -> Decoded:
    """The measurements of the records of a pack, their base values resolved (4.6).

    The metric is the whole name, base name and name: it is unique in the world (4.5.1), so several
    devices may speak over one topic. Where a pack gives a name several units, as RFC 8428 does
    itself with positions (5.1.3), the unit belongs to the name. What is measured relative to now is
    a fault, but for now itself: when that was, only the clock could tell.

    Raises:
        Rejected: `malformed-senml` if it is no pack or a base value has the wrong type,
            `newer-version`, or `not-understood` if a base value must be understood and is not.
    """
    if not isinstance(pack, list) or not all(isinstance(record, dict) for record in pack):
        raise Rejected("malformed-senml")
    for record in pack:
        _check_base(record)
    reader = _Reader(place, _several_units(pack))
    for record in pack[:ROWS]:
        reader.take(record)
    if len(pack) > ROWS:
        reader.refuse("too-many-rows", place.metric)
    return reader.decoded()


def _several_units(pack: Sequence[Record]) -> set[str]:
    """The names in a pack that stand with more than one unit."""
    units: defaultdict[str, set[str]] = defaultdict(set)
    base: dict[str, object] = {}
    for record in pack[:ROWS]:
        base.update((label, record[label]) for label in ("bn", "bu") if label in record)
        if not _VALUES.isdisjoint(record):
            name = joined(str(base.get("bn", "")), str(record.get("n", "")))
            units[name].add(read_unit(record.get("u", base.get("bu"))))
    return {name for name, found in units.items() if len(found) > 1}


def _check_base(record: Record) -> None:
    """What is wrong with a base value is wrong with every record after it."""
    if not all(_well_typed(record, label) for label in _BASE):
        raise Rejected("malformed-senml")
    if record.get("bver", VERSION) > VERSION:  # type: ignore[operator]  # a number, by the line above
        raise Rejected("newer-version")
    if any(label.startswith("b") and label.endswith("_") for label in record):
        raise Rejected("not-understood")


def _well_typed(record: Record, label: str) -> bool:
    """Whether the record has a value of the right type there, or none."""
    value = record.get(label)
    if isinstance(value, bool):
        return label == "vb"
    return label not in record or isinstance(value, _TYPES[label])


class _Reader(Harvest):
    """Collects records, and carries the base values from one to the next."""

    __slots__ = ("_base", "_place", "_several_units")

    def __init__(self, place: Place, several_units: Container[str]) -> None:
        super().__init__()
        self._place = place
        self._several_units = several_units
        self._base: dict[str, object] = {}

    def take(self, record: Record) -> None:
        """Takes one record; one that only has base values is no measurement and no fault."""
        self._base.update((label, record[label]) for label in _BASE if label in record)
        if _ENTRY.isdisjoint(record):
            return
        metric = self._metric(record)
        reason = _record_fault(record)
        if reason:
            self.refuse(reason, metric)
            return
        time_s = _sum(self._base.get("bt"), record.get("t"))
        if time_s != 0 and time_s < RELATIVE_S:
            self.refuse("relative-time", metric)
            return
        self._values(metric, record, self._stamp(metric, time_s))

    def _metric(self, record: Record) -> str:
        name = joined(str(self._base.get("bn", "")), str(record.get("n", "")))
        if name in self._several_units:
            name = dotted(name, read_unit(record.get("u", self._base.get("bu"))))
        return dotted(self._place.metric, name) or self._place.metric

    def _stamp(self, metric: str, time_s: float) -> Stamp:
        if time_s == 0:
            return NO_TIME
        stamp = read_time(time_s)
        if stamp == NO_TIME:
            self.refuse("bad-time", metric)
        return stamp

    def _values(self, metric: str, record: Record, stamp: Stamp) -> None:
        """Puts the value, and the sum over time as a metric of its own."""
        base = self._base
        unit = read_unit(record.get("u", base.get("bu")))
        has_sum = "s" in record or "bs" in base
        if "vd" in record:
            self.refuse("binary", metric)
        elif "vs" in record or "vb" in record:
            self.put(metric, record.get("vs", record.get("vb")), unit, stamp)
        elif "v" in record or ("bv" in base and "s" not in record):
            self.put(metric, _sum(base.get("bv"), record.get("v")), unit, stamp)
        elif not has_sum:
            self.refuse("no-value", metric)
        if has_sum:
            unit_s = read_unit(unit and f"{unit}·s")
            self.put(dotted(metric, "sum"), _sum(base.get("bs"), record.get("s")), unit_s, stamp)


def _record_fault(record: Record) -> str:
    """The reason why a record cannot be used, or an empty string."""
    if any(label.endswith("_") for label in record):
        return "not-understood"
    well_typed = all(_well_typed(record, label) for label in _TYPES)
    return "" if well_typed and len(_VALUES & record.keys()) <= 1 else "malformed-senml"


def _sum(base: object, own: object) -> float:
    """Both together; one that is missing is zero (4.5.4). Of the right types, as was checked."""
    try:
        return (base or 0) + (own or 0)  # type: ignore[operator,no-any-return]  # numbers or None
    except OverflowError:
        return float("inf")
