"""Switching: old and new change places as a whole, whatever is there and whatever is not."""

from pathlib import Path

import pytest

from telemetry import switching
from telemetry.switching import finish_switch, incoming, switch

NAMES = ["store", "store-log", "keys", "certificate"]


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def arrive(folder: Path) -> None:
    """What is to come: a store, and keys."""
    place = incoming(folder)
    (place / "store").write_text("new")
    (place / "keys").mkdir()
    (place / "keys" / "a").write_text("new key")


def test_old_lies_aside_and_others_stay(tmp_path: Path) -> None:
    """What has no new one goes as well; what is not named is not touched."""
    for name in ("store", "store-log", "certificate", "README"):
        (tmp_path / name).write_text("old")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "b").write_text("old key")
    arrive(tmp_path)
    switch(tmp_path, NAMES, "aside")
    assert tree(tmp_path) == {
        "store": "new",
        "keys/a": "new key",
        "README": "old",
        "aside/store": "old",
        "aside/store-log": "old",
        "aside/certificate": "old",
        "aside/keys/b": "old key",
    }


def test_nothing_is_put_aside_where_nothing_was(tmp_path: Path) -> None:
    """An empty folder is nothing."""
    (tmp_path / "keys").mkdir()
    arrive(tmp_path)
    switch(tmp_path, NAMES, "aside")
    assert tree(tmp_path) == {"store": "new", "keys/a": "new key"}
    assert not (tmp_path / "aside").exists()


def test_what_an_earlier_try_left_does_not_come_along(tmp_path: Path) -> None:
    """Each begins with nothing."""
    (incoming(tmp_path) / "certificate").write_text("half")
    arrive(tmp_path)
    switch(tmp_path, NAMES, "aside")
    assert "certificate" not in tree(tmp_path)


@pytest.mark.parametrize("moves", range(5))
def test_switch_that_failed_half_way_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """However far it got; to finish what is finished changes nothing."""
    for name in ("store", "store-log"):
        (tmp_path / name).write_text("old")
    arrive(tmp_path)
    real, left = Path.rename, [None] * moves

    def rename(path: Path, target: Path) -> Path:
        if switching._INCOMING not in (path.parent.name, path.name):
            if not left:
                raise OSError(5, "Input/output error", str(path))
            left.pop()
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(OSError, match="Input/output"):
            switch(tmp_path, NAMES, "aside")
    for _ in range(2):
        finish_switch(tmp_path)
        assert tree(tmp_path) == {
            "store": "new",
            "keys/a": "new key",
            "aside/store": "old",
            "aside/store-log": "old",
        }
