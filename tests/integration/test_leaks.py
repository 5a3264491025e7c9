"""Who may speak, tried by many clients at every door: nothing leaks, and nobody gets in besides."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from mosquitto.access import READER
from mosquitto.provision import Credentials, Permit, add_client, initialise
from telemetry.settings import Settings
from tests.mqtt import V5, V311, Listener, Peer
from tests.support import make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

NAMES = ("tank", "tank2", "Tank", "ta", "tank-", "zigbee2mqtt")
"""Names that begin with each other, differ in case, or are those of a gateway."""

HERE, THERE = "198.18.77.1", "198.18.77.2"
CONNECT = """
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), 5).close()
        print(port, "open")
    except OSError as error:
        print(port, type(error).__name__)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running broker with a family of topics that are not below clients/."""
    made = make_settings(tmp_path_factory.mktemp("leaks"), families=["zigbee2mqtt"])
    initialise(made)
    process = start_broker(made)
    yield made
    process.stop()


@pytest.fixture(scope="module")
def logins(settings: Settings) -> dict[str, Credentials]:
    """A login for each name."""
    return {name: add_client(settings, name) for name in NAMES}


@pytest.fixture(scope="module")
def flows(settings: Settings) -> Credentials:
    """Somebody who may hear everything that arrives."""
    return add_client(settings, "flows", Permit(READER))


def foreign(name: str) -> list[str]:
    """Topics that are not that client's."""
    topics = [f"clients/{other}/n" for other in NAMES if other != name]
    topics += [
        f"clients/{name}/cmd/n", "clients", "clients/", "clients//n", "/clients/tank/n",
        "clients/collector/n", "culex/ping/1", "tele/tank/SENSOR", "n", "$SYS/broker/n",
        "$CONTROL/dynamic-security/v1", f"clients/{name}x/n", f"x/clients/{name}/n",
    ]  # fmt: skip
    gateways = [f"zigbee2mqtt/{other}" for other in NAMES if other != name]
    return topics if name == "zigbee2mqtt" else topics + gateways


@pytest.mark.parametrize("listener", list(Listener))
@pytest.mark.parametrize("version", [V5, V311], ids=["v5", "v311"])
def test_nothing_leaks_from_any_client_by_any_door(
    settings: Settings,
    logins: dict[str, Credentials],
    flows: Credentials,
    version: MQTTProtocolVersion,
    listener: Listener,
) -> None:
    """Six clients publish to a hundred topics of others: of all that, nobody hears a thing."""
    with Peer(settings, (flows.client, flows.password)) as reader:
        for topic in flows.subscribe:
            assert not reader.subscribe(topic).is_failure
        for name, login in logins.items():
            with Peer(settings, (name, login.password), listener, version) as peer:
                assert peer.accepted
                for topic in foreign(name):
                    peer.send(topic, "leak")
                assert not peer.publish(f"clients/{name}/own", "own").is_failure
        wait_until(lambda: len(reader.messages) >= len(NAMES))
        assert sorted(reader.messages) == sorted((f"clients/{name}/own", b"own") for name in NAMES)


@contextmanager
def other_network() -> Iterator[str]:
    """A second network namespace with one way here; the pid of who lives in it."""
    child = subprocess.Popen(["unshare", "--net", "sleep", "120"], stderr=subprocess.DEVNULL)
    try:
        pid = str(child.pid)
        wait_until(lambda: child.poll() is not None or _is_apart(pid))
        ours = f"cx{pid}a"
        made = subprocess.run(
            ["ip", "link", "add", ours, "type", "veth", "peer", "name", "cxb", "netns", pid],
            check=False, capture_output=True,
        )  # fmt: skip
        if child.poll() is not None or made.returncode:
            pytest.skip("this machine does not let us make a second network")
        enter = ["nsenter", "-t", pid, "-n", "ip"]
        for command in (
            ["ip", "addr", "add", f"{HERE}/30", "dev", ours],
            ["ip", "link", "set", ours, "up"],
            [*enter, "addr", "add", f"{THERE}/30", "dev", "cxb"],
            [*enter, "link", "set", "cxb", "up"],
            [*enter, "link", "set", "lo", "up"],
        ):
            subprocess.run(command, check=True)
        yield pid
    finally:
        child.kill()  # the link goes with the namespace
        child.wait()


def _is_apart(pid: str) -> bool:
    here, there = (
        subprocess.run(["readlink", f"/proc/{one}/ns/net"], check=False, capture_output=True).stdout
        for one in ("self", pid)
    )
    return bool(there) and here != there


@pytest.mark.skipif(
    not all(map(shutil.which, ("unshare", "nsenter", "ip"))), reason="Linux with iproute2 alone"
)
def test_port_without_tls_cannot_be_reached_from_another_network(settings: Settings) -> None:
    """From a second network namespace TLS answers, and the port without it does not."""
    ports = [settings.mqtt_port, settings.mqtt_tls_port, settings.mqtt_ws_port]
    with other_network() as pid:
        asked = subprocess.run(
            ["nsenter", "-t", pid, "-n", sys.executable, "-c", CONNECT, HERE, *map(str, ports)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    answers = dict(line.split() for line in asked.stdout.splitlines())
    assert answers == {
        str(ports[0]): "ConnectionRefusedError",
        str(ports[1]): "open",
        str(ports[2]): "open",
    }
