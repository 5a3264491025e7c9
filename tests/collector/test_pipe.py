"""One connection's socket: acknowledgements leave together, in order, and never on another one."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.message import Message
from collector.pipe import PIECE_BYTES, Pipe
from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server
from telemetry.clock import now_us
from tests.collector.packets import PINGREQ, puback

GENERATION = 4


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection: ours, which never waits, and the broker's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    with ours, theirs:
        theirs.settimeout(10)
        yield ours, theirs


@pytest.fixture
def pipe(ends: tuple[socket.socket, socket.socket]) -> Pipe:
    """Our end."""
    return Pipe(ends[0], GENERATION)


@pytest.fixture
def broker(ends: tuple[socket.socket, socket.socket]) -> socket.socket:
    """The broker's end."""
    return ends[1]


def message(packet_id: int, generation: int = GENERATION) -> Message:
    """A message that came over that connection."""
    return Message("a", b"", 1, packet_id, generation)


def test_pipe_acknowledgements_of_a_batch_arrive_in_order(
    pipe: Pipe, broker: socket.socket
) -> None:
    """One PUBACK for each message at QoS 1 of this connection, none for any other."""
    pipe.hand_over(3)
    pipe.acknowledge([message(5), message(6, generation=3), message(0), message(4)])
    assert broker.recv(1000) == puback(5) + puback(4)


def test_pipe_own_message_is_acknowledged_after_those_before_it(
    pipe: Pipe, broker: socket.socket
) -> None:
    """Acknowledgements keep the order of arrival, ours included; what is behind goes on."""
    pipe.hand_over(2)
    pipe.mark(9, sent_ns=70)
    pipe.hand_over(1)
    pipe.acknowledge([message(1)])
    assert broker.recv(1000) == puback(1)
    assert pipe.settled_ns == 0
    pipe.acknowledge([message(2), message(3)])
    assert broker.recv(1000) == puback(1 + 1) + puback(3) + puback(9)
    assert pipe.settled_ns == 70


def test_pipe_own_message_with_nothing_before_it_is_acknowledged_at_once(
    pipe: Pipe, broker: socket.socket
) -> None:
    """Nothing keeps it waiting when everything before is acknowledged."""
    pipe.mark(9, sent_ns=70)
    pipe.flush()
    assert broker.recv(1000) == puback(9)


def test_pipe_what_paho_writes_leaves_whole_and_in_its_place(
    pipe: Pipe, broker: socket.socket
) -> None:
    """Packets of paho and acknowledgements never run into each other."""
    assert pipe.send(b"subscribe") == 9
    pipe.hand_over(1)
    pipe.acknowledge([message(1)])
    pipe.send(b"disconnect")
    pipe.close()
    received = b""
    while piece := broker.recv(1000):
        received += piece
    assert received == b"subscribe" + puback(1) + b"disconnect"


def test_pipe_paho_reads_the_packet_it_was_given_and_no_more(pipe: Pipe) -> None:
    """What paho reads ends with the packet, and then there is nothing yet: not the end."""
    pipe.for_paho(b"\x20\x03abc")
    assert [pipe.recv(1), pipe.recv(1), pipe.recv(3)] == [b"\x20", b"\x03", b"abc"]
    with pytest.raises(BlockingIOError):
        pipe.recv(1)


def test_pipe_more_than_the_socket_takes_leaves_later(pipe: Pipe, broker: socket.socket) -> None:
    """What does not fit is kept, in order, and whoever waits is woken to send it."""
    content = bytes(range(256)) * 60_000
    pipe.send(content)
    pipe.flush()
    received = bytearray()
    while len(received) < len(content):
        received += broker.recv(1_000_000)
        assert not pipe.wait(0), "nothing came to be read"
        pipe.flush()
    assert bytes(received) == content


def test_pipe_tells_a_sign_of_life_and_asks_for_one(pipe: Pipe, broker: socket.socket) -> None:
    """Asking sends a PINGREQ, hearing anything moves the time."""
    before_s, asked_s = pipe.heard_s, pipe.asked_s
    pipe.ask()
    pipe.flush()
    assert broker.recv(10) == PINGREQ
    assert pipe.asked_s > asked_s
    broker.sendall(b"x")
    assert pipe.wait(10)
    assert pipe.read() == b"x"
    assert pipe.heard_s > before_s
    assert pipe.read() == b""


def test_pipe_ended_by_the_broker_is_gone_without_reading(
    pipe: Pipe, broker: socket.socket
) -> None:
    """While nothing is read, the end of the connection is noticed all the same."""
    broker.sendall(b"unread")
    assert pipe.wait(10)
    assert not pipe.gone
    broker.close()
    wait_for_end = select.poll()
    wait_for_end.register(pipe.fileno(), select.POLLRDHUP)
    assert wait_for_end.poll(10_000)
    assert pipe.gone
    assert pipe.read() == b"unread"
    with pytest.raises(ConnectionResetError):
        pipe.read()


def test_pipe_that_is_closed_takes_everything_in_silence(pipe: Pipe) -> None:
    """Whoever acknowledges late, closes twice or asks a closed pipe is not told off."""
    pipe.close()
    pipe.close()
    pipe.acknowledge([message(1)])
    pipe.mark(1, 1)
    pipe.flush()
    assert not pipe.wait(0)
    assert pipe.gone


def test_pipe_with_tls_reads_and_acknowledges_at_the_same_time(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    """Nothing that was deciphered waits for more to come, and no acknowledgement is lost."""
    ours, theirs = secured(ends, tmp_path)
    content, sent = bytes(range(256)) * 20_000, list(range(1, 3001))
    pipe, answered = Pipe(ours, GENERATION), bytearray()
    wanted = b"".join(puback(one) for one in sent)

    def broker() -> None:
        theirs.sendall(content)
        while len(answered) < len(wanted):
            answered.extend(theirs.recv(1000))

    def writer() -> None:
        for one in sent:
            pipe.acknowledge([message(one)])

    threads = [threading.Thread(target=each) for each in (broker, writer)]
    for thread in threads:
        thread.start()
    assert read_all(pipe, len(content)) == content
    while any(thread.is_alive() for thread in threads):
        pipe.flush()
        threads[0].join(0.01)
    assert answered == wanted
    theirs.close()
    assert pipe.wait(10)
    with pytest.raises(ConnectionResetError):
        pipe.read()
    pipe.close()


def read_all(pipe: Pipe, length: int) -> bytes:
    """So many bytes, as the network thread reads them."""
    read = bytearray()
    while len(read) < length:
        assert pipe.wait(10)
        piece = pipe.read()
        assert len(piece) <= PIECE_BYTES
        read += piece
        pipe.flush()
    return bytes(read)


def secured(
    ends: tuple[socket.socket, socket.socket], folder: Path
) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """The same two ends with TLS between them."""
    pair = Pair(folder / "server.key", folder / "server.crt")
    authority = ensure_authority(Pair(folder / "ca.key", folder / "ca.crt"), now_us=now_us())
    ensure_server(pair, authority, Server("Broker", frozenset({"localhost"})), now_us())
    asked = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(pair.certificate, pair.key)
    ends[0].setblocking(True)
    theirs = offered.wrap_socket(ends[1], server_side=True, do_handshake_on_connect=False)
    handshake = threading.Thread(target=theirs.do_handshake)
    handshake.start()
    ours = asked.wrap_socket(ends[0], server_hostname="localhost")
    handshake.join()
    ours.setblocking(False)
    return ours, theirs
