"""Reading what strace saw: calls that others interrupt, packets in pieces, and the wrong order."""

from tests.torture.packets import Publish, packet
from tests.torture.trace import Order, judge_order, read_trace

SOCKET = "TCP:[127.0.0.1:5->127.0.0.1:1883]"
FILE = "/data/culex.db-wal"


def hexed(content: bytes) -> str:
    """Bytes as strace writes them."""
    return "".join(f"\\x{byte:02x}" for byte in content)


def receive(*payloads: bytes) -> str:
    """A line that brings these messages, with packet identifiers from 1."""
    packets = [Publish("t", one, number).encoded() for number, one in enumerate(payloads, 1)]
    content = b"".join(packets)
    return f'7 recvfrom(9<{SOCKET}>, "{hexed(content)}", 10000, 0, NULL, NULL) = {len(content)}'


def acknowledge(*packet_ids: int) -> str:
    """A line that acknowledges these packet identifiers."""
    content = b"".join(packet(4, one.to_bytes(2, "big")) for one in packet_ids)
    return f'7 sendto(9<{SOCKET}>, "{hexed(content)}", {len(content)}, 0, NULL, 0) = {len(content)}'


def write(content: bytes) -> str:
    """A line that writes into the file."""
    return f'3 pwrite64(6<{hexed(FILE.encode())}>, "{hexed(content)}", 24, 56) = {len(content)}'


FLUSH = f"3 fdatasync(6<{hexed(FILE.encode())}>) = 0"


def order(*lines: str) -> Order:
    """The judgement on such a trace."""
    return judge_order(list(read_trace(lines)), 1883, "culex.db-wal", "t")


def test_acknowledgement_after_the_flush_is_right() -> None:
    """Received, written, flushed, acknowledged: several in one packet of bytes."""
    good = order(
        receive(b"one", b"two"), write(b".one."), write(b".two."), FLUSH, acknowledge(1, 2)
    )
    assert good == Order([b"one", b"two"], [], 1)


def test_acknowledgement_before_the_flush_is_seen() -> None:
    """A PUBACK between writing and flushing is too early, as is one before the writing."""
    early = order(receive(b"one"), write(b".one."), acknowledge(1), FLUSH)
    assert early.too_early == [b"one"]
    assert order(receive(b"one"), acknowledge(1), write(b".one."), FLUSH).too_early == [b"one"]


def test_flush_of_the_batch_before_is_no_excuse() -> None:
    """What was written after the last flush is not durable."""
    late = order(
        receive(b"one", b"two"), write(b".one."), FLUSH, write(b".two."), acknowledge(1, 2)
    )
    assert late.too_early == [b"two"]


def test_flush_that_is_not_over_is_no_excuse() -> None:
    """A flush counts from its return on, a sending from its call on."""
    begun, rest = FLUSH.removesuffix(") = 0"), "3 <... fdatasync resumed>) = 0"
    lines = [receive(b"one"), write(b".one."), f"{begun} <unfinished ...>"]
    assert order(*lines, acknowledge(1), rest).too_early == [b"one"]
    assert order(*lines, rest, acknowledge(1)).too_early == []


def test_flush_that_failed_is_no_excuse() -> None:
    """Only a flush that returns 0 makes anything durable."""
    failed = FLUSH.replace("= 0", "= -1 EIO (Input/output error)")
    assert order(receive(b"one"), write(b".one."), failed, acknowledge(1)).too_early == [b"one"]


def test_packet_in_pieces_is_one_packet() -> None:
    """Bytes that come singly, as paho reads them, make the same message."""
    whole = Publish("t", b"one", 1).encoded()
    pieces = [
        f'7 recvfrom(9<{SOCKET}>, "{hexed(piece)}", 1, 0, NULL, NULL) = {len(piece)}'
        for piece in (whole[:1], whole[1:2], whole[2:])
    ]
    assert order(*pieces, write(b"one"), FLUSH, acknowledge(1)) == Order([b"one"], [], 1)


def test_bytes_that_were_not_sent_do_not_count() -> None:
    """A sending that took only a part acknowledges only what is whole."""
    half = acknowledge(1, 2).replace("= 8", "= 6")
    assert order(receive(b"one", b"two"), write(b"onetwo"), FLUSH, half).acknowledged == [b"one"]
