"""Quarantine: what could not become readings, kept raw with the reason, replayable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from telemetry.ledger import Account, Outcome

KEPT_BYTES = 65_536
"""A larger payload is cut: it can be looked at and not replayed."""

TOPIC_BYTES = 1024
"""A longer topic is cut and ends in a digest; its message cannot be replayed either."""

METRIC_CHARACTERS = 256
"""What is kept of the name of a metric."""

KEPT_PER_REASON = 1000
"""Messages of one topic and one reason that are kept raw; more are counted."""

KEPT_MESSAGES = 100_000
KEPT_TOTAL_BYTES = 256_000_000
"""What is kept raw in all: payloads, topics and what stands beside them."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message, or parts of one, that could not become readings.

    Attributes:
        account: Where the ledger counts it.
        received_us: When it arrived.
        topic: Its topic; bytes that are not UTF-8 stand as lone surrogates.
        payload: Its bytes.
        reason: A short fixed word, of the first fault.
        metric: Of which metric, or an empty string for the whole message.
        outcome: What the message as a whole counts as, `QUARANTINED` or `HELD`, or None if other
            parts of it were good.
        quarantined: Values in it that are quarantined.
        held: Values in it that are held for their time.
        retained: Values in it that are no news.
        limited: Values in it that are beyond what its client may send.
        good: Values in it that are readings; they stay counted whatever becomes of the others.
        facts: What else its publisher said, as JSON.
    """

    account: Account
    received_us: int
    topic: str
    payload: bytes
    reason: str
    metric: str = ""
    outcome: Outcome | None = Outcome.QUARANTINED
    quarantined: int = 0
    held: int = 0
    retained: int = 0
    limited: int = 0
    good: int = 0
    facts: str = "{}"


class Entry(NamedTuple):
    """A message in quarantine.

    Attributes:
        id: Its number; later ones are higher, and none is given twice.
        whole: Whether topic and payload are kept as they arrived, so that it can be replayed.
        size: The bytes of the payload as it arrived.
    """

    id: int
    whole: bool
    size: int
    message: Quarantined


class Group(NamedTuple):
    """Everything in quarantine of one topic and client and for one reason.

    Attributes:
        topic: The topic, or an empty string for what is only counted.
        reason: The reason.
        first_us: When the first of it arrived.
        last_us: When the last of it arrived.
        messages: How many messages.
        kept: How many of them are kept raw.
        client: Whose account the ledger counts them in, or an empty string if nobody's.
    """

    topic: str
    reason: str
    first_us: int
    last_us: int
    messages: int
    kept: int
    client: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages in quarantine are meant.

    Attributes:
        reason: Only of that reason, or all.
        topic: Only of that topic, or all.
    """

    reason: str | None = None
    topic: str | None = None


class QuarantineBook(Protocol):
    """What a snapshot of the store knows of its quarantine."""

    def quarantine(self) -> Sequence[Group]:
        """What is in quarantine, by topic, reason and client, the newest first."""
        ...

    def quarantined(self, choice: Choice, before: int, at_most: int) -> Sequence[Entry]:
        """Messages in quarantine with a number below `before`, newest first."""
        ...
