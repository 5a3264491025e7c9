"""Where Mosquitto is, who it becomes, and what its configuration says."""

import os
import re
from pathlib import Path

import pytest

from mosquitto.configuration import (
    Account,
    BrokerMissing,
    broker_account,
    find_mosquitto,
    find_plugin,
    quiet,
    render,
)
from telemetry.settings import Settings

ACCOUNT = Account("mosquitto", 1, 1)
PLUGIN = Path("/plugins/mosquitto_dynamic_security.so")


def options(text: str) -> list[str]:
    """The lines that are neither empty nor comments."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_every_option_has_its_reason(settings: Settings) -> None:
    """Each group of options stands under a comment that says why."""
    for group in re.split(r"\n\n+", render(settings, ACCOUNT, PLUGIN).strip()):
        assert group.startswith("#"), group


def test_plain_listener_is_bound_to_this_machine(settings: Settings) -> None:
    """The port without TLS names the loopback address; the others have a certificate each."""
    lines = options(render(settings, ACCOUNT, PLUGIN))
    assert [line for line in lines if line.startswith("listener")] == [
        f"listener {settings.mqtt_tls_port}",
        f"listener {settings.mqtt_ws_port}",
        f"listener {settings.mqtt_port} 127.0.0.1",
    ]
    assert lines.count(f"certfile {settings.broker_dir}/server.crt") == 2
    assert lines.count("tls_version tlsv1.2") == 2
    assert "allow_anonymous false" in lines


def test_queue_is_bounded_by_the_setting(settings: Settings) -> None:
    """broker_queue_mb arrives in bytes, and no count comes before it."""
    lines = options(render(settings.model_copy(update={"broker_queue_mb": 3}), ACCOUNT, PLUGIN))
    assert "max_queued_bytes 3000000" in lines
    assert "max_queued_messages 0" not in lines  # 2.0 closes the connection of a refused publish


def test_log_reaches_the_supervisor_and_the_collector(settings: Settings) -> None:
    """Both get the same lines, and none that begins with what a client chose."""
    lines = options(render(settings, ACCOUNT, PLUGIN))
    assert [line for line in lines if line.startswith("log_dest")] == [
        "log_dest stderr",
        "log_dest topic",
    ]
    types = {line.split()[1] for line in lines if line.startswith("log_type")}
    assert types == {"error", "warning", "notice", "information", "debug"}
    assert types - {"debug"} == {
        line.split()[1]
        for line in options(quiet(render(settings, ACCOUNT, PLUGIN)))
        if line.startswith("log_type")
    }
    assert "connection_messages true" in lines


@pytest.mark.parametrize(
    ("account", "line"),
    [
        (ACCOUNT, ["user mosquitto"]),
        (Account("root", 0, 0), ["user root"]),
        (Account(None, 5, 5), []),
    ],
)
def test_account_is_named_only_if_root_starts_it(
    settings: Settings, account: Account, line: list[str]
) -> None:
    """The option `user` stands there for root alone."""
    lines = options(render(settings, account, PLUGIN))
    assert [each for each in lines if each.startswith("user ")] == line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root chooses an account")
def test_closed_folder_keeps_the_broker_root(tmp_path: Path) -> None:
    """A folder that the account mosquitto cannot enter is named in the warning."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = broker_account(closed / "broker")
    assert account.name == "root"
    assert "cannot enter" in account.warning


@pytest.mark.parametrize(
    ("installer", "advice"),
    [("/usr/bin/apt-get", "sudo apt-get install mosquitto"), (None, "install the package")],
)
def test_missing_mosquitto_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, installer: str | None, advice: str
) -> None:
    """Without Mosquitto there is one sentence that fits this system."""
    monkeypatch.setattr(
        "mosquitto.configuration.shutil.which",
        lambda name, path=None: installer if name == "apt-get" and path is None else None,
    )
    monkeypatch.setattr("mosquitto.configuration.sys.platform", "linux")
    with pytest.raises(BrokerMissing, match=advice):
        find_mosquitto()


def test_missing_plugin_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mosquitto without its plugin is too old or incomplete, and that is said."""
    program = find_mosquitto()
    assert find_plugin(program).exists()
    monkeypatch.setattr("mosquitto.configuration._PLUGIN_NAMES", ("absent.so",))
    with pytest.raises(BrokerMissing, match=r"plugin of .* is missing"):
        find_plugin(program)
