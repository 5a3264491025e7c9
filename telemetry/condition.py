"""The condition that the store and its writer are in."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class WriterState:
    """What the collector last said of itself; `None` where it never did.

    Attributes:
        beat_us: When it last wrote anything.
        broker: Which broker it collects from, as host and port; empty for our own.
        broker_since_us: When the broker link went up or down.
        broker_up: Whether the broker link was up.
        broker_reason: Why it is down, or an empty string.
        heard_us: When anything last came from the broker.
        store_reason: Why nothing can be stored, or an empty string.
        stopped: Whether it ended in order.
        rejected: Messages, or parts of one, that were no reading.
        free_bytes: What is still free on the disk of the store now.
        relieved_us: When readings last went before their time, because room was short.
    """

    beat_us: int | None = None
    broker: str = ""
    broker_since_us: int | None = None
    broker_up: bool = False
    broker_reason: str = ""
    heard_us: int | None = None
    store_reason: str = ""
    stopped: bool = False
    rejected: int = 0
    free_bytes: int | None = None
    relieved_us: int | None = None


class Damage(NamedTuple):
    """A file of the history that cannot be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class AsOf:
    """A state of the store.

    Attributes:
        sequence: Grows with every commit that changed readings.
        time_us: When the last of the newest readings of all series arrived; 0 if there is none.
    """

    sequence: int
    time_us: int
