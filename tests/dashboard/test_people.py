"""People and programs: what is kept of secrets, and races at the first start."""

import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.people import (
    FIRST_USER,
    PasswordRefused,
    add_token,
    check_password,
    ensure_admin,
    hash_password,
    new_password,
    person_of_session,
    session_key,
    token_digest,
    user_of_login,
)
from mosquitto.access import Access, AccessError
from mosquitto.access_sessions import Sessions
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from telemetry.daemon import prepare_folders
from telemetry.login import SecretError
from telemetry.settings import Settings
from tests.support import make_settings


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """A data folder that has no user yet."""
    settings = make_settings(tmp_path)
    prepare_folders(settings)
    Access(settings.access_path).prepare()
    return settings


def test_password_is_kept_as_scrypt_with_a_salt() -> None:
    """Two hashes of one password differ, and neither holds it."""
    one, other = hash_password("secret"), hash_password("secret")
    assert one.startswith("scrypt:")
    assert one != other
    assert "secret" not in one


def test_password_made_up_is_long_and_never_the_same() -> None:
    """96 bits in 16 characters that need no quoting."""
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 16 and one.replace("-", "").replace("_", "").isalnum() for one in made)


def test_session_belongs_to_its_user_until_the_password_changes(fresh: Settings) -> None:
    """What the cookie holds is a secret of its own; any other text is nobody's."""
    users, sessions = Users(fresh.access_path), Sessions(fresh.access_path)
    users.add("a:b", hash_password("one"))
    assert user_of_login(users, "a:b", "one") is not None
    secret = sessions.begin(users.all()[0], "192.0.2.7", "browser")
    person = person_of_session(sessions, secret)
    assert person is not None
    assert (person.name, person.role, person.get_id()) == ("a:b", "viewer", secret)
    for other in ("a:b", "", secret[:-1], secret + "x", "\udcff"):
        assert person_of_session(sessions, other) is None
    users.set_password("a:b", hash_password("two"))
    assert person_of_session(sessions, secret) is None


def test_user_without_a_password_cannot_log_in_with_one(fresh: Settings) -> None:
    """Who is vouched for elsewhere, or is disabled, has none here."""
    users = Users(fresh.access_path)
    users.add("boss", hash_password("boss"), "admin")
    users.add("elsewhere", "")
    users.add("gone", hash_password("right"))
    users.set_enabled("gone", enabled=False)
    assert user_of_login(users, "elsewhere", "") is None
    assert user_of_login(users, "gone", "right") is None
    users.set_enabled("gone", enabled=True)
    assert user_of_login(users, "gone", "right") is not None


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaa", "Some.Name-1", "x" * 201])
def test_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    """One sentence says what would do."""
    with pytest.raises(PasswordRefused):
        check_password(password, "some.name-1")


def test_token_is_kept_as_a_digest_alone(fresh: Settings) -> None:
    """The file does not hold the token; a name is given once."""
    tokens = Tokens(fresh.access_path)
    token = add_token(tokens, "program")
    assert tokens.of_digest(token_digest(token)) is not None
    assert tokens.of_digest(token_digest(token + "x")) is None
    assert token.encode() not in fresh.access_path.read_bytes()
    with pytest.raises(AccessError, match="exists already"):
        add_token(tokens, "program")


def test_admin_is_made_once_with_a_random_password(fresh: Settings) -> None:
    """The first call returns the password, later ones nothing."""
    users = Users(fresh.access_path)
    password = ensure_admin(users, fresh)
    assert user_of_login(users, FIRST_USER, password) is not None
    assert ensure_admin(users, fresh) == ""
    assert users.all()[0].role == "admin"


def test_admin_with_a_given_password_is_made_with_it_and_it_is_never_told(fresh: Settings) -> None:
    """A password of the environment is used at the first start alone."""
    users = Users(fresh.access_path)
    given = fresh.model_copy(update={"admin_password": SecretStr("s3cret of tests")})
    assert ensure_admin(users, given) == ""
    changed = fresh.model_copy(update={"admin_password": SecretStr("changed")})
    assert ensure_admin(users, changed) == ""
    assert user_of_login(users, FIRST_USER, "s3cret of tests") is not None
    assert user_of_login(users, FIRST_USER, "changed") is None
    assert "s3cret" not in repr(given)


@pytest.mark.parametrize("password", ["short", "x" * 201, "a1" * 101])
def test_admin_is_not_made_with_a_given_password_that_is_none(
    fresh: Settings, password: str
) -> None:
    """One that nobody could log in with is told at the start, not at the first login."""
    users = Users(fresh.access_path)
    given = fresh.model_copy(update={"admin_password": SecretStr(password)})
    with pytest.raises(PasswordRefused, match="CULEX_ADMIN_PASSWORD cannot be used: a password"):
        ensure_admin(users, given)
    assert users.all() == []
    assert ensure_admin(users, fresh), "without it, one is made up"


def test_admin_is_not_made_beside_another_user(fresh: Settings) -> None:
    """Who removed admin has decided so."""
    users = Users(fresh.access_path)
    users.add("someone", hash_password("x"), "admin")
    assert ensure_admin(users, fresh) == ""
    assert users.named(FIRST_USER) is None


def test_admin_made_by_many_at_once_has_one_password(fresh: Settings) -> None:
    """Only the one who made it is told the password, and it is the right one."""
    users = Users(fresh.access_path)
    with ThreadPoolExecutor(6) as pool:
        told = [one for one in pool.map(lambda _: ensure_admin(users, fresh), range(6)) if one]
    assert len(told) == 1
    assert user_of_login(users, FIRST_USER, told[0]) is not None


def test_session_key_is_made_once_and_for_its_owner_alone(fresh: Settings) -> None:
    """32 random bytes with mode 0600, the same at each start."""
    key = session_key(fresh)
    path = fresh.secrets_dir / "session.key"
    assert len(key) == 32
    assert session_key(fresh) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in fresh.secrets_dir.iterdir()] == ["session.key"]


def test_session_key_asked_for_by_many_processes_at_once_is_one(fresh: Settings) -> None:
    """Workers that start together sign with the same key, the one that stays."""
    context = multiprocessing.get_context("fork")
    start, keys = context.Barrier(4), context.SimpleQueue()

    def ask() -> None:
        start.wait(20)
        keys.put(session_key(fresh))

    workers = [context.Process(target=ask) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
        assert worker.exitcode == 0
    assert {keys.get() for _ in workers} == {session_key(fresh)}
    assert [file.name for file in fresh.secrets_dir.iterdir()] == ["session.key"]


def test_session_key_readable_by_others_is_refused(fresh: Settings) -> None:
    """Whoever can read it can log in as anybody, so it is not used."""
    session_key(fresh)
    (fresh.secrets_dir / "session.key").chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        session_key(fresh)
