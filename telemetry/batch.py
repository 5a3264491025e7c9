"""What one transaction commits: readings, the ledger, and all that must be remembered with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.ledger import Account, Outcome
from telemetry.presence import Changes
from telemetry.quarantine import Quarantined
from telemetry.reading import Reading, SeriesName
from telemetry.topic import Heard

DELIVERIES_KEPT = 20_000
"""Far more than a broker has in flight, far fewer than the 65 535 packet identifiers there are."""

IDENTITIES_KEPT = 1_000_000
"""A publisher sends again what it has in flight, which is the newest of its own."""

DESCRIPTIONS_KEPT = 10_000
"""Of series that are not there; what describes one that is stays."""


class Arrival(NamedTuple):
    """What one message came to.

    Attributes:
        account: Where the ledger counts it.
        readings: What is to be stored of it.
        outcome: What the message counts as if none of its readings is new.
        apart: What its other values count as, a pair of outcome and number for each.
    """

    account: Account
    readings: Sequence[Reading] = ()
    outcome: Outcome = Outcome.DUPLICATE
    apart: Sequence[tuple[Outcome, int]] = ()


class Identity(NamedTuple):
    """The identity that a publisher gave a message.

    Attributes:
        key: 16 bytes that stand for topic and identity.
        digest: 16 bytes that stand for the payload.
    """

    key: bytes
    digest: bytes


class Release(NamedTuple):
    """A message that leaves quarantine, or stays there for another reason.

    Attributes:
        id: Its number in quarantine.
        arrival: What it comes to now.
        again: What stays in quarantine of it, or None.
    """

    id: int
    arrival: Arrival
    again: Quarantined | None = None


@dataclass(frozen=True, slots=True)
class Skew:
    """How far the clock of a client is off.

    Attributes:
        skew_us: Time of receipt minus the client's own time, where it is least.
        samples: How many messages that rests on.
    """

    skew_us: int
    samples: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction commits.

    Attributes:
        readings: Readings of our own, which no message brought and no ledger counts.
        arrivals: What the messages came to, in order of arrival.
        deliveries: Of these messages, in order of arrival: packet identifier and digest.
        forget_deliveries: The broker lost our session: packet identifiers start anew.
        identities: Of those messages whose publisher gave them one.
        quarantined: What could not become readings.
        releases: What leaves quarantine.
        memory: What later payloads need to be understood, by key; empty where it no longer holds.
        descriptions: Names and units of series.
        skews: How far clients' clocks are off, by client.
        presence: Who came and went, and what else happened.
        topics: What the messages say of the topics they came on.
    """

    readings: Sequence[Reading] = ()
    arrivals: Sequence[Arrival] = ()
    deliveries: Sequence[bytes] = ()
    forget_deliveries: bool = False
    identities: Sequence[Identity] = ()
    quarantined: Sequence[Quarantined] = ()
    releases: Sequence[Release] = ()
    memory: Mapping[str, bytes] = field(default_factory=dict)
    descriptions: Sequence[SeriesName] = ()
    skews: Mapping[str, Skew] = field(default_factory=dict)
    presence: Changes = field(default_factory=Changes)
    topics: Sequence[Heard] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of the readings of a batch, those that messages brought included."""

    stored: int
    duplicates: int

    def plus(self, other: "Committed") -> "Committed":
        """Both together."""
        return Committed(self.stored + other.stored, self.duplicates + other.duplicates)
