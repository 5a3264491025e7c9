"""From the bytes of a payload to measurements, or to the reason why there are none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from collector.rejection import Fault, Rejected
from collector.timestamps import find_bad_time, find_time, is_time
from collector.topics import name_fault
from collector.values import Value, read_scalar, read_text
from telemetry.reading import Kind

PAYLOAD_BYTES = 256_000
DEPTH = 16
FIELDS = 256
_UNIT_CHARACTERS = 32
_BOM = b"\xef\xbb\xbf"
_SPACES = b" \t\r\n\x0b\x0c"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a payload.

    Attributes:
        metric: What was measured.
        value: A finite number, or the name of a state.
        kind: How the value is meant.
        unit: The unit as the client wrote it, or an empty string.
        time_us: When the client says it measured, or None.
    """

    metric: str
    value: float | str
    kind: Kind
    unit: str = ""
    time_us: int | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a payload holds: good fields, and the faults of the others."""

    measurements: tuple[Measurement, ...]
    faults: tuple[Fault, ...] = ()


def decode(payload: bytes, metric: str = "") -> Decoded:
    """The measurements of a payload, in its order.

    Args:
        payload: A bare value or a JSON object.
        metric: The metric that the topic names; without one a bare value has no name.

    >>> [m.metric for m in decode(b'{"air": {"temp": 21.5}, "on": true}').measurements]
    ['air.temp', 'on']

    Raises:
        Rejected: If there is not one measurement and no fault of a single field either.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise Rejected("too-large")
    content = payload.removeprefix(_BOM).strip(_SPACES)
    if not content:
        raise Rejected("empty")
    if content[:1] == b"{":
        return _decode_object(content, metric)
    if content[:1] == b"[":
        raise Rejected("array")
    return _decode_bare(content, metric)


def _decode_bare(content: bytes, metric: str) -> Decoded:
    if not metric:
        raise Rejected("no-metric")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Rejected("not-utf8") from None
    if text == "null":
        raise Rejected("no-values")
    value, kind = _unquote(text)
    return Decoded((Measurement(metric, value, kind),))


def _unquote(text: str) -> Value:
    if text[0] != '"':
        return read_text(text)
    inner = _load(text.encode())
    return read_scalar(inner)


def _decode_object(content: bytes, metric: str) -> Decoded:
    fields = _load(content)
    assert isinstance(fields, dict)  # noqa: S101  # JSON that starts with a brace is an object
    walk = _Walk()
    walk.take(metric, fields, None, 1)
    if not walk.measurements and not walk.faults:
        raise Rejected("no-values")
    return Decoded(tuple(walk.measurements), tuple(walk.faults))


def _load(content: bytes) -> object:
    try:
        value: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Rejected(_json_fault(content, str(error))) from None
    return value


def _json_fault(content: bytes, said: str) -> str:
    if "depth limit" in said:
        return "too-deep"
    if "infinity" in said:
        return "non-finite"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "not-utf8"
    return "malformed-json"


class _Walk:
    """Collects what an object and the objects in it hold."""

    __slots__ = ("faults", "measurements")

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []
        self.faults: list[Fault] = []

    def take(
        self, prefix: str, fields: Mapping[str, object], time_us: int | None, depth: int
    ) -> None:
        """Takes the members of an object; `value` is the object's own, with unit and time."""
        has_value = "value" in fields
        timed = has_value or depth == 1
        if timed:
            time_us = self._time(prefix, fields, time_us)
        for key, value in fields.items():
            if len(self.measurements) + len(self.faults) >= FIELDS:
                self.faults.append(Fault("too-many-fields", prefix))
                return
            if value is None or (timed and is_time(key, value)) or (has_value and key == "unit"):
                continue
            name, unit = _name(prefix, key), ""
            if key == "value":
                name, unit = prefix or key, _unit(fields.get("unit"))
            if isinstance(value, dict):
                self._nested(name, value, time_us, depth + 1)
            else:
                self._scalar(name, value, unit, time_us)

    def _time(self, prefix: str, fields: Mapping[str, object], outer_us: int | None) -> int | None:
        own_us = find_time(fields)
        if own_us is not None:
            return own_us
        key = find_bad_time(fields)
        if key is not None:
            self.faults.append(Fault("bad-time", _name(prefix, key)))
        return outer_us

    def _nested(
        self, name: str, fields: Mapping[str, object], time_us: int | None, depth: int
    ) -> None:
        if depth > DEPTH:
            self.faults.append(Fault("too-deep", name))
        else:
            self.take(name, fields, time_us, depth)

    def _scalar(self, name: str, value: object, unit: str, time_us: int | None) -> None:
        reason = name_fault(name) if name else "no-metric"
        if reason:
            self.faults.append(Fault(reason, name))
            return
        try:
            number, kind = read_scalar(value)
        except Rejected as rejected:
            self.faults.append(Fault(rejected.reason, name))
        else:
            self.measurements.append(Measurement(name, number, kind, unit, time_us))


def _name(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix and key else key and prefix + key


def _unit(unit: object) -> str:
    if isinstance(unit, str) and len(unit) <= _UNIT_CHARACTERS and not name_fault(unit):
        return unit.strip()
    return ""
