"""What strace saw, in order: when bytes were written, made durable, received and sent."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.torture.packets import acknowledged, published, take_packets

CALLS = "fsync,fdatasync,write,pwrite64,writev,pwritev,read,recvfrom,recvmsg,sendto,sendmsg"
OPTIONS = ("-f", "-yy", "-xx", "-s", "65536", "-e", f"trace={CALLS}")
"""With these options strace writes what `read_trace` reads."""

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\(\d+<(.*?)>(?:, (.*))?\) += (-?\d+)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_UNFINISHED = " <unfinished ...>"
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_SYNCS = ("fsync", "fdatasync")
_READS = ("read", "recvfrom", "recvmsg")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that did something.

    Attributes:
        name: Its name.
        target: The path or connection it was about.
        content: The bytes that went through.
        begin: The line at which it began.
        end: The line at which it was over.
    """

    name: str
    target: str
    content: bytes
    begin: int
    end: int


def read_trace(lines: Iterable[str]) -> Iterator[Call]:
    """The successful calls of a trace, by their ends; one that is interrupted by others is one."""
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        match = _LINE.match(line)
        if match is None:
            continue
        thread, text = match.groups()
        if text.endswith(_UNFINISHED):
            begun[thread] = number, text.removesuffix(_UNFINISHED)
            continue
        begin = number
        if resumed := _RESUMED.match(text):
            begin, head = begun.pop(thread, (number, ""))
            text = head + resumed[1]
        call = _call(text, begin, number)
        if call is not None:
            yield call


def _call(text: str, begin: int, end: int) -> Call | None:
    match = _CALL.match(text)
    if match is None or int(match[4]) < 0:
        return None
    name, target, arguments, result = match.groups()
    content = b"".join(map(_unhex, _BYTES.findall(arguments or "")))
    target = _unhex(target).decode() if target.startswith("\\x") else target
    return Call(name, target, content[: int(result)], begin, end)


def _unhex(text: str) -> bytes:
    r"""What strace wrote with -xx.

    >>> _unhex(r"\x41\x0a")
    b'A\n'
    """
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass(slots=True)
class Order:
    """Which messages were acknowledged, and which of them before they were durable.

    Attributes:
        acknowledged: Payloads, in the order of their PUBACKs.
        too_early: Those of them that no completed flush had made durable when the PUBACK left.
        flushes: How often the file was flushed.
    """

    acknowledged: list[bytes] = field(default_factory=list)
    too_early: list[bytes] = field(default_factory=list)
    flushes: int = 0


def judge_order(calls: Sequence[Call], port: int, file: str, topic: str) -> Order:
    """Whether each PUBACK left after a flush that followed the writing of its payload.

    Args:
        calls: What the process did; from a moment at which no packet was half through.
        port: The broker's port.
        file: The end of the path of the file in which a payload stands when it is stored.
        topic: Where the payloads were published, each another text.
    """
    calls = sorted(calls, key=lambda call: call.end)
    writes = [one for one in calls if one.target.endswith(file) and "write" in one.name]
    flushes = [one for one in calls if one.target.endswith(file) and one.name in _SYNCS]
    order = Order(flushes=len(flushes))
    payloads = dict(_received(calls, port, topic))
    for packet_id, begin in _acknowledgements(calls, port):
        if packet_id in payloads:
            payload = payloads[packet_id]
            order.acknowledged.append(payload)
            if not _durable_before(begin, payload, writes, flushes):
                order.too_early.append(payload)
    return order


def _received(calls: Iterable[Call], port: int, topic: str) -> Iterator[tuple[int, bytes]]:
    buffers: dict[str, bytearray] = {}
    for call in _with_broker(calls, port):
        if call.name in _READS:
            buffer = buffers.setdefault(call.target, bytearray())
            buffer += call.content
            for packet in take_packets(buffer):
                message = published(packet)
                if message is not None and message.topic == topic:
                    yield message.packet_id, message.payload


def _acknowledgements(calls: Iterable[Call], port: int) -> Iterator[tuple[int, int]]:
    """The packet identifier of each PUBACK, and when the call began that sent its last byte."""
    buffers: dict[str, bytearray] = {}
    for call in _with_broker(calls, port):
        if call.name not in _READS:
            buffer = buffers.setdefault(call.target, bytearray())
            buffer += call.content
            for packet in take_packets(buffer):
                packet_id = acknowledged(packet)
                if packet_id is not None:
                    yield packet_id, call.begin


def _with_broker(calls: Iterable[Call], port: int) -> Iterator[Call]:
    return (call for call in calls if call.target.endswith(f":{port}]"))


def _durable_before(
    line: int, payload: bytes, writes: Sequence[Call], flushes: Sequence[Call]
) -> bool:
    written = next((one.end for one in writes if payload in one.content), None)
    if written is None:
        return False
    return any(written < one.begin and one.end < line for one in flushes)
