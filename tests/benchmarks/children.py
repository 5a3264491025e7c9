"""Processes that a benchmark talks with by lines."""

import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from telemetry.settings import ROOT, Settings
from tests.support import environment

PATIENCE_S = 600.0


class Child:
    """`python -m <command>` with lines to and from it; use it in a `with` block."""

    def __init__(self, settings: Settings, *command: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)],
            cwd=ROOT,
            env=environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        self.wait_for("ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        with self._process:
            assert self._process.wait(PATIENCE_S) == 0 or kind is not None

    def go(self) -> None:
        """Lets it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def wait_for(self, word: str) -> list[float]:
        """The numbers on the line that begins with that word, when it comes."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(word):
                return [float(number) for number in line.split()[1:]]
        raise AssertionError(f"it ended without saying {word!r}")


def processor_s(pid: int) -> float:
    """Processor seconds of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def peak_mb(pid: int) -> float:
    """The most memory that a process has had (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1000
