"""access.db: who is logged in, and how often somebody tried in vain."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from mosquitto.access_audit import ITSELF, Actor
from mosquitto.access_change import Changing
from mosquitto.access_file import (
    AccessError,
    ChangedMeanwhile,
    Database,
    FileState,
    Row,
    opened,
    reading,
    state_of,
    transaction,
)
from mosquitto.access_users import User, user_of
from telemetry.clock import Clock, now_us
from telemetry.window import MINUTE_US, SECOND_US

IDLE_US = 8 * 60 * MINUTE_US
LIFE_US = 24 * 60 * MINUTE_US
"""A session ends so long after it was last used, and so long after its login."""

ATTEMPTS_US = 15 * MINUTE_US
_USED_US = 5 * MINUTE_US  # how exactly the last use is known: not every tick writes
_PUT_S = 0.2  # to wait for another process; a later request writes it
_AGENT_LENGTH = 200
_HELD = 1000  # more than people look at one machine
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """A login that holds.

    Attributes:
        digest: SHA-256 of what the cookie holds.
        user: Whose it is.
        begun_us: When it began.
        used_us: When it was last used, to five minutes.
        address: From where it began.
        agent: The browser, as it called itself.
    """

    digest: bytes
    user: str
    begun_us: int
    used_us: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A session that was found, and the state that access.db had before it was read."""

    state: FileState
    user: User
    begun_us: int
    used_us: int

    def holds(self, state: FileState, now_us: int) -> bool:
        """Whether reading again would find the same, and there is no use to be written."""
        return (
            self.state == state
            and self.begun_us <= now_us < self.begun_us + LIFE_US
            and self.used_us <= now_us <= self.used_us + _USED_US
        )


