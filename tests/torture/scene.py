"""A broker, a collector and publishers on a data folder of their own, to be killed at will."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from unittest import mock

from mosquitto.broker import end_orphan, find_running
from mosquitto.provision import add_client, initialise
from telemetry.clock import now_us
from telemetry.settings import Settings
from tests.collector.crashing import Failpoint
from tests.support import Process, accepts, start_broker, wait_until
from tests.torture import store
from tests.torture.numbers import Key, Numbers
from tests.torture.publisher import Publisher
from tests.torture.verdict import BrokerLoss, Verdict, judge

PATIENCE_S = 30.0
"""How long anything may take to happen before the harness gives up."""

_LAST = 5  # numbers that are certain to come behind everything else


@dataclass(frozen=True, slots=True)
class Ways:
    """How those who take part reach the broker, where that is not straight.

    Attributes:
        collector_port: The port that the collector is told, or None for the broker's own.
        publisher_port: The port that publishers are told, or None for the broker's own.
        command: What runs the collector.
    """

    collector_port: int | None = None
    publisher_port: int | None = None
    command: tuple[str, ...] = ("collector", "run")


STRAIGHT = Ways()


class Scene:
    """Everything that takes part; use it in a `with` block. No process outlives that.

    Attributes:
        broker: The broker's supervisor.
        collector: The collector, which may be down.
        publishers: Each with its own way of telling numbers apart.
        returns_us: When the broker came back to a collector that waited for it, each time.
    """

    def __init__(
        self, settings: Settings, keys: Sequence[Key] = tuple(Key), ways: Ways = STRAIGHT
    ) -> None:
        self.settings = settings
        self.publishers: list[Publisher] = []
        self.returns_us: list[int] = []
        self._ways = ways
        port = ways.collector_port or settings.mqtt_port
        self._collector_settings = settings.model_copy(update={"mqtt_port": port})
        self.collector = self._process(*ways.command)
        self._keys = keys
        self._losses: dict[str, list[BrokerLoss]] = {}
        self._environment = mock.patch.dict(os.environ)

    def __enter__(self) -> Self:
        self._keep_bytecode()
        initialise(self.settings)
        self.broker = start_broker(self.settings)
        try:
            self.publishers = [self._publisher(key) for key in self._keys]
            self.start_collector()
            self.save()
        except BaseException:
            self._end()
            raise
        for publisher in self.publishers:
            publisher.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def _keep_bytecode(self) -> None:
        """Processes that start again and again compile their source once."""
        self._environment.start()
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        folder = self.settings.data_dir.parent / "bytecode"
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(folder))

    def _publisher(self, key: Key) -> Publisher:
        login = add_client(self.settings, key.name.lower())
        port = self._ways.publisher_port or self.settings.mqtt_port
        return Publisher(port, login, Numbers(login.client, key, now_us()))

    def _process(self, *command: str) -> Process:
        return Process(self._collector_settings, *command)

    def _end(self) -> None:
        try:
            for publisher in self.publishers:
                publisher.abandon()
            self.collector.stop(signal.SIGKILL)
        finally:
            self.broker.stop()
            end_orphan(self.settings)
            self._environment.stop()

    def start_collector(self) -> None:
        """The collector runs and has its link to the broker."""
        before = self.link()
        self.spawn_collector()
        self.wait_for_link(before)

    def spawn_collector(self) -> None:
        """The collector is on its way."""
        self.collector = self._process(*self._ways.command).start()

    def spawn_crashing(self, point: Failpoint, passes: int) -> None:
        """A collector is on its way that dies at that point."""
        self.collector = self._process("tests.collector.crashing", point, str(passes)).start()

    def wait_for_death(self) -> None:
        """The collector has killed itself."""
        status = self.collector.wait(PATIENCE_S)
        assert status == -signal.SIGKILL, f"{status}: {self.collector.output[-2000:]}"

    def kill_collector(self) -> None:
        """The collector is killed."""
        assert self.collector.running, self.collector.output[-2000:]
        self.collector.stop(signal.SIGKILL)

    def link(self) -> int | None:
        """What tells the collector's present link to the broker from the next one."""
        return store.writer(self.settings).broker_since_us

    def wait_for_link(self, before: int | None) -> None:
        """The collector has another link to the broker than that one."""
        wait_until(lambda: self._linked_anew(before), PATIENCE_S)

    def _linked_anew(self, before: int | None) -> bool:
        state = store.writer(self.settings)
        return state.broker_up and state.broker_since_us != before

    def catch_up(self) -> None:
        """Everything that is acknowledged by now has been delivered to the collector."""
        for publisher in self.publishers:
            wanted = max(publisher.ledger.acknowledged, default=-1)
            series = publisher.numbers.series
            wait_until(
                lambda s=series, w=wanted: store.highest(self.settings, s) >= w,  # type: ignore[misc]  # bound now
                PATIENCE_S,
            )

    def wait_for_more(self, count: int) -> None:
        """Every publisher has so many more numbers acknowledged."""
        for publisher in self.publishers:
            publisher.wait_for_more(count)

    def save(self) -> None:
        """The broker has saved itself."""
        before_s = self._saved_s()
        mosquitto = find_running(self.settings)
        assert mosquitto is not None
        mosquitto.send_signal(signal.SIGUSR1)
        wait_until(lambda: self._saved_s() > before_s)

    def _saved_s(self) -> float:
        with suppress(FileNotFoundError):
            return (self.settings.broker_dir / "mosquitto.db").stat().st_mtime
        return 0.0

    def kill_broker(self) -> None:
        """Mosquitto is killed; if no collector runs, what that may cost is written down."""
        mosquitto = find_running(self.settings)
        assert mosquitto is not None
        mosquitto.kill()
        killed_s = time.time()
        self.broker.wait()
        if not self.collector.running:
            self._note_loss(killed_s)

    def _note_loss(self, killed_s: float) -> None:
        for publisher in self.publishers:
            series = publisher.numbers.series
            there = frozenset(int(value) for value, _ in store.rows(self.settings, series))
            loss = BrokerLoss(self._saved_s(), killed_s, there)
            self._losses.setdefault(series.client, []).append(loss)

    def stop_broker(self) -> None:
        """Mosquitto has ended in order."""
        assert self.broker.stop() == 0, self.broker.output[-2000:]

    def start_broker_again(self) -> None:
        """The broker listens again."""
        self.broker.start()
        wait_until(lambda: accepts(self.settings.mqtt_port), PATIENCE_S)

    def settle(self) -> None:
        """Nothing is on its way any more; the collector must run."""
        for publisher in self.publishers:
            publisher.wait_for_more(_LAST)
        for publisher in self.publishers:
            publisher.stop()
        with suppress(AssertionError):  # the verdict says it with numbers
            self.catch_up()

    def verdicts(self) -> dict[Key, Verdict]:
        """What became of everything, by the way numbers are told apart; settle first."""
        return {one.numbers.key: self._verdict(one) for one in self.publishers}

    def costs(self) -> list[int]:
        """How many acknowledged numbers each kill of a broker without a collector lost."""
        kills = zip(*(self._missing_by_kill(one) for one in self.publishers), strict=True)
        return [sum(missing) for missing in kills]

    def _missing_by_kill(self, publisher: Publisher) -> list[int]:
        rows = store.rows(self.settings, publisher.numbers.series)
        there = {int(value) for value, _ in rows}
        losses = self._losses.get(publisher.numbers.client, ())
        return [len(loss.excuses(publisher.ledger) - there) for loss in losses]

    def _verdict(self, publisher: Publisher) -> Verdict:
        excused: set[int] = set()
        for loss in self._losses.get(publisher.numbers.client, ()):
            excused |= loss.excuses(publisher.ledger)
        rows = store.rows(self.settings, publisher.numbers.series)
        return judge(publisher.ledger, rows, excused)
