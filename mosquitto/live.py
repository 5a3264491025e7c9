"""Changes in the broker that runs; one that does not reads access.db when it starts."""

import time
from collections.abc import Callable

from mosquitto.broker import find_running, reload
from mosquitto.control import BrokerStopped, Control, ControlError, UnknownToBroker
from mosquitto.names import BROKER_ADMIN
from telemetry.login import load_login
from telemetry.settings import Settings

_STARTING_S = 3.0


def told(settings: Settings, change: Callable[[Control], None]) -> None:
    """Makes the change in the running broker; one that lacks the client reads its file anew.

    Raises:
        ControlError: If a broker runs and does not take it.
        SecretError: If the administrator's login cannot be read.
    """
    try:
        live(settings, change)
    except UnknownToBroker:
        reload(settings)


def live(settings: Settings, change: Callable[[Control], None]) -> None:
    """Makes the change in the broker, unless none runs: it reads access.db when it starts.

    A broker that starts just now has read it already but does not listen yet: wait for it.

    Raises:
        ControlError: If a broker runs and does not take it.
        SecretError: If the administrator's login cannot be read.
    """
    deadline = time.monotonic() + _STARTING_S
    while (settings.run_dir / "broker.pid").exists() or find_running(settings):
        try:
            with Control(
                settings.mqtt_port, load_login(settings.secrets_dir / f"{BROKER_ADMIN}.json")
            ) as control:
                return change(control)
        except BrokerStopped:
            if time.monotonic() > deadline:
                return _check_stopped(settings)
            time.sleep(0.05)
    return None


def _check_stopped(settings: Settings) -> None:
    running = find_running(settings)
    if running is not None:
        raise ControlError(
            f"mosquitto runs as process {running.pid} and does not listen on port "
            f"{settings.mqtt_port}; try again, or restart it with: "
            ".venv/bin/python -m mosquitto run"
        )
