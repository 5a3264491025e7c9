"""The collector with a real Mosquitto and a real store: nothing lost, nothing doubled."""

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mosquitto.broker import find_running
from mosquitto.provision import Credentials, add_client, initialise
from telemetry.clock import now_us
from telemetry.condition import WriterState
from telemetry.interface import StoreError
from telemetry.login import load_login
from telemetry.reading import Flag, Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.topic_settings import Topic
from telemetry.window import ALL_TIME, LATEST_US, Window
from tests.mqtt import V5, V311, Peer
from tests.support import Process, culex, start_broker, wait_until

pytestmark = pytest.mark.broker

ALWAYS = Window(0, LATEST_US)
NUMBERS = Series("tank", "n")
UNTIMED = Series("tank", "m")
GARBAGE = (b"", b"NaN", b"0x1F", b"1_000", b"\xff\xfe", b'{"a": 1', b"[1]", b"x" * 100, b"null")


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def collector(settings: Settings) -> Iterator[Process]:
    """A collector, not started; stopped at the end of the test if it runs."""
    process = Process(settings, "collector", "run")
    yield process
    process.stop()


@pytest.fixture
def publisher(settings: Settings, tank: Credentials) -> Iterator["Publisher"]:
    """A client that publishes numbers; stopped at the end of the test."""
    numbers = Publisher(settings, tank)
    yield numbers
    numbers.stop()


