"""Which processes of Culex run."""

from collections.abc import Iterator

from telemetry.daemon import process_of
from telemetry.finding import Finding, Severity
from telemetry.settings import Settings

_ROOMS = {"broker": "mosquitto", "collector": "collector", "dashboard": "dashboard"}


def check_processes(settings: Settings) -> Iterator[Finding]:
    """Broker, collector and dashboard run; without the last one readings are stored too."""
    for name, room in _ROOMS.items():
        if name == "broker" and settings.existing_broker is not None:
            continue
        pid = process_of(settings, name, room)
        if pid is not None:
            yield Finding(name, Severity.OK, f"The {name} runs as process {pid}")
            continue
        severity = Severity.WARN if name == "dashboard" else Severity.FAIL
        remedy = f"start everything with make run, or it alone with .venv/bin/python -m {room} run"
        yield Finding(name, severity, f"The {name} does not run", remedy=remedy)
