"""Certificates that change under a running broker: a rotation of the authority, one's own."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from mosquitto.__main__ import main
from mosquitto.pem import load_certificates
from mosquitto.provision import add_client, initialise
from telemetry.settings import Settings
from tests.mqtt import Listener, Peer
from tests.pki import Files, Holder
from tests.support import Process, accepts, environment, wait_until

pytestmark = pytest.mark.broker


def invoke(settings: Settings, *arguments: str) -> Result:
    """Runs the command with these settings."""
    return CliRunner().invoke(main, arguments, env=environment(settings))


def shown(settings: Settings) -> set[x509.Certificate]:
    """What the two TLS ports show; nothing while they cannot be reached."""
    found = set()
    for port in (settings.mqtt_tls_port, settings.mqtt_ws_port):
        try:
            pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=5.0)
        except OSError:
            return set()
        found.add(x509.load_pem_x509_certificate(pem.encode()))
    return found


def on_disk(path: Path) -> set[x509.Certificate]:
    """The certificate at the head of the file."""
    return {load_certificates(path)[0]}


def test_rotation_shuts_no_client_out_that_has_fetched_the_new_authority(
    settings: Settings, broker: Process, tmp_path: Path
) -> None:
    """Who has the new file gets in at every time, who has the old one until the switch."""
    tank = add_client(settings, "tank")

    def gets_in(ca_file: Path, listener: Listener = Listener.TLS) -> bool:
        with Peer(settings, (tank.client, tank.password), listener, ca_file=ca_file) as peer:
            return peer.accepted

    def keep(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(settings.ca_file.read_bytes())
        return path

    old = keep("old.crt")
    first = invoke(settings, "ca", "trust")
    assert (first.exit_code, first.stderr) == (0, "")
    both = keep("both.crt")
    assert shown(settings) == on_disk(settings.broker_dir / "server.crt")
    assert gets_in(old)
    assert trusts(settings, old)
    assert gets_in(both)

    assert invoke(settings, "ca", "switch").exit_code == 0
    wait_until(lambda: shown(settings) == on_disk(settings.broker_dir / "server.crt"))
    assert gets_in(both)
    assert gets_in(both, Listener.WS)
    assert not trusts(settings, old)

    assert invoke(settings, "ca", "drop").exit_code == 0
    assert len(load_certificates(settings.ca_file)) == 1
    assert gets_in(settings.ca_file)
    assert broker.running


def trusts(settings: Settings, ca_file: Path) -> bool:
    """Whether a client with that file goes on to log in."""
    context = ssl.create_default_context(cafile=str(ca_file))
    try:
        with (
            socket.create_connection(("127.0.0.1", settings.mqtt_tls_port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where the user's own certificate lies."""
    return Files(tmp_path / "own.crt", tmp_path / "own.key")


@pytest.fixture
def own(settings: Settings, files: Files) -> Iterator[Settings]:
    """Settings of a broker that runs with it, and looks at it twice a second."""
    files.put(Holder("First", hosts=("localhost", "127.0.0.1")))
    names = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    ours = Settings(**(settings.model_dump(include=settings.model_fields_set) | names))
    initialise(ours)
    soon = "from mosquitto import broker, __main__ as command; broker._RENEWAL_S = 0.5"
    run = "command.main(['run'], standalone_mode=False)"
    process = Process(ours, "timeit", "-n1", "-r1", "-s", soon, run).start()
    try:
        wait_until(lambda: accepts(ours.mqtt_tls_port) and accepts(ours.mqtt_ws_port))
        yield ours
    finally:
        assert process.stop() == 0


def test_own_certificate_is_followed_and_a_bad_one_is_not(own: Settings, files: Files) -> None:
    """Clients verify it with ca.crt; a changed file is served soon, a bad one never."""
    tank = add_client(own, "tank")
    assert shown(own) == on_disk(files.certificate)
    with Peer(own, (tank.client, tank.password)) as peer:
        assert peer.accepted
    before = shown(own)
    files.put(Holder("Expired", hosts=("localhost",), days=-3))
    log = own.logs_dir / "broker.log"
    wait_until(lambda: "goes on with its older certificate" in log.read_text())
    assert shown(own) == before
    files.put(Holder("Second", hosts=("localhost", "127.0.0.1")))
    wait_until(lambda: shown(own) == on_disk(files.certificate))
    with Peer(own, (tank.client, tank.password), Listener.WS) as peer:
        assert peer.accepted
