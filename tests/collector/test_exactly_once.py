"""Whatever is delivered, redelivered, cut off or killed: each message is stored once."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.load import Load, Loader
from collector.message import Message
from telemetry.interface import Appender
from telemetry.presence import Changes
from telemetry.reading import Series
from telemetry.store import open_appender
from telemetry.window import ALL_TIME
from tests.collector.support import tools
from tests.telemetry.builders import looking, steady

START_US = 1_800_000_000_000_000
SERIES = Series("a", "m")


class Broker:
    """Keeps what is published until it is acknowledged, as a persistent session does."""

    def __init__(self) -> None:
        self.generation = 1
        self._now_us = START_US
        self._published = 0
        self._waiting: deque[Message] = deque()
        self._in_flight: dict[int, Message] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    def publish(self, payload: bytes) -> None:
        """Takes a message; identifiers rise, as Mosquitto's do."""
        self._published += 1
        self._waiting.append(Message("clients/a/m", payload, 0, self._published))

    def deliver(self, count: int) -> Iterator[Message]:
        """Sends so many that wait."""
        for _ in range(min(count, len(self._waiting))):
            message = self._waiting.popleft()
            self._in_flight[message.packet_id] = message
            yield self._arrived(message)

    def redeliver(self) -> list[Message]:
        """Sends again what is not acknowledged, over a new connection."""
        self.generation += 1
        return [self._arrived(one)._replace(dup=True) for one in self._in_flight.values()]

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Forgets messages, if this connection brought them."""
        for message in messages:
            if message.generation == self.generation:
                self._in_flight.pop(message.packet_id, None)

    def _arrived(self, message: Message) -> Message:
        self._now_us += 1
        return message._replace(received_us=self._now_us, generation=self.generation)


class Collector:
    """A loader on a store on disk, which may die at any moment."""

    def __init__(self, path: Path, broker: Broker) -> None:
        self._path = path
        self._broker = broker
        self._appender: Appender | None = None
        self.start()

    def start(self) -> None:
        """Starts with nothing but what the store says; what was taken and not committed is gone."""
        self.stop()
        self._appender = open_appender(self._path)
        self._loader = Loader(tools(self._appender, "clients/{client}/{metric}"))
        self._load = Load()

    def stop(self) -> None:
        """Lets the store go."""
        if self._appender is not None:
            self._appender.close()

    def take(self, messages: Sequence[Message]) -> None:
        """Takes messages into its load."""
        for message in messages:
            self._loader.add(message, self._load)

    def commit(self, *, heard: bool = True) -> None:
        """Commits its load; the acknowledgement may not reach the broker."""
        assert self._appender is not None
        load, self._load = self._load, Load()
        self._appender.append(load.batch(Changes()))
        if heard:
            self._broker.acknowledge(load.messages)

    def die(self, *, committed: bool) -> None:
        """Is killed before its commit, or behind it and before the acknowledgement."""
        if committed:
            self.commit(heard=False)
        self.start()
        self.take(self._broker.redeliver())

    def cut(self) -> None:
        """Loses its connection and keeps what it has taken."""
        self.take(self._broker.redeliver())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "deliver", "commit", "die before", "die behind", "cut"]),
        st.integers(1, 4),
    ),
    max_size=25,
)


@pytest.mark.parametrize("alike", [False, True], ids=["numbered", "alike"])
@steady
@given(steps=STEPS)
def test_whatever_happens_each_message_is_stored_once(
    alike: bool, steps: Sequence[tuple[str, int]]
) -> None:
    """Deliveries, redeliveries, crashes and cuts in any order, of messages without any key."""
    published: Counter[float] = Counter()
    with TemporaryDirectory() as folder:
        path, broker = Path(folder) / "culex.db", Broker()
        collector = Collector(path, broker)
        for step, count in [("publish", 3), *steps]:
            if step == "publish":
                for _ in range(count):
                    number = 7 if alike else published.total()
                    published[number] += 1
                    broker.publish(b"%d" % number)
            elif step == "deliver":
                collector.take([*broker.deliver(count)])
            elif step == "commit":
                collector.commit()
            elif step == "cut":
                collector.cut()
            else:
                collector.die(committed=step == "die behind")
        while len(broker):
            collector.take([*broker.deliver(9)])
            collector.commit()
            collector.cut()
        collector.commit()
        collector.stop()
        with looking(path) as snapshot:
            stored = Counter(snapshot.read(SERIES, ALL_TIME).frame["value"].tolist())
            assert list(snapshot.recount()) == []
    assert stored == published
