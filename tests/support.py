"""What tests share: free ports, processes that end with the test, waiting with a deadline."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from telemetry.settings import ROOT, Settings
from telemetry.tls_settings import ClientCertificates

STOP_S = 60.0
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OURS = range(10_000 + _WORKER, 32_000, _WORKERS)
_PORTS = iter(random.sample(_OURS, len(_OURS)))
_TICK = threading.Event()  # never set: waiting on it passes time without a busy loop


def free_port() -> int:
    """A TCP port that nobody listens on and this function has not given before.

    Workers of one run share the ports out among them. All lie below the range from which the
    kernel takes ports for outgoing connections: one of those would be in the way of a listener.
    """
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("no free port left")


def make_settings(folder: Path, **changes: object) -> Settings:
    """Settings on an own data folder and free ports, without the simulated fleet.

    Nothing is ever over, for what tests measure is of fixed times, and machines may be full.
    """
    chosen: dict[str, object] = {
        "data_dir": folder / "data",
        "demo": "off",
        "reserve_mb": 0,
        "keep_readings": "forever",
        "keep_minutes": "forever",
        "low_disk_mb": 0,
        "http_port": free_port(),
        "mqtt_port": free_port(),
        "mqtt_tls_port": free_port(),
        "mqtt_ws_port": free_port(),
    }
    return Settings(**(chosen | changes))  # type: ignore[arg-type]  # pydantic converts them


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which every process of Culex reads these settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CULEX_")}
    given = settings.model_dump(mode="json", include=settings.model_fields_set)
    if settings.admin_password is not None:
        given["admin_password"] = settings.admin_password.get_secret_value()
    texts = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()
    }
    return kept | {f"CULEX_{key.upper()}": text for key, text in texts.items()}


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Returns as soon as the condition holds; fails the test if it does not in time."""
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            raise AssertionError(f"not within {seconds} s: {condition}")
        _TICK.wait(0.02)


def accepts(port: int) -> bool:
    """Whether somebody listens on that port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A command of Culex as a real process; its output goes to `output_path`."""

    def __init__(self, settings: Settings, *command: str) -> None:
        self.settings = settings
        self.command = command
        settings.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.output_path = settings.data_dir.parent / f"{command[0]}.out"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process identifier."""
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def output(self) -> str:
        """What it has printed so far, errors included, over all its starts."""
        return self.output_path.read_text(encoding="utf-8", errors="replace")

    def start(self) -> "Process":
        """Starts `python -m <command>`."""
        with self.output_path.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and returns the exit status; a process that hangs is killed."""
        if self._child is None:
            return 0
        if self.running:
            self._child.send_signal(number)
        try:
            return self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"{self.command} did not stop:\n{self.output}") from None

    def wait(self, seconds: float = STOP_S) -> int:
        """The exit status, once it has ended by itself."""
        assert self._child is not None, "not started"
        return self._child.wait(seconds)


def culex(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m <command>` to its end, with output and errors captured."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def start_broker(settings: Settings) -> Process:
    """A broker that accepts connections on all its ports; `init` has run before."""
    broker = Process(settings, "mosquitto", "run").start()
    ports = [settings.mqtt_port, settings.mqtt_tls_port]
    if settings.client_certificates is ClientCertificates.OFF:
        ports.append(settings.mqtt_ws_port)
    try:
        wait_until(lambda: not broker.running or all(map(accepts, ports)))
        assert broker.running, broker.output
    except AssertionError:
        broker.stop()
        raise
    return broker
