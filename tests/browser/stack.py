"""Broker, collector and dashboard as real processes on free ports, with clients that speak."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mosquitto.broker import end_orphan
from mosquitto.provision import Permit, add_client, initialise
from telemetry.batch import Batch
from telemetry.clock import now_us
from telemetry.interface import StoreError
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender, open_querier
from telemetry.window import LATEST_US, Window
from tests.browser import greenhouse
from tests.support import Process, accepts, make_settings, start_broker, wait_until

PASSWORD = "a-password-for-tests"  # noqa: S105  # opens nothing but the test's own dashboard
REFRESH_MS = 300
PROBE = "probe"
HOSTILE = Series("a/b #1 <b>", "t <img src=x onerror=alert(1)>")
HOSTILE_UNIT = "<u>%{y}"
ATTIC = Series("attic", "temperature")


class Stack:
    """Everything `make run` starts but the simulated fleet.

    Attributes:
        settings: Its data folder and ports.
        broker: The broker's process.
        collector: The collector's process.
        dashboard: The dashboard's process.
    """

    def __init__(self, folder: Path, **changes: object) -> None:
        self.settings = stack_settings(folder, **changes)
        initialise(self.settings)
        self._began_s = now_us() // 2_000_000 * 2
        fill(self.settings, self._began_s)
        self.broker = start_broker(self.settings)
        self.collector = Process(self.settings, "collector", "run")
        self.dashboard = Process(self.settings, "dashboard", "run")
        self.probe = add_client(self.settings, PROBE, Permit(bound=False))
        login = add_client(self.settings, greenhouse.NAME)
        self._greenhouse = greenhouse.Greenhouse(self.settings, login, self._began_s)

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        return url_of(self.settings)

    def start(self) -> None:
        """Starts what is not running, and returns when it can be used."""
        self.start_collector()
        self.start_dashboard()
        self._greenhouse.start()

    def start_collector(self) -> None:
        """Starts the collector and waits for its broker link."""
        before_us = now_us()
        self.collector.start()
        wait_until(lambda: (broker_since_us(self.settings) or 0) > before_us)

    def start_dashboard(self) -> None:
        """Starts the dashboard and waits until it answers."""
        start_dashboard(self.dashboard)

    def stop(self) -> None:
        """Ends everything that runs."""
        self._greenhouse.stop()
        for process in (self.dashboard, self.collector, self.broker):
            process.stop()
        end_orphan(self.settings)

    def publish(self, metric: str, value: str) -> None:
        """Publishes as the probe does: `mosquitto_pub` over TLS, answered by the broker."""
        where = ["--cafile", str(self.settings.ca_file), "-h", "127.0.0.1"]
        login = ["-p", str(self.settings.mqtt_tls_port), "-i", PROBE, "-u", PROBE]
        password = ["-P", self.probe.password]
        message = ["-q", "1", "-t", f"clients/{PROBE}/{metric}", "-m", value]
        subprocess.run(
            ["mosquitto_pub", *where, *login, *password, *message], check=True, timeout=60
        )


def stack_settings(folder: Path, **changes: object) -> Settings:
    """Settings on own ports, with a known password and quick ticks."""
    return make_settings(folder, **{"admin_password": PASSWORD, "refresh_ms": REFRESH_MS} | changes)


def url_of(settings: Settings) -> str:
    """Where the dashboard of these settings is."""
    return f"http://127.0.0.1:{settings.http_port}"


def start_dashboard(dashboard: Process) -> None:
    """Starts a dashboard on a port that is free again, and waits until it answers."""
    port = dashboard.settings.http_port
    wait_until(lambda: not accepts(port))
    dashboard.start()
    wait_until(lambda: not dashboard.running or accepts(port))
    assert dashboard.running, dashboard.output


@contextmanager
def lone_dashboard(folder: Path) -> Iterator[Settings]:
    """A dashboard without broker, collector and store, for the length of a `with` block."""
    settings = stack_settings(folder)
    dashboard = Process(settings, "dashboard", "run")
    try:
        start_dashboard(dashboard)
        yield settings
    finally:
        dashboard.stop()


def fill(settings: Settings, until_s: int) -> None:
    """Gives the store a past: an hour of greenhouse, a hostile name, a client gone for hours."""
    hostile = [
        Reading(HOSTILE, (until_s - 300 + 5 * n) * 1_000_000, n % 7, unit=HOSTILE_UNIT)
        for n in range(60)
    ]
    gone = [
        Reading(ATTIC, (until_s - 3 * 3600 + n) * 1_000_000, 18 + n / 60, unit="°C")
        for n in range(0, 120, 10)
    ]
    appender = open_appender(settings.store_path)
    try:
        appender.append(Batch([*greenhouse.history(until_s), *hostile, *gone]))
    finally:
        appender.close()


def broker_since_us(settings: Settings) -> int | None:
    """Since when the collector's broker link is up, if it is."""
    try:
        with open_querier(settings.store_path).snapshot() as snapshot:
            writer = snapshot.writer()
    except StoreError:
        return None
    return writer.broker_since_us if writer.broker_up else None


def stored(settings: Settings, series: Series) -> list[tuple[int, float]]:
    """Time and value of every reading of a series, oldest first."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        frame = snapshot.read(series, Window(0, LATEST_US)).frame
    return list(zip(frame["time_us"].tolist(), frame["value"].tolist(), strict=True))
