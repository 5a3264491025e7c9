"""What must not leave the machine, and texts without it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from telemetry.settings import Settings

MASK = "[secret]"
_SHORTEST = 6
"""Shorter ones would hide half of every text."""

_PATTERNS = (
    re.compile(r"(?i)(bearer\s+)\S+"),
    re.compile(r"()\bculex_[A-Za-z0-9_-]{20,}"),  # tokens of the API
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),  # a login in an address
    re.compile(
        r"(?i)((?:password|passwd|secret|token|api_?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;}]+"
    ),
    re.compile(r"()(?:scrypt|pbkdf2):[^\s\"']+"),  # what is kept of a password
)


class Redactor:
    """Replaces every secret it knows, and whatever looks like one.

    Args:
        settings: Whose secrets: the initial password, and all that the secret files hold.
    """

    def __init__(self, settings: Settings) -> None:
        given = settings.admin_password
        known = {given.get_secret_value()} if given else set()
        for path in _files(settings.secrets_dir):
            known |= set(_held(path))
        self._known = sorted((one for one in known if len(one) >= _SHORTEST), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._known:
            text = text.replace(secret, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{MASK}", text)
        return text


def _files(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if one.is_file()]
    except OSError:
        return []


def _held(path: Path) -> Iterable[str]:
    """The secrets in a file: passwords of a login, or all of it, as text and as hexadecimal."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    yield content.hex()
    text = content.decode("utf-8", "replace").strip()
    yield text
    yield from (line for line in text.splitlines() if not line.startswith("-----"))
    try:
        yield from _passwords(json.loads(text))
    except ValueError:
        return


def _passwords(value: object) -> Iterable[str]:
    """What is called a password, wherever it stands."""
    match value:
        case dict():
            for key, inner in value.items():
                if key == "password" and isinstance(inner, str):
                    yield inner
                else:
                    yield from _passwords(inner)
        case list():
            for inner in value:
                yield from _passwords(inner)
