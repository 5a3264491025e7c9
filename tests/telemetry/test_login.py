"""Logins are kept where nobody else can read them."""

import stat
from pathlib import Path

import pytest

from telemetry.existing import parse_broker_url
from telemetry.login import (
    BROKER_PASSWORD,
    Login,
    SecretError,
    load_existing_login,
    load_login,
    read_secret,
    save_login,
)

LOGIN = Login("collector", "s3cret", "culex-collector")


def test_login_saved_and_loaded_is_the_same_and_readable_by_its_owner_alone(
    tmp_path: Path,
) -> None:
    """A login survives on disk with mode 0600."""
    path = tmp_path / "collector.json"
    save_login(path, LOGIN)
    assert load_login(path) == LOGIN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A secret that is none any more is not used; the sentence says how to mend it."""
    path = tmp_path / "collector.json"
    save_login(path, LOGIN)
    path.chmod(mode)
    with pytest.raises(SecretError, match="readable by others; run: chmod 600"):
        load_login(path)


def test_secret_that_is_missing_says_which_command_makes_it(tmp_path: Path) -> None:
    """No file, no guess: the sentence names the command."""
    with pytest.raises(SecretError, match=r"is missing; run: .venv/bin/python -m mosquitto init"):
        read_secret(tmp_path / "none")


def test_secret_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Whatever the system says about the file is in the sentence."""
    with pytest.raises(SecretError, match=r"cannot read .* check its owner"):
        read_secret(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"username": "x"}', b"\xff"])
def test_login_that_is_broken_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A file cut short or of something else is named, with what to do."""
    path = tmp_path / "collector.json"
    save_login(path, LOGIN)
    path.write_bytes(content)
    with pytest.raises(SecretError, match="is broken; remove it"):
        load_login(path)


def test_login_shown_keeps_its_password_to_itself() -> None:
    """Logs and tracebacks show who, never the password."""
    assert "s3cret" not in f"{LOGIN} {LOGIN!r}"


def test_login_at_an_existing_broker_keeps_its_identifier(tmp_path: Path) -> None:
    """It is the same at each start, another one elsewhere, and what every broker must take."""
    broker = parse_broker_url("mqtts://broker.example")
    here, elsewhere = tmp_path / "a", tmp_path / "b"
    for folder in (here, elsewhere):
        folder.mkdir()
    one = load_existing_login(here, broker)
    assert (one.username, one.password) == ("", "")
    assert load_existing_login(here, broker) == one
    assert load_existing_login(elsewhere, broker).client_id != one.client_id
    watching = f"{one.client_id}watch"
    assert watching.isascii()
    assert watching.isalnum()
    assert len(watching) <= 23
    assert stat.S_IMODE((here / "broker-session").stat().st_mode) == 0o600


def test_login_at_an_existing_broker_has_the_password_of_the_file(tmp_path: Path) -> None:
    """Its last line end is not part of it; a missing one is told, with what to do."""
    broker = parse_broker_url("mqtts://culex@broker.example")
    with pytest.raises(SecretError, match=r"password of 'culex' at broker\.example:8883 "):
        load_existing_login(tmp_path, broker)
    path = tmp_path / BROKER_PASSWORD
    path.touch(mode=0o600)
    path.write_text(" p@ss wörd \n")
    login = load_existing_login(tmp_path, broker)
    assert (login.username, login.password) == ("culex", " p@ss wörd ")
    path.chmod(0o644)
    with pytest.raises(SecretError, match="readable by others; run: chmod 600"):
        load_existing_login(tmp_path, broker)
