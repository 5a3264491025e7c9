"""deploy/run.py: prefixed output, one end for all, nothing left when the terminal is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60

# A process that says who it is and ends in order on TERM.
WAIT = (
    "import os, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    "print(os.getpid(), flush=True); signal.pause()"
)

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the runner with the Python programs given by name; nothing of it remains."""
    started: list[subprocess.Popen[str]] = []

    def run(broker_url: str = "", **programs: str) -> subprocess.Popen[str]:
        procfile = tmp_path / "Procfile"
        lines = [
            f"{name}: exec '{sys.executable}' -c '{program}'" for name, program in programs.items()
        ]
        procfile.write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.run", procfile],
            cwd=ROOT,
            env=os.environ | {"CULEX_BROKER_URL": broker_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.wait(DEADLINE_S)
        if process.stdout is not None:
            process.stdout.close()


def read_pids(process: subprocess.Popen[str], count: int) -> list[int]:
    """The process identifiers that the programs print, as soon as there are so many."""
    pids: list[int] = []
    assert process.stdout is not None
    for line in process.stdout:
        text = line.partition("| ")[2].strip()
        if text.isdigit():
            pids.append(int(text))
        if len(pids) == count:
            return pids
    pytest.fail("the runner ended too early")


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_signal_stops_all_and_ends_with_0(start: Start, number: signal.Signals) -> None:
    """Ctrl-C, TERM and a closed terminal stop every process in order."""
    process = start(a=WAIT, b=WAIT)
    pids = read_pids(process, 2)
    os.killpg(process.pid, number)
    assert process.wait(DEADLINE_S) == 0
    assert all(gone(pid) for pid in pids)


def test_run_reader_of_its_output_gone_stops_all(start: Start) -> None:
    """`make run | tee` with tee dead still stops every process."""
    process = start(a=WAIT, b=WAIT)
    pids = read_pids(process, 2)
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 0
    assert all(gone(pid) for pid in pids)


def test_run_process_fails_stops_all_and_says_its_last_line_again(start: Start) -> None:
    """A process that fails stops the run with its own status, and its sentence stands last."""
    process = start(a=WAIT, b='print("no port"); raise SystemExit(7)')
    output, _errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 7
    assert "a stopped" in output
    assert output.endswith("culex: b ended everything: no port\n")


def test_run_with_an_existing_broker_starts_none_and_no_fleet(start: Start) -> None:
    """What belongs to Culex's own broker stays away; the rest runs."""
    process = start("mqtts://broker.example", broker=WAIT, demo=WAIT, b='print("rest")')
    output, _errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "rest" in output
    assert "broker started" not in output
    assert "demo started" not in output
