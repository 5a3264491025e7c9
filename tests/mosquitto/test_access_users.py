"""access.db: users and what they may see, tokens, sessions, refused logins, and the audit log."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mosquitto import access_file, access_seen, access_sessions, access_tokens, access_users
from mosquitto.access import Access
from mosquitto.access_audit import ITSELF, Actor, audit_log
from mosquitto.access_change import Notes
from mosquitto.access_file import AccessError, FileState
from mosquitto.access_seen import Grant, GrantRefused, Holder, parse_grant
from mosquitto.access_sessions import (
    ATTEMPTS_US,
    IDLE_US,
    LIFE_US,
    Session,
    Sessions,
    digest_of,
)
from mosquitto.access_tokens import METRICS, Token, Tokens
from mosquitto.access_users import User, Users
from mosquitto.names import NameRefused

ANN = Actor("ann", "web")
CELLAR, TANK = Grant("tag", "cellar"), Grant("client", "tank")
SECOND_US, MINUTE_US = 1_000_000, 60_000_000


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_us = 1_000 * MINUTE_US

    def __call__(self) -> int:
        """The present, in microseconds since 1970 UTC."""
        return self.now_us


@pytest.fixture
def clock() -> Clock:
    """The present."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where access.db is."""
    return tmp_path / "access.db"


@pytest.fixture
def users(path: Path, clock: Clock) -> Users:
    """Users of whom one is an admin, changed by ann."""
    found = Users(path, ANN, clock)
    found.add("boss", "hash", "admin")
    return found


def known(users: Users, name: str) -> User:
    """The user of that name, as it is now."""
    found = users.named(name)
    assert found is not None
    return found


def test_login_that_was_under_way_when_the_user_changed_begins_nothing(
    users: Users, path: Path, clock: Clock
) -> None:
    """The password was compared before it was changed, or its user was removed and added anew."""
    sessions = Sessions(path, clock=clock)
    users.add("eve", "hash")
    for change in (
        lambda: users.set_password("eve", "other"),
        lambda: users.set_enabled("eve", enabled=False),
        lambda: (users.remove("eve"), users.add("eve", "other", "admin")),
    ):
        before = known(users, "eve")
        clock.now_us += 1
        change()
        with pytest.raises(AccessError, match="changed meanwhile"):
            sessions.begin(before, "", "")
    assert sessions.all() == []


def test_user_is_found_with_role_and_grants(users: Users, clock: Clock) -> None:
    """A user is kept once, and its role, grants and password can be changed."""
    users.add("eve", "hash", seen=[TANK, CELLAR])
    kept = User(
        name="eve",
        password_hash="hash",  # noqa: S106  # no password
        role="viewer",
        created_us=clock.now_us,
        created_by="ann",
        credential_us=clock.now_us,
        seen=(TANK, CELLAR),
    )
    assert users.named("eve") == kept
    assert [user.name for user in users.all()] == ["boss", "eve"]
    with pytest.raises(AccessError, match="exists already"):
        users.add("eve", "other")
    users.set_role("eve", "operator", [])
    clock.now_us += 1
    users.set_password("eve", "other")
    changed = users.named("eve")
    assert changed is not None
    assert (changed.role, changed.seen, changed.password_hash) == ("operator", (), "other")
    assert changed.credential_us == clock.now_us
    users.remove("eve")
    assert users.named("eve") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda users: users.set_role("boss", "operator", ()),
        lambda users: users.set_enabled("boss", enabled=False),
        lambda users: users.remove("boss"),
    ],
)
def test_last_admin_stays_one(users: Users, change: Callable[[Users], None]) -> None:
    """Whatever would leave nobody to change users is refused, and changes nothing."""
    users.add("eve", "hash", "operator")
    before = users.all()
    with pytest.raises(AccessError, match="last admin"):
        change(users)
    assert users.all() == before
    users.set_role("eve", "admin", ())
    change(users)


def test_admin_sees_all(users: Users) -> None:
    """An admin who sees some clients alone could not do its work."""
    with pytest.raises(AccessError, match="an admin sees all"):
        users.add("eve", "hash", "admin", [TANK])
    assert users.named("eve") is None


