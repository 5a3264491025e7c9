"""People and programs: what is kept of secrets, and races at the first start."""

import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.people import (
    ADMIN,
    add_token,
    ensure_admin,
    hash_password,
    is_token,
    new_password,
    person_of_login,
    person_of_session,
    session_key,
)
from mosquitto.access import Access, AccessError
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


def test_session_of_a_password_that_changed_belongs_to_nobody(fresh: Settings) -> None:
    """The identifier holds for one password; any other text for none, colons included."""
    access = Access(fresh.access_path)
    access.add_user("a:b", hash_password("one"), "viewer")
    person = person_of_login(access, "a:b", "one")
    assert person is not None
    again = person_of_session(access, person.get_id())
    assert again is not None
    assert (again.name, again.role) == ("a:b", "viewer")
    access.set_password("a:b", hash_password("two"))
    for session in (person.get_id(), "a:b", "a:b:", "", ":", "nobody:0"):
        assert person_of_session(access, session) is None


def test_token_is_kept_as_a_digest_alone(fresh: Settings) -> None:
    """The file does not hold the token; a name is given once."""
    access = Access(fresh.access_path)
    token = add_token(access, "program")
    assert is_token(access, token)
    assert not is_token(access, token + "x")
    assert not is_token(access, "")
    assert token.encode() not in fresh.access_path.read_bytes()
    with pytest.raises(AccessError, match="exists already"):
        add_token(access, "program")


def test_admin_is_made_once_with_a_random_password(fresh: Settings) -> None:
    """The first call returns the password, later ones nothing."""
    access = Access(fresh.access_path)
    password = ensure_admin(access, fresh)
    assert person_of_login(access, ADMIN, password) is not None
    assert ensure_admin(access, fresh) == ""
    assert access.users()[0].role == "admin"


def test_admin_with_a_given_password_is_made_with_it_and_it_is_never_told(fresh: Settings) -> None:
    """A password of the environment is used at the first start alone."""
    access = Access(fresh.access_path)
    given = fresh.model_copy(update={"admin_password": SecretStr("s3cret")})
    assert ensure_admin(access, given) == ""
    changed = fresh.model_copy(update={"admin_password": SecretStr("changed")})
    assert ensure_admin(access, changed) == ""
    assert person_of_login(access, ADMIN, "s3cret") is not None
    assert person_of_login(access, ADMIN, "changed") is None
    assert "s3cret" not in repr(given)


def test_admin_is_not_made_beside_another_user(fresh: Settings) -> None:
    """Who removed admin has decided so."""
    access = Access(fresh.access_path)
    access.add_user("someone", hash_password("x"), "admin")
    assert ensure_admin(access, fresh) == ""
    assert access.user(ADMIN) is None


def test_admin_made_by_many_at_once_has_one_password(fresh: Settings) -> None:
    """Only the one who made it is told the password, and it is the right one."""
    access = Access(fresh.access_path)
    with ThreadPoolExecutor(6) as pool:
        told = [one for one in pool.map(lambda _: ensure_admin(access, fresh), range(6)) if one]
    assert len(told) == 1
    assert person_of_login(access, ADMIN, told[0]) is not None


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
