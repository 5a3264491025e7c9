"""Fakes of our own protocols, for tests of the collector without broker and disk."""

from collections.abc import Mapping, Sequence

from collector.link import LinkState
from collector.message import Message
from telemetry.interface import Batch, Committed, Delivery, StoreUnavailable
from telemetry.reading import Reading


class MemoryAppender:
    """An Appender that keeps its readings in a list, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.batches: list[Batch] = []
        self.reports: list[dict[str, int | str]] = []

    @property
    def readings(self) -> list[Reading]:
        """Everything stored."""
        return [reading for batch in self.batches for reading in batch.readings]

    def append(self, batch: Batch) -> Committed:
        """Keeps the batch, or fails."""
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the disk is full")
        self.batches.append(batch)
        return Committed(len(batch.readings), 0)

    def deliveries(self) -> Sequence[Delivery]:
        """Nothing from before."""
        return ()

    def report(self, state: Mapping[str, int | str]) -> None:
        """Keeps the report, or fails."""
        if self.failures:
            raise StoreUnavailable("the disk is full")
        self.reports.append(dict(state))

    def erase(self, *, client: str | None = None, flags: int = 0) -> int:
        """Is not used here."""
        raise NotImplementedError

    def close(self) -> None:
        """Keeps everything for the test to look at."""


class MemoryLink:
    """A Link that remembers what was acknowledged."""

    def __init__(self) -> None:
        self.state = LinkState(up=True, since_us=1, reason="")
        self.acknowledged: list[int] = []

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remembers the packet identifiers."""
        self.acknowledged += [message.packet_id for message in messages]
