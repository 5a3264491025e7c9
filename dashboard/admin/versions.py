"""Versions: of Culex and of what it runs on."""

import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import structlog

from mosquitto.configuration import BrokerMissing, find_mosquitto
from telemetry.version import VERSION

_LOG = structlog.get_logger(__name__)

PACKAGES = (
    "dash", "plotly", "pandas", "numpy", "pyarrow", "dash-ag-grid", "dash-bootstrap-components",
    "Flask", "gunicorn", "paho-mqtt", "pydantic-settings", "duckdb",
)  # fmt: skip
_ASKED_S = 5.0


@cache
def versions() -> dict[str, str]:
    """By name, as they were when this process first asked; what is not there is left out."""
    found = {"Culex": VERSION, "Python": platform.python_version(), "System": platform.platform()}
    found |= {"Mosquitto": _mosquitto()}
    return {name: text for name, text in (found | _packages()).items() if text}


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # DuckDB is for those who want it
            continue
    return found


def _mosquitto() -> str:
    """What the installed broker calls itself; another may be meant by the settings."""
    try:
        said = subprocess.run(  # noqa: S603  # its path is found by us
            [find_mosquitto(), "-h"], capture_output=True, text=True, timeout=_ASKED_S, check=False
        )
    except (BrokerMissing, OSError, subprocess.TimeoutExpired) as error:
        _LOG.info("the broker's version is unknown", error=str(error))
        return ""
    match = re.search(r"version (\S+)", said.stdout)
    return match[1] if match else ""
