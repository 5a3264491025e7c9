"""The whole chain: published over TLS, collected, stored, and read through the HTTP API."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests

from mosquitto.provision import Credentials, add_client
from telemetry.clock import now_us
from telemetry.reading import Series
from telemetry.settings import ROOT, Settings
from telemetry.store import open_querier
from telemetry.window import to_us
from tests.browser.stack import broker_since_us, start_dashboard, stored, url_of
from tests.mqtt import Peer
from tests.support import Process, culex, environment, make_settings, wait_until

pytestmark = pytest.mark.broker

PASSWORD = "a-password-for-tests"  # noqa: S105  # opens nothing but the test's own dashboard
COLUMNS = ["time", "client", "metric", "value", "unit", "received", "flags"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on an own data folder and free ports, with a known password."""
    return make_settings(tmp_path, admin_password=PASSWORD)


@pytest.fixture
def tank(broker: Process) -> Credentials:
    """A client of the running broker."""
    return add_client(broker.settings, "tank")


@pytest.fixture
def chain(broker: Process) -> Iterator[str]:
    """A collector and a dashboard on the running broker; where the dashboard is."""
    collector = Process(broker.settings, "collector", "run").start()
    dashboard = Process(broker.settings, "dashboard", "run")
    try:
        wait_until(lambda: broker_since_us(broker.settings))
        start_dashboard(dashboard)
        yield url_of(broker.settings)
    finally:
        dashboard.stop()
        collector.stop()


def publish(settings: Settings, login: Credentials, *message: str, lines: str = "") -> None:
    """Publishes over TLS with Mosquitto's own client."""
    where = ["--cafile", str(settings.ca_file), "-h", "127.0.0.1"]
    who = ["-p", str(settings.mqtt_tls_port), "-i", login.client, "-u", login.client]
    password = ["-P", login.password]
    command = ["mosquitto_pub", "-V", "5", "-q", "1", *where, *who, *password, *message]
    subprocess.run(command, input=lines, text=True, check=True, timeout=60)


def logged_in(url: str) -> requests.Session:
    """A session that sent the login form as a script does."""
    session = requests.Session()
    form = session.get(f"{url}/login", timeout=5).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token is not None
    fields = {"username": "admin", "password": PASSWORD, "csrf_token": token[1]}
    answer = session.post(f"{url}/login", fields, allow_redirects=False, timeout=5)
    assert answer.status_code == 302
    return session


def rows_of(answer: requests.Response) -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    assert answer.status_code == 200, answer.text
    rows = csv.DictReader(io.StringIO(answer.text))
    assert rows.fieldnames == COLUMNS
    return list(rows)


def test_value_published_over_tls_is_a_row_of_the_csv_that_session_and_token_read(
    settings: Settings, tank: Credentials, chain: str
) -> None:
    """What a client publishes is what the API exports: value, unit, and time within seconds."""
    began_us = now_us()
    payload = '{"temperature": {"value": 21.53, "unit": "°C"}}'
    publish(settings, tank, "-t", "clients/tank/telemetry", "-m", payload)
    wait_until(lambda: stored(settings, Series("tank", "temperature")))
    where = f"{chain}/api/v1/readings?client=tank&start=now-1h&end=now"
    assert requests.get(where, timeout=5).status_code == 401
    with logged_in(chain) as session:
        (row,) = rows_of(session.get(where, timeout=5))
    assert (row["client"], row["metric"]) == ("tank", "temperature")
    assert (row["value"], row["unit"], row["flags"]) == ("21.53", "°C", "")
    assert began_us <= to_us(datetime.fromisoformat(row["time"])) < began_us + 5_000_000
    made = culex(settings, "dashboard", "token", "add", "script")
    assert made.returncode == 0, made.stderr
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert rows_of(requests.get(where, headers=bearer, timeout=5)) == [row]
    clients = requests.get(f"{chain}/api/v1/clients", headers=bearer, timeout=5).json()
    assert "tank" in [one["client"] for one in clients]


def test_erasing_what_was_simulated_while_others_publish_costs_them_nothing(
    settings: Settings, tank: Credentials, chain: str
) -> None:
    """Erase --simulated through the running collector removes that alone, ingest going on."""
    fake = add_client(settings, "fake")
    simulated = ["-D", "publish", "user-property", "simulated", "1"]
    lines = "".join(f"{number}\n" for number in range(50))
    publish(settings, fake, "-t", "clients/fake/n", "-l", *simulated, lines=lines)
    wait_until(lambda: len(stored(settings, Series("fake", "n"))) == 50)
    sent: list[float] = []
    with Peer(settings, (tank.client, tank.password)) as peer, erasing(settings) as erase:
        while erase.poll() is None or len(sent) < 50:
            sent.append(float(len(sent)))
            peer.publish("clients/tank/n", str(len(sent) - 1))
        assert erase.returncode == 0, erase.stderr.read()
        assert erase.stdout.read() == "removed 50 readings\n"
    wait_until(lambda: len(stored(settings, Series("tank", "n"))) == len(sent))
    assert [value for _, value in stored(settings, Series("tank", "n"))] == sent
    assert stored(settings, Series("fake", "n")) == []
    with open_querier(settings.store_path).snapshot() as snapshot:
        assert snapshot.latest("fake") == []
    with logged_in(chain) as session:
        clients = session.get(f"{chain}/api/v1/clients", timeout=5).json()
        gone = session.get(f"{chain}/api/v1/readings?client=fake", timeout=5)
    assert "fake" not in [one["client"] for one in clients]
    assert gone.status_code == 404


def erasing(settings: Settings) -> "subprocess.Popen[str]":
    """The command that erases what was simulated, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "telemetry", "erase", "--simulated"],
        cwd=ROOT,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
