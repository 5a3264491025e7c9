"""Collects what a payload comes to, part by part; a bad part costs only itself."""

from functools import partial

from collector.decoded import Decoded, Measurement, Note, NoteKind
from collector.rejection import Fault, Rejected
from collector.timestamps import NO_TIME, Stamp
from collector.topics import NAME_CHARACTERS, name_fault
from collector.values import read_scalar

NAMED_FAULTS = 100
"""Faults of one payload that are told apart; of more, reasons and numbers are kept and no names."""

UNNAMED = "…"
"""The metric of a fault beyond these, and the end of a name that is cut."""

_UNIT_CHARACTERS = 32
_SHOWN_CHARACTERS = 100
_TOO_LONG = NAME_CHARACTERS + 1

measurement = partial(tuple.__new__, Measurement)
"""A measurement from all its facts, in 0.28 µs; `Measurement(…)` takes 0.68, for every reading."""


class Harvest:
    """The measurements, faults and notes of one payload, in its order.

    Faults alike are one object: a payload of 250 kB may have 120 000.
    """

    __slots__ = ("_distinct", "faults", "measurements", "notes")

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []
        self.faults: list[Fault] = []
        self.notes: list[Note] = []
        self._distinct: dict[tuple[str, str], Fault] = {}

    def put(self, metric: str, value: object, unit: str = "", stamp: Stamp = NO_TIME) -> None:
        """Takes in one value as a parser gives it; a fault says why it is no measurement."""
        reason = name_fault(metric) if metric else "no-metric"
        if reason:
            self.refuse(reason, metric)
            return
        if value is None:
            self.notes.append(Note(NoteKind.NO_VALUE, metric))
            return
        try:
            number, kind, flags = read_scalar(value)
        except Rejected as rejected:
            self.refuse(rejected.reason, metric)
            return
        facts = (metric, number, kind, unit, stamp.time_us, flags | stamp.flags)
        self.measurements.append(measurement(facts))

    def refuse(self, reason: str, metric: str = "") -> None:
        """Says why a part is no measurement; of its name, if it is too long for one, the start."""
        if len(metric) > NAME_CHARACTERS:
            metric = metric[:_SHOWN_CHARACTERS] + UNNAMED
        fault = self._distinct.get((reason, metric))
        self.faults.append(fault or self._distinguish(reason, metric))

    def _distinguish(self, reason: str, metric: str) -> Fault:
        if len(self._distinct) >= NAMED_FAULTS and metric:
            metric = UNNAMED
        return self._distinct.setdefault((reason, metric), Fault(reason, metric))

    def decoded(self) -> Decoded:
        """What it all comes to.

        Raises:
            Rejected: `no-values` if that is nothing.
        """
        if not self.measurements and not self.faults and not self.notes:
            raise Rejected("no-values")
        return Decoded(self.measurements, self.faults, self.notes)


def dotted(prefix: str, key: str) -> str:
    """The name of what stands under `key` in what is called `prefix`; cut as by `joined`.

    >>> dotted("air", "rh"), dotted("", "rh"), dotted("air", "")
    ('air.rh', 'rh', '')
    """
    return f"{prefix[:_TOO_LONG]}.{key[:_TOO_LONG]}" if prefix and key else key


def joined(start: str, end: str) -> str:
    """A name of two parts, each cut to one character more than a name may have.

    So it is too long whenever the whole would be. A part may be half of the payload, and be in
    each of thousands of names.

    >>> joined("air", "{room=lab}"), len(joined("x" * 100_000, "rh"))
    ('air{room=lab}', 259)
    """
    return start[:_TOO_LONG] + end[:_TOO_LONG]


def read_unit(unit: object) -> str:
    """The unit that a payload names, or an empty string if it can be none."""
    if isinstance(unit, str) and len(unit) <= _UNIT_CHARACTERS and not name_fault(unit):
        return unit.strip()
    return ""
