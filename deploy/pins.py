"""Writes the hashes of every pinned distribution into the requirements files.

Change a version there by hand, then run: .venv/bin/python deploy/pins.py
The hashes are those of all files that the package index has of the version, for every platform,
so one file serves all machines. uv reads them from the index without fetching the files.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, TOOLS = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.!+-]+)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

Hashes = Mapping[str, Sequence[str]]


def pins(text: str) -> dict[str, str]:
    """The pinned packages of a requirements file, by normalised name, as they are written."""
    found = (match for line in text.splitlines() if (match := _PIN.match(line)))
    return {canonicalize_name(match[1]): match[0] for match in found}


def hashed(text: str, hashes: Hashes) -> str:
    """The requirements file with those hashes below its pins, in place of any that it had."""
    return "".join(f"{line}\n" for line in _lines(text, hashes))


def _lines(text: str, hashes: Hashes) -> Iterator[str]:
    for line in text.splitlines():
        match = _PIN.match(line)
        if match:
            yield " \\\n    ".join([match[0], *hashes[canonicalize_name(match[1])]])
        elif not line.lstrip().startswith("--hash="):
            yield line


def resolve(wanted: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    """What those pins need on every system that pyproject.toml names, themselves included.

    Returns:
        By normalised name: the pin, and its hashes.
    """
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", "3.11"]
    done = subprocess.run(  # noqa: S603  # no shell, and nothing from outside
        [sys.executable, "-m", *command, "--generate-hashes", "--no-annotate", "--no-header", "-q"],
        input="\n".join(wanted.values()),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    entries = re.split(r"\n(?=\S)", done.stdout)
    return {
        name: (pin, _HASH.findall(entry)) for entry in entries for name, pin in pins(entry).items()
    }


def refresh() -> str:
    """Both files have the hashes of today; returns what is wrong with their pins, or nothing."""
    runtime = pins(RUNTIME.read_text("utf-8"))
    everything = runtime | pins(TOOLS.read_text("utf-8"))
    hashes: dict[str, list[str]] = {}
    for path, wanted in ((RUNTIME, runtime), (TOOLS, everything)):
        found = resolve(wanted)
        missing = [pin for name, (pin, _) in found.items() if name not in wanted]
        if missing:
            return f"{path.name} lacks what its pins need; add to it: {' '.join(missing)}"
        hashes |= {name: values for name, (_, values) in found.items()}
    for path in (RUNTIME, TOOLS):
        path.write_text(hashed(path.read_text("utf-8"), hashes), "utf-8")
    return ""


if __name__ == "__main__":
    sys.exit(refresh() or None)
