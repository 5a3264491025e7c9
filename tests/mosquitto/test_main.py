"""The command line: what it prints and how it ends."""

import json
import shlex
import socket
import stat
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mosquitto.__main__ import main
from mosquitto.provision import clients, initialise
from telemetry.settings import Demo, Settings
from tests.support import culex, environment, make_settings


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
        "client_id": "tank",
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


@pytest.fixture
def listed(settings: Settings, tmp_path: Path) -> str:
    """The path of a list of two clients, on a folder that is ready."""
    initialise(settings)
    path = tmp_path / "clients.csv"
    path.write_text("name,description\ntank,Oil\nboiler,Gas\n")
    return str(path)


def test_import_writes_the_logins_for_its_owner_alone(
    settings: Settings, listed: str, tmp_path: Path
) -> None:
    """One on each line."""
    out = tmp_path / "logins"
    done = invoke(settings, "client", "import", listed, "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, "")
    assert out.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["client"] for line in out.read_text().splitlines()] == [
        "tank",
        "boiler",
    ]


@pytest.mark.parametrize(
    ("place", "words"), [("old", "is there already"), ("none/logins", "cannot write")]
)
def test_import_without_a_place_for_the_logins_adds_nobody(
    settings: Settings, listed: str, tmp_path: Path, place: str, words: str
) -> None:
    """Their passwords would be lost; a file that is there stays as it is."""
    (tmp_path / "old").write_text("logins of another list")
    fails(
        invoke(settings, "client", "import", listed, "--out", str(tmp_path / place)),
        1,
        words,
        place,
    )
    assert clients(settings) == []
    assert (tmp_path / "old").read_text() == "logins of another list"


def test_import_that_fails_leaves_no_file(settings: Settings, listed: str, tmp_path: Path) -> None:
    """It can be run again as it is."""
    invoke(settings, "client", "add", "tank")
    out = tmp_path / "logins"
    fails(invoke(settings, "client", "import", listed, "--out", str(out)), 1, "exists already")
    assert not out.exists()


def test_import_that_finds_the_disk_full_prints_the_logins(
    settings: Settings, listed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clients are added, and nobody else knows their passwords."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mosquitto.client_commands.publish_file", fail)
    done = invoke(settings, "client", "import", listed, "--out", str(tmp_path / "logins"))
    assert done.exit_code == 1
    assert "No space left" in done.stderr
    assert len(done.stdout.splitlines()) == len(clients(settings)) == 2


@pytest.mark.usefixtures("deaf_broker")
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_rotate_shows_a_password_that_the_broker_did_not_take(
    settings: Settings, options: tuple[str, ...]
) -> None:
    """It counts within a minute, which is said beside it; scripts get the same object as ever."""
    rotated = invoke(settings, "client", "rotate", "tank", *options)
    assert rotated.exit_code == 0
    assert rotated.stderr.splitlines()[-1].startswith("Warning: the broker did not answer")
    if options:
        shown = json.loads(rotated.stdout)
        assert (len(shown["password"]), "pending" in shown) == (40, False)
    else:
        assert "password, which is shown only now" in rotated.stdout


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