@pytest.mark.parametrize("role", ["", "root", "Admin", "reader", "admin\n"])
def test_role_that_is_none_is_given_to_nobody(users: Users, role: str) -> None:
    """One sentence names the roles that there are, and nothing is changed."""
    users.add("eve", "hash", "operator", [TANK])
    before = users.all()
    for change in (
        lambda: users.set_role("eve", role, ()),
        lambda: users.add("bob", "hash", role),
    ):
        with pytest.raises(AccessError, match="no role of users; use viewer, operator, admin"):
            change()
    assert users.all() == before


@pytest.mark.parametrize("name", ["", " eve", "e\nve", "x" * 65, "e\u202eve"])
def test_name_that_cannot_be_read_is_refused(users: Users, name: str) -> None:
    """A name is typed again at the login."""
    with pytest.raises(NameRefused):
        users.add(name, "hash")


def test_unknown_user_is_named(users: Users) -> None:
    """No change makes a user up."""
    for change in (
        lambda: users.set_password("eve", "hash"),
        lambda: users.set_role("eve", "viewer", ()),
        lambda: users.set_enabled("eve", enabled=True),
        lambda: users.remove("eve"),
    ):
        with pytest.raises(AccessError, match="no user eve"):
            change()


def test_grants_are_written_as_they_are_read() -> None:
    """A client may have a colon in its name; what names no clients is refused."""
    for text in ("client:a:b", "tag:cellar"):
        assert str(parse_grant(text)) == text
    for text in ("tank", "client:", "role:admin", ""):
        with pytest.raises(GrantRefused):
            parse_grant(text)
    assert CELLAR.covers("x", ("roof", "cellar"))
    assert not CELLAR.covers("cellar", ())
    assert TANK.covers("tank", ())
    assert not TANK.covers("other", ("tank",))


def test_token_holds_until_it_ends(path: Path, clock: Clock) -> None:
    """A token is found by its digest alone, until it is over or removed."""
    tokens = Tokens(path, ANN, clock)
    tokens.add("script", b"digest", METRICS, clock.now_us + 10, [CELLAR])
    kept = Token("script", METRICS, clock.now_us, clock.now_us + 10, "ann", (CELLAR,))
    assert tokens.of_digest(b"digest") == kept
    assert tokens.of_digest(b"other") is None
    with pytest.raises(AccessError, match="exists already"):
        tokens.add("script", b"another")
    clock.now_us += 10
    assert tokens.of_digest(b"digest") is None
    assert tokens.all() == [kept]
    tokens.remove("script")
    assert tokens.all() == []
    with pytest.raises(AccessError, match="no token script"):
        tokens.remove("script")
    tokens.add("script", b"new")
    found = tokens.of_digest(b"new")
    assert found is not None
    assert (found.expires_us, found.seen) == (None, ())


def test_session_ends_when_it_rests_too_long(users: Users, path: Path, clock: Clock) -> None:
    """Eight hours without a request end it, and a day after its login at the latest."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "192.0.2.7", "browser")
    begun_us = clock.now_us
    while clock.now_us + IDLE_US - 1 < begun_us + LIFE_US:
        clock.now_us += IDLE_US - 1
        assert sessions.user(secret) == users.named("boss")
    clock.now_us = begun_us + LIFE_US
    assert sessions.user(secret) is None
    assert sessions.all() == []
    secret = sessions.begin(known(users, "boss"), "192.0.2.7", "browser")
    clock.now_us += IDLE_US
    assert sessions.user(secret) is None


def rest(path: Path, seconds: int = 60) -> None:
    """Nobody has written the file for so long."""
    written_ns = time.time_ns() - seconds * 1_000_000_000
    os.utime(path, ns=(written_ns, written_ns))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows by one whenever sessions read the file to know whose they are."""
    found: list[Path] = []

    def reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
        found.append(path)
        return access_file.reading(path)

    monkeypatch.setattr(access_sessions, "reading", reading)
    return found


