"""Sparkplug B: births that define metrics, data that names them by alias, deaths as presence.

Rules from the Eclipse Sparkplug specification 3.0, chapters 4 to 6. A host that missed a birth asks
for another; we only listen, and keep what we cannot read yet in quarantine until one comes.
"""

from hashlib import blake2b
from typing import NamedTuple

import orjson

from collector.decoded import Decoded, Memory, Note, NoteKind, Place
from collector.formats.sparkplug_b_pb2 import Payload
from collector.formats.sparkplug_birth import UNBORN, Birth, read_birth, write_birth
from collector.formats.sparkplug_metrics import MS_US, Metrics, definitions, find_bd_seq
from collector.formats.sparkplug_payload import MALFORMED, read_payload
from collector.rejection import Rejected
from collector.timestamps import stamp_us

_NODE_MESSAGES = frozenset({"NBIRTH", "NDATA", "NDEATH", "NCMD"})
_DEVICE_MESSAGES = frozenset({"DBIRTH", "DDATA", "DDEATH", "DCMD"})
_STATE = "STATE"
_DEAD = "dead"
_SEQUENCE = 256
"""How many numbers messages have before they start again."""


class Origin(NamedTuple):
    """Who sent a message, and of which type it is.

    Attributes:
        message: Its type, such as `NBIRTH`.
        node: Group and edge node, with a slash between.
        device: The device of that edge node, or an empty string for the node itself.
    """

    message: str
    node: str
    device: str

    @property
    def node_key(self) -> str:
        """Where the birth of the edge node is kept."""
        return f"sparkplug:{self.node}"

    @property
    def key(self) -> str:
        """Where the sender's birth is kept."""
        return f"{self.node_key}/{self.device}" if self.device else self.node_key

    @property
    def sequence_key(self) -> str:
        """Where the number of the edge node's last message is kept."""
        return f"sparkplug-seq:{self.node}"


def read_origin(topic: str) -> Origin:
    """What a topic says of the messages on it.

    >>> read_origin("spBv1.0/plant/DDATA/gateway/pump")
    Origin(message='DDATA', node='plant/gateway', device='pump')

    Raises:
        Rejected: `no-sparkplug-topic`.
    """
    match topic.split("/"):
        case _, message, host if message == _STATE:
            return Origin(message, host, "")
        case _, group, message, node if message in _NODE_MESSAGES:
            return Origin(message, f"{group}/{node}", "")
        case _, group, message, node, device if message in _DEVICE_MESSAGES and device:
            return Origin(message, f"{group}/{node}", device)
    raise Rejected("no-sparkplug-topic")


def decode_sparkplug(payload: bytes, place: Place, memory: Memory) -> Decoded:
    """The measurements of a birth or of data; births, deaths and states of hosts as notes.

    What a host commands (`NCMD`, `DCMD`) is nothing that was measured.

    Raises:
        Rejected: `malformed-sparkplug`, `too-large` or `no-sparkplug-topic`.
    """
    origin = read_origin(place.topic)
    if origin.message == _STATE:
        return _host(payload)
    content = read_payload(payload)
    match origin.message[1:]:
        case "BIRTH":
            return _birth(content, origin, memory, session=_digest(payload))
        case "DATA":
            return _data(content, origin, memory)
        case "DEATH" if origin.device:
            return _device_death(content, origin, memory)
        case "DEATH":
            return _node_death(content, origin, memory)
    return Decoded()


def _host(payload: bytes) -> Decoded:
    """A host comes or goes; the time of its last will is when it came, and says nothing."""
    try:
        state = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Rejected(MALFORMED) from None
    if not isinstance(state, dict) or not isinstance(state.get("online"), bool):
        raise Rejected(MALFORMED)
    if not state["online"]:
        return Decoded(notes=(Note(NoteKind.OFFLINE),))
    since = state.get("timestamp")
    time_us = stamp_us(since * MS_US).time_us if isinstance(since, int) else None
    return Decoded(notes=(Note(NoteKind.ONLINE, time_us=time_us),))


def _digest(payload: bytes) -> str:
    """Tells one birth of an edge node from the next; the same one redelivered is no other."""
    return blake2b(payload, digest_size=8).hexdigest()


def _birth(content: Payload, origin: Origin, memory: Memory, *, session: str) -> Decoded:
    bd_seq = find_bd_seq(content)
    remember, notes = _follow(content, origin, memory)
    if origin.device:
        session = read_birth(memory.get(origin.node_key)).session
    else:
        notes = []  # its numbers start anew
    record = write_birth(session, bd_seq, definitions(content))
    remember[origin.key] = record
    metrics = Metrics(read_birth(record), content)
    born = Note(NoteKind.ONLINE, "", _detail(bd_seq), metrics.stamp.time_us)
    return _decoded(metrics, [born, *notes], remember)


def _data(content: Payload, origin: Origin, memory: Memory) -> Decoded:
    remember, notes = _follow(content, origin, memory)
    birth = _birth_of(origin, memory)
    metrics = Metrics(birth, content)
    if metrics.redefined:
        defined = {**birth.by_name, **metrics.redefined}.values()
        remember[origin.key] = write_birth(birth.session, birth.bd_seq, defined)
    return _decoded(metrics, notes, remember)


def _node_death(content: Payload, origin: Origin, memory: Memory) -> Decoded:
    """The last will of a session that has ended since is passed over: the node was born again.

    The payload was made when the node connected, so its time says nothing.
    """
    birth, bd_seq = read_birth(memory.get(origin.key)), find_bd_seq(content)
    if birth is UNBORN or birth.bd_seq != bd_seq:
        return Decoded()
    record = write_birth(_DEAD, bd_seq, ())
    note = Note(NoteKind.OFFLINE, "", _detail(bd_seq))
    return Decoded(notes=(note,), remember={origin.key: record})


def _device_death(content: Payload, origin: Origin, memory: Memory) -> Decoded:
    remember, notes = _follow(content, origin, memory)
    if origin.key in memory:
        remember[origin.key] = write_birth(_DEAD, None, ())
    died = Note(NoteKind.OFFLINE, time_us=Metrics(UNBORN, content).stamp.time_us)
    return Decoded(notes=(died, *notes), remember=remember)


def _birth_of(origin: Origin, memory: Memory) -> Birth:
    """The birth that the sender's data refers to: a device's is void after its node's next."""
    node = read_birth(memory.get(origin.node_key))
    if not origin.device:
        return node
    device = read_birth(memory.get(origin.key))
    return device if device.session == node.session else UNBORN


def _follow(
    content: Payload, origin: Origin, memory: Memory
) -> tuple[dict[str, bytes], list[Note]]:
    """Follows the one sequence of an edge node and its devices: what to keep, and what is missing.

    A number that comes twice is the same message again.
    """
    if not content.HasField("seq"):
        return {}, []
    last = memory.get(origin.sequence_key)
    lost = (content.seq - int(last) - 1) % _SEQUENCE if last else 0
    keep = {origin.sequence_key: b"%d" % content.seq}
    if lost in (0, _SEQUENCE - 1):
        return keep, []
    detail = f"{lost} messages of its edge node are missing before this one"
    return keep, [Note(NoteKind.GAP, "", detail)]


def _detail(bd_seq: int | None) -> str:
    return "" if bd_seq is None else f"bdSeq {bd_seq}"


def _decoded(metrics: Metrics, notes: list[Note], remember: dict[str, bytes]) -> Decoded:
    notes += metrics.notes
    return Decoded(metrics.measurements, metrics.faults, notes, remember=remember)
