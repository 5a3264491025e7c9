"""`python -m dashboard`: users and tokens from a shell."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from dashboard.__main__ import main
from dashboard.people import person_of_login
from mosquitto.access import Access
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


def test_user_added_logs_in_with_what_was_printed(settings: Settings, access: Access) -> None:
    """The password alone is on stdout; once more is refused; a new one ends the old."""
    added = dashboard(settings, "user", "add", "visitor")
    (password,) = added.stdout.splitlines()
    assert (added.exit_code, added.stderr) == (0, "")
    person = person_of_login(access, "visitor", password)
    assert person is not None
    assert person.role == "viewer"
    assert "exists already" in sentence(dashboard(settings, "user", "add", "visitor"))
    changed = dashboard(settings, "user", "passwd", "visitor").stdout.strip()
    assert person_of_login(access, "visitor", password) is None
    assert person_of_login(access, "visitor", changed) is not None
    assert dashboard(settings, "user", "list").stdout == "admin\tadmin\nvisitor\tviewer\n"


def test_user_unknown_has_no_password_to_change(settings: Settings) -> None:
    """One sentence, status 1."""
    assert "no user nobody" in sentence(dashboard(settings, "user", "passwd", "nobody"))


def test_token_added_reads_until_it_is_removed(settings: Settings, stranger: FlaskClient) -> None:
    """The token alone is on stdout; the list has names, never tokens."""
    added = culex(settings, "dashboard", "token", "add", "script")
    (token,) = added.stdout.splitlines()
    headers = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/metrics", headers=headers).status_code == 200
    assert dashboard(settings, "token", "list").stdout == "script\n"
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
    assert Access(settings.access_path).users() == []
    ready[0]()
    assert [user.name for user in Access(settings.access_path).users()] == ["admin"]


@pytest.mark.parametrize("arguments", [("user",), ("user", "add"), ("token", "add", "a", "b")])
def test_command_used_wrongly_is_status_2(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Usage goes to stderr."""
    ran = dashboard(settings, *arguments)
    assert ran.exit_code == 2
    assert ran.stderr.startswith("Usage: ")


def test_command_that_needs_no_charts_does_not_load_them(settings: Settings) -> None:
    """Without dash, pandas and plotly a command answers at once; the data folder is prepared."""
    loaded = "import sys, dashboard.__main__; print(*sys.modules, sep='\\n')"
    ran = culex(settings, "timeit", "-n1", "-r1", loaded)
    modules = set(ran.stdout.splitlines())
    assert "dashboard.people" in modules
    assert not modules & {"dash", "pandas", "plotly", "duckdb", "pyarrow"}


def test_command_makes_secrets_that_are_its_owners_alone(settings: Settings) -> None:
    """access.db and the folder of secrets are readable by nobody else."""
    assert dashboard(settings, "user", "list").exit_code == 0
    assert stat.S_IMODE(settings.access_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_dir.stat().st_mode) == 0o700
