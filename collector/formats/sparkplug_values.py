"""What a Sparkplug metric says: its value by its datatype, its unit and its quality."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from collector.formats.harvest import read_unit
from collector.formats.sparkplug_b_pb2 import DataType, Payload
from collector.rejection import Rejected
from collector.values import Value, read_number, read_scalar
from telemetry.reading import Kind

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNIT_KEYS = frozenset({"engUnit", "Engineering Units"})
_QUALITIES = {0: "bad quality", 500: "stale"}


def _signed(bits: int, content: int) -> Value:
    """Two's complement; of a narrow negative some encoders send its own bits, some 32 or 64."""
    half = 1 << bits - 1
    if content < half:
        return read_number(content)
    for width in (bits, 32, 64):
        if (1 << width) - half <= content < 1 << width:
            return read_number(content - (1 << width))
    raise Rejected("out-of-range")


def _unsigned(bits: int, content: int) -> Value:
    if content >> bits:
        raise Rejected("out-of-range")
    return read_number(content)


def _text(content: str | bytes) -> Value:
    if isinstance(content, bytes):  # so protobuf gives a text that is not UTF-8
        raise Rejected("not-utf8")
    return read_scalar(content)


def _uuid(content: str | bytes) -> Value:
    """A state: as a text, one that begins with a digit would be a malformed number."""
    if isinstance(content, bytes) or not _UUID.fullmatch(content):
        raise Rejected("malformed-uuid")
    return content, Kind.STATE, 0


class _Reader(NamedTuple):
    """How a datatype is read.

    Attributes:
        fields: The fields of a metric that may hold it.
        read: Its value; what stands in the fields is of the type it takes.
    """

    fields: frozenset[str]
    read: Callable[[Any], Value]


_INTEGERS = frozenset({"int_value", "long_value"})
_FLOATS = frozenset({"float_value", "double_value"})
_TEXT = _Reader(frozenset({"string_value"}), _text)
_READERS: Mapping[int, _Reader] = {
    DataType.Int8: _Reader(_INTEGERS, partial(_signed, 8)),
    DataType.Int16: _Reader(_INTEGERS, partial(_signed, 16)),
    DataType.Int32: _Reader(_INTEGERS, partial(_signed, 32)),
    DataType.Int64: _Reader(_INTEGERS, partial(_signed, 64)),
    DataType.UInt8: _Reader(_INTEGERS, partial(_unsigned, 8)),
    DataType.UInt16: _Reader(_INTEGERS, partial(_unsigned, 16)),
    DataType.UInt32: _Reader(_INTEGERS, partial(_unsigned, 32)),
    DataType.UInt64: _Reader(_INTEGERS, partial(_unsigned, 64)),
    DataType.Float: _Reader(_FLOATS, read_number),
    DataType.Double: _Reader(_FLOATS, read_number),
    DataType.Boolean: _Reader(frozenset({"boolean_value"}), read_scalar),
    DataType.String: _TEXT,
    DataType.Text: _TEXT,
    DataType.UUID: _Reader(frozenset({"string_value"}), _uuid),
    DataType.DateTime: _Reader(_INTEGERS, partial(_unsigned, 64)),
}
_OF_FIELD: Mapping[str, int] = {
    "float_value": DataType.Float,
    "double_value": DataType.Double,
    "boolean_value": DataType.Boolean,
    "string_value": DataType.String,
}
_DATE_TIME = int(DataType.DateTime)  # looking a name up in the enum takes a microsecond
_ARRAYS = range(DataType.Int8Array, DataType.DateTimeArray + 1)


def read_value(metric: Payload.Metric, datatype: int) -> Value | None:
    """The value of a metric by its datatype, or None if it says that it has none.

    A moment (`DateTime`) is the number that was sent, milliseconds since 1970.

    Raises:
        Rejected: `unsupported-type` or `array` for what is no single value, `unknown-type` for an
            integer that may be signed or not, `wrong-type` for a value in a field of another
            type, `out-of-range`, `malformed-uuid`, `not-utf8`, or as `read_number` and `read_text`.
    """
    field = metric.WhichOneof("value")
    if field is None or metric.is_null:
        return None
    reader = _READERS.get(datatype or _OF_FIELD.get(field, 0))
    if reader is None:
        raise Rejected(_why_not(datatype, field))
    if field not in reader.fields:
        raise Rejected("wrong-type")
    return reader.read(getattr(metric, field))


def _why_not(datatype: int, field: str) -> str:
    if datatype in _ARRAYS:
        return "array"
    return "unknown-type" if not datatype and field in _INTEGERS else "unsupported-type"


def default_unit(datatype: int) -> str:
    """The unit that a datatype brings with it, or an empty string."""
    return "ms" if datatype == _DATE_TIME else ""


class Properties(NamedTuple):
    """What the properties of a metric say.

    Attributes:
        unit: Its unit, or an empty string.
        doubt: Why its sender would not have the value believed, or an empty string.
    """

    unit: str = ""
    doubt: str = ""


_NO_PROPERTIES = Properties()


def read_properties(metric: Payload.Metric) -> Properties:
    """The unit of a metric and the quality of its value, as far as its properties say."""
    if not metric.HasField("properties"):
        return _NO_PROPERTIES
    unit, doubt = "", ""
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key in _UNIT_KEYS:
            unit = read_unit(value.string_value)
        elif key == "Quality":
            doubt = _QUALITIES.get(value.int_value, "")
    return Properties(unit, doubt)
