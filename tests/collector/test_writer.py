"""The writer commits, then acknowledges; what is not committed is never acknowledged."""

import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.intake import Bounds, Intake
from collector.load import Loader
from collector.message import Message
from collector.replay import Replayer
from collector.topics import Route
from collector.translate import Translation
from collector.writer import Parts, Writer
from telemetry.denials import Denial
from telemetry.presence import EventKind
from telemetry.reading import Flag
from tests.collector.support import MemoryAppender, MemoryLink, readings_of, tools

NOW_US = 1_800_000_000_000_000


class Bench:
    """A writer on fakes; `clock_us` is its time."""

    def __init__(self, failures: int = 0, at_most: int = 100) -> None:
        self.appender = MemoryAppender(failures)
        self.link = MemoryLink()
        self.intake = Intake(Bounds(1000, 1_000_000, 0))
        self.clock_us = NOW_US
        self.denials: list[Denial] = []
        self.tools = tools(self.appender, "clients/{client}/{metric}")
        self.translator = self.tools.translator
        loader = Loader(self.tools)
        parts = Parts(
            self.appender,
            self.intake,
            self.link,
            loader,
            Replayer(self.appender, loader),
            self.tools.observer,
            self.tools.rejections,
            self.tools.skews,
            lambda: [],
            lambda: [self.denials.pop()] if self.denials else [],
            Path("/nonexistent/jobs"),
        )
        self.writer = Writer(parts, at_most, lambda: self.clock_us)

    def put(
        self, packet_id: int, payload: bytes = b"1", *, dup: bool = False, generation: int = 0
    ) -> None:
        """Puts a message of its own time into the intake."""
        time_us = NOW_US + packet_id
        message = Message("clients/a/m", payload, time_us, packet_id, generation, dup=dup)
        assert self.intake.put([message])

    def settle(self) -> None:
        """Lets the writer work off what is in the intake."""
        self.intake.close()
        self.writer.drain(10)


def test_writer_settles_messages_in_order_of_arrival() -> None:
    """Readings are stored and messages acknowledged in the order in which they came."""
    bench = Bench()
    for number in (3, 1, 2):
        bench.put(number)
    bench.settle()
    assert [reading.time_us - NOW_US for reading in bench.appender.readings] == [3, 1, 2]
    assert bench.link.acknowledged == [3, 1, 2]


def test_writer_store_that_fails_acknowledges_nothing() -> None:
    """Stopped while the store fails, the writer leaves the messages to the broker."""
    bench = Bench(failures=1)
    bench.put(1)
    bench.put(2)
    bench.settle()
    assert bench.appender.readings == []
    assert bench.link.acknowledged == []


def test_writer_store_that_recovers_stores_once() -> None:
    """The same batch is tried again until the store takes it, then acknowledged."""
    bench = Bench(failures=2)
    bench.put(1)
    stopping = threading.Event()
    thread = threading.Thread(target=bench.writer.run, args=(stopping,))
    acknowledged = threading.Event()
    bench.link.acknowledge = lambda _: acknowledged.set()  # type: ignore[method-assign]  # the test waits for it
    thread.start()
    assert acknowledged.wait(10)
    stopping.set()
    thread.join(10)
    assert len(bench.appender.readings) == 1
    assert bench.writer.statistics.faults == 2


def test_writer_repeated_delivery_is_acknowledged_and_not_stored() -> None:
    """A redelivery is acknowledged again, counted, and stored once."""
    bench = Bench()
    bench.put(1)
    bench.put(1, dup=True)
    bench.settle()
    assert len(bench.appender.readings) == 1
    assert bench.link.acknowledged == [1, 1]
    assert bench.writer.statistics.duplicates == 1


def test_writer_delivery_in_doubt_is_stored_flagged_and_counted() -> None:
    """What may be stored already is kept, and says so; what follows it is as ever."""
    bench = Bench()
    for generation in (1, 2):
        bench.put(1, generation=generation)
    bench.put(2, generation=2)
    bench.settle()
    flags = [reading.flags for reading in bench.appender.readings]
    assert flags == [0, Flag.REDELIVERED, 0]
    assert bench.link.acknowledged == [1, 1, 2]
    assert bench.writer.statistics.maybe_repeated == 1
    assert bench.writer.statistics.duplicates == 0


def test_writer_rejected_message_is_acknowledged_and_counted() -> None:
    """Garbage is settled like anything else, or it would come again for ever."""
    bench = Bench()
    bench.put(1, b"0x1F")
    bench.put(2)
    bench.settle()
    assert len(bench.appender.readings) == 1
    assert bench.link.acknowledged == [1, 2]
    assert bench.tools.rejections.counts == {"malformed-number": 1}


