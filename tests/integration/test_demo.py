"""The simulated fleet with a real broker, a real collector and a real store."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.demo import HISTORY_US, make_fleet
from collector.fleet import FLAKY, FLEET, Mood
from collector.signals import sample
from mosquitto.broker import end_orphan
from mosquitto.provision import add_client, initialise
from telemetry.clock import Clock, now_us
from telemetry.condition import WriterState
from telemetry.interface import Snapshot, StoreError
from telemetry.reading import RESERVED_CLIENTS, Flag, Kind, Series
from telemetry.settings import DEMO_CLIENTS, Demo, Settings
from telemetry.store import open_querier
from telemetry.window import LATEST_US, SECOND_US, Window
from tests.mqtt import Peer
from tests.support import Process, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

ALWAYS = Window(0, LATEST_US)
SPAN_US = 600 * SECOND_US
LONG_SPAN_US = 2 * 3600 * SECOND_US
(flaky,) = (client for client in FLEET if client.name == FLAKY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on an own data folder and free ports, with the simulated fleet."""
    return make_settings(tmp_path, demo="on")


@pytest.fixture
def collector(broker: Process) -> Iterator[Process]:
    """A collector that collects."""
    process = Process(broker.settings, "collector", "run").start()
    wait_until(lambda: writer(broker.settings).broker_up)
    yield process
    process.stop()


class Playing:
    """The fleet on a thread of this process; use it in a `with` block."""

    def __init__(self, settings: Settings, clock: Clock = now_us, span_us: int = SPAN_US) -> None:
        self._querier = open_querier(settings.store_path)
        self._fleet = make_fleet(settings, self._querier, clock, span_us)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._fleet.run(self._stopping)
        self._querier.close()

    def __enter__(self) -> "Playing":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join(5)
        assert not self._thread.is_alive()


def writer(settings: Settings) -> WriterState:
    """What the collector last said."""
    try:
        with open_querier(settings.store_path).snapshot() as snapshot:
            return snapshot.writer()
    except StoreError:
        return WriterState()


def missing(snapshot: Snapshot, window: Window) -> list[tuple[str, int]]:
    """The instants of a window that should be stored and are not."""
    return [
        (client.name, instant)
        for client in FLEET
        for known in [set(times(snapshot, Series(client.name, client.probe)))]
        for instant in client.instants(window)
        if instant not in known
    ]


def times(snapshot: Snapshot, series: Series) -> list[int]:
    """When a series has readings."""
    return [int(one) for one in snapshot.read(series, ALWAYS).frame["time_us"]]


def is_told(settings: Settings, window: Window) -> bool:
    """Whether the store lacks nothing of that window."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return not missing(snapshot, window)


def past(span_us: int = SPAN_US) -> Window:
    """A window that ends now; its first instants are due at the next start alone."""
    end_us = now_us()
    return Window(end_us - span_us + 30 * SECOND_US, end_us)


def test_fleet_started_first_fills_the_past_and_goes_on(
    settings: Settings, collector: Process
) -> None:
    """Every metric of all six arrives over the whole span, marked and with its unit, then live."""
    assert collector.running
    window = past()
    with Playing(settings):
        wait_until(lambda: is_told(settings, window))
        later = Window(window.end_us, now_us() + 4 * SECOND_US)
        wait_until(lambda: is_told(settings, later))
    with open_querier(settings.store_path).snapshot() as snapshot:
        latest = [one for one in snapshot.latest() if one.series.client not in RESERVED_CLIENTS]
        assert {one.series.client for one in latest} == set(DEMO_CLIENTS)
        for one in latest:
            measured = sample(one.series.client, one.time_us)
            assert one.unit == measured[one.series.metric].unit, one.series
            assert one.flags & Flag.SIMULATED
            assert times(snapshot, one.series)[0] <= window.start_us + 400 * SECOND_US
        kinds = {one.series.metric: one.kind for one in latest}
    assert (kinds["burner"], kinds["vent"], kinds["power"]) == (
        Kind.BOOLEAN,
        Kind.STATE,
        Kind.NUMBER,
    )


def test_fleet_started_again_doubles_nothing_and_fills_the_pause(
    settings: Settings, collector: Process
) -> None:
    """No instant is stored twice, and those of the pause are stored."""
    assert collector.running
    window = past()
    with Playing(settings):
        wait_until(lambda: is_told(settings, window))
    before = numbers(settings, window)
    stopped_us = now_us()
    wait_until(lambda: now_us() > stopped_us + 4 * SECOND_US)
    pause = Window(stopped_us, now_us())
    with Playing(settings):
        wait_until(lambda: is_told(settings, pause))
    assert numbers(settings, window) == before


def numbers(settings: Settings, window: Window) -> dict[Series, int]:
    """How many timed readings each probe has in a window."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        series = [Series(client.name, client.probe) for client in FLEET]
        return {one: snapshot.count(one, window, 10**6) for one in series}


