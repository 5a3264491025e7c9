"""The writer: takes messages, commits their readings, then acknowledges them."""

import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from collector.intake import Intake, Parcel
from collector.link import Link
from collector.message import Message
from collector.redelivery import DeliveryRing, Repetition
from collector.rejection import Fault, RejectionLog
from collector.statistics import Statistics
from collector.translate import Translation, Translator
from telemetry.clock import Clock
from telemetry.interface import Appender, Batch, Committed, Delivery, StoreUnavailable
from telemetry.jobs import run_pending
from telemetry.reading import Flag, Reading

WAIT_S = 0.25
"""How long the writer waits for a message before it looks around."""

_REPORT_US = 1_000_000
_RETRY_S = (0.1, 2.0)

log = structlog.get_logger("collector.writer")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the writer works with; the thread that runs it owns the appender.

    Attributes:
        jobs: The folder where commands leave what only the owner of the appender can do.
    """

    appender: Appender
    intake: Intake
    link: Link
    translator: Translator
    ring: DeliveryRing
    jobs: Path


@dataclass(slots=True)
class _Load:
    """A batch in the making, and the messages it settles."""

    forget: bool = False
    readings: list[Reading] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    repeated: int = 0
    maybe_repeated: int = 0

    def batch(self) -> Batch:
        return Batch(self.readings, self.deliveries, self.forget)


class Writer:
    """Moves messages from the intake into the store, on one thread.

    Attributes:
        statistics: What happened since the start.
        rejections: What could not become a reading.
    """

    def __init__(self, parts: Parts, at_most: int, rejections: RejectionLog, clock: Clock) -> None:
        self._parts = parts
        self._at_most = at_most
        self._clock = clock
        self._reported_us = 0
        self._reported = parts.link.state
        self._failing = False
        self.statistics = Statistics()
        self.rejections = rejections

    def run(self, stopping: threading.Event) -> None:
        """Works until `stopping` is set; what is in the intake then is left to `drain`."""
        while not stopping.is_set():
            parcel = self._parts.intake.take(self._at_most, WAIT_S)
            self._store(parcel, stopping)
            self._look_around()

    def drain(self, seconds: float) -> None:
        """Commits and acknowledges what the closed intake still holds.

        Ends after `seconds`, or when the store fails: what is left stays with the broker.
        """
        end_s = time.monotonic() + seconds
        without_retry = threading.Event()
        without_retry.set()
        while not self._failing and time.monotonic() < end_s:
            parcel = self._parts.intake.take(self._at_most, 0)
            if not parcel:
                return
            self._store(parcel, without_retry)

    def report(self, *, stopped: bool = False) -> None:
        """Leaves our state in the store for readers; a store that fails is noticed elsewhere."""
        state = self._reported = self._parts.link.state
        now_us = self._reported_us = self._clock()
        try:
            self._parts.appender.report(
                {
                    "beat_us": now_us,
                    "broker_up": int(state.up),
                    "broker_since_us": state.since_us,
                    "broker_reason": state.reason,
                    "rejected": self.rejections.total,
                    "stopped": int(stopped),
                }
            )
        except StoreUnavailable as error:
            log.warning("cannot report", error=str(error))

    def _store(self, parcel: Parcel, stopping: threading.Event) -> None:
        """Commits a parcel in loads of bounded size."""
        load = _Load(forget=parcel.new_session)
        if parcel.new_session:
            self._parts.ring.forget()
        for message in parcel.messages:
            self._translate(message, load)
            if len(load.readings) >= self._at_most:
                if not self._settle(load, stopping):
                    return
                load = _Load()
        if load.messages or load.forget:
            self._settle(load, stopping)

    def _translate(self, message: Message, load: _Load) -> None:
        load.messages.append(message)
        repetition = self._recognise(message, load)
        if repetition is Repetition.YES:
            load.repeated += 1
            return
        translation = self._guarded(message)
        readings = translation.readings
        if repetition is Repetition.MAYBE:
            load.maybe_repeated += 1
            readings = [_redelivered(reading) for reading in readings]
        load.readings.extend(readings)
        for fault in translation.faults:
            self.rejections.note(message, fault)

    def _recognise(self, message: Message, load: _Load) -> Repetition:
        """Whether the message came before; the load remembers it if it is not sure to have."""
        if not message.packet_id:
            return Repetition.NO
        arrival = self._parts.ring.admit(message)
        if arrival.repetition is not Repetition.YES:
            load.deliveries.append(arrival.delivery)
        return arrival.repetition

    def _guarded(self, message: Message) -> Translation:
        """No message may stop the stream, not even one that finds an error of ours."""
        try:
            return self._parts.translator.translate(message)
        except Exception:
            log.exception("cannot translate", topic=repr(message.topic[:200]))
            return Translation((), (Fault("internal-error"),))

    def _settle(self, load: _Load, stopping: threading.Event) -> bool:
        """Commits a load and acknowledges its messages; False if it was given up."""
        committed = self._append_until(load.batch(), stopping)
        if committed is None:
            return False
        self._parts.link.acknowledge(load.messages)
        statistics = self.statistics
        statistics.messages += len(load.messages)
        statistics.stored += committed.stored
        statistics.duplicates += committed.duplicates + load.repeated
        statistics.maybe_repeated += load.maybe_repeated
        statistics.rejected = self.rejections.total
        return True

    def _append_until(self, batch: Batch, stopping: threading.Event) -> Committed | None:
        """Appends the batch, trying again while the store is unavailable; None if stopped."""
        wait_s, longest_s = _RETRY_S
        while True:
            try:
                committed = self._append(batch)
            except StoreUnavailable as error:
                self._note_fault(error)
            else:
                self._note_success()
                return committed
            if stopping.wait(wait_s):
                return None
            wait_s = min(wait_s * 2, longest_s)

    def _append(self, batch: Batch) -> Committed:
        start_ns = time.perf_counter_ns()
        committed = self._parts.appender.append(batch)
        self.statistics.committed((time.perf_counter_ns() - start_ns) // 1000)
        return committed

    def _note_fault(self, error: StoreUnavailable) -> None:
        self.statistics.faults += 1
        if not self._failing:
            log.error("cannot store; trying again until it works", error=str(error))
        self._failing = True

    def _note_success(self) -> None:
        if self._failing:
            log.info("storing again")
        self._failing = False

    def _look_around(self) -> None:
        now_us = self._clock()
        changed = self._parts.link.state is not self._reported
        if changed or abs(now_us - self._reported_us) >= _REPORT_US:
            self.report()
            run_pending(self._parts.jobs, self._parts.appender)
        if self.statistics.due(now_us):
            self._keep_statistics(now_us)

    def _keep_statistics(self, now_us: int) -> None:
        readings = self.statistics.readings(now_us, len(self._parts.intake))
        try:
            self._parts.appender.append(Batch(readings))
        except StoreUnavailable as error:
            log.warning("cannot keep own statistics", error=str(error))


def _redelivered(reading: Reading) -> Reading:
    return replace(reading, flags=reading.flags | Flag.REDELIVERED.value)
