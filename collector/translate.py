"""From a message to readings: whose they are, when they were measured, where they come from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from collector.decoded import PAYLOAD_BYTES, Decoded, Description, Measurement, Note, NoteKind
from collector.formats import DECODERS, format_of
from collector.message import Message
from collector.rejection import Fault, Rejected
from collector.topics import Route, Topics
from telemetry.families import Format
from telemetry.reading import RESERVED_CLIENTS, Flag, Reading, Series, SeriesName

MEMORY_BYTES = 64_000_000
"""What payloads may leave behind for later ones, in all."""

OVERFLOW = "too-many-series"
"""The reason of a reading whose series would be one too many."""

_LATE = Flag.LATE.value
_NO_SERIES: Mapping[str, Series] = {}
_reading = partial(tuple.__new__, Reading)  # half the time of its constructor, for each value


class Tolerance(NamedTuple):
    """How far a client's own time may be from the time of receipt.

    Attributes:
        late_us: A reading older than this is flagged late.
        future_us: A reading further ahead than this is held.
    """

    late_us: int
    future_us: int


class Translation(NamedTuple):
    """What became of a message.

    Attributes:
        readings: What it measured.
        faults: Why parts of it, or all of it, are no reading.
        notes: What it says of its client beside readings.
        names: Names and units of series.
        remember: What later messages need to be understood.
        skew_us: Time of receipt minus the client's own time, or None if it sent none.
    """

    readings: Sequence[Reading] = ()
    faults: Sequence[Fault] = ()
    notes: Sequence[Note] = ()
    names: Sequence[SeriesName] = ()
    remember: Mapping[str, bytes] | None = None
    skew_us: int | None = None


def refusal(reason: str) -> Translation:
    """The translation of a message that is nothing at all."""
    return Translation((), (Fault(reason),))


class Translator:
    """Turns messages into readings by the topic templates in force.

    Pure but for its caches and what payloads leave behind for later ones.

    Args:
        topics: The topic templates in force.
        tolerance: How far clients' clocks may be off.
        admit: Whether a series is there or may be made; asked once for each that is.
        memory: What earlier payloads left behind.
    """

    def __init__(
        self,
        topics: Topics,
        tolerance: Tolerance,
        admit: Callable[[Series], bool],
        memory: Mapping[str, bytes],
    ) -> None:
        self._topics = topics
        self._late_us, self._future_us = tolerance
        self._admit = admit
        self._admitted: dict[str, dict[str, Series]] = {}
        self._memory = dict(memory)
        self._memory_bytes = _bytes(self._memory)
        self._late: set[str] = set()

    def copy(self, admit: Callable[[Series], bool]) -> "Translator":
        """One that understands messages as this one does, and leaves nothing behind in it."""
        tolerance = Tolerance(self._late_us, self._future_us)
        copy = Translator(self._topics, tolerance, admit, self._memory)
        copy._late = set(self._late)
        return copy

    def forget_series(self) -> None:
        """Asks again which series may be, as after some were erased."""
        self._admitted.clear()

    def translate(self, message: Message, route: Route) -> Translation:
        """The readings of a message; says why of what is none. Changes nothing: see `keep`.

        Raises nothing but errors of ours, whatever the message holds.
        """
        if route.place.client in RESERVED_CLIENTS:
            return refusal("reserved")
        try:
            decoded = self._decode(message, route)
        except Rejected as rejected:
            translation = refusal(rejected.reason)
            if message.payload:
                return translation
            # That is how a retained value is deleted; live it looks like any empty message.
            return translation._replace(notes=(Note(NoteKind.CLEARED, route.place.metric),))
        return self._translation(message, route.place.client, decoded)

    def _decode(self, message: Message, route: Route) -> Decoded:
        payload, place, memory = message.payload, route.place, self._memory
        if len(payload) > PAYLOAD_BYTES:
            raise Rejected("too-large")
        written = route.format
        if written is Format.AUTO and message.properties.content_type:
            written = format_of(message.properties.content_type) or written
        return DECODERS[written](payload, place, memory)

    def _translation(self, message: Message, client: str, decoded: Decoded) -> Translation:
        faults = decoded.faults
        readings, refused, skew_us = self._readings(message, client, decoded.measurements)
        if refused:
            faults = [*faults, *refused]
        names = list(self._names(decoded.descriptions)) if decoded.descriptions else ()
        return Translation(readings, faults, decoded.notes, names, decoded.remember, skew_us)

    def _readings(
        self, message: Message, client: str, measurements: Iterable[Measurement]
    ) -> tuple[list[Reading], list[Fault], int | None]:
        received_us, retain = message.received_us, message.retain
        flags_of_all = provenance(message)
        known = self._admitted.get(client, _NO_SERIES)
        readings: list[Reading] = []
        faults: list[Fault] = []
        skew_us = None
        for metric, value, kind, unit, time_us, flags in measurements:
            delay_us, reason = 0, ""
            if time_us is not None:
                delay_us = skew_us = received_us - time_us
                if delay_us < -self._future_us:
                    reason = "future"
                elif delay_us > self._late_us:
                    flags |= _LATE
            elif retain:
                # Without a time of its own it says nothing about when it was true.
                reason = "retained"
            # Only what can be stored may make a series.
            series = None if reason else known.get(metric) or self._series(client, metric)
            if series is None:
                faults.append(Fault(reason or OVERFLOW, metric))
                continue
            when_us = received_us - delay_us
            facts = (series, when_us, value, kind, unit, delay_us, flags | flags_of_all)
            readings.append(_reading(facts))
        return readings, faults, skew_us

    def _series(self, client: str, metric: str) -> Series | None:
        series = Series(client, metric)
        if not self._admit(series):
            return None
        self._admitted.setdefault(client, {})[metric] = series
        return series

    def keep(self, translation: Translation) -> Translation:
        """Takes in what a message leaves behind for later ones.

        If there is too much of it already, what an earlier one left in its place goes as well:
        later messages must not be understood by what no longer holds.
        """
        remember = translation.remember or {}
        self._late.difference_update(remember)
        gone = {key: self._memory.pop(key) for key in remember if key in self._memory}
        self._memory_bytes += _bytes(remember) - _bytes(gone)
        if self._memory_bytes <= MEMORY_BYTES:
            self._memory.update(remember)
            return translation
        self._memory_bytes -= _bytes(remember)
        faults = [*translation.faults, Fault("memory-full")]
        return translation._replace(remember=dict.fromkeys(gone, b""), faults=faults)

    def keep_late(self, translation: Translation) -> Translation:
        """As `keep`, for a message out of quarantine: what came after it holds.

        Only what another such message left is replaced; they come in order of arrival.
        """
        remember = {
            key: content
            for key, content in (translation.remember or {}).items()
            if key not in self._memory or key in self._late
        }
        kept = self.keep(translation._replace(remember=remember))
        self._late |= remember.keys() & self._memory.keys()
        return kept

    def _names(self, descriptions: Iterable[Description]) -> Iterable[SeriesName]:
        """Whose names they are: the topic that a description names is one of ours or nobody's."""
        for one in descriptions:
            try:
                place = self._topics.route(one.topic).place
            except Rejected:
                continue
            metric = ".".join(part for part in (place.metric, one.key) if part)
            if metric and place.client not in RESERVED_CLIENTS:
                yield SeriesName(Series(place.client, metric), one.name, one.unit)


def _bytes(memory: Mapping[str, bytes]) -> int:
    return sum(len(key) + len(content) for key, content in memory.items())


def provenance(message: Message) -> int:
    """The flags of all its readings."""
    flags = 0
    if message.retain:
        flags |= Flag.RETAINED.value
    if message.dup:
        flags |= Flag.REDELIVERED.value
    if message.properties.user and message.simulated:
        flags |= Flag.SIMULATED.value
    return flags
