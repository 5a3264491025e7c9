"""What becomes of Mosquitto's output: the log, or files for the collector."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mosquitto.output import Output
from telemetry.denials import MOST_FILES, take

DENIED = b"Denied PUBLISH from d (d0, q1, r0, m2, 'clients/x/t', ... (3 bytes))\n"


def read(output: bytes, folder: Path) -> list[str]:
    """What is logged of an output that ends."""
    reader, writer = os.pipe()
    os.write(writer, output)
    os.close(writer)
    with capture_logs() as logs:
        Output(reader, folder, lambda _wanted: None).read()
    os.close(reader)
    return [f"{line['log_level']} {line['event']}" for line in logs]


def test_lines_go_to_the_log_by_their_level(tmp_path: Path) -> None:
    """Errors and warnings are such, everything else is information."""
    output = b"Error: no\nWarning: odd\nClient d disconnected.\nSending PINGRESP to d\n"
    assert read(output, tmp_path) == [
        "error Error: no",
        "warning Warning: odd",
        "info Client d disconnected.",
    ]


def test_refused_publishes_go_to_the_collector(tmp_path: Path) -> None:
    """They are in the folder when the output has ended, and not in the log."""
    assert read(DENIED * 3, tmp_path / "denied") == []
    assert [(one.parts, one.times) for one in take(tmp_path / "denied")] == [
        (("d", "clients/x/t"), 3)
    ]


def test_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    """The output is read on, whatever becomes of refused publishes."""
    (tmp_path / "denied").write_text("a file")
    assert read(DENIED + b"Client d disconnected.\n", tmp_path / "denied") == [
        "info Client d disconnected.",
        "warning cannot hand on refused publishes",
    ]


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A folder that no collector empties."""
    for number in range(MOST_FILES):
        (tmp_path / f"{number:017d}.json").write_text("[]")
    return tmp_path


def test_full_folder_gets_no_more(full: Path) -> None:
    """A collector that is away for long does not fill the disk."""
    read(DENIED, full)
    assert len(list(full.iterdir())) == MOST_FILES
