"""The writer: takes messages, commits their readings, then acknowledges them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from collector.intake import Intake, Parcel
from collector.link import Link
from collector.load import Load, Loader
from collector.observer import Observer
from collector.outage import Outage
from collector.rejection import RejectionLog
from collector.replay import Replayer
from collector.skew import SkewWatch
from collector.statistics import Statistics
from telemetry.batch import Batch, Committed
from telemetry.clock import Clock
from telemetry.denials import Denial
from telemetry.interface import Appender, StoreUnavailable
from telemetry.job import Job, Replay, Result
from telemetry.jobs import run_pending
from telemetry.presence import Event, EventKind

WAIT_S = 0.25
"""How long the writer waits for a message before it looks around."""

_REPORT_US = 1_000_000
_RETRY_S = (0.1, 2.0)

log = structlog.get_logger("collector.writer")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the writer works with; the thread that runs it owns the appender.

    Attributes:
        outages: Says from when to when nothing was heard of the broker, each once.
        denials: Says which publishes the broker refused, each once.
        jobs: The folder where commands leave what only the owner of the appender can do.
        broker: What people call a broker that is not our own.
    """

    appender: Appender
    intake: Intake
    link: Link
    loader: Loader
    replayer: Replayer
    observer: Observer
    rejections: RejectionLog
    skews: SkewWatch
    outages: Callable[[], Iterable[Outage]]
    denials: Callable[[], Iterable[Denial]]
    jobs: Path
    broker: str = ""


