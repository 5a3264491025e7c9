"""How a process of Culex logs in to the broker: secret files with mode 0600."""

import json
import secrets
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from telemetry.existing import ExistingBroker
from telemetry.fault import Fault
from telemetry.files import publish_file, publish_new

BROKER_PASSWORD = "broker-password"  # noqa: S105  # its name
"""The secret file with our password at an existing broker."""

_SESSION = "broker-session"
_INIT = "run: .venv/bin/python -m mosquitto init"


class SecretError(Fault):
    """A secret that is missing, broken or readable by others; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    """Username, password and client identifier of one MQTT client."""

    username: str
    password: str
    client_id: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r})"


def save_login(path: Path, login: Login) -> None:
    """Keeps the login at `path`, readable by its owner alone."""
    publish_file(path, json.dumps(asdict(login)).encode(), mode=0o600)


def load_login(path: Path) -> Login:
    """The login kept at `path`.

    Raises:
        SecretError: If it is missing, broken, or readable by others.
    """
    content = read_secret(path)
    try:
        return Login(**json.loads(content))
    except (ValueError, TypeError):
        raise SecretError(f"{path} is broken; remove it and {_INIT}") from None


def load_existing_login(folder: Path, broker: ExistingBroker) -> Login:
    """Our login at an existing broker, from the folder of secrets.

    The client identifier is made once and kept there: it names our session. It has what every
    broker of MQTT 3.1.1 must take, with room for that of the watch beside it (3.1.3.1): up to 23
    letters and digits.

    Raises:
        SecretError: If the password is missing or readable by others, or the identifier broken.
    """
    path = folder / _SESSION
    if not path.exists():
        publish_new(path, f"culex{secrets.token_hex(6)}".encode(), mode=0o600)
    client_id = _text(path)
    if not client_id:
        raise SecretError(f"{path} is empty; remove it, and the broker gives us a new session")
    if not broker.username:
        return Login("", "", client_id)
    advice = f"write the password of {broker.username!r} at {broker.place} into it, mode 0600"
    return Login(broker.username, _text(folder / BROKER_PASSWORD, advice), client_id)


def _text(path: Path, advice: str = _INIT) -> str:
    try:
        return read_secret(path, advice).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretError(f"{path} is not UTF-8; write it anew") from None


def read_secret(path: Path, advice: str = _INIT) -> bytes:
    """The bytes of a secret file.

    Args:
        path: Where it is.
        advice: What to do if it is missing.

    Raises:
        SecretError: If it is missing or readable by others.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        raise SecretError(f"{path} is missing; {advice}") from None
    except OSError as error:
        raise SecretError(f"cannot read {path}: {error.strerror}; check its owner") from None
    if mode & 0o077:
        raise SecretError(f"{path} is readable by others; run: chmod 600 {path}")
    return content
