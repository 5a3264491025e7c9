"""Series, readings and their provenance: the nouns every room shares."""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

RESERVED_CLIENTS = frozenset({"broker", "collector"})
"""Client names whose series Culex writes itself; nobody else may publish as them."""


class Flag(IntFlag):
    """Provenance of a reading; the integer values are part of the disk format.

    `COARSER` is of rows of exports alone: what is left of that time is wider than their interval.
    """

    LATE = 1
    REDELIVERED = 2
    RETAINED = 4
    IMPORTED = 8
    SIMULATED = 16
    CLOCK_CORRECTED = 32
    REPLAYED = 64
    CONFLICT = 128
    ZONE_ASSUMED = 256
    CLOCK_UNSET = 512
    QUOTED = 1024
    INEXACT = 2048
    COARSER = 4096


@lru_cache(maxsize=256)  # each row of a table asks, and few combinations occur
def flag_names(flags: int) -> str:
    """The names of the flags that are set, as exports print them.

    >>> flag_names(Flag.SIMULATED | Flag.LATE)
    'late|simulated'
    >>> flag_names(0)
    ''
    """
    return "|".join(flag.name.lower().replace("_", "-") for flag in Flag if flag & flags)  # type: ignore[union-attr]  # members of an IntFlag are named


class Kind(StrEnum):
    """What a series measures: a quantity, yes or no, or a named state.

    A series keeps its kind, except that a boolean may turn out to be one of several states, and
    either to be a number: a mode stays a state when it says `off`, a temperature stays a number
    when it says `unavailable`.
    """

    NUMBER = "number"
    BOOLEAN = "boolean"
    STATE = "state"


def state_text(value: float | str) -> str:
    """The name of a state; one that was sent as a boolean is `on` or `off`.

    >>> state_text("heating"), state_text(0.0)
    ('heating', 'off')
    """
    if isinstance(value, str):
        return value
    return {0.0: "off", 1.0: "on"}.get(value, f"{value:g}")


class Series(NamedTuple):
    """One metric of one client."""

    client: str
    metric: str

    def fits(self, client: str, metric: str) -> bool:
        """Whether its names fit two patterns, in which `*` and `?` stand for more.

        Upper and lower case differ.

        >>> Series("demo-solar", "power").fits("demo-*", "p*")
        True
        """
        return fnmatchcase(self.client, client) and fnmatchcase(self.metric, metric)


class SeriesName(NamedTuple):
    """What a series is called, and in which unit it measures, by a message about it.

    Attributes:
        series: The series.
        name: The name for people, or an empty string.
        unit: The unit, or an empty string.
    """

    series: Series
    name: str
    unit: str


class Reading(NamedTuple):
    """One measured value.

    A named tuple: one is made for every value that arrives, and a frozen dataclass takes three
    times as long to make (measured, ADR 7).

    Attributes:
        series: What was measured.
        time_us: When it was measured, in microseconds since 1970 UTC.
        value: A finite number, or the name of a state. A boolean is 0.0 or 1.0.
        kind: How the value is meant.
        unit: The unit as the client wrote it, or an empty string.
        delay_us: Time of receipt minus `time_us`; 0 when the client sent no time of its own.
        flags: Provenance.
    """

    series: Series
    time_us: int
    value: float | str
    kind: Kind = Kind.NUMBER
    unit: str = ""
    delay_us: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Latest:
    """A series with its newest reading, which a late one never replaces.

    Attributes:
        series: What is measured.
        kind: How its values are meant. In a state, `state_text` says what a number among them is.
        unit: The unit last sent with a value, or an empty string.
        time_us: When the newest reading was measured.
        value: Its value.
        received_us: When it arrived.
        flags: Its provenance.
        name: What people call it, or an empty string.
    """

    series: Series
    kind: Kind
    unit: str
    time_us: int
    value: float | str
    received_us: int
    flags: int
    name: str = ""
