"""The link to the broker: where it leads, whether it is up, since when, and why not."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from collector.message import Message
from collector.ping import SelfPing
from telemetry.clock import Clock
from telemetry.login import Login

log = structlog.get_logger("collector.link")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker listens and who we are there.

    Attributes:
        load_login: Reads our login, before each attempt: a password may have been replaced.
        place: What people call a broker that is not our own; empty for our own.
        load_trust: Reads whom to trust, before each attempt; None for a broker without TLS.
    """

    host: str
    port: int
    load_login: Callable[[], Login]
    place: str = ""
    load_trust: Callable[[], ssl.SSLContext] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is Culex's own broker, of which more is known than of others."""
        return not self.place

    @property
    def login(self) -> Login:
        """Who we are there now.

        Raises:
            SecretError: If that cannot be read.
        """
        return self.load_login()


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
    """What the writer needs of the session with the broker.

    Attributes:
        ping: What our own messages say of the way through the broker.
    """

    ping: SelfPing

    @property
    def state(self) -> LinkState:
        """Whether the link is up, since when, and why not."""
        ...

    @property
    def catching_up(self) -> bool:
        """Whether what arrives now was held by the broker, so that its rate says nothing."""
        ...

    @property
    def heard_us(self) -> int:
        """When anything last came from the broker, or 0."""
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tells the broker that it may forget these messages."""
        ...


class LinkWatch:
    """Follows the link, for any thread to read, and logs what is news.

    Args:
        clock: The time.
        place: What the log calls a broker that is not our own.

    Attributes:
        state: As it is now; replaced whole at each change.
    """

    def __init__(self, clock: Clock, place: str = "") -> None:
        self._clock = clock
        self._at = {"at": place} if place else {}
        self._troubles: list[str] = []
        self.state = LinkState(up=False, since_us=clock(), reason="connecting")

    def up(self) -> None:
        """Notes that the broker took us in."""
        log.info("connected to the broker", **self._at)
        self._troubles.clear()
        self.state = LinkState(up=True, since_us=self._clock(), reason="")

    def limp(self, reason: str) -> None:
        """Notes a reason why the link is of little use though it is up."""
        if self.state.up and reason not in self._troubles:
            log.error("the link to the broker is of little use", reason=reason)
            self._troubles.append(reason)
            self._tell_troubles()

    def mend(self, reason: str) -> None:
        """Notes that this reason is no more."""
        if self.state.up and reason in self._troubles:
            log.info("the link to the broker has mended", reason=reason)
            self._troubles.remove(reason)
            self._tell_troubles()

    def lose(self, reason: str) -> None:
        """Notes why the link that was up is lost; what follows from it is not news."""
        if self.state.up:
            log.warning("lost the broker", reason=reason, **self._at)
            self.state = LinkState(up=False, since_us=self._clock(), reason=reason)

    def fail(self, reason: str, **details: str) -> None:
        """Notes why an attempt to connect failed; it is down since the link was lost.

        Args:
            reason: Why, for anybody to read.
            details: What stands in the log beside it.
        """
        if self.state.up:
            self.lose(reason)
        elif self.state.reason != reason:
            details |= self._at | {"reason": reason}
            log.warning("cannot connect to the broker; trying until it works", **details)
            self.state = LinkState(up=False, since_us=self.state.since_us, reason=reason)

    def _tell_troubles(self) -> None:
        reason = "; ".join(self._troubles)
        self.state = LinkState(up=True, since_us=self.state.since_us, reason=reason)