class Writer:
    """Moves messages from the intake into the store, on one thread.

    Attributes:
        statistics: What happened since the start.
    """

    def __init__(self, parts: Parts, at_most: int, clock: Clock) -> None:
        self._parts = parts
        self._at_most = at_most
        self._clock = clock
        self._reported_us = 0
        self._reported = parts.link.state
        self._fault = ""
        self._excuses: set[str] = set()
        self.statistics = Statistics()

    def run(self, stopping: threading.Event) -> None:
        """Works until `stopping` is set; what is in the intake then is left to `drain`."""
        self._note(EventKind.COLLECTOR_STARTED)
        busy = False
        while not stopping.is_set():
            parcel = self._parts.intake.take(self._at_most, 0 if busy else WAIT_S)
            self._store(parcel, stopping)
            self._look_around()
            busy = self._tend()

    def drain(self, seconds: float) -> None:
        """Commits and acknowledges what the closed intake still holds.

        Ends after `seconds`, or when the store fails: what is left stays with the broker.
        """
        end_s = time.monotonic() + seconds
        without_retry = threading.Event()
        without_retry.set()
        while not self._fault and time.monotonic() < end_s:
            parcel = self._parts.intake.take(self._at_most, 0)
            if not parcel:
                return
            self._store(parcel, without_retry)

    def report(self, *, stopped: bool = False) -> None:
        """Leaves our state in the store for readers; a store that fails is noticed elsewhere."""
        if stopped:
            self._note(EventKind.COLLECTOR_STOPPED)
            while self._keep_presence():
                pass
        state = self._reported = self._parts.link.state
        now_us = self._reported_us = self._clock()
        with self._excused("cannot report"):
            self._parts.appender.report(
                {
                    "beat_us": now_us,
                    "broker": self._parts.broker,
                    "broker_up": int(state.up),
                    "broker_since_us": state.since_us,
                    "broker_reason": state.reason,
                    "heard_us": self._parts.link.heard_us,
                    "store_reason": self._fault,
                    "rejected": self._parts.rejections.total,
                    "stopped": int(stopped),
                }
            )

    def _store(self, parcel: Parcel, stopping: threading.Event) -> None:
        """Commits a parcel in loads of bounded size."""
        load = Load(forget=parcel.new_session)
        if parcel.new_session:
            self._parts.loader.forget_deliveries(self._clock())
        catching_up = self._parts.link.catching_up
        for message in parcel.messages:
            self._parts.loader.add(message, load, catching_up=catching_up)
            if load.readings >= self._at_most:
                if not self._settle(load, stopping):
                    return
                load = Load()
        if load.messages or load.own or load.forget:
            self._settle(load, stopping)

    def _settle(self, load: Load, stopping: threading.Event) -> bool:
        """Commits a load and acknowledges its messages; False if it was given up."""
        presence = self._parts.observer.take_changes()
        committed = self._append_until(load.batch(presence), stopping)
        if committed is None:
            self._parts.observer.give_back(presence)
            return False
        self._parts.link.acknowledge(load.messages)
        statistics = self.statistics
        statistics.settled(load.messages, self._clock())
        statistics.stored += committed.stored
        statistics.duplicates += committed.duplicates + load.repeated
        statistics.maybe_repeated += load.maybe_repeated
        statistics.limited += load.limited
        statistics.rejected = self._parts.rejections.total
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
            self._look_around()  # deleting something is how space is made
            self._tend()
            wait_s = min(wait_s * 2, longest_s)

    def _append(self, batch: Batch) -> Committed:
        start_ns = time.perf_counter_ns()
        committed = self._parts.appender.append(batch)
        self.statistics.committed((time.perf_counter_ns() - start_ns) // 1000)
        return committed

    def _note_fault(self, error: StoreUnavailable) -> None:
        self.statistics.faults += 1
        if not self._fault:
            log.error("cannot store; trying again until it works", error=str(error))
        self._fault = str(error).partition(": ")[2] or str(error)

    def _note_success(self) -> None:
        if self._fault:
            log.info("storing again")
        self._fault = ""

    def _look_around(self) -> None:
        now_us = self._clock()
        before, link = self._reported, self._parts.link.state
        if link.up != before.up:
            self._note(EventKind.BROKER_BACK if link.up else EventKind.BROKER_LOST, link.reason)
        self._parts.observer.miss(self._parts.outages())
        if link is not before or abs(now_us - self._reported_us) >= _REPORT_US:
            self.report()
            if not self._fault:  # else they wait where they are
                self._parts.observer.deny(self._parts.denials())
            run_pending(self._parts.jobs, self._do)
        if not self._fault:
            self._keep_presence()
        if self.statistics.due(now_us):
            self._keep_statistics(now_us)

    def _tend(self) -> bool:
        """Keeps the history small; whether there is more to do at once."""
        with self._excused("cannot tend the history"):
            return self._parts.appender.tend(self._clock())
        return False

    def _note(self, kind: EventKind, detail: str = "") -> None:
        self._parts.observer.note(Event(self._clock(), kind, detail=detail))

    def _keep_presence(self) -> bool:
        """Stores what is news and no message took along; False if that was nothing or failed."""
        changes = self._parts.observer.take_changes()
        if not changes:
            return False
        with self._excused("cannot keep who is connected"):
            self._parts.appender.append(Batch(presence=changes))
            return True
        self._parts.observer.give_back(changes)
        return False

    def _do(self, job: Job) -> Result | None:
        """Does a job, or a part of it: the stream goes on meanwhile."""
        if isinstance(job, Replay):
            return self._parts.replayer.step(job)
        result = self._parts.appender.step(job)
        self._parts.loader.learn_series(self._parts.appender.series())
        return result

    def _keep_statistics(self, now_us: int) -> None:
        waiting, round_trip_us = len(self._parts.intake), self._parts.link.ping.round_trip_us
        readings = self.statistics.readings(now_us, waiting, round_trip_us)
        with self._excused("cannot keep own statistics"):
            skews = self._parts.skews.take_changed()
            self._parts.appender.append(Batch(readings, skews=skews))

    @contextmanager
    def _excused(self, event: str) -> Iterator[None]:
        """Lets a store that cannot write now be, and says so once until it can."""
        try:
            yield
        except StoreUnavailable as error:
            if not self._fault and event not in self._excuses:
                log.warning(event, error=str(error))
            self._excuses.add(event)
        else:
            self._excuses.discard(event)
