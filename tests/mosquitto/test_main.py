"""The command line: what it prints and how it ends."""

import json
import shlex

import pytest
from click.testing import CliRunner, Result

from mosquitto.__main__ import main
from mosquitto.provision import initialise
from telemetry.settings import Demo, Settings
from tests.support import culex, environment


def invoke(settings: Settings, *arguments: str) -> Result:
    """Runs the command with these settings."""
    return CliRunner().invoke(main, arguments, env=environment(settings))


def fails(result: Result, status: int, *words: str) -> None:
    """The command ended with that status and one sentence on stderr that has these words."""
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    for word in words:
        assert word in result.stderr


def test_add_prints_one_object_for_scripts(settings: Settings) -> None:
    """`client add --json` prints the contract's object and nothing else."""
    initialise(settings)
    added = json.loads(invoke(settings, "client", "add", "tank", "--json").stdout)
    assert len(added.pop("password")) == 40
    assert added == {
        "client": "tank",
        "username": "tank",
        "ca_file": str(settings.ca_file),
        "host": settings.mqtt_host,
        "ports": {
            "tls": settings.mqtt_tls_port,
            "plain": settings.mqtt_port,
            "ws": settings.mqtt_ws_port,
        },
        "publish": ["clients/tank/#"],
        "subscribe": ["clients/tank/cmd/#"],
    }


def test_add_says_how_to_publish_at_once(settings: Settings) -> None:
    """`client add` ends with a command that a shell can run as it is."""
    initialise(settings)
    command = shlex.split(invoke(settings, "client", "add", "tank").stdout.splitlines()[-1])
    assert command[0] == "mosquitto_pub"
    assert command[command.index("--cafile") + 1] == str(settings.ca_file)
    assert command[command.index("-p") + 1] == str(settings.mqtt_tls_port)
    assert command[command.index("-u") + 1] == "tank"


def test_list_shows_which_clients_are_simulated(settings: Settings) -> None:
    """`client list` tells one's own clients from the simulated ones, and from those shut out."""
    initialise(settings.model_copy(update={"demo": Demo.ON}))
    initialise(settings)
    invoke(settings, "client", "add", "tank")
    listed = invoke(settings, "client", "list")
    assert listed.stdout.splitlines()[-1].startswith("tank\t")
    assert "demo-solar" in listed.stdout
    assert listed.stdout.count("\tsimulated\tdisabled") == 6
    records = json.loads(invoke(settings, "client", "list", "--json").stdout)
    assert {each["client"] for each in records if not each["simulated"]} == {"tank"}


def test_empty_list_says_how_to_add(settings: Settings) -> None:
    """Without clients there is a hint on stderr, and nothing on stdout."""
    initialise(settings)
    listed = invoke(settings, "client", "list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "client add NAME" in listed.stderr


@pytest.mark.parametrize("name", ["a/b", "+", "demo-solar", "Collector", ""])
def test_refused_name_is_wrong_usage(settings: Settings, name: str) -> None:
    """A name that no client may have ends with status 2."""
    initialise(settings)
    fails(invoke(settings, "client", "add", name), 2, repr(name))


def test_second_client_of_a_name_fails(settings: Settings) -> None:
    """A name that exists ends with status 1; so does removing one that does not."""
    initialise(settings)
    invoke(settings, "client", "add", "tank")
    fails(invoke(settings, "client", "add", "tank"), 1, "exists already")
    assert invoke(settings, "client", "remove", "tank").exit_code == 0
    fails(invoke(settings, "client", "remove", "tank"), 1, "no client tank")


def test_folder_that_is_a_file_fails(settings: Settings) -> None:
    """A data folder that cannot be written is named, with the setting that changes it."""
    settings.data_dir.write_text("in the way")
    for command in ("init", "run"):
        fails(invoke(settings, command), 1, str(settings.data_dir), "CULEX_DATA_DIR")
    fails(invoke(settings, "client", "add", "tank"), 1, "init")


def test_run_before_init_says_so(settings: Settings) -> None:
    """A broker without its logins says what to run first."""
    ended = culex(settings, "mosquitto", "run")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert "run: python -m mosquitto init" in ended.stderr


def test_missing_mosquitto_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Mosquitto, init says how to install it and writes nothing."""
    monkeypatch.setattr("mosquitto.configuration.shutil.which", lambda *_, **__: None)
    fails(invoke(settings, "init"), 1, "Mosquitto is not installed")
    assert not settings.data_dir.exists()


def test_wrong_setting_is_named(settings: Settings) -> None:
    """A variable that cannot be used is named before anything is done."""
    wrong = environment(settings) | {"CULEX_MQTT_PORT": "ninety"}
    fails(CliRunner().invoke(main, ["init"], env=wrong), 1, "CULEX_MQTT_PORT")