def test_session_is_read_again_only_when_the_file_has_changed(
    users: Users, path: Path, clock: Clock, reads: list[Path]
) -> None:
    """Every request asks; what others change meanwhile, whatever it is, holds for the next one."""
    sessions, others = Sessions(path, clock=clock), Sessions(path, clock=clock)
    users.add("eve", "hash")
    secret, second = (others.begin(known(users, "eve"), "", "") for _ in range(2))

    def role_and_grants(of: str) -> tuple[str, list[Grant]] | None:
        rest(path)
        reads.clear()
        found = [sessions.user(of) for _ in range(5)]
        assert all(one == found[0] for one in found)
        assert len(reads) == (1 if found[0] else 5), "who is let in is held, and nobody else"
        return (found[0].role, list(found[0].seen)) if found[0] else None

    assert role_and_grants(secret) == ("viewer", [])
    users.set_role("eve", "operator", [])
    assert role_and_grants(secret) == ("operator", [])
    users.set_role("eve", "operator", [TANK])
    assert role_and_grants(secret) == ("operator", [TANK])
    others.end(digest_of(secret))
    assert role_and_grants(secret) is None
    assert role_and_grants(second) == ("operator", [TANK])
    users.set_enabled("eve", enabled=False)
    assert role_and_grants(second) is None


