"""Files appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from telemetry.files import FileRefused, claimed, publish_file, publish_new


def test_file_published_has_its_content_and_mode(tmp_path: Path) -> None:
    """The file holds the bytes, with exactly the mode asked for, whatever the umask."""
    before = os.umask(0o077)
    try:
        publish_file(tmp_path / "a", b"new", mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_file_published_again_replaces_content_and_mode(tmp_path: Path) -> None:
    """A second publication leaves nothing of the first."""
    publish_file(tmp_path / "a", b"a longer first", mode=0o644)
    publish_file(tmp_path / "a", b"second", mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"second"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_file_whose_writing_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A fault between write and rename leaves the old file and nothing beside it."""
    publish_file(tmp_path / "a", b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        publish_file(tmp_path / "a", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_file_whose_writer_died_before_the_rename_leaves_the_old_one(tmp_path: Path) -> None:
    """A process that ends between write and rename has changed nothing that readers see."""
    publish_file(tmp_path / "a", b"old")
    child = os.fork()
    if child == 0:
        os.fsync = lambda _descriptor: os._exit(9)  # type: ignore[assignment]  # dies right there
        publish_file(tmp_path / "a", b"new")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    assert (tmp_path / "a").read_bytes() == b"old"
    publish_file(tmp_path / "a", b"newer")
    assert (tmp_path / "a").read_bytes() == b"newer"


def test_file_behind_a_planted_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A symbolic link where the temporary sibling goes does not lead the content elsewhere."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    (tmp_path / ".a.1.tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        publish_file(tmp_path / "a", b"secret")
    assert not (tmp_path / "elsewhere").exists()


def test_file_published_new_stays_if_it_was_there(tmp_path: Path) -> None:
    """The first content wins, with its mode, and no sibling is left."""
    path = tmp_path / "key"
    publish_new(path, b"first", mode=0o600)
    publish_new(path, b"second")
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_claimed_name_is_its_owners_alone_until_the_file_is_there(tmp_path: Path) -> None:
    """Nobody else can take it meanwhile."""
    path = tmp_path / "a"
    with claimed(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(FileRefused, match="is there already"), claimed(path):
            pass
        publish_file(path, b"once", mode=0o600)
    assert path.read_bytes() == b"once"


def test_claim_is_of_all_names_or_none(tmp_path: Path) -> None:
    """And all are free again if what was to be written there cannot be had."""
    (tmp_path / "b").write_bytes(b"old")
    with (
        pytest.raises(FileRefused, match="b is there already"),
        claimed(tmp_path / "a", tmp_path / "b"),
    ):
        pass
    with pytest.raises(KeyboardInterrupt), claimed(tmp_path / "c"):
        raise KeyboardInterrupt
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("b", b"old")]
