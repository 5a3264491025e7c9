"""The link to the broker: where it leads, whether it is up, since when, and why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from collector.message import Message
from collector.ping import SelfPing
from collector.properties import Malformed
from telemetry.clock import Clock
from telemetry.login import Login, SecretError

LOST = "connection lost"

log = structlog.get_logger("collector.link")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker listens and who we are there.

    Attributes:
        load_login: Reads our login, before each attempt: a password may have been replaced.
    """

    host: str
    port: int
    load_login: Callable[[], Login]

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

    Attributes:
        state: As it is now; replaced whole at each change.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._troubles: list[str] = []
        self.state = LinkState(up=False, since_us=clock(), reason="connecting")

    def up(self) -> None:
        """Notes that the broker took us in."""
        log.info("connected to the broker")
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
            log.warning("lost the broker", reason=reason)
            self.state = LinkState(up=False, since_us=self._clock(), reason=reason)

    def fail(self, reason: str) -> None:
        """Notes why an attempt to connect failed; it is down since the link was lost."""
        if self.state.up:
            self.lose(reason)
        elif self.state.reason != reason:
            log.warning("cannot connect to the broker; trying until it works", reason=reason)
            self.state = LinkState(up=False, since_us=self.state.since_us, reason=reason)

    def _tell_troubles(self) -> None:
        reason = "; ".join(self._troubles)
        self.state = LinkState(up=True, since_us=self.state.since_us, reason=reason)


def explain(error: Exception) -> str:
    """Why there is no connection, for anybody to read: `connection refused`, `timed out`."""
    if isinstance(error, SecretError):
        return "our login cannot be read, see the log"  # its sentence holds a path
    if isinstance(error, Malformed):
        return f"the broker sends what is no MQTT: {error}"
    return (getattr(error, "strerror", None) or str(error) or LOST).lower()


def plain(reason: str) -> str:
    """What paho calls a reason, in words for people."""
    return LOST if reason in ("Unspecified error", "Normal disconnection") else reason