def test_session_that_ended_after_it_was_read_is_not_held(
    users: Users, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process was quicker than we are with what we read."""
    sessions, others = Sessions(path, clock=clock), Sessions(path, clock=clock)
    secret = others.begin(known(users, "boss"), "", "")

    @contextmanager
    def reading(path: Path) -> Iterator[sqlite3.Connection]:
        with access_file.reading(path) as database:
            yield database
        others.end(digest_of(secret))
        rest(path, 50)

    rest(path)
    with monkeypatch.context() as patch:
        patch.setattr(access_sessions, "reading", reading)
        assert sessions.user(secret) is not None
    assert sessions.user(secret) is None


def test_session_that_ended_is_not_let_in_by_an_old_time_of_the_file(
    users: Users, path: Path, clock: Clock
) -> None:
    """Tools for backups put times back; when it was changed nobody can."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "", "")
    rest(path)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    assert sessions.user(secret) is not None
    sessions.end(digest_of(secret))
    os.utime(path, ns=times)
    assert sessions.user(secret) is None


def test_session_is_not_held_while_a_coarse_clock_could_hide_a_change(
    users: Users, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems have times of two seconds: the file may change and look as before."""
    sessions, others = Sessions(path, clock=clock), Sessions(path, clock=clock)
    secret = others.begin(known(users, "boss"), "", "")
    same = FileState(time.time_ns() - 2_000_000_000, 1, 1, 1)
    monkeypatch.setattr(access_sessions, "state_of", lambda _: same)
    assert sessions.user(secret) is not None
    others.end(digest_of(secret))
    assert sessions.user(secret) is None


def test_session_is_not_held_of_a_file_in_wal_mode(users: Users, path: Path, clock: Clock) -> None:
    """Whoever brought it there: its commits go to another file."""
    sessions, others = Sessions(path, clock=clock), Sessions(path, clock=clock)
    secret = others.begin(known(users, "boss"), "", "")
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        assert tool.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        tool.execute("BEGIN")
        assert tool.execute("SELECT count(*) FROM user").fetchone() == (1,)
        rest(path)
        state = access_file.state_of(path)
        assert sessions.user(secret) is not None
        others.end(digest_of(secret))
        assert access_file.state_of(path) == state
        assert sessions.user(secret) is None


def test_sessions_that_are_held_are_not_many(
    users: Users, path: Path, clock: Clock, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for all who look; beyond that they are read again."""
    monkeypatch.setattr(access_sessions, "_HELD", 2)
    sessions = Sessions(path, clock=clock)
    secrets = [sessions.begin(known(users, "boss"), "", "") for _ in range(3)]
    rest(path)
    for number, secret in enumerate((*secrets, secrets[2], secrets[0], secrets[2])):
        assert sessions.user(secret) is not None
        assert len(reads) == (1, 2, 3, 3, 4, 4)[number]


def test_session_that_is_held_ends_in_time(
    users: Users, path: Path, clock: Clock, reads: list[Path]
) -> None:
    """Its use is written every five minutes as before, and a day after its login it is over."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "", "")
    end_us, step_us, rounds = clock.now_us + LIFE_US, 70 * SECOND_US, 0
    state = None
    while clock.now_us < end_us:
        if access_file.state_of(path) != state:
            rest(path)
            state = access_file.state_of(path)
        assert sessions.user(secret) is not None
        (session,) = sessions.all()
        assert clock.now_us - session.used_us <= 5 * MINUTE_US
        clock.now_us += step_us
        rounds += 1
    assert len(reads) < rounds / 2
    clock.now_us = end_us
    assert access_file.state_of(path) == state, "it is held"
    assert sessions.user(secret) is None


def test_session_that_is_held_ends_with_the_file(users: Users, path: Path, clock: Clock) -> None:
    """Who removes access.db shuts everybody out, at once."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "", "")
    rest(path)
    assert sessions.user(secret) is not None
    path.unlink()
    assert sessions.user(secret) is None


@pytest.mark.parametrize("kind", ["session", "user", "users", "token", "tokens"])
def test_grants_are_those_of_the_moment_at_which_the_user_was_found(
    users: Users, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Who is removed in between would have none, which means that it may see everything."""
    users.add("eve", "hash", seen=[TANK])
    tokens, sessions = Tokens(path, clock=clock), Sessions(path, clock=clock)
    tokens.add("script", b"digest", seen=[TANK])
    secret = sessions.begin(known(users, "eve"), "", "")
    tried: list[str] = []

    def grants_of(database: sqlite3.Connection, holder: Holder, name: str) -> Sequence[Grant]:
        with (
            closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
            suppress(sqlite3.OperationalError),  # it has to wait
        ):
            tried.append(name)
            other.execute("DELETE FROM seen")
        return access_seen.grants_of(database, holder, name)

    monkeypatch.setattr(access_users, "grants_of", grants_of)
    monkeypatch.setattr(access_tokens, "grants_of", grants_of)
    ask: Callable[[], User | Token | None] = {
        "session": lambda: sessions.user(secret),
        "user": lambda: users.named("eve"),
        "users": lambda: users.all()[-1],
        "token": lambda: tokens.of_digest(b"digest"),
        "tokens": lambda: tokens.all()[-1],
    }[kind]
    found = ask()
    assert tried
    assert found is not None
    assert found.seen == (TANK,)


def test_session_holds_while_its_last_use_cannot_be_written(
    users: Users, path: Path, clock: Clock
) -> None:
    """Another process changes the file for long: it is told once, and nobody has to wait for it."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "192.0.2.7", "browser")
    begun_us = clock.now_us
    with closing(sqlite3.connect(path)) as other, capture_logs() as lines:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            clock.now_us += 6 * MINUTE_US
            assert sessions.user(secret) == users.named("boss")
        assert [one.used_us for one in sessions.all()] == [begun_us]
    (told,) = lines
    assert told["error"].endswith("is locked; another process is changing it, try again")
    assert sessions.user(secret) == users.named("boss")
    assert [one.used_us for one in sessions.all()] == [clock.now_us]


def test_session_is_kept_without_its_secret(users: Users, path: Path, clock: Clock) -> None:
    """What the cookie holds is nowhere in the file."""
    sessions = Sessions(path, clock=clock)
    secret = sessions.begin(known(users, "boss"), "192.0.2.7", "a browser")
    kept = Session(digest_of(secret), "boss", clock.now_us, clock.now_us, "192.0.2.7", "a browser")
    assert sessions.all() == [kept]
    assert secret.encode() not in path.read_bytes()


def test_sessions_are_revoked_by_the_server(users: Users, path: Path, clock: Clock) -> None:
    """One, all of a user's, or all but one, when a password is changed; and of who is gone."""
    sessions = Sessions(path, clock=clock)
    users.add("eve", "hash")

    def begun() -> list[str]:
        return [sessions.begin(known(users, "eve"), "", "") for _ in range(3)]

    one, two, three = begun()
    sessions.end(digest_of(one))
    assert [sessions.user(each) is None for each in (one, two, three)] == [True, False, False]
    users.set_password("eve", "new", keep_session=digest_of(three))
    assert sessions.user(two) is None
    assert sessions.user(three) is not None
    assert sessions.end_all("eve") == 1
    assert sessions.user(three) is None
    (one, *_) = begun()
    users.set_enabled("eve", enabled=False)
    users.set_enabled("eve", enabled=True)
    assert sessions.user(one) is None
    (one, *_) = begun()
    users.remove("eve")
    users.add("eve", "hash")
    assert sessions.user(one) is None


def test_attempts_are_limited_and_forgotten(path: Path, clock: Clock) -> None:
    """Each key has so many within a quarter of an hour; the wait is told to the second."""
    sessions = Sessions(path, clock=clock)
    most = {"eve from a": 2, "from a": 3}
    assert [sessions.attempt(most) for _ in range(2)] == [0, 0]
    clock.now_us += MINUTE_US
    assert sessions.attempt(most) == 14 * 60
    assert sessions.attempt({"bob from a": 2, "from a": 3}) == 0
    assert sessions.attempt({"bob from a": 2, "from a": 3}) == 14 * 60, "of the address"
    assert sessions.attempt({"eve from b": 2, "from b": 3}) == 0, "nobody elsewhere is locked out"
    assert Sessions(path, clock=clock).attempt(most) == 14 * 60, "a restart forgets nothing"
    clock.now_us += ATTEMPTS_US
    assert sessions.attempt(most) == 0


def test_success_gives_attempts_back(path: Path, clock: Clock) -> None:
    """Who is let in begins anew, and uses up nothing of what it shares with others."""
    sessions = Sessions(path, clock=clock)
    for _ in range(10):
        assert sessions.attempt({"eve from a": 1, "from a": 2}) == 0
        sessions.succeeded("eve from a", "from a")


def test_attempts_at_the_same_moment_do_not_slip_through(path: Path, clock: Clock) -> None:
    """Eight threads guess at once: no more are let try than may."""
    Access(path).prepare()
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: Sessions(path, clock=clock).attempt({"a": 5}), range(40)))
    assert waits.count(0) == 5


def test_audit_log_is_append_only(users: Users, path: Path, clock: Clock) -> None:
    """Who changed what is kept in the same transaction, and nothing of it is changed later."""
    users.set_role("boss", "admin", ())
    with pytest.raises(AccessError):
        users.set_role("boss", "viewer", ())
    assert [(one.action, one.actor, one.object) for one in audit_log(path)] == [
        ("user role changed", ANN, "boss"),
        ("user added", ANN, "boss"),
    ]
    Sessions(path, ITSELF, clock).begin(known(users, "boss"), "192.0.2.7", "")
    assert audit_log(path, 1)[0].facts == {"address": "192.0.2.7"}
    with sqlite3.connect(path) as database:
        for statement in (
            "DELETE FROM audit",
            "UPDATE audit SET actor = 'nobody'",
            "INSERT OR REPLACE INTO audit VALUES (1, 0, 'nobody', 'web', 'x', 'y', '{}')",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
    database.close()


@pytest.mark.parametrize("name", ["a/b #1 <b>", "\udcff", "x\0y", "\u202etopic"])
def test_note_keeps_what_was_done_elsewhere_whatever_its_name(
    path: Path, clock: Clock, name: str
) -> None:
    """A job for the collector is in the log with who asked for it; no name keeps it out."""
    Notes(path, ANN, clock).note("replay asked for", name, reason="not-a-number")
    (found,) = audit_log(path)
    assert (found.time_us, found.actor, found.action) == (clock.now_us, ANN, "replay asked for")
    assert found.object == name.replace("\udcff", "\\udcff")
    assert found.facts == {"reason": "not-a-number"}
