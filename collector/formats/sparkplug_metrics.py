"""The metrics of one Sparkplug payload: what they are called, when they were so, what they say."""

from collections.abc import Iterator
from itertools import islice

from collector.decoded import ROWS, Measurement, Note, NoteKind
from collector.formats.harvest import Harvest, dotted
from collector.formats.sparkplug_b_pb2 import Payload
from collector.formats.sparkplug_birth import Birth, Definition
from collector.formats.sparkplug_values import default_unit, read_properties, read_value
from collector.rejection import Rejected
from collector.timestamps import NO_TIME, Stamp, stamp_us
from collector.topics import name_fault

MS_US = 1000
_BD_SEQ = "bdSeq"
_CONTROLS = ("Node Control/", "Device Control/")


def find_bd_seq(content: Payload) -> int | None:
    """The number that ties the death of an edge node to its birth, or None."""
    for metric in islice(content.metrics, ROWS):
        if metric.name == _BD_SEQ:
            return metric.long_value or metric.int_value
    return None


def definitions(content: Payload) -> Iterator[Definition]:
    """What a birth says of its metrics; those whose names cannot be kept are left out."""
    for metric in islice(content.metrics, ROWS):
        name: str | bytes = metric.name
        if isinstance(name, str) and name and not name_fault(name):
            yield _define(metric)


def _define(metric: Payload.Metric) -> Definition:
    alias = metric.alias if metric.HasField("alias") else None
    unit = read_properties(metric).unit or default_unit(metric.datatype)
    return Definition(metric.name, alias, metric.datatype, unit)


class Metrics(Harvest):
    """What the metrics of a payload come to.

    Args:
        birth: What they were born as.
        content: The payload.

    Attributes:
        stamp: When the payload was made.
        redefined: Metrics whose unit is no longer that of their birth, by name.
    """

    __slots__ = ("_birth", "redefined", "stamp")

    def __init__(self, birth: Birth, content: Payload) -> None:
        super().__init__()
        self._birth = birth
        self.redefined: dict[str, Definition] = {}
        self.stamp = NO_TIME
        self.stamp = self._stamp(content, "")
        for metric in islice(content.metrics, ROWS):
            self._take(metric)
        if len(content.metrics) > ROWS:
            self.refuse("too-many-rows")

    def _take(self, metric: Payload.Metric) -> None:
        try:
            known = self._identify(metric)
        except Rejected as rejected:
            self.refuse(rejected.reason, _label(metric))
            return
        if known.name == _BD_SEQ or known.name.startswith(_CONTROLS):
            return  # levers for a host, and the number of a session: not measured
        unit, doubt = read_properties(metric)
        if unit and unit != known.unit:  # data brings properties only when they change
            known = self.redefined[known.name] = known._replace(unit=unit)
        if doubt:
            self.notes.append(Note(NoteKind.NO_VALUE, known.name, doubt))
        else:
            self._measure(metric, known)

    def _identify(self, metric: Payload.Metric) -> Definition:
        """The metric that is meant, by its name or else by its alias."""
        name: str | bytes = metric.name
        if not name:
            return self._by_alias(metric)
        if isinstance(name, bytes):  # so protobuf gives a text that is not UTF-8
            raise Rejected("not-utf8")
        known = self._birth.by_name.get(name)
        if known is None:
            reason = name_fault(name)
            if reason:
                raise Rejected(reason)
            return _define(metric)
        return known

    def _by_alias(self, metric: Payload.Metric) -> Definition:
        if not metric.HasField("alias"):
            raise Rejected("no-metric")
        known = self._birth.by_alias.get(metric.alias)
        if known is None:
            raise Rejected("unknown-alias")
        return known

    def _measure(self, metric: Payload.Metric, known: Definition) -> None:
        name, _, datatype, unit = known
        try:
            value = read_value(metric, metric.datatype or datatype)
        except Rejected as rejected:
            self.refuse(rejected.reason, name)
            return
        if value is None:
            self.notes.append(Note(NoteKind.NO_VALUE, name))
            return
        number, kind, flags = value
        stamp = self._stamp(metric, name)
        facts = (name, number, kind, unit, stamp.time_us, flags | stamp.flags)
        self.measurements.append(Measurement._make(facts))  # as `Harvest.put` does

    def _stamp(self, dated: Payload | Payload.Metric, name: str) -> Stamp:
        """When that was so; what has no usable time is as old as the payload."""
        if not dated.HasField("timestamp"):
            return self.stamp
        own = stamp_us(dated.timestamp * MS_US)
        if own.time_us is not None:
            return own
        if not own.flags:
            self.refuse("bad-time", dotted(name, "timestamp") or "timestamp")
        return self.stamp if self.stamp.time_us is not None else own


def _label(metric: Payload.Metric) -> str:
    """What to call a metric that cannot be told."""
    name: str | bytes = metric.name
    if isinstance(name, bytes):
        return name.decode(errors="backslashreplace")
    return name or (f"alias {metric.alias}" if metric.HasField("alias") else "")