def test_clients_of_a_list_are_added_with_what_it_says(settings: Settings, tmp_path: Path) -> None:
    """A spreadsheet's mark of UTF-8 is none of the first column; logins are their owner's alone."""
    initialise(settings)
    path, out = tmp_path / "clients.csv", tmp_path / "logins"
    path.write_text('name,role,description,tags\ntank,,Öltank,"a, b"\neye,reader,,\n', "utf-8-sig")
    added = invoke(settings, "client", "import", str(path), "--out", str(out))
    assert (added.exit_code, added.stdout) == (0, "")
    logins = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(one["client"], len(one["password"])) for one in logins] == [("tank", 40), ("eye", 40)]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    tank = json.loads(invoke(settings, "client", "show", "tank", "--json").stdout)
    assert (tank["role"], tank["description"], tank["tags"]) == ("publisher", "Öltank", ["a", "b"])


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ("name\nwell\nkälte\n".encode("latin-1"), 2, "not UTF-8"),
        ("name\nwell\n".encode("utf-16"), 2, "not UTF-8"),
        (b"name,tags,name\nwell,a,roof\n", 2, "a column stands there twice"),
        (b"name,colour\nwell,red\n", 2, "no column 'colour'"),
        (b"well\nroof\n", 2, "no column name"),
        (b"", 2, "line 1: there is no column name"),
        (b"name\n\n", 2, "no clients"),
        (b"name\nwell\nroof\nwell \n", 2, "line 4: well is there already"),
        (b"name,role\nwell,publisher\nroof,root\n", 2, "line 3: 'root' is no role"),
        (b"name,role\nwell,publisher\nroof\n", 2, "line 3: it has not as many fields"),
        (b'name\nwell\n"roof\n', 2, "unexpected end of data"),
        (b"name\nwell\na/b\n", 2, "line 3: 'a/b'"),
        (b"name\nwell\ntank\n", 1, "tank exists already"),
    ],
)
def test_list_that_cannot_be_used_adds_nobody(
    settings: Settings, tmp_path: Path, content: bytes, status: int, words: str
) -> None:
    """One sentence says where it is wrong; neither access.db nor the broker knows one more."""
    initialise(settings)
    invoke(settings, "client", "add", "tank")
    path, out = tmp_path / "clients.csv", tmp_path / "logins"
    path.write_bytes(content)
    before = settings.access_path.read_bytes(), broker_files(settings)
    ended = invoke(settings, "client", "import", str(path), "--out", str(out))
    fails(ended, status, words)
    assert len(ended.stderr.splitlines()) == 1
    assert (settings.access_path.read_bytes(), broker_files(settings)) == before
    assert not out.exists()


def broker_files(settings: Settings) -> dict[str, bytes]:
    """What the broker reads when it starts."""
    found = settings.broker_dir.rglob("*")
    return {str(path): path.read_bytes() for path in found if path.is_file()}


@pytest.mark.parametrize("form", ["--json", ""])
def test_what_people_wrote_of_a_client_cannot_act_on_a_terminal(
    settings: Settings, form: str
) -> None:
    """Characters that move the cursor or turn the line around are named, in every text."""
    initialise(settings)
    text = "\x1b]0;x\x07\x1b[2J\u202e\u2066\x9b\r\u200bend"
    options = ("--description", "--serial-number", "--notes", "--tag")
    invoke(settings, "client", "add", "tank", *(part for one in options for part in (one, text)))
    shown = invoke(settings, "client", "show", "tank", *filter(None, [form])).stdout
    hidden = {char for char in shown if unicodedata.category(char) in {"Cc", "Cf"}}
    assert hidden <= {"\n", "\t"}
    assert shown.count("end") == len(options)
    assert form or shown.count("<U+001B>[2J<U+202E><U+2066><U+009B>") == len(options)


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
    assert "run: .venv/bin/python -m mosquitto init" in ended.stderr


def test_missing_mosquitto_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Mosquitto, init says how to install it and writes nothing."""
    monkeypatch.setattr("mosquitto.configuration.shutil.which", lambda *_, **__: None)
    fails(invoke(settings, "init"), 1, "Mosquitto is not installed")
    assert not settings.data_dir.exists()


def test_wrong_setting_is_named(settings: Settings) -> None:
    """A variable that cannot be used is named before anything is done."""
    wrong = environment(settings) | {"CULEX_MQTT_PORT": "ninety"}
    fails(CliRunner().invoke(main, ["init"], env=wrong), 1, "CULEX_MQTT_PORT")


@pytest.mark.parametrize(
    "command",
    [("run",), ("client", "add", "tank"), ("client", "list"), ("client", "remove", "tank")],
)
def test_command_about_our_own_broker_says_that_another_is_used(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Clients are let in at the existing broker, and the sentence says where that is."""
    settings = make_settings(tmp_path, broker_url="mqtts://culex@broker.example")
    fails(invoke(settings, *command), 1, "broker.example:8883", "clients are let in there")


def test_init_and_check_with_an_existing_broker_want_its_password_alone(tmp_path: Path) -> None:
    """No keys, no broker's folder, no ports; who may look is ours all the same."""
    settings = make_settings(tmp_path, broker_url="mqtts://culex@broker.example")
    done = invoke(settings, "init")
    assert done.stdout == "Ready. Readings come from the broker at broker.example:8883\n"
    assert settings.access_path.exists()
    assert not settings.broker_dir.exists()
    assert not settings.ca_file.exists()
    fails(invoke(settings, "check"), 1, "broker-password is missing; write the password of 'culex'")
    (settings.secrets_dir / "broker-password").touch(mode=0o600)
    with socket.create_server(("127.0.0.1", settings.mqtt_port)):
        assert invoke(settings, "check").exit_code == 0
