"""The audit log: commands of every room that change something leave their line there."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collector.__main__ import main as collector
from mosquitto.__main__ import main as mosquitto
from mosquitto.access_audit import audit_log, shell_actor
from mosquitto.provision import add_client, initialise
from telemetry.__main__ import main as telemetry
from telemetry.settings import Settings
from tests.support import environment, make_settings
from tests.telemetry.builders import fill, reading

Line = tuple[str, str]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation with a client and a reading."""
    settings = make_settings(tmp_path / "data")
    initialise(settings)
    add_client(settings, "pump")
    fill(settings.store_path, [reading(1_790_000_000_000_000)])
    return settings


@pytest.fixture
def lines(settings: Settings, tmp_path: Path) -> Callable[..., list[Line]]:
    """Runs a command, and says what it added to the audit log: what was done, to what."""

    def run(program: click.Group, command: Sequence[str]) -> list[Line]:
        before = len(audit_log(settings.access_path))
        words = [word.replace("TMP", str(tmp_path)) for word in command]
        done = CliRunner().invoke(program, words, env=environment(settings))
        assert done.exit_code == 0, done.output
        log = audit_log(settings.access_path)
        new = log[: len(log) - before]
        assert {one.actor for one in new} <= {shell_actor()}
        return [(one.action, one.object) for one in new]

    return run


@pytest.mark.parametrize(
    ("program", "command", "line"),
    [
        (telemetry, "erase --client boiler", ("erase asked for", "boiler")),
        (telemetry, "erase --simulated", ("erase asked for", "the simulated fleet")),
        (telemetry, "retain", ("retain asked for", "readings that are over")),
        (telemetry, "import TMP/a.csv", ("import asked for", "TMP/a.csv")),
        (collector, "replay --topic a/b", ("replay asked for", "a/b")),
        (mosquitto, "client disable pump", ("client disabled", "pump")),
        (mosquitto, "renew", ("certificates looked at", "the broker's")),
        (mosquitto, "ca trust", ("new authority made", "the certificate authority")),
        (
            mosquitto,
            "client certificate pump --out TMP/keys",
            ("client certificate issued", "pump"),
        ),
        (mosquitto, "client certificate pump --revoke", ("client certificates revoked", "pump")),
    ],
)
def test_command_that_changes_something_is_in_the_audit_log(
    lines: Callable[..., list[Line]],
    tmp_path: Path,
    program: click.Group,
    command: str,
    line: Line,
) -> None:
    """One line, with the account that ran it."""
    (tmp_path / "a.csv").write_text(
        "time,client,metric,value\n2026-11-30T10:00:00Z,attic,temperature,1\n"
    )
    action, of = line
    assert lines(program, command.split()) == [(action, of.replace("TMP", str(tmp_path)))]


@pytest.mark.parametrize(
    ("program", "command"),
    [
        (telemetry, "retain --dry-run"),
        (telemetry, "stats"),
        (telemetry, "backup TMP/kept"),
        (collector, "replay --dry-run"),
        (mosquitto, "client list"),
        (mosquitto, "ca show"),
    ],
)
def test_command_that_changes_nothing_is_not(
    lines: Callable[..., list[Line]], program: click.Group, command: str
) -> None:
    """Looking leaves no trace."""
    assert lines(program, command.split()) == []


def test_restore_is_in_the_audit_log_of_what_was_restored(
    lines: Callable[..., list[Line]], settings: Settings, tmp_path: Path
) -> None:
    """It is the log of the backup, with one line more."""
    assert lines(telemetry, ["backup", "TMP/kept"]) == []
    ((action, of),) = lines(telemetry, ["restore", "TMP/kept", "--replace"])
    assert action == "restored"
    assert Path(of).parent == tmp_path / "kept"
    assert audit_log(settings.access_path)[-1].action.startswith(("client", "simulated"))