def test_fleet_killed_while_it_tells_the_past_completes_it_next_time(
    settings: Settings, collector: Process
) -> None:
    """Though the newest readings are there already, the gap behind them is filled."""
    assert collector.running
    window = past(LONG_SPAN_US)
    with Playing(settings, span_us=LONG_SPAN_US):
        wait_until(lambda: sum(numbers(settings, window).values()) > 300)
    assert not is_told(settings, window)
    with Playing(settings, span_us=LONG_SPAN_US):
        wait_until(lambda: is_told(settings, window), 20)


def test_fleet_started_before_the_collector_tells_it_the_whole_past(
    settings: Settings, broker: Process
) -> None:
    """Nothing of the past is published for nobody."""
    assert broker.running
    window = past()
    with Playing(settings):
        collector = Process(settings, "collector", "run").start()
        try:
            wait_until(lambda: writer(settings).broker_up)
            wait_until(lambda: is_told(settings, window))
        finally:
            collector.stop()


def test_fleet_through_a_restart_of_the_broker_lacks_nothing(
    settings: Settings, broker: Process, collector: Process
) -> None:
    """What could not be published while the broker was away is told when it is back."""
    assert collector.running
    window = past()
    with Playing(settings):
        wait_until(lambda: is_told(settings, window))
        broker.stop()
        away_us = now_us()
        wait_until(lambda: now_us() > away_us + 4 * SECOND_US)
        away = Window(away_us, now_us())
        broker.start()
        wait_until(lambda: is_told(settings, away), 20)


def test_garbage_of_the_flaky_client_is_rejected_and_stops_nothing(
    settings: Settings, collector: Process
) -> None:
    """It is counted, and the others' readings go on."""
    assert collector.running
    start_us = now_us()
    garbled_us = start_us // flaky.step_us * flaky.step_us
    while flaky.mood(garbled_us) is not Mood.GARBLED:
        garbled_us -= flaky.step_us
    ahead_us = start_us - garbled_us + 3 * SECOND_US
    with Playing(settings, clock=lambda: now_us() - ahead_us):
        wait_until(lambda: writer(settings).rejected == 1)
        wait_until(lambda: is_told(settings, Window(garbled_us, garbled_us + 4 * SECOND_US)))


def test_foreign_reading_while_the_past_is_told_is_stored_within_two_seconds(
    settings: Settings, collector: Process
) -> None:
    """The history waits for the store, so nobody else waits for the history."""
    assert collector.running
    tank = add_client(settings, "tank")
    window = past(HISTORY_US)
    with (
        Peer(settings, (tank.client, tank.password)) as peer,
        Playing(settings, span_us=HISTORY_US),
    ):
        for number in range(5):
            began_s = time.monotonic()
            peer.publish("clients/tank/n", str(number))
            wait_until(lambda: newest(settings) == number, 2)  # noqa: B023  # called at once
            assert time.monotonic() - began_s < 2
        assert not is_told(settings, window)


