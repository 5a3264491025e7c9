"""What of an object measures, and what only describes: for clients whose payloads are known.

Their objects mix measurements with names, addresses, versions and settings. What describes is left
out on purpose and is no fault; a number that cannot be read is one here as anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from collector.decoded import DEPTH, FIELDS, Decoded
from collector.formats.harvest import Harvest, dotted
from collector.formats.objects import load_json
from collector.rejection import Rejected
from collector.timestamps import NO_TIME, Stamp, read_time
from collector.values import read_text

Fields = Mapping[str, object]

DESCRIPTIVE = frozenset({"empty", "malformed-number", "control-character", "long-text"})
"""Why a text is neither a number nor a state but describes something."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What is known of the members of a family's objects.

    Attributes:
        describing: Keys whose values describe, wherever they stand.
        units: Units by key, or by key with the one it stands under: `aenergy.total`.
        numbered: Keys whose arrays hold one value for each phase or channel, counted from 1.
    """

    describing: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()

    def unit(self, parent: str, key: str) -> str:
        """The unit of what stands under that key, or an empty string."""
        return self.units.get(key) or self.units.get(dotted(parent, key), "")


class Sifting(Harvest):
    """Collects what measures in an object and the objects in it; at most `FIELDS` values."""

    __slots__ = ("_room", "_sieve", "_stamp")

    def __init__(self, sieve: Sieve, stamp: Stamp = NO_TIME) -> None:
        super().__init__()
        self._sieve = sieve
        self._stamp = stamp
        self._room = FIELDS
        if stamp.bad_key:
            self.refuse("bad-time", stamp.bad_key)

    def take(self, prefix: str, fields: Fields, parent: str = "", depth: int = 1) -> None:
        """Takes the members that measure; `value` is that of the metric it stands under.

        Args:
            prefix: The metric that they belong to, or an empty string.
            fields: The members.
            parent: The key that they stand under.
            depth: How many objects they are in.
        """
        for key, value in fields.items():
            name = prefix if key == "value" and prefix else dotted(prefix, key)
            if key in self._sieve.describing:
                continue
            if isinstance(value, dict):
                self._inside(name, value, key, depth)
            elif isinstance(value, list):
                self._numbered(name, value, parent, key)
            elif not _describes(value):
                self._one(name, value, self._sieve.unit(parent, key))

    def decoded(self) -> Decoded:
        """What it all comes to, which may be nothing: some messages only describe."""
        return Decoded(self.measurements, self.faults, self.notes)

    def _inside(self, name: str, fields: Fields, key: str, depth: int) -> None:
        if depth == DEPTH:
            self.refuse("too-deep", name)
        else:
            self.take(name, fields, key, depth + 1)

    def _numbered(self, name: str, values: list[object], parent: str, key: str) -> None:
        if key not in self._sieve.numbered:
            return
        for number, value in enumerate(values[: FIELDS + 1], 1):
            self._one(dotted(name, str(number)), value, self._sieve.unit(parent, key))

    def _one(self, name: str, value: object, unit: str) -> None:
        if self._room > 0:
            self.put(name, value, unit, self._stamp)
        elif self._room == 0:
            self.refuse("too-many-fields")
        self._room -= 1


def _describes(value: object) -> bool:
    """Whether it is a text that is no number, no yes or no and no state."""
    if not isinstance(value, str):
        return False
    try:
        read_text(value)
    except Rejected as rejected:
        return rejected.reason in DESCRIPTIVE
    return False


def load_object(payload: bytes) -> dict[str, object]:
    """The JSON object that a payload is.

    Raises:
        Rejected: `no-object` if it is other JSON, or as `load_json`.
    """
    content = load_json(payload)
    if not isinstance(content, dict):
        raise Rejected("no-object")
    return content


def member(fields: Fields, key: str) -> Fields:
    """The object under that key, empty if there is none.

    >>> member({"a": {"b": 1}}, "a"), member({"a": 1}, "a")
    ({'b': 1}, {})
    """
    inner = fields.get(key)
    return inner if isinstance(inner, dict) else {}


def stamp_of(fields: Fields, key: str, zone: tzinfo = UTC) -> Stamp:
    """The time that stands under that key; with `bad_key` if what stands there is none.

    >>> stamp_of({"tst": 1_700_000_000}, "tst").time_us, stamp_of({"tst": "soon"}, "tst").bad_key
    (1700000000000000, 'tst')
    """
    value = fields.get(key)
    if value is None:
        return NO_TIME
    stamp = read_time(value, zone)
    return Stamp(None, 0, key) if stamp == NO_TIME else stamp
