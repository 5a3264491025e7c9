"""Which version of MQTT to speak with a broker that does not say so beforehand. Pure."""

from enum import IntEnum


class Version(IntEnum):
    """A version of MQTT, by the protocol level of a CONNECT (3.1.2.2)."""

    V311 = 4
    V5 = 5

    def __str__(self) -> str:
        return "5" if self is Version.V5 else "3.1.1"


class Dialect:
    """MQTT 5 where the broker speaks it, else 3.1.1; settled once it has taken us in.

    A broker of 3.1.1 alone refuses a CONNECT of MQTT 5 by its level (3.1.1, 3.1.2.2). Some end
    the connection without a word instead, as one does that is about to stop: so both versions take
    turns as long as none is settled.

    Args:
        settled: Whether it is MQTT 5 without question.

    Attributes:
        version: What to speak on the next connection.
        waiting: Whether the broker was asked to take us in, and has not answered.
    """

    def __init__(self, *, settled: bool) -> None:
        self.version = Version.V5
        self.waiting = False
        self._settled = settled

    def asked(self) -> None:
        """A CONNECT is on its way."""
        self.waiting = True

    def answered(self, *, taken_in: bool) -> None:
        """The broker understood us, whether or not it took us in."""
        self.waiting = False
        self._settled = self._settled or taken_in

    def not_understood(self) -> None:
        """The broker does not speak MQTT 5."""
        self.waiting = False
        self.version = Version.V311

    def ended(self) -> None:
        """The connection is over."""
        if self.waiting and not self._settled:
            self.version = Version.V311 if self.version is Version.V5 else Version.V5
        self.waiting = False
