"""Messages go into the intake as far as there is room, and nothing waits that could move."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from collector.intake import Bounds, Intake
from collector.ping import SelfPing
from collector.pipe import Pipe
from collector.stream import TICK_S, Stream
from collector.tally import Tally
from collector.wire import Wire
from tests.collector.packets import PINGREQ, PINGRESP, puback, publish

OWN = "culex/ping/collector"
ROOM = 3
NEVER = threading.Event()


class Scribe:
    """Speaks no protocol: writes nothing, and keeps the packets that it is to read."""

    def __init__(self, pipe: Pipe) -> None:
        self.read: list[bytes] = []
        self._pipe = pipe

    def socket(self) -> object:
        """The connection is never over."""
        return self._pipe

    def want_write(self) -> bool:
        """There is nothing to write."""
        return False

    def loop_write(self) -> None:
        """Is not called."""
        raise NotImplementedError

    def loop_read(self) -> None:
        """Keeps the packet."""
        with suppress(BlockingIOError):
            self.read.append(self._pipe.recv(1000))


class Bench:
    """A stream between two ends of a TCP connection; the test is the broker and the writer."""

    def __init__(self, ours: socket.socket, broker: socket.socket) -> None:
        self.broker = broker
        self.intake = Intake(Bounds(ROOM, 1_000_000, 0))
        self.tally = Tally(lambda: 1)
        self.pipe = Pipe(ours, generation=1)
        self.ping = SelfPing("a")
        self.scribe = Scribe(self.pipe)
        self.stream = Stream(self.pipe, Wire(1, OWN), self.intake, self.tally)
        self.stream.keep_alive_s = 60

    def send(self, *packets: bytes) -> None:
        """The broker sends these, and the stream takes in what it can."""
        self.broker.sendall(b"".join(packets))
        self.turn()

    def turn(self) -> None:
        """One turn of the stream."""
        self.stream.turn(self.scribe, self.ping)

    def taken(self) -> list[int]:
        """The packet identifiers of what is in the intake."""
        return [message.packet_id for message in self.intake.take(100, 0).messages]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A stream that is connected."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        broker, _ = listener.accept()
    ours.setblocking(False)
    broker.settimeout(10)
    with ours, broker:
        yield Bench(ours, broker)


def messages(*packet_ids: int) -> list[bytes]:
    """Messages with these packet identifiers."""
    return [publish("a", b"1", packet_id) for packet_id in packet_ids]


def test_stream_takes_what_there_is_room_for_and_the_rest_later(bench: Bench) -> None:
    """Nothing goes beyond the bound, and what has arrived needs no more to arrive to move on."""
    bench.send(*messages(1, 2, 3, 4, 5))
    assert bench.stream.is_full
    assert bench.taken() == [1, 2, 3]
    assert not bench.stream.is_full
    began_s = time.monotonic()
    bench.turn()
    assert time.monotonic() - began_s < TICK_S
    assert bench.taken() == [4, 5]
    assert bench.tally.messages == 5


def test_stream_reads_no_more_before_the_last_piece_has_found_room(bench: Bench) -> None:
    """What waits outside the intake is one piece at most, however much the broker has."""
    bench.send(*messages(1, 2, 3, 4, 5))
    bench.broker.sendall(b"".join(messages(6)))
    assert bench.taken() == [1, 2, 3]
    bench.turn()
    assert bench.taken() == [4, 5]
    bench.turn()
    assert bench.taken() == [6]


def test_stream_other_packets_are_read_in_their_place(bench: Bench) -> None:
    """Whoever speaks the protocol gets each of its packets whole, and no message."""
    bench.send(*messages(1), PINGRESP, *messages(2), puback(7))
    assert bench.scribe.read == [PINGRESP, puback(7)]
    assert bench.taken() == [1, 2]


def test_stream_own_message_is_measured_and_not_handed_over(bench: Bench) -> None:
    """It is acknowledged behind what came before it."""
    payload = bench.ping.payload(time.monotonic_ns())
    bench.send(*messages(1), publish(OWN, payload, 2), *messages(3))
    assert bench.ping.returned_ns
    parcel = bench.intake.take(100, 0)
    bench.pipe.acknowledge(parcel.messages)
    assert bench.broker.recv(1000) == puback(1) + puback(3) + puback(2)


@pytest.mark.parametrize("ending", ["the writer takes no more", "the session takes no more"])
def test_stream_nobody_takes_from_is_passed_over(bench: Bench, ending: str) -> None:
    """At the end messages stay with the broker, and what follows them is still read."""
    if ending.startswith("the writer"):
        bench.intake.close()
    else:
        bench.tally.finished = True
    bench.send(*messages(1, 2, 3, 4), PINGRESP)
    assert not bench.stream.is_full
    assert bench.scribe.read == [PINGRESP]
    assert bench.taken() == []


def test_stream_on_hold_gives_signs_of_life_until_there_is_room(bench: Bench) -> None:
    """While it reads nothing it asks after the broker, and tells for how long it has waited."""
    bench.stream.keep_alive_s = 0
    bench.send(*messages(1, 2, 3, 4))
    told: list[float] = []

    def tell(seconds: float) -> None:
        told.append(seconds)
        if len(told) == 3:
            bench.taken()

    seconds = bench.stream.hold(tell, NEVER)
    assert seconds >= told[-1] >= TICK_S
    assert bench.broker.recv(1000) == PINGREQ * 3


def test_stream_on_hold_notices_the_end_of_the_connection(bench: Bench) -> None:
    """Even a full intake does not hide that the broker is gone."""
    bench.send(*messages(1, 2, 3))
    bench.broker.close()
    with pytest.raises(ConnectionResetError):
        bench.stream.hold(lambda _: None, NEVER)


def test_stream_broker_that_is_silent_for_too_long_is_gone(bench: Bench) -> None:
    """After a keep-alive without a byte the connection is given up."""
    bench.stream.expect_life()
    bench.stream.keep_alive_s = 0
    with pytest.raises(TimeoutError, match="does not answer"):
        bench.stream.expect_life()
