"""A broker that asks clients for a certificate beside their password."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.clients.snippets import Login, snippets
from mosquitto.__main__ import main
from mosquitto.broker import end_orphan
from mosquitto.provision import Credentials, add_client, initialise
from telemetry.login import load_login
from telemetry.settings import Settings
from tests.mqtt import Listener, Peer
from tests.support import Process, accepts, environment, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker


@pytest.fixture
def asking(tmp_path: Path) -> Settings:
    """Settings of a broker that asks for certificates."""
    settings = make_settings(tmp_path, client_certificates="required")
    initialise(settings)
    return settings


@pytest.fixture
def process(asking: Settings) -> Iterator[Process]:
    """It runs."""
    process = start_broker(asking)
    yield process
    process.stop()
    end_orphan(asking)


def certificate(settings: Settings, *arguments: str) -> None:
    """Runs `client certificate` with these settings."""
    done = CliRunner().invoke(
        main, ["client", "certificate", *arguments], env=environment(settings)
    )
    assert done.exit_code == 0, done.output


def peer(settings: Settings, login: Credentials, shown: Path | None) -> Peer:
    """A client with a login and, maybe, a certificate."""
    return Peer(settings, (login.client, login.password), certificate=shown)


def test_certificate_and_password_are_both_asked_for(asking: Settings, process: Process) -> None:
    """Neither is enough; Culex's own processes speak on the plain port as before.

    There are no WebSockets: there Mosquitto 2.0 takes a certificate that was revoked.
    """
    tank = add_client(asking, "tank")
    out = asking.data_dir.parent / "out"
    certificate(asking, "tank", "--out", str(out))
    shown = out / "tank.crt"
    with peer(asking, tank, shown) as both:
        assert both.accepted
    with peer(asking, Credentials("tank", "wrong", "tank", [], []), shown) as guessed:
        assert not guessed.accepted
    with peer(asking, tank, None) as bare:
        assert not bare.accepted
    assert not accepts(asking.mqtt_ws_port)
    own = load_login(asking.secrets_dir / "collector.json")
    with Peer(asking, (own.username, own.password), Listener.PLAIN) as ours:
        assert ours.accepted
    assert process.running


def test_commands_that_are_shown_work_with_a_certificate(
    asking: Settings, process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the command line, pasted one after the other, and that of the page."""
    monkeypatch.chdir(tmp_path)
    runner, variables = CliRunner(), environment(asking)
    said = runner.invoke(main, ["client", "add", "tank"], env=variables).output
    made = said.split("Its certificate: .venv/bin/python -m mosquitto ")[1].splitlines()[0]
    assert runner.invoke(main, shlex.split(made), env=variables).exit_code == 0
    subprocess.run(shlex.split(said.splitlines()[-1]), check=True)
    other = runner.invoke(main, ["client", "rotate", "tank", "--json"], env=variables).output
    told = json.loads(other)
    assert told["ports"]["ws"] is None
    (tmp_path / "ca.crt").write_bytes(asking.ca_file.read_bytes())
    login = Login("tank", told["password"], "127.0.0.1", asking.mqtt_tls_port, "", shows=True)
    subprocess.run(shlex.split(snippets(login)[0].text), check=True)
    assert process.running


def test_revoked_certificate_ends_the_connection_and_opens_none(
    asking: Settings, process: Process
) -> None:
    """The one who is connected goes at once and stays out; others come back by themselves."""
    tank, pump = add_client(asking, "tank"), add_client(asking, "pump")
    out = asking.data_dir.parent / "out"
    for each in (tank, pump):
        certificate(asking, each.client, "--out", str(out))
    with peer(asking, tank, out / "tank.crt") as lost:
        assert lost.accepted
        certificate(asking, "tank", "--revoke")
        wait_until(lost.ended.is_set)
    wait_until(lambda: accepts(asking.mqtt_tls_port))
    with peer(asking, tank, out / "tank.crt") as revoked:
        assert not revoked.accepted
    with peer(asking, pump, out / "pump.crt") as other:
        assert other.accepted
    assert process.running


def test_rotation_keeps_certificates_of_the_old_authority_good(
    asking: Settings, process: Process
) -> None:
    """Between switch and drop the broker takes certificates of either authority."""
    tank, pump = add_client(asking, "tank"), add_client(asking, "pump")
    out = asking.data_dir.parent / "out"
    certificate(asking, "tank", "--out", str(out))
    for step in ("trust", "switch"):
        done = CliRunner().invoke(main, ["ca", step], env=environment(asking))
        assert done.exit_code == 0, done.output
    certificate(asking, "pump", "--out", str(out))
    wait_until(lambda: accepts(asking.mqtt_tls_port))
    for each in (tank, pump):
        with peer(asking, each, out / f"{each.client}.crt") as known:
            assert known.accepted
    assert process.running
