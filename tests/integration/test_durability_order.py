"""The order of two system calls: the store is flushed, then the broker is answered."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mosquitto.provision import add_client
from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture.numbers import Key, Numbers
from tests.torture.packets import Publish
from tests.torture.publisher import Publisher
from tests.torture.scene import Scene, Ways
from tests.torture.trace import OPTIONS, Order, judge_order, read_trace

pytestmark = pytest.mark.broker

MESSAGES = 1200
BATCH = 5
"""Readings in a commit at most: the more commits there are, the more orders are seen."""

TOPIC = "clients/tank/mode"


class States(Numbers):
    """Numbers as named states: texts stand in the file as they were sent."""

    def message(self, number: int, packet_id: int) -> Publish:
        """The message that says a number."""
        return Publish(TOPIC, f"state-{number:06}".encode(), packet_id)


@contextmanager
def traced(pid: int, trace: Path) -> Iterator[None]:
    """Within the block, strace writes down what the process does."""
    command = ["strace", *OPTIONS, "-o", str(trace), "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        first = strace.stderr.readline()
        try:
            if "attached" not in first:
                pytest.skip(f"cannot trace: {first}")
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate(timeout=60)


def observed(settings: Settings, ways: Ways) -> Order:
    """In which order a collector that runs like that does things."""
    if shutil.which("strace") is None:
        pytest.skip("looking at system calls takes strace")
    trace = settings.data_dir.parent / "trace"
    slow = settings.model_copy(update={"batch_readings": BATCH})
    with Scene(slow, (), ways) as scene:
        login = add_client(settings, "tank")
        states = Publisher(settings.mqtt_port, login, States("tank", Key.NONE, 0), rate=500)
        with traced(scene.collector.pid, trace):
            states.start().wait_for_more(MESSAGES)
            states.stop()
            wait_until(lambda: len(order_in(trace, settings).acknowledged) >= MESSAGES)
    return order_in(trace, settings)


def order_in(trace: Path, settings: Settings) -> Order:
    """The order that a trace shows so far."""
    with trace.open(encoding="ascii") as file:
        lines = [line for line in file if line.endswith("\n")]
    return judge_order(list(read_trace(lines)), settings.mqtt_port, "culex.db-wal", TOPIC)


def test_acknowledgement_leaves_after_the_flush_that_holds_its_reading(settings: Settings) -> None:
    """Of 1200 messages in hundreds of commits, none is acknowledged before it is durable."""
    order = observed(settings, Ways())
    assert len(order.acknowledged) >= MESSAGES
    assert len(set(order.acknowledged)) == len(order.acknowledged)
    assert order.flushes > MESSAGES // BATCH // 2
    assert order.too_early == []


def test_acknowledgement_that_leaves_too_early_is_seen(settings: Settings) -> None:
    """A collector with the two steps in the wrong order is found out."""
    order = observed(settings, Ways(command=("tests.torture.careless",)))
    assert len(order.too_early) > MESSAGES // 2
