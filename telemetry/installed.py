"""The Mosquitto that is installed: where it is, and which version."""

import re
import shutil
import subprocess
from pathlib import Path

_PATIENCE_S = 5.0
# Where Debian and Homebrew put the program; /usr/sbin is not in everybody's PATH.
_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin:/opt/homebrew/bin"
_VERSION = re.compile(r"version (\S+)")


def find_program() -> Path | None:
    """The program `mosquitto` that would be started, or None if there is none."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path=_FOLDERS)
    return Path(found) if found else None


def version_of(program: Path) -> str:
    """What it calls itself, such as 2.0.11; empty if it does not say."""
    try:
        said = subprocess.run(  # noqa: S603  # a program we found
            [program, "-h"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = _VERSION.search(said.stdout or said.stderr)
    return match[1] if match else ""