class Sessions(Changing):
    """The sessions in access.db.

    Whose they are is read again once the file has changed, by whatever process: every request asks.
    """

    def __init__(self, path: Path, by: Actor = ITSELF, clock: Clock = now_us) -> None:
        super().__init__(path, by, clock)
        self._told = False  # that their last use cannot be written
        self._held: dict[bytes, _Held] = {}

    def begin(self, known: User, address: str, agent: str) -> str:
        """What the cookie of a new session holds: 256 random bits, kept nowhere else.

        Raises:
            ChangedMeanwhile: If the user is not any more what was known when the password was
                asked.
        """
        secret, user = secrets.token_urlsafe(32), known.name
        with self._changing() as change:
            now_us, now = change.now_us, user_of(change.database, user)
            same = now is not None and now.enabled and _login(now) == _login(known)
            if not same:
                raise ChangedMeanwhile(f"user {user} was changed meanwhile; log in again")
            _drop_old(change.database, now_us)
            begun = (digest_of(secret), user, now_us, now_us, address, agent[:_AGENT_LENGTH])
            change.database.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", begun)
            change.note("login", user, address=address)
        return secret

    def user(self, secret: str) -> User | None:
        """Whose session that is; nobody's if it is over, or the user may not log in any more."""
        digest, now_us, state = digest_of(secret), self._clock(), state_of(self._path)
        settled = state.is_settled()  # before the file is read: that may take any time
        held = self._held.get(digest)
        if held is not None and held.holds(state, now_us):
            return held.user
        self._held.pop(digest, None)
        with reading(self._path) as database:
            row = database.execute(
                "SELECT * FROM session WHERE digest = ? AND begun_us > ? AND used_us > ?",
                (digest, now_us - LIFE_US, now_us - IDLE_US),
            ).fetchone()
            user = user_of(database, row["user"]) if row else None
            if user is None or not user.enabled:
                return None
            (journal,) = database.execute("PRAGMA journal_mode").fetchone()
        if now_us - row["used_us"] > _USED_US:
            self._put_use(digest, now_us)
        elif settled and journal == "delete":
            self._hold(digest, _Held(state, user, row["begun_us"], row["used_us"]))
        return user

    def _hold(self, digest: bytes, held: _Held) -> None:
        if len(self._held) >= _HELD:
            self._held.clear()
        self._held[digest] = held

    def _put_use(self, digest: bytes, now_us: int) -> None:
        """The session was used now; if that cannot be written, people look all the same."""
        try:
            with opened(self._path, _PUT_S) as database:
                database.execute(
                    "UPDATE session SET used_us = ? WHERE digest = ?", (now_us, digest)
                )
        except AccessError as error:
            if not self._told:
                _LOG.warning("last use of sessions is not written", error=str(error))
            self._told = True
        else:
            self._told = False

    def all(self) -> list[Session]:
        """All sessions that hold, the last used first."""
        now_us = self._clock()
        with opened(self._path) as database:
            rows = database.execute(
                "SELECT * FROM session WHERE begun_us > ? AND used_us > ?"
                " ORDER BY used_us DESC, digest",
                (now_us - LIFE_US, now_us - IDLE_US),
            ).fetchall()
        return [_session(row) for row in rows]

    def end(self, digest: bytes, why: str = "logout") -> None:
        """That session is over, if it was not."""
        with self._changing() as change:
            row = change.database.execute(
                "SELECT user FROM session WHERE digest = ?", (digest,)
            ).fetchone()
            if row:
                change.database.execute("DELETE FROM session WHERE digest = ?", (digest,))
                change.note(why, row["user"])

    def end_all(self, user: str) -> int:
        """All sessions of a user are over; returns how many there were."""
        with self._changing() as change:
            found = change.database.execute("DELETE FROM session WHERE user = ?", (user,))
            change.note("sessions ended", user, sessions=str(found.rowcount))
            return found.rowcount

    def attempt(self, most: Mapping[str, int]) -> int:
        """Somebody tries to log in; how long it has to wait first, in seconds, or 0.

        The attempt counts at once, so that many at the same moment cannot slip through, until
        `succeeded` takes it back.

        Args:
            most: How many attempts within 15 minutes each key may have.
        """
        now_us = self._clock()
        with transaction(self._path) as database:
            _drop_attempts(database, now_us)
            wait_us = max(_wait_us(database, key, limit, now_us) for key, limit in most.items())
            if not wait_us:
                database.executemany(
                    "INSERT INTO attempt VALUES (?, ?)", [(key, now_us) for key in most]
                )
        return -(-wait_us // SECOND_US)

    def succeeded(self, key: str, shared: str) -> None:
        """Whoever tried with that key is let in: its attempts do not count any more.

        Of the key that it shares with others, the last one alone does not.
        """
        with transaction(self._path) as database:
            database.execute("DELETE FROM attempt WHERE key = ?", (key,))
            database.execute(
                "DELETE FROM attempt WHERE rowid = (SELECT max(rowid) FROM attempt WHERE key = ?)",
                (shared,),
            )


def _login(user: User) -> tuple[object, ...]:
    """What a session rests on."""
    return user.password_hash, user.created_us, user.credential_us


def digest_of(secret: str) -> bytes:
    """What is kept of a session's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _wait_us(database: Database, key: str, limit: int, now_us: int) -> int:
    """Until the oldest of the last `limit` attempts is 15 minutes old."""
    row = database.execute(
        "SELECT time_us FROM attempt WHERE key = ? ORDER BY time_us DESC LIMIT 1 OFFSET ?",
        (key, limit - 1),
    ).fetchone()
    return max(0, int(row["time_us"]) + ATTEMPTS_US - now_us) if row else 0


def _drop_attempts(database: Database, now_us: int) -> None:
    """Also those of a future that a clock had by mistake."""
    database.execute(
        "DELETE FROM attempt WHERE time_us <= ? OR time_us > ?",
        (now_us - ATTEMPTS_US, now_us + ATTEMPTS_US),
    )


def _drop_old(database: Database, now_us: int) -> None:
    database.execute(
        "DELETE FROM session WHERE begun_us <= ? OR used_us <= ?",
        (now_us - LIFE_US, now_us - IDLE_US),
    )


def _session(row: Row) -> Session:
    return Session(**dict(row))