class Publisher:
    """Publishes 0, 1, 2 … at QoS 1 until stopped, and keeps which the broker acknowledged."""

    def __init__(self, settings: Settings, login: Credentials) -> None:
        self.payload: Callable[[int], str] = str
        self.topic = "clients/tank/n"
        self.acknowledged: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self._paho = paho.Client(CallbackAPIVersion.VERSION2, "tank", protocol=paho.MQTTv5)
        self._paho.reconnect_delay_set(1, 1)
        self._paho.tls_set(str(settings.ca_file))
        self._paho.username_pw_set(login.client, login.password)
        self._paho.on_publish = self._on_publish
        self._paho.connect("127.0.0.1", settings.mqtt_tls_port)
        self._paho.loop_start()
        wait_until(self._paho.is_connected)

    def start(self) -> "Publisher":
        """Begins to publish, about 400 messages a second."""
        self._thread.start()
        return self

    def stop(self) -> set[int]:
        """Waits until everything is acknowledged; returns the numbers."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        wait_until(lambda: len(self.acknowledged) == len(self._numbers))
        self._paho.disconnect()
        self._paho.loop_stop()
        return self.acknowledged

    def wait_for_more(self, count: int) -> None:
        """Returns when so many more numbers are acknowledged."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted)

    def _publish(self) -> None:
        number = 0
        while not self._stopping.wait(0.002):
            if self._paho.is_connected():
                mid = self._paho.publish(self.topic, self.payload(number), 1).mid
                self._numbers[mid] = number
                number += 1

    def _on_publish(self, _c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        wait_until(lambda: mid in self._numbers)
        assert not reason.is_failure
        self.acknowledged.add(self._numbers[mid])


def writer(settings: Settings) -> WriterState:
    """What the collector last said."""
    try:
        with open_querier(settings.store_path).snapshot() as snapshot:
            return snapshot.writer()
    except StoreError:
        return WriterState()


def stored(settings: Settings, series: Series = NUMBERS) -> Counter[float]:
    """How often each value of a series is stored."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return Counter(snapshot.read(series, ALWAYS).frame["value"].tolist())


def start(collector: Process) -> None:
    """Starts the collector and waits until it has its subscriptions' link."""
    before_us = now_us()
    collector.start()
    wait_until(lambda: (writer(collector.settings).broker_since_us or 0) > before_us)
    wait_until(lambda: writer(collector.settings).broker_up)


def assert_each_once(settings: Settings, acknowledged: set[int]) -> None:
    """What the broker acknowledged is stored, each number once, and nothing else."""
    wait_until(lambda: stored(settings).total() >= len(acknowledged))
    assert stored(settings) == Counter(map(float, acknowledged))


def test_reading_published_over_tls_is_stored_within_two_seconds(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """A foreign client's reading is in the store within 2 s, with its own simulated mark."""
    start(collector)
    base = ["mosquitto_pub", "--cafile", str(settings.ca_file), "-h", "127.0.0.1"]
    login = ["-p", str(settings.mqtt_tls_port), "-i", "tank", "-u", "tank", "-P", tank.password]
    message = ["-V", "5", "-q", "1", "-t", "clients/tank/n", "-m", "21.5"]
    began_s = time.monotonic()
    subprocess.run(
        [*base, *login, *message, "-D", "publish", "user-property", "simulated", "1"], check=True
    )  # one command
    wait_until(lambda: stored(settings) == Counter([21.5]), 2.0)
    assert time.monotonic() - began_s < 2
    with open_querier(settings.store_path).snapshot() as snapshot:
        (latest,) = snapshot.latest("tank")
    assert latest.flags == 16


def test_garbage_between_good_readings_costs_none_of_them(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """Every good reading is stored and every rejection counted."""
    start(collector)
    with Peer(settings, (tank.client, tank.password)) as peer:
        for number, garbage in enumerate(GARBAGE):
            peer.publish("clients/tank/n", garbage)
            peer.publish("clients/tank/n", str(number))
        peer.publish("clients/tank/telemetry", b'{"n": 100, "bad": "21,5"}')
    assert_each_once(settings, {*range(len(GARBAGE)), 100})
    # `null` says that there is no value, which is no fault; one field of the last one is.
    wait_until(lambda: writer(settings).rejected == len(GARBAGE))
    assert culex(settings, "telemetry", "verify").returncode == 0


def test_collector_killed_under_load_loses_and_doubles_nothing(
    settings: Settings, publisher: Publisher, collector: Process
) -> None:
    """Through five kill -9 every acknowledged number is stored exactly once."""
    start(collector)
    publisher.start()
    for _ in range(5):
        publisher.wait_for_more(150)
        collector.stop(signal.SIGKILL)
        publisher.wait_for_more(100)
        start(collector)
    assert_each_once(settings, publisher.stop())


def test_collector_killed_between_commit_and_acknowledgement_doubles_nothing(
    settings: Settings, publisher: Publisher, collector: Process
) -> None:
    """What was committed and not acknowledged comes again and is recognised."""
    start(collector)
    collector.stop()
    publisher.start()
    for _ in range(2):
        crashing = Process(settings, "tests.collector.crashing").start()
        assert crashing.wait() == -signal.SIGKILL, crashing.output
    start(collector)
    assert_each_once(settings, publisher.stop())


def test_broker_restarted_under_load_loses_and_doubles_nothing(
    settings: Settings, broker: Process, publisher: Publisher, collector: Process
) -> None:
    """Through two restarts of the broker every acknowledged number is stored exactly once."""
    # What the publisher itself sends twice is told apart by its own time alone.
    publisher.payload = lambda n: json.dumps({"n": n, "ts": 1_790_000_000_000_000 + n})
    publisher.topic = "clients/tank/telemetry"
    start(collector)
    publisher.start()
    for _ in range(2):
        publisher.wait_for_more(150)
        broker.stop()
        wait_until(lambda: not writer(settings).broker_up)
        assert writer(settings).broker_reason
        start_again(broker)
    publisher.wait_for_more(150)
    assert_each_once(settings, publisher.stop())


def test_broker_killed_after_its_save_doubles_nothing_unflagged(
    settings: Settings, broker: Process, tank: Credentials, collector: Process
) -> None:
    """What a broker that was killed delivers again is stored once, or flagged as in doubt.

    Mosquitto 2.0.11 delivers what its save holds as queued again without saying so.
    """
    start(collector)
    collector.stop()
    with Peer(settings, (tank.client, tank.password)) as peer:
        for number in range(150):
            own_time = {"n": number, "ts": 1_790_000_000_000_000 + number}
            peer.publish("clients/tank/telemetry", json.dumps(own_time))
            peer.publish("clients/tank/m", str(number))
    saved = save(settings)
    start(collector)
    wait_until(lambda: stored(settings).total() == stored(settings, UNTIMED).total() == 150)
    kill_and_restore(broker, saved)
    start_again(broker)
    wait_until(lambda: stored(settings, UNTIMED).total() == 300)
    assert stored(settings) == Counter(map(float, range(150)))
    assert stored(settings, UNTIMED) == Counter(map(float, [*range(150)] * 2))
    assert flags(settings, UNTIMED) == [0] * 150 + [Flag.REDELIVERED] * 150


def save(settings: Settings) -> bytes:
    """What the broker saves of itself now, on the signal that asks for it."""
    path = settings.broker_dir / "mosquitto.db"
    before_ns = path.stat().st_mtime_ns if path.exists() else 0
    mosquitto = find_running(settings)
    assert mosquitto is not None
    mosquitto.send_signal(signal.SIGUSR1)
    wait_until(lambda: path.exists() and path.stat().st_mtime_ns > before_ns)
    return path.read_bytes()


def kill_and_restore(broker: Process, saved: bytes) -> None:
    """Kills Mosquitto; what it saved meanwhile by its clock is undone."""
    mosquitto = find_running(broker.settings)
    assert mosquitto is not None
    mosquitto.kill()
    broker.wait()
    (broker.settings.broker_dir / "mosquitto.db").write_bytes(saved)
    wait_until(lambda: not writer(broker.settings).broker_up)


def flags(settings: Settings, series: Series) -> list[int]:
    """The flags of a series, oldest reading first."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return list(snapshot.read(series, ALWAYS).frame["flags"])


def start_again(broker: Process) -> None:
    """Starts the broker anew and waits for the collector to find it."""
    broker.start()
    wait_until(lambda: writer(broker.settings).broker_up)


def test_collector_started_before_the_broker_waits_for_it(
    settings: Settings, collector: Process
) -> None:
    """Without a broker the collector says so and goes on trying."""
    initialise(settings)
    collector.start()
    wait_until(lambda: writer(settings).broker_reason == "connection refused")
    tank = add_client(settings, "tank")
    broker = start_broker(settings)
    try:
        wait_until(lambda: writer(settings).broker_up)
        with Peer(settings, (tank.client, tank.password)) as peer:
            peer.publish("clients/tank/n", "1")
        assert_each_once(settings, {1})
    finally:
        broker.stop()


def test_second_collector_is_refused(
    settings: Settings, broker: Process, collector: Process
) -> None:  # one line
    """Two collectors cannot fight over one session: the second ends with one sentence."""
    assert broker.running
    start(collector)
    second = culex(settings, "collector", "run")
    assert second.returncode == 1
    assert str(collector.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert collector.running


def test_collector_without_login_says_what_to_run(settings: Settings) -> None:
    """Before `init` the collector ends with one sentence."""
    answer = culex(settings, "collector", "run")
    assert answer.returncode == 1
    assert "python -m mosquitto init" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_status_tells_a_running_collector_from_a_stopped_one(
    settings: Settings, broker: Process, collector: Process
) -> None:
    """Status is 0 while it runs, 1 before, after its stop and after a kill."""
    assert broker.running
    assert culex(settings, "collector", "status").returncode == 1
    start(collector)
    running = culex(settings, "collector", "status", "--json")
    assert running.returncode == 0
    assert json.loads(running.stdout)["process"] == collector.pid
    assert json.loads(running.stdout)["broker_up"] is True
    collector.stop(signal.SIGKILL)
    assert "did not stop in order" in culex(settings, "collector", "status").stdout
    start(collector)
    assert collector.stop() == 0
    after = culex(settings, "collector", "status")
    assert (after.returncode, "stopped" in after.stdout) == (1, True)
    assert not (settings.run_dir / "collector.pid").exists()


def test_stop_under_load_leaves_nothing_stored_unacknowledged(
    settings: Settings, publisher: Publisher, collector: Process
) -> None:
    """After SIGTERM the broker holds exactly what is not stored; the next start fetches it."""
    start(collector)
    publisher.start()
    publisher.wait_for_more(300)
    began_s = time.monotonic()
    assert collector.stop() == 0
    assert time.monotonic() - began_s < 3
    assert writer(settings).stopped
    publisher.wait_for_more(20)
    acknowledged = publisher.stop()
    kept = set(stored(settings))
    held = held_by_broker(settings, len(acknowledged) - len(kept))
    assert held.isdisjoint(kept)
    assert held | kept == set(map(float, acknowledged))
    start(collector)
    assert_each_once(settings, acknowledged)


def held_by_broker(settings: Settings, at_least: int) -> set[float]:
    """The numbers in the collector's session, looked at without acknowledging them."""
    held: set[float] = set()
    login = load_login(settings.secrets_dir / "collector.json")
    spy = paho.Client(
        CallbackAPIVersion.VERSION2, login.client_id, protocol=paho.MQTTv5, manual_ack=True
    )
    spy.username_pw_set(login.username, login.password)
    spy.on_message = lambda _c, _u, message: held.add(float(message.payload))
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 0xFFFFFFFF
    properties.ReceiveMaximum = 60_000
    spy.connect("127.0.0.1", settings.mqtt_port, clean_start=False, properties=properties)
    spy.loop_start()
    try:
        wait_until(lambda: len(held) >= at_least)
    finally:
        spy.disconnect()
        spy.loop_stop()
    return held


def test_retained_message_is_no_new_reading_after_a_restart(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """What the broker retains is not recorded: neither at the first start nor at the next."""
    with Peer(settings, (tank.client, tank.password)) as peer:
        peer.publish("clients/tank/n", "7", retain=True)
        start(collector)
        wait_until(lambda: writer(settings).rejected == 1)
        peer.publish("clients/tank/n", "8", retain=True)
        assert_each_once(settings, {8})
        collector.stop()
        start(collector)
        peer.publish("clients/tank/n", "9")
    assert_each_once(settings, {8, 9})
    assert writer(settings).rejected == 1


def test_topic_that_no_template_takes_is_in_quarantine(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """A client that publishes a level too deep is confirmed, so it must be found somewhere."""
    start(collector)
    with Peer(settings, (tank.client, tank.password)) as peer:
        peer.publish("clients/tank/room/temperature", "21.5")
        peer.publish("clients/tank/n", "7")
    assert_each_once(settings, {7})
    with open_querier(settings.store_path).snapshot() as snapshot:
        (account,) = snapshot.ledger("", ALL_TIME)
    assert account.messages.quarantined == 1


@pytest.mark.parametrize("version", [V311, V5])
def test_many_messages_at_once_at_qos_2_are_all_stored(
    settings: Settings, tank: Credentials, collector: Process, version: MQTTProtocolVersion
) -> None:
    """What the broker confirms to a client with hundreds in flight has come to the collector."""
    start(collector)
    client = paho.Client(CallbackAPIVersion.VERSION2, tank.client, protocol=version)
    client.username_pw_set(tank.client, tank.password)
    client.max_inflight_messages_set(0)
    client.connect("127.0.0.1", settings.mqtt_port)
    client.loop_start()
    published = [client.publish("clients/tank/n", str(n), 2) for n in range(500)]
    for one in published:
        one.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    assert_each_once(settings, set(range(500)))


def test_filter_added_in_front_of_another_costs_no_message(
    settings: Settings, tank: Credentials, collector: Process
) -> None:
    """What waited for the old filter, and what comes while the new one is refused, is stored."""
    start(collector)
    collector.stop()
    front = [Topic(template=f"{{client}}/{rest}") for rest in ("tank/{metric}",)]
    changed = settings.model_copy(update={"topics": (*front, *settings.topics)})
    again = Process(changed, "collector", "run")
    with Peer(settings, (tank.client, tank.password)) as peer:
        for number in range(5):
            peer.publish("clients/tank/n", str(number))
        start(again)
        for number in range(5, 10):
            peer.publish("clients/tank/n", str(number))
        series = Series("clients", "n")
        wait_until(lambda: stored(settings, series).total() == 10)
    again.stop()
    assert stored(settings, series) == Counter(map(float, range(10)))


def test_stop_of_an_idle_collector_is_quick(
    settings: Settings, broker: Process, collector: Process
) -> None:
    """Ctrl-C on an idle collector ends it in order within 3 s."""
    assert broker.running
    start(collector)
    began_s = time.monotonic()
    assert collector.stop(signal.SIGINT) == 0
    assert time.monotonic() - began_s < 3
    assert "Traceback" not in collector.output
    assert writer(settings).stopped
