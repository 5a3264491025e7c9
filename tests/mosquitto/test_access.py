"""access.db: who may speak and look."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mosquitto import access_file
from mosquitto.access import READER, Access, AccessError, Client, NewClient, Password
from mosquitto.access_audit import Actor, audit_log
from mosquitto.access_file import ChangedMeanwhile
from mosquitto.access_users import User, Users
from mosquitto.detail import Detail, Kept

PASSWORD = Password("digest", "salt", 101)
ANN = Actor("ann", "web")
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


def test_file_that_others_may_read_is_refused(access: Access, path: Path) -> None:
    """It holds what is kept of passwords; the sentence says what to do."""
    access.prepare()
    path.chmod(0o644)
    with pytest.raises(AccessError, match="chmod 600"):
        access.prepare()


def test_commits_are_durable_and_the_version_is_kept(access: Access, path: Path) -> None:
    """The rollback journal is used, and the file knows its version."""
    access.prepare()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
    database.close()


def test_added_client_is_found_again(access: Access, path: Path) -> None:
    """What was added is there for another object on the same file."""
    access.add_clients(NewClient("tank", PASSWORD))
    assert Access(path).client("tank") == Client(
        "tank", False, PASSWORD, 7, created_by="culex", credential_us=7
    )
    assert Access(path).client("other") is None


def test_second_client_of_a_name_is_refused(access: Access) -> None:
    """Adding a name twice changes nothing and says how to proceed."""
    access.add_clients(NewClient("tank", PASSWORD))
    with pytest.raises(AccessError, match="exists already"):
        access.add_clients(NewClient("tank", Password("other", "salt", 101)))
    assert [client.password for client in access.clients()] == [PASSWORD]


def test_removed_client_is_gone(access: Access) -> None:
    """A removed client is forgotten, and removing it again is a failure."""
    access.add_clients(NewClient("tank", PASSWORD))
    access.remove_client("tank")
    assert access.clients() == []
    with pytest.raises(AccessError, match="there is no client tank"):
        access.remove_client("tank")


def test_one_of_many_that_exists_already_lets_none_of_them_in(access: Access) -> None:
    """A list is added as a whole or not at all, with what is known of each."""
    access.add_clients(NewClient("tank", PASSWORD))
    known = NewClient("boiler", PASSWORD, READER, detail=Detail("boiler", "Pump"))
    with pytest.raises(AccessError, match="client tank exists already"):
        access.add_clients(known, NewClient("tank", PASSWORD))
    assert [each.name for each in access.clients()] == ["tank"]
    assert access.details() == {}
    access.add_clients(known)
    kept = access.detail("boiler")
    assert kept is not None
    assert kept.detail.description == "Pump"


def test_client_is_changed_and_the_rest_of_it_stays(path: Path) -> None:
    """Each change says when and by whom; an unknown client is named."""
    ticks = iter(range(1, 100))
    access = Access(path, ANN, lambda: next(ticks))
    access.add_clients(NewClient("tank", PASSWORD))
    access.set_enabled("tank", enabled=False)
    access.rotate_client("tank", Password("new", "pepper", 102))
    access.set_role("tank", READER, bound=False)
    assert access.client("tank") == Client(
        name="tank",
        simulated=False,
        password=Password("new", "pepper", 102),
        created_us=1,
        enabled=False,
        role=READER,
        bound=False,
        created_by="ann",
        credential_us=3,
    )
    with pytest.raises(AccessError, match="no client other"):
        access.set_enabled("other", enabled=True)
    log = [(one.time_us, one.actor, one.action, one.object) for one in audit_log(path)]
    assert log == [
        (4, ANN, "client changed", "tank"),
        (3, ANN, "client password changed", "tank"),
        (2, ANN, "client disabled", "tank"),
        (1, ANN, "client added", "tank"),
    ]
    assert b"pepper" not in str(audit_log(path)).encode()


def test_simulated_clients_are_disabled_and_put_back(access: Access) -> None:
    """Disabling the fleet leaves the user's clients alone; putting one replaces its password."""
    access.add_clients(NewClient("tank", PASSWORD))
    access.put_simulated("demo-solar", PASSWORD)
    access.disable_simulated()
    assert {each.name: each.enabled for each in access.clients()} == {
        "demo-solar": False,
        "tank": True,
    }
    access.put_simulated("demo-solar", Password("new", "salt", 101))
    solar = access.client("demo-solar")
    assert solar == Client(
        "demo-solar", True, Password("new", "salt", 101), 7, created_by="culex", credential_us=7
    )


def test_details_are_kept_of_clients_that_are_unknown_here(access: Access, path: Path) -> None:
    """What was said of a client is there for another object, with who said it and when."""
    said = Detail("a/b #1", "Pump", "SN-7", "00:1b:44:11:3a:b7", ("roof", "new"), "<b>\n2")
    Access(path, ANN, lambda: 7).put_detail(said)
    assert Access(path).detail("a/b #1") == Kept(said, 7, "ann")
    assert Access(path).details() == {"a/b #1": Kept(said, 7, "ann")}
    assert access.detail("other") is None


def test_detail_said_again_replaces_what_was_known(access: Access) -> None:
    """The newest saying counts, and an empty one is forgotten."""
    access.put_detail(Detail("tank", "Pump"))
    access.put_detail(Detail("tank", "Tank"))
    assert access.detail("tank") == Kept(Detail("tank", "Tank"), 7, "culex")
    access.put_detail(Detail("tank"))
    assert access.details() == {}


def test_detail_that_is_another_than_was_seen_is_not_replaced(access: Access, path: Path) -> None:
    """Nobody's change is lost unseen, nor is what was forgotten brought back."""
    access.put_detail(Detail("tank", "Pump"), expected_us=0)
    with pytest.raises(ChangedMeanwhile, match="changed by culex meanwhile"):
        access.put_detail(Detail("tank", "Tank"), expected_us=0)
    Access(path, ANN, lambda: 8).put_detail(Detail("tank"), expected_us=7)
    with pytest.raises(ChangedMeanwhile, match="changed by somebody meanwhile"):
        access.put_detail(Detail("tank", "Tank"), expected_us=7)
    assert access.details() == {}


def test_file_of_the_first_version_keeps_its_users(access: Access, path: Path) -> None:
    """A file without the table of details gets it, and nothing else of it changes."""
    first = (Path(access_file.__file__).parent / "access.sql").read_text(encoding="utf-8")
    with sqlite3.connect(path) as database:
        database.executescript(first)
        database.execute("INSERT INTO user VALUES ('ann', 'hash', 'admin', 5)")
        database.execute("PRAGMA user_version = 1")
    database.close()
    access.put_detail(Detail("tank", "Pump"))
    assert Users(path).all() == [User("ann", "hash", "admin", 5, credential_us=5)]
    assert list(access.details()) == ["tank"]


def test_hostile_text_is_only_text(path: Path) -> None:
    """A name that looks like SQL is a name."""
    Users(path).add("'; DROP TABLE user; --", "hash")
    assert [user.name for user in Users(path).all()] == ["'; DROP TABLE user; --"]


def test_many_threads_write_one_new_file(path: Path) -> None:
    """Threads that start on a missing file at once lose nothing and double nothing."""

    def add(number: int) -> None:
        Access(path).add_clients(NewClient(f"client-{number}", PASSWORD))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(Access(path).clients()) == 24


def test_transaction_keeps_its_lock_while_other_threads_read(path: Path) -> None:
    """A second process is refused as long as a transaction is open, whatever other threads do."""
    users = Users(path)
    users.add("ann", "hash", "admin")
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(users.named, "ann").result() is not None
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
