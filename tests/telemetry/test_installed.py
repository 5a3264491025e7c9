"""Finding Mosquitto, and asking it for its version."""

from pathlib import Path

import pytest

from telemetry import installed
from telemetry.installed import find_program, version_of


def program(folder: Path, says: str) -> Path:
    """A program that says that, whatever it is asked."""
    path = folder / "mosquitto"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit 3\n")
    path.chmod(0o755)
    return path


def test_program_of_the_path_comes_before_the_usual_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those count for whoever has no /usr/sbin in theirs."""
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    monkeypatch.setattr(installed, "_FOLDERS", str(tmp_path))
    assert find_program() is None
    usual = program(tmp_path, "")
    assert find_program() == usual
    (tmp_path / "first").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "first"))
    first = program(tmp_path / "first", "")
    assert find_program() == first


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("mosquitto version 2.0.11", "2.0.11"),
        ("mosquitto version 2.1.0-rc1 (build)", "2.1.0-rc1"),
        ("no idea", ""),
    ],
)
def test_version_is_what_the_program_calls_itself(tmp_path: Path, says: str, version: str) -> None:
    """It says so among its options, and ends with a status of its own."""
    assert version_of(program(tmp_path, says)) == version


def test_program_that_cannot_be_run_has_no_version(tmp_path: Path) -> None:
    """Such as one that is gone by now."""
    assert not version_of(tmp_path / "mosquitto")
