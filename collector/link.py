"""The link to the broker: whether it is up, since when, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from collector.message import Message
from telemetry.clock import Clock

LOST = "connection lost"

log = structlog.get_logger("collector.link")


@dataclass(frozen=True, slots=True)
class LinkState:
    """The link to the broker at one moment.

    Attributes:
        up: Whether it is up.
        since_us: When it went up or down.
        reason: Why it is down or of little use, or an empty string.
    """

    up: bool
    since_us: int
    reason: str


class Link(Protocol):
    """What the writer needs of the session with the broker."""

    @property
    def state(self) -> LinkState:
        """Whether the link is up, since when, and why not."""
        ...

    @property
    def catching_up(self) -> bool:
        """Whether what arrives now was held by the broker, so that its rate says nothing."""
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tells the broker that it may forget these messages."""
        ...


class LinkWatch:
    """Follows the link, for any thread to read, and logs what is news.

    Attributes:
        state: As it is now; replaced whole at each change.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.state = LinkState(up=False, since_us=clock(), reason="connecting")

    def up(self) -> None:
        """Notes that the broker took us in."""
        log.info("connected to the broker")
        self.state = LinkState(up=True, since_us=self._clock(), reason="")

    def limp(self, reason: str) -> None:
        """Notes that the link is up and of little use."""
        log.error("the broker refuses us something", reason=reason)
        self.state = LinkState(up=True, since_us=self.state.since_us, reason=reason)

    def lose(self, reason: str) -> None:
        """Notes why the link that was up is lost; what follows from it is not news."""
        if self.state.up:
            log.warning("lost the broker", reason=reason)
            self.state = LinkState(up=False, since_us=self._clock(), reason=reason)

    def fail(self, reason: str) -> None:
        """Notes why an attempt to connect failed; it is down since the link was lost."""
        if self.state.up:
            self.lose(reason)
        elif self.state.reason != reason:
            log.warning("cannot connect to the broker; trying until it works", reason=reason)
            self.state = LinkState(up=False, since_us=self.state.since_us, reason=reason)
