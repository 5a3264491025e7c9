"""deploy/keep: restarts what a signal killed, ends with what ended by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

KEEP = Path(__file__).resolve().parents[2] / "deploy" / "keep"
DEADLINE_S = 60

Start = Callable[[str], subprocess.Popen[str]]

# Says who it is, then waits; TERM ends it in order with status 0.
CHILD = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "print(os.getpid(), flush=True)\n"
    "while True: signal.pause()\n"
)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts keep with a Python program in a process group of its own; nothing of it remains."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [KEEP, sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_interrupt,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE_S)


def _heed_interrupt() -> None:
    """A background job is made to ignore INT, and a shell cannot trap what it ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def next_pid(process: subprocess.Popen[str]) -> int:
    """The process identifier the child says next; waits for it."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def alive(pid: int) -> bool:
    """Whether the process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_keep_child_killed_starts_it_again(start: Start) -> None:
    """A child killed with signal 9 is started again as a new process."""
    process = start(CHILD)
    first = next_pid(process)
    os.kill(first, signal.SIGKILL)
    assert next_pid(process) != first
    assert process.poll() is None


@pytest.mark.parametrize("status", [0, 1, 2])
def test_keep_child_ends_by_itself_ends_with_its_status(start: Start, status: int) -> None:
    """An exit of the child's own is final, and its status is keep's."""
    assert start(f"raise SystemExit({status})").wait(DEADLINE_S) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_keep_signal_to_itself_stops_the_child(start: Start, number: signal.Signals) -> None:
    """TERM or INT to keep alone stops the child in order and is waited for."""
    process = start(CHILD)
    child = next_pid(process)
    process.send_signal(number)
    assert process.wait(DEADLINE_S) == 0
    assert not alive(child)


def test_keep_signal_to_group_stops_the_child(start: Start) -> None:
    """TERM to the whole group, as the process runner sends it, leaves no process.

    The child may hear it twice, the second time when it is past its own handler.
    """
    process = start(CHILD)
    child = next_pid(process)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(DEADLINE_S) in {0, 128 + signal.SIGTERM}
    assert not alive(child)


def test_keep_stopped_between_two_starts_does_not_start_again(start: Start) -> None:
    """TERM while keep waits to start the child again ends it without a new child."""
    process = start(CHILD)
    os.kill(next_pid(process), signal.SIGKILL)
    process.send_signal(signal.SIGTERM)
    process.wait(DEADLINE_S)
    assert process.stdout is not None
    assert process.stdout.read() == ""


def test_keep_without_a_command_is_wrong_usage() -> None:
    """Nothing to run ends with 2 and a sentence."""
    done = subprocess.run([KEEP], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "keep: name the command to run\n"
