"""access.db: who may speak and look."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mosquitto import access_file
from mosquitto.access import Access, AccessError, Client, Password, Token, User
from mosquitto.detail import Detail, Kept

PASSWORD = Password("digest", "salt", 101)
SECOND_WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=0.1, isolation_level=None)
database.execute("BEGIN IMMEDIATE")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where access.db will be."""
    return tmp_path / "access.db"


@pytest.fixture
def access(path: Path) -> Access:
    """An empty access.db whose clock stands still."""
    return Access(path, clock=lambda: 7)


def test_file_is_readable_by_its_owner_alone(access: Access, path: Path) -> None:
    """access.db has mode 0600 from its first byte, whatever the umask."""
    access.prepare()
    assert path.stat().st_mode & 0o777 == 0o600


def test_commits_are_durable_and_the_version_is_kept(access: Access, path: Path) -> None:
    """The rollback journal is used, and the file knows its version."""
    access.prepare()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
    database.close()


def test_added_client_is_found_again(access: Access, path: Path) -> None:
    """What was added is there for another object on the same file."""
    access.add_client("tank", PASSWORD)
    assert Access(path).client("tank") == Client("tank", False, PASSWORD, 7, True)
    assert Access(path).client("other") is None


def test_second_client_of_a_name_is_refused(access: Access) -> None:
    """Adding a name twice changes nothing and says how to proceed."""
    access.add_client("tank", PASSWORD)
    with pytest.raises(AccessError, match="exists already"):
        access.add_client("tank", Password("other", "salt", 101))
    assert [client.password for client in access.clients()] == [PASSWORD]


def test_removed_client_is_gone(access: Access) -> None:
    """A removed client is forgotten, and removing it again is a failure."""
    access.add_client("tank", PASSWORD)
    access.remove_client("tank")
    assert access.clients() == []
    with pytest.raises(AccessError, match="there is no client tank"):
        access.remove_client("tank")


def test_simulated_clients_are_disabled_and_put_back(access: Access) -> None:
    """Disabling the fleet leaves the user's clients alone; putting one replaces its password."""
    access.add_client("tank", PASSWORD)
    access.put_simulated("demo-solar", PASSWORD)
    access.disable_simulated()
    assert {each.name: each.enabled for each in access.clients()} == {
        "demo-solar": False,
        "tank": True,
    }
    access.put_simulated("demo-solar", Password("new", "salt", 101))
    solar = access.client("demo-solar")
    assert solar == Client("demo-solar", True, Password("new", "salt", 101), 7, True)


def test_users_are_kept_with_their_roles(access: Access) -> None:
    """A user is found by name, once, and its password can be changed."""
    access.add_user("ann", "hash", "admin")
    access.set_password("ann", "other")
    assert access.users() == [User("ann", "other", "admin", 7)]
    assert access.user("ann") == User("ann", "other", "admin", 7)
    assert access.user("bob") is None
    with pytest.raises(AccessError, match="exists already"):
        access.add_user("ann", "hash", "viewer")
    with pytest.raises(AccessError, match="there is no user bob"):
        access.set_password("bob", "x")


def test_tokens_are_found_by_digest(access: Access) -> None:
    """A token is found by the digest alone, until it is removed."""
    access.add_token("script", b"digest")
    assert access.token(b"digest") == Token("script", "viewer", 7)
    assert access.tokens() == [Token("script", "viewer", 7)]
    assert access.token(b"other") is None
    with pytest.raises(AccessError, match="exists already"):
        access.add_token("script", b"another")
    access.remove_token("script")
    assert access.token(b"digest") is None
    with pytest.raises(AccessError, match="there is no token"):
        access.remove_token("script")


def test_details_are_kept_of_clients_that_are_unknown_here(access: Access, path: Path) -> None:
    """What was said of a client is there for another object, with who said it and when."""
    said = Detail("a/b #1", "Pump", "SN-7", "00:1b:44:11:3a:b7", ("roof", "new"), "<b>\n2")
    access.put_detail(said, "ann")
    assert Access(path).detail("a/b #1") == Kept(said, 7, "ann")
    assert Access(path).details() == {"a/b #1": Kept(said, 7, "ann")}
    assert access.detail("other") is None


def test_detail_said_again_replaces_what_was_known(access: Access) -> None:
    """The newest saying counts, and an empty one is forgotten."""
    access.put_detail(Detail("tank", "Pump"), "ann")
    access.put_detail(Detail("tank", "Tank"), "bob")
    assert access.detail("tank") == Kept(Detail("tank", "Tank"), 7, "bob")
    access.put_detail(Detail("tank"), "bob")
    assert access.details() == {}


def test_file_of_the_first_version_keeps_its_users(access: Access, path: Path) -> None:
    """A file without the table of details gets it, and nothing else of it changes."""
    first = (Path(access_file.__file__).parent / "access.sql").read_text(encoding="utf-8")
    with sqlite3.connect(path) as database:
        database.executescript(first)
        database.execute("INSERT INTO user VALUES ('ann', 'hash', 'admin', 5)")
        database.execute("PRAGMA user_version = 1")
    database.close()
    access.put_detail(Detail("tank", "Pump"), "ann")
    assert access.users() == [User("ann", "hash", "admin", 5)]
    assert list(access.details()) == ["tank"]


def test_hostile_text_is_only_text(access: Access) -> None:
    """A name that looks like SQL is a name."""
    access.add_user("'; DROP TABLE user; --", "hash", "viewer")
    assert [user.name for user in access.users()] == ["'; DROP TABLE user; --"]


def test_many_threads_write_one_new_file(path: Path) -> None:
    """Threads that start on a missing file at once lose nothing and double nothing."""

    def add(number: int) -> None:
        Access(path).add_client(f"client-{number}", PASSWORD)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(Access(path).clients()) == 24


def test_transaction_keeps_its_lock_while_other_threads_read(access: Access, path: Path) -> None:
    """A second process is refused as long as a transaction is open, whatever other threads do."""
    access.add_user("ann", "hash", "admin")
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(access.user, "ann").result() is not None
    second = subprocess.run(
        [sys.executable, "-c", SECOND_WRITER, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    writing.close()
    assert "database is locked" in second.stderr


def test_broken_file_is_one_sentence(path: Path) -> None:
    """A file that is no database is named, with what to do."""
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(AccessError, match=r"access\.db.*restore"):
        Access(path).clients()


def test_newer_file_is_refused(access: Access, path: Path) -> None:
    """A file of a later version is not touched."""
    access.prepare()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(AccessError, match="newer Culex"):
        access.clients()
