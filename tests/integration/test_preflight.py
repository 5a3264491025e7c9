"""What `make run` looks at first, and what a peer that stalls cannot do."""

import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from mosquitto.provision import add_client, initialise
from telemetry.settings import Demo, Settings
from tests.dashboard.visits import prepared
from tests.support import Process, culex, wait_until

pytestmark = pytest.mark.broker


def test_check_beside_a_running_broker_names_its_process(broker: Process) -> None:
    """A second start on the same data is told that the first runs, before it changes anything."""
    answer = culex(broker.settings, "mosquitto", "check")
    assert answer.returncode == 1
    assert f"broker is already running as process {broker.pid}" in answer.stderr


def test_check_of_free_ports_is_silent(settings: Settings) -> None:
    """Nothing is in the way and nothing is left behind."""
    answer = culex(settings, "mosquitto", "check")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert not list(settings.run_dir.glob("*.pid"))


def test_check_of_one_port_for_two_names_both_settings(settings: Settings) -> None:
    """Two settings with one port are said to be what they are, not taken by somebody."""
    same = settings.model_copy(update={"mqtt_port": settings.http_port})
    answer = culex(same, "mosquitto", "check")
    assert answer.returncode == 1
    assert f"mqtt_port and http_port are both {same.http_port}" in answer.stderr


def test_init_beside_a_running_broker_leaves_the_fleet_at_play(broker: Process) -> None:
    """A client of one's own keeps the fleet away from the next start on, not from this one."""
    settings = broker.settings.model_copy(update={"demo": Demo.AUTO})
    initialise(settings)
    add_client(settings, "tank")
    initialise(settings)
    assert (settings.secrets_dir / "demo.json").exists()
    broker.stop()
    initialise(settings)
    assert not (settings.secrets_dir / "demo.json").exists()


def test_senders_that_stall_are_cut_off(tmp_path: Path) -> None:
    """More half-sent requests than there are threads hold the dashboard up, but not for ever."""
    settings = prepared(tmp_path)
    dashboard = Process(settings, "dashboard", "run").start()
    with ExitStack() as stack:
        stack.callback(dashboard.stop)
        wait_until(lambda: "Culex is ready" in dashboard.output, 30)
        for _ in range(40):
            peer = socket.create_connection(("127.0.0.1", settings.http_port))
            stack.callback(peer.close)
            peer.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na")
        probe = f"http://127.0.0.1:{settings.http_port}/healthz"
        with urlopen(probe, timeout=60) as answer:
            assert answer.status == 200