def newest(settings: Settings) -> float | str | None:
    """The newest value of the foreign client."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return next((one.value for one in snapshot.latest("tank")), None)


def test_erase_of_the_simulated_leaves_the_foreign_alone(
    settings: Settings, collector: Process
) -> None:
    """One command removes every reading of the fleet and none of anybody else."""
    assert collector.running
    tank = add_client(settings, "tank")
    window = past()
    with Peer(settings, (tank.client, tank.password)) as peer, Playing(settings):
        peer.publish("clients/tank/n", "5")
        wait_until(lambda: is_told(settings, window) and newest(settings) == 5)
    assert culex(settings, "telemetry", "erase", "--simulated").returncode == 0
    with open_querier(settings.store_path).snapshot() as snapshot:
        own = {"broker", "collector"}  # they tell of themselves every few seconds
        assert {one.series.client for one in snapshot.latest()} - own == {"tank"}


def test_demo_process_stops_in_order_and_leaves_no_pid_file(
    settings: Settings, collector: Process
) -> None:
    """SIGTERM in the middle of the history ends it in order."""
    assert collector.running
    demo = Process(settings, "collector.demo").start()
    try:
        wait_until(lambda: "telling what the store lacks" in demo.output)
        assert (settings.run_dir / "demo.pid").exists()
        assert demo.stop() == 0
    finally:
        demo.stop()
    assert not (settings.run_dir / "demo.pid").exists()
    assert "Traceback" not in demo.output


@pytest.mark.parametrize(
    ("demo", "sentence"), [(Demo.OFF, 'demo = "auto"'), (Demo.AUTO, "clients of your own")]
)
def test_demo_without_logins_says_why_and_waits_for_the_signal(
    tmp_path: Path, demo: Demo, sentence: str
) -> None:
    """It plays nothing and ends nothing: honcho would stop the others with it."""
    settings = make_settings(tmp_path, demo="off")
    initialise(settings)
    process = Process(settings.model_copy(update={"demo": demo}), "collector.demo").start()
    try:
        wait_until(lambda: sentence in process.output)
        assert process.running
        assert process.stop(signal.SIGINT) == 0
    finally:
        process.stop()
    assert "Traceback" not in process.output


def test_demo_whose_login_is_refused_says_so_once_and_waits(
    settings: Settings, broker: Process
) -> None:
    """A wrong password is one sentence, not a stream of attempts."""
    assert broker.running
    path = settings.secrets_dir / "demo.json"
    logins = json.loads(path.read_text())
    path.write_text(json.dumps({k: v | {"password": "wrong"} for k, v in logins.items()}))
    demo = Process(settings, "collector.demo").start()
    try:
        wait_until(lambda: "refuses the login" in demo.output)
        assert demo.running
        assert demo.stop() == 0
    finally:
        demo.stop()
    assert demo.output.count("refuses the login") == 1


def test_demo_started_before_the_broker_waits_for_it(settings: Settings) -> None:
    """Without a broker it says so in one line and connects when there is one."""
    initialise(settings)
    demo = Process(settings, "collector.demo").start()
    try:
        wait_until(lambda: "connection refused" in demo.output)
        broker = start_broker(settings)
        try:
            wait_until(lambda: "connected again" in demo.output, 20)
        finally:
            broker.stop()
            end_orphan(settings)
    finally:
        demo.stop()
    assert demo.output.count("connection refused") <= 2


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [("{", 0o600, "is broken"), ("{}", 0o600, "is broken"), ("{}", 0o644, "readable by others")],
)
def test_demo_with_unusable_logins_ends_with_one_sentence(
    settings: Settings, content: str, mode: int, sentence: str
) -> None:
    """It names the file and what to do, and the exit status is 1."""
    settings.secrets_dir.mkdir(parents=True)
    path = settings.secrets_dir / "demo.json"
    path.write_text(content)
    path.chmod(mode)
    answer = culex(settings, "collector.demo")
    assert (answer.returncode, sentence in answer.stderr) == (1, True)
    assert "Traceback" not in answer.stderr
