"""`python -m dashboard`: users and tokens from a shell."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from dashboard.__main__ import main
from dashboard.people import user_of_login
from mosquitto.access import Access, NewClient
from mosquitto.access_audit import ITSELF, Actor
from mosquitto.access_change import Notes
from mosquitto.access_seen import Grant
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from mosquitto.passwords import hashed
from telemetry.settings import Settings
from tests.support import culex, environment, make_settings


def dashboard(settings: Settings, *arguments: str) -> Result:
    """The outcome of a command; a traceback fails the test."""
    ran = CliRunner().invoke(main, arguments, env=environment(settings))
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran


def sentence(ran: Result) -> str:
    """The one sentence of a command that failed."""
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1
    return ran.stderr


def test_user_added_logs_in_with_what_was_printed(settings: Settings, users: Users) -> None:
    """The password alone is on stdout; once more is refused; a new one ends the old."""
    added = dashboard(settings, "user", "add", "visitor")
    (password,) = added.stdout.splitlines()
    assert (added.exit_code, added.stderr) == (0, "")
    user = user_of_login(users, "visitor", password)
    assert user is not None
    assert user.role == "viewer"
    assert "exists already" in sentence(dashboard(settings, "user", "add", "visitor"))
    changed = dashboard(settings, "user", "passwd", "visitor").stdout.strip()
    assert user_of_login(users, "visitor", password) is None
    assert user_of_login(users, "visitor", changed) is not None
    assert dashboard(settings, "user", "list").stdout == "admin\tadmin\nvisitor\tviewer\n"


def test_user_without_a_password_has_its_role_before_its_first_visit(
    settings: Settings, users: Users
) -> None:
    """It logs in elsewhere: there is nothing to print, and the list says so."""
    added = dashboard(settings, "user", "add", "ann", "--role", "operator", "--without-password")
    assert (added.exit_code, added.stdout) == (0, "")
    assert added.stderr == "User ann logs in elsewhere.\n"
    ann = users.named("ann")
    assert ann is not None
    assert (ann.role, ann.password_hash) == ("operator", "")
    listed = dashboard(settings, "user", "list").stdout
    assert listed == "admin\tadmin\nann\toperator\tlogs in elsewhere\n"


def test_lists_obey_no_foreign_text(settings: Settings, users: Users, tokens: Tokens) -> None:
    """Line ends and escapes of names, tags and topics are written out: a line is one line."""
    evil = "x\x1b[2J\nadmin\tadmin"
    users.add("eve", "hash", seen=[Grant("tag", evil)])
    tokens.add("program", b"digest", seen=[Grant("client", evil)])
    Notes(settings.access_path, Actor(evil, "web")).note("test message asked for", evil, fact=evil)
    for arguments, lines in ((["user", "list"], 2), (["token", "list"], 1), (["audit"], 4)):
        printed = dashboard(settings, *arguments).stdout
        assert (len(printed.splitlines()), "\x1b" in printed) == (lines, False)
        assert "x<U+001B>[2J<U+000A>admin<U+0009>admin" in printed


def test_user_unknown_has_no_password_to_change(settings: Settings) -> None:
    """One sentence, status 1."""
    assert "no user nobody" in sentence(dashboard(settings, "user", "passwd", "nobody"))


def test_role_that_changes_leaves_what_a_user_may_see(settings: Settings, users: Users) -> None:
    """Only who says so gives it more: another role alone opens nobody else's charts."""

    def seen(*arguments: str) -> tuple[str, list[str]]:
        ran = dashboard(settings, "user", "role", "eve", *arguments)
        assert (ran.exit_code, ran.stdout) == (0, ""), ran.stderr
        eve = users.named("eve")
        assert eve is not None
        return eve.role, list(map(str, eve.seen))

    dashboard(settings, "user", "add", "eve", "--sees", "client:tank", "--sees", "tag:roof")
    assert seen("operator") == ("operator", ["client:tank", "tag:roof"])
    assert seen("operator", "--sees", "client:well") == ("operator", ["client:well"])
    assert seen("viewer") == ("viewer", ["client:well"])
    assert seen("viewer", "--sees-all") == ("viewer", [])
    assert seen("operator") == ("operator", [])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("eve", "operator", "--sees", "tag:roof", "--sees-all"), 2, "--sees or --sees-all"),
        (("eve", "operator", "--sees", "roof"), 2, "'roof'"),
        (("eve", "admin"), 1, "an admin sees all clients"),
        (("eve", "root"), 2, "'root' is not one of"),
        (("nobody", "viewer"), 1, "no user nobody"),
    ],
)
def test_role_that_is_refused_changes_nothing(
    settings: Settings, users: Users, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """Nor does an admin come of somebody who sees some clients: that has to be said."""
    dashboard(settings, "user", "add", "eve", "--sees", "client:tank")
    before = users.all()
    ran = dashboard(settings, "user", "role", *arguments)
    assert (ran.exit_code, ran.stdout) == (status, "")
    assert words in ran.stderr
    assert users.all() == before


def test_name_to_see_that_nobody_has_is_told(settings: Settings) -> None:
    """It may come later, or be mistyped: it is kept, and said."""
    Access(settings.access_path).add_clients(NewClient("tank", hashed("0a1b2c")))
    grants = ("--sees", "client:tank", "--sees", "client:tnak", "--sees", "tag:roof")
    added = dashboard(settings, "user", "add", "eve", *grants)
    assert added.exit_code == 0
    assert added.stderr == "Warning: there is no client tnak yet.\n"


def test_token_added_reads_until_it_is_removed(settings: Settings, stranger: FlaskClient) -> None:
    """The token alone is on stdout; the list has names, never tokens."""
    added = culex(settings, "dashboard", "token", "add", "script")
    (token,) = added.stdout.splitlines()
    headers = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/metrics", headers=headers).status_code == 200
    assert dashboard(settings, "token", "list").stdout == "script\tread\tfor ever\n"
    assert "exists already" in sentence(dashboard(settings, "token", "add", "script"))
    assert dashboard(settings, "token", "remove", "script").exit_code == 0
    assert stranger.get("/metrics", headers=headers).status_code == 401
    assert "no token script" in sentence(dashboard(settings, "token", "remove", "script"))


def test_start_cut_short_leaves_no_admin_whose_password_nobody_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin is there from the moment its password is told, and no earlier."""
    settings = make_settings(tmp_path)
    ready: list[Callable[[], None]] = []

    class CutShort:
        def __init__(self, _settings: Settings, _create: object, greet: Callable[[], None]) -> None:
            ready.append(greet)

        def run(self) -> None:
            raise SystemExit(0)

    monkeypatch.setattr("dashboard.__main__.Server", CutShort)
    monkeypatch.setattr("dashboard.__main__.start_logging", lambda *_: None)
    ran = dashboard(settings, "run")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert Users(settings.access_path).all() == []
    ready[0]()
    assert [user.name for user in Users(settings.access_path).all()] == ["admin"]


def test_what_others_named_cannot_act_on_a_terminal(settings: Settings) -> None:
    """A topic of a client, or a tag, is in the lists with its invisible characters named."""
    hostile = "\x1b[2J\u202e"
    Notes(settings.access_path, ITSELF).note("replay asked for", f"clients/{hostile}", why=hostile)
    for command in (("user", "add", "eve"), ("token", "add", "script")):
        assert dashboard(settings, *command, "--sees", f"tag:{hostile}").exit_code == 0
    for command in (("audit",), ("user", "list"), ("token", "list")):
        shown = dashboard(settings, *command).stdout
        assert "<U+001B>[2J<U+202E>" in shown
        assert not {"\x1b", "\u202e"} & set(shown)


@pytest.mark.parametrize("arguments", [("user",), ("user", "add"), ("token", "add", "a", "b")])
def test_command_used_wrongly_is_status_2(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Usage goes to stderr."""
    ran = dashboard(settings, *arguments)
    assert ran.exit_code == 2
    assert ran.stderr.startswith("Usage: ")


def test_command_that_needs_no_charts_does_not_load_them(settings: Settings) -> None:
    """Without dash, pandas and plotly a command answers at once; the data folder is prepared."""
    loaded = (
        "import sys, hashlib; hashlib.scrypt = None; "  # nor is a password made that nobody needs
        "import dashboard.__main__; print(*sys.modules, sep='\\n')"
    )
    ran = culex(settings, "timeit", "-n1", "-r1", loaded)
    modules = set(ran.stdout.splitlines())
    assert "dashboard.people" in modules
    assert not modules & {"dash", "pandas", "plotly", "duckdb", "pyarrow"}


def test_command_makes_secrets_that_are_its_owners_alone(settings: Settings) -> None:
    """access.db and the folder of secrets are readable by nobody else."""
    assert dashboard(settings, "user", "list").exit_code == 0
    assert stat.S_IMODE(settings.access_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_dir.stat().st_mode) == 0o700
