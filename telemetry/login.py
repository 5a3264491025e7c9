"""How a process of Culex logs in to the broker: a secret file with mode 0600."""

import json
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from telemetry.fault import Fault
from telemetry.files import publish_file


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
        raise SecretError(
            f"{path} is broken; remove it and run: python -m mosquitto init"
        ) from None


def read_secret(path: Path) -> bytes:
    """The bytes of a secret file.

    Raises:
        SecretError: If it is missing or readable by others.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        raise SecretError(f"{path} is missing; run: python -m mosquitto init") from None
    except OSError as error:
        raise SecretError(f"cannot read {path}: {error.strerror}; check its owner") from None
    if mode & 0o077:
        raise SecretError(f"{path} is readable by others; run: chmod 600 {path}")
    return content
