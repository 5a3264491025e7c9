"""Notes of passwords that were changed and not told."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from mosquitto.access import AccessError
from mosquitto.control import ControlError
from mosquitto.untold import read_notes, untold
from telemetry.daemon import prepare_folders
from telemetry.settings import Settings


@pytest.fixture
def prepared(settings: Settings) -> Settings:
    """Settings whose folders are there."""
    prepare_folders(settings)
    return settings


def left(settings: Settings) -> list[Path]:
    """The notes, however new."""
    return list(settings.run_dir.glob("untold-*"))


def leave_note(settings: Settings) -> Path:
    """A note of long ago: the broker did not take the password."""
    with suppress(ControlError), untold(settings):
        raise ControlError("the broker did not answer")
    (note,) = left(settings)
    os.utime(note, (0, 0))
    return note


def test_note_is_there_in_the_block_alone(prepared: Settings) -> None:
    """Whatever ends the process in between leaves it."""
    with untold(prepared):
        assert len(left(prepared)) == 1
        assert read_notes(prepared) == []  # it is being told just now
    assert left(prepared) == []


def test_note_of_a_password_that_was_not_told_stays(prepared: Settings) -> None:
    """However often it is read."""
    note = leave_note(prepared)
    assert read_notes(prepared) == [note]
    assert read_notes(prepared) == [note]


def test_change_that_access_db_refused_leaves_no_note(prepared: Settings) -> None:
    """The broker has the password that counts, and need not start anew."""
    with pytest.raises(AccessError), untold(prepared):
        raise AccessError("there is no client tank")
    assert left(prepared) == []


def test_note_that_vanishes_while_it_is_looked_at_is_none(
    prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password was told between the list and the look."""
    note = leave_note(prepared)
    list_folder = Path.glob

    def vanishing(folder: Path, pattern: str) -> list[Path]:
        found = list(list_folder(folder, pattern))
        note.unlink()
        return found

    monkeypatch.setattr(Path, "glob", vanishing)
    assert read_notes(prepared) == []
