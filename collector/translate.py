"""From a message to readings: whose they are, when they were measured, where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.decode import Decoded, Measurement, decode
from collector.message import Message
from collector.rejection import Fault, Rejected
from collector.topics import Topics
from telemetry.reading import RESERVED_CLIENTS, Flag, Reading, Series


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a client's own time may be from the time of receipt.

    Attributes:
        late_us: A reading older than this is flagged late.
        future_us: A reading further ahead than this is refused.
    """

    late_us: int
    future_us: int


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of a message: readings, and faults of what is none."""

    readings: Sequence[Reading]
    faults: Sequence[Fault] = ()


class Translator:
    """Turns messages into readings by the topic templates in force. Pure but for a cache."""

    def __init__(self, topics: Topics, tolerance: Tolerance) -> None:
        self._topics = topics
        self._late_us = tolerance.late_us
        self._future_us = tolerance.future_us

    def translate(self, message: Message) -> Translation:
        """The readings of a message; never raises, whatever the message holds."""
        try:
            match = self._topics.match(message.topic)
            if match.client in RESERVED_CLIENTS:
                raise Rejected("reserved")  # noqa: TRY301  # one way out for every reason
            decoded = decode(message.payload, match.metric)
        except Rejected as rejected:
            return Translation((), (Fault(rejected.reason),))
        return self._readings(message, match.client, decoded)

    def _readings(self, message: Message, client: str, decoded: Decoded) -> Translation:
        flags = _flags(message)
        readings = []
        faults = list(decoded.faults)
        for measurement in decoded.measurements:
            reason = self._time_fault(message, measurement)
            if reason:
                faults.append(Fault(reason, measurement.metric))
            else:
                readings.append(self._reading(message, client, measurement, flags))
        return Translation(readings, faults)

    def _time_fault(self, message: Message, measurement: Measurement) -> str:
        if measurement.time_us is None:
            # A retained value without a time of its own says nothing about when it was true.
            return "retained" if message.retain else ""
        ahead_us = measurement.time_us - message.received_us
        return "future" if ahead_us > self._future_us else ""

    def _reading(
        self, message: Message, client: str, measurement: Measurement, flags: int
    ) -> Reading:
        delay_us = 0
        if measurement.time_us is not None:
            delay_us = message.received_us - measurement.time_us
            if delay_us > self._late_us:
                flags |= Flag.LATE.value
        return Reading(
            Series(client, measurement.metric),
            message.received_us - delay_us,
            measurement.value,
            measurement.kind,
            measurement.unit,
            delay_us,
            flags,
        )


def _flags(message: Message) -> int:
    flags = 0
    if message.retain:
        flags |= Flag.RETAINED.value
    if message.dup:
        flags |= Flag.REDELIVERED.value
    if message.simulated:
        flags |= Flag.SIMULATED.value
    return flags
