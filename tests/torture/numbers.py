"""What is published: numbers, each once, in one of three ways to tell them apart."""

from dataclasses import dataclass, field
from enum import StrEnum

from telemetry.reading import Series
from tests.torture.packets import Publish, user_property

METRIC = "n"


class Key(StrEnum):
    """By what a number is known again when it is sent twice."""

    TIME = "own time"
    NAME = "own id"
    NONE = "no key"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers 0, 1, 2 … of one client.

    Attributes:
        client: Who publishes them.
        key: How they are told apart.
        start_us: The time of number 0, where they carry one; the others follow it by 1 µs each.
    """

    client: str
    key: Key
    start_us: int

    @property
    def series(self) -> Series:
        """Where they are stored."""
        return Series(self.client, METRIC)

    def message(self, number: int, packet_id: int) -> Publish:
        """The message that says a number.

        >>> Numbers("a", Key.TIME, 1000).message(2, 1).payload
        b'{"n": 2, "ts": 1002}'
        >>> Numbers("a", Key.NAME, 0).message(2, 1)[:2]
        ('clients/a/n', b'2')
        """
        if self.key is Key.TIME:
            payload = f'{{"{METRIC}": {number}, "ts": {self.start_us + number}}}'.encode()
            return Publish(f"clients/{self.client}/telemetry", payload, packet_id)
        properties = user_property("id", str(number)) if self.key is Key.NAME else b""
        payload = str(number).encode()
        return Publish(f"clients/{self.client}/{METRIC}", payload, packet_id, properties=properties)


@dataclass(slots=True)
class Ledger:
    """What became of the numbers of one client, by the clock of this machine, in seconds.

    Attributes:
        sent: When each number was first sent.
        acknowledged: When the broker's PUBACK for it arrived.
    """

    sent: dict[int, float] = field(default_factory=dict)
    acknowledged: dict[int, float] = field(default_factory=dict)
