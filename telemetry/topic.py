"""Topics: what was last heard on each, how often, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple, Protocol

from telemetry.ledger import Outcome
from telemetry.quarantine import TOPIC_BYTES
from telemetry.reading import Flag
from telemetry.window import MINUTE_US

TOPICS_KEPT = 20_000
"""Those that were heard last; a fleet has fewer, and who makes topics up displaces old ones."""

SHOWN_BYTES = 1024
"""What is kept of the last payload of a topic: enough to see what it is."""

METRICS_NAMED = 20
"""Metrics of one message that are named; the store has the others all the same."""


class Heard(NamedTuple):
    """What the messages of a batch say of one topic.

    Attributes:
        topic: The topic; bytes that are not UTF-8 stand as lone surrogates.
        client: Whose it is by a template, or an empty string.
        metrics: What the last message with readings measured, or nothing.
        messages: How many messages.
        first_us: When the first of them arrived.
        last_us: When the last of them arrived. All that follows is of that one.
        arrival: Its place among the arrivals of the batch.
        reason: Why it, or a part of it, is no reading; a short fixed word, or empty.
        payload: The beginning of its payload, at most `SHOWN_BYTES`.
        size: The bytes of its payload as it arrived.
        qos: The quality of service with which it was delivered to the collector.
        flags: Its provenance.
    """

    topic: str
    client: str
    metrics: Sequence[str]
    messages: int
    first_us: int
    last_us: int
    arrival: int
    reason: str
    payload: bytes
    size: int
    qos: int
    flags: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that messages were heard on.

    Attributes:
        name: The topic as it is kept: see `kept_topic`.
        client: Whose it is by a template, or an empty string.
        metrics: What its last message with readings measured, at most `METRICS_NAMED`.
        outcome: What the ledger counts its last message as.
        reason: Why that message, or a part of it, is no reading, or an empty string.
        size: The bytes of its payload as it arrived.
        qos: The quality of service with which it was delivered to the collector.
        flags: Its provenance.
        first_us: When the first message arrived.
        last_us: When the last message arrived.
        messages: How many messages there were, since it is kept.
        minute_us: Where the minute begins in which the last of them arrived.
        minute_messages: How many arrived in that minute; a batch counts where it ended.
        minute_before: How many arrived in the minute before.
        payload: The beginning of the last payload, at most `SHOWN_BYTES`.
    """

    name: str
    client: str
    metrics: Sequence[str]
    outcome: Outcome
    reason: str
    size: int
    qos: int
    flags: int
    first_us: int
    last_us: int
    messages: int
    minute_us: int
    minute_messages: int
    minute_before: int
    payload: bytes

    @property
    def retained(self) -> bool:
        """Whether the last message was kept by the broker rather than published just then."""
        return bool(self.flags & Flag.RETAINED)

    def per_minute(self, now_us: int) -> float:
        """About how many messages arrived in the last 60 seconds.

        It takes those of the minute that is under way, and of the one before that share which is
        not over: right for whoever publishes evenly.
        """
        minute_us = now_us - now_us % MINUTE_US
        share = 1 - (now_us - minute_us) / MINUTE_US
        if self.minute_us >= minute_us:
            return self.minute_messages + self.minute_before * share
        if self.minute_us == minute_us - MINUTE_US:
            return self.minute_messages * share
        return 0.0


class TopicBook(Protocol):
    """What a snapshot of the store says of topics."""

    def topic_names(self) -> Sequence[str]:
        """Every topic that is kept, in the order in which they were first heard.

        The same object as the last time if there are the same: trees of it can be kept.
        """
        ...

    def topics(self, names: Iterable[str]) -> Sequence[Topic]:
        """Those of these topics that are kept, in this order."""
        ...

    def topics_of(self, client: str, at_most: int) -> Sequence[Topic]:
        """The topics of a client by templates, those heard last first."""
        ...


def kept_topic(topic: str) -> str:
    r"""The topic as it can be kept: text, and bounded.

    Bytes that are not UTF-8 are written as `\udcff`. Of more than `TOPIC_BYTES` the end is
    replaced by a digest that tells it apart.

    >>> kept_topic("clients/a/m"), kept_topic("\udcff")
    ('clients/a/m', '\\udcff')
    >>> len(kept_topic("a" * 70_000).encode())
    1024
    """
    if topic.isascii() and len(topic) <= TOPIC_BYTES:
        return topic
    written = topic.encode("utf-8", "backslashreplace")
    if len(written) > TOPIC_BYTES:
        end = "…" + blake2b(written, digest_size=8).hexdigest()
        written = written[: TOPIC_BYTES - len(end.encode())] + end.encode()
    return written.decode("utf-8", "ignore")