def test_writer_own_error_on_a_message_does_not_stop_the_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message that finds an error of ours is a counted rejection."""
    bench = Bench()
    translate = bench.translator.translate

    def fail_once(message: Message, route: Route) -> Translation:
        if message.packet_id == 1:
            raise RuntimeError("an error of ours")
        return translate(message, route)

    monkeypatch.setattr(bench.translator, "translate", fail_once)
    bench.put(1)
    bench.put(2)
    bench.settle()
    assert bench.link.acknowledged == [1, 2]
    assert bench.tools.rejections.counts == {"internal-error": 1}


def test_writer_batches_hold_about_as_many_readings_as_set() -> None:
    """Messages with many readings are committed in several transactions."""
    bench = Bench(at_most=4)
    for number in range(1, 5):
        bench.put(number, b'{"a": 1, "b": 2, "c": 3}')
    bench.settle()
    assert [len(readings_of(batch)) for batch in bench.appender.batches] == [6, 6]


def test_writer_lost_session_forgets_deliveries_in_the_same_commit() -> None:
    """After a lost session the same identifier and content is a new message."""
    bench = Bench()
    bench.put(1)
    bench.intake.put_new_session()
    bench.put(1, dup=True)
    bench.settle()
    assert [batch.forget_deliveries for batch in bench.appender.batches] == [False, True]
    (event,) = bench.appender.batches[1].presence.events
    assert event.kind is EventKind.SESSION_LOST
    assert len(bench.appender.readings) == 2


def test_writer_deliveries_are_committed_with_their_readings() -> None:
    """Each batch carries the deliveries of its messages, rejected ones included."""
    bench = Bench()
    bench.put(1)
    bench.put(2, b"")
    bench.settle()
    (batch,) = bench.appender.batches
    assert [int.from_bytes(key[:2], "big") for key in batch.deliveries] == [1, 2]


def test_writer_report_says_what_readers_need() -> None:
    """The report has the fields of WriterState."""
    bench = Bench()
    bench.put(1, b"")
    bench.settle()
    bench.writer.report(stopped=True)
    assert bench.appender.reports == [
        {
            "beat_us": NOW_US,
            "broker": "",
            "broker_up": 1,
            "broker_since_us": 1,
            "broker_reason": "",
            "heard_us": 2,
            "store_reason": "",
            "rejected": 1,
            "stopped": 1,
        }
    ]


def test_writer_store_that_cannot_keep_a_report_is_told_once_until_it_can() -> None:
    """A collector that starts on a full disk does not fill its log as well."""
    bench = Bench(failures=1)
    with capture_logs() as lines:
        for _ in range(5):
            bench.writer.report()
        bench.appender.failures = 0
        bench.writer.report()
        bench.appender.failures = 1
        bench.writer.report()
    assert [line["event"] for line in lines] == ["cannot report"] * 2


def test_writer_report_to_a_failing_store_does_not_raise() -> None:
    """A report that cannot be written waits for the next."""
    Bench(failures=1).writer.report()


def test_writer_presence_that_could_not_be_stored_goes_before_what_is_newer() -> None:
    """An end that came with readings is not undone by the beginning, and the stop is told too."""
    bench = Bench(failures=1)
    line = b"1: New client connected from 192.0.2.7:4157 as boiler (p2, c1, k60, u'boiler')."
    bench.tools.observer.hear(Message("$SYS/broker/log/N", line, NOW_US))
    bench.writer._keep_presence()
    gone = Message("$SYS/broker/log/N", b"2: Client boiler disconnected.", NOW_US + 1)
    bench.tools.observer.hear(gone)
    bench.put(1)
    bench.settle()
    bench.writer.report(stopped=True)
    ends = [one.until_us for batch in bench.appender.batches for one in batch.presence.connections]
    assert ends == [None, NOW_US + 1]
    assert EventKind.COLLECTOR_STOPPED in [
        event.kind for batch in bench.appender.batches for event in batch.presence.events
    ]


def test_writer_takes_refused_publishes_while_the_store_takes_them() -> None:
    """While it fails they stay where they are."""
    bench = Bench(failures=1)
    bench.put(1)
    bench.settle()
    bench.denials = [Denial(NOW_US, ("d", "clients/x/t"), 1)]
    bench.writer._look_around()
    assert len(bench.denials) == 1
    bench.writer._note_success()
    bench.clock_us += 2_000_000
    bench.writer._look_around()
    assert bench.denials == []
    told = [event.kind for batch in bench.appender.batches for event in batch.presence.events]
    assert EventKind.DENIED in told
