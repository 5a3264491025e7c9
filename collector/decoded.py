"""What a payload comes to, whatever format it is in. Pure nouns, shared by all formats.

Named tuples rather than frozen dataclasses: one is made for every field of every message, and
making one takes a third of the time (measured, ADR 7).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import NamedTuple

from collector.rejection import Fault
from telemetry.reading import Kind

PAYLOAD_BYTES = 256_000
"""A larger payload is refused whole."""

DEPTH = 16
"""Objects and arrays inside one another; what lies deeper is refused."""

FIELDS = 256
"""Measurements in one object of a payload; more are refused and counted."""

ROWS = 10_000
"""Objects, lines or records in one payload that holds several; more are refused and counted."""


class Measurement(NamedTuple):
    """One value of a payload.

    Attributes:
        metric: What was measured.
        value: A finite number, or the name of a state.
        kind: How the value is meant.
        unit: The unit as the client wrote it, or an empty string.
        time_us: When the client says it measured, or None.
        flags: What the format already knows of its provenance, as `telemetry.reading.Flag`.
    """

    metric: str
    value: float | str
    kind: Kind
    unit: str = ""
    time_us: int | None = None
    flags: int = 0


class NoteKind(StrEnum):
    """What a message may say that is no reading."""

    ONLINE = "online"
    OFFLINE = "offline"
    CLEARED = "cleared"
    NO_VALUE = "no-value"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Note:
    """Something a message says of its client that is no reading: a birth, a death, no value.

    Attributes:
        kind: What is said.
        metric: Of which metric, or an empty string for the client itself.
        detail: In words for people, at most 200 characters, or an empty string.
        time_us: When it was so by the client's own time, or None.
    """

    kind: NoteKind
    metric: str = ""
    detail: str = ""
    time_us: int | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """The name and unit of a series, as a message about it says (Home Assistant discovery).

    Attributes:
        topic: The topic its values are published to.
        key: The key of the value in a JSON payload there, dotted, or an empty string.
        name: The name for people, or an empty string.
        unit: The unit, or an empty string.
    """

    topic: str
    key: str
    name: str
    unit: str


class Decoded(NamedTuple):
    """What a payload holds.

    Attributes:
        measurements: In the order of the payload.
        faults: Why parts of it are no reading.
        notes: What it says of its client beside readings.
        descriptions: Names and units of series.
        remember: What later payloads need to be understood (the aliases of a Sparkplug birth), by
            a key that starts with the format's name. It is kept with the readings.
    """

    measurements: Sequence[Measurement] = ()
    faults: Sequence[Fault] = ()
    notes: Sequence[Note] = ()
    descriptions: Sequence[Description] = ()
    remember: Mapping[str, bytes] | None = None


class Place(NamedTuple):
    """Where a payload arrived, and what the topic template says of it.

    Attributes:
        topic: The topic it was published to.
        client: The client that the topic names.
        metric: The metric that the topic names, or an empty string: a bare value has no name then.
        columns: The header of CSV payloads that bring none.
        zone: What a time without an offset is read in.
    """

    topic: str
    client: str
    metric: str = ""
    columns: tuple[str, ...] = ()
    zone: tzinfo = UTC


Memory = Mapping[str, bytes]
"""What earlier payloads said, as `Decoded.remember` left it."""

Decoder = Callable[[bytes, Place, Memory], Decoded]
"""A format: pure, raises `Rejected` (and nothing else) for a payload that is nothing at all."""
