"""Versions: of Culex and of what it runs on."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from telemetry.installed import find_program, version_of
from telemetry.version import VERSION

PACKAGES = (
    "dash", "plotly", "pandas", "numpy", "pyarrow", "dash-ag-grid", "dash-bootstrap-components",
    "Flask", "gunicorn", "paho-mqtt", "pydantic-settings", "duckdb",
)  # fmt: skip


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
    program = find_program()
    return version_of(program) if program else ""
