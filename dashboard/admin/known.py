"""Who may look, as access.db has it, read again once that has changed."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dashboard.engine import Engine
from mosquitto.access_audit import Audited, audit_log
from mosquitto.access_file import FileState, state_of
from mosquitto.access_sessions import Session, Sessions
from mosquitto.access_tokens import Token, Tokens
from mosquitto.access_users import User, Users
from telemetry.clock import Clock
from telemetry.window import SECOND_US

_KEEP_US = 5 * SECOND_US
"""Sessions end by themselves, so what is kept is asked for again though nobody wrote."""

_LOG_READ = 1000
_ENGINES = 8
_STAMP_BYTES = 8


@dataclass(frozen=True, slots=True)
class Known:
    """Who may look at one moment.

    Attributes:
        users: All users, by name.
        tokens: All tokens, by name.
        sessions: All sessions that hold, the last used first.
        log: The newest changes, newest first.
    """

    users: Sequence[User]
    tokens: Sequence[Token]
    sessions: Sequence[Session]
    log: Sequence[Audited]

    def user(self, name: str) -> User | None:
        """The user of that name."""
        return next((one for one in self.users if one.name == name), None)

    def sessions_of(self, name: str) -> int:
        """How often that user is logged in."""
        return sum(one.user == name for one in self.sessions)


class Reader:
    """Reads access.db, but not again as long as nobody has written it.

    `state_of` tells.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[FileState, int, tuple[Known, str]] | None = None

    def newest(self) -> tuple[Known, str]:
        """Who may look now, and a stamp that differs when anything of it does.

        Raises:
            AccessError: If access.db cannot be read.
        """
        with self._lock:
            now_us, state = self._clock(), state_of(self._path)
            if self._kept is not None:
                kept_state, read_us, found = self._kept
                if kept_state == state and 0 <= now_us - read_us < _KEEP_US:
                    return found
            known = read(self._path, self._clock)
            found = known, _stamp(known)
            self._kept = state, now_us, found
            return found


@lru_cache(maxsize=_ENGINES)
def reader_of(engine: Engine) -> Reader:
    """The one that all ticks of a process share."""
    return Reader(engine.settings.access_path, engine.clock)


def read(path: Path, clock: Clock) -> Known:
    """Who may look now.

    Raises:
        AccessError: If access.db cannot be read.
    """
    return Known(
        Users(path).all(),
        Tokens(path).all(),
        Sessions(path, clock=clock).all(),
        audit_log(path, _LOG_READ),
    )


def _stamp(known: Known) -> str:
    """The same in all processes."""
    text = repr(known).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(text, digest_size=_STAMP_BYTES).hexdigest()
