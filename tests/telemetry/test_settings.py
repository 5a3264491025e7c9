"""Settings: defaults, culex.toml, the environment, and sentences for what cannot be used."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.existing import ExistingBroker
from telemetry.settings import ROOT, Demo, LogFormat, Settings, SettingsError, load_settings

Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Replaces culex.toml by the given text; no CULEX_ variable is set."""
    for name in [name for name in os.environ if name.upper().startswith("CULEX_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "culex.toml"
    monkeypatch.setattr(Settings, "toml_file", path)

    def replace(text: str) -> None:
        path.write_text(text, encoding="utf-8")

    replace("")
    return replace


def refused() -> str:
    """The sentence with which the settings are refused."""
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


@pytest.mark.usefixtures("write")
def test_settings_without_file_and_variables_are_the_defaults() -> None:
    """Nothing needs to be set."""
    settings = load_settings()
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8050)
    assert (settings.mqtt_port, settings.mqtt_tls_port, settings.mqtt_ws_port) == (1883, 8883, 9001)
    assert (settings.demo, settings.log_format) == (Demo.AUTO, LogFormat.CONSOLE)
    assert settings.spans == ("1m", "5m", "30m")


def test_settings_of_the_shipped_file_uncommented_are_the_defaults(write: Write) -> None:
    """Every key that culex.toml shows exists, and is shown with its default."""
    shown = re.sub(
        r"(?m)^# (?=(?:\w+ = |\[\[))", "", (ROOT / "culex.toml").read_text(encoding="utf-8")
    )
    write("")
    defaults = load_settings()
    write(shown)
    assert load_settings() == defaults
    public = set(Settings.model_fields) - {"admin_password"}
    assert set(tomllib.loads(shown)) == public


def test_settings_from_the_environment_win_over_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable wins over the file, and the file over the default."""
    write("http_port = 8051\nmqtt_port = 1884")
    monkeypatch.setenv("CULEX_HTTP_PORT", "9000")
    settings = load_settings()
    assert (settings.http_port, settings.mqtt_port) == (9000, 1884)


@pytest.mark.usefixtures("write")
def test_settings_folders_are_all_inside_the_data_folder() -> None:
    """Two data folders share nothing."""
    settings = Settings(data_dir=Path("/somewhere/data"))
    paths = [
        settings.store_path,
        settings.access_path,
        settings.logs_dir,
        settings.run_dir,
        settings.jobs_dir,
        settings.secrets_dir,
        settings.broker_dir,
        settings.ca_file,
    ]
    assert len(set(paths)) == len(paths)
    assert {path.parent for path in paths} == {Path("/somewhere/data")}


def test_settings_from_a_file_that_is_no_toml_name_the_line(write: Write) -> None:
    """A slip of the pen is found by its line."""
    write("http_port = 8050\nmqtt_port 1883\n")
    assert re.match(r"culex\.toml is not TOML: .*line 2.*; fix that line", refused())


def test_settings_with_an_unknown_key_name_line_and_key(write: Write) -> None:
    """A key that does not exist is named with its line, not silently ignored."""
    write('# a comment\n\nhttp_prot = 8050\ndemo = "on"')
    assert refused() == "culex.toml, line 3, http_prot: there is no such setting"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("http_port = 0", "greater than or equal to 1"),
        ("mqtt_tls_port = 65536", "less than or equal to 65535"),
        ('mqtt_ws_port = "many"', "valid integer"),
        ('late_after = "soon"', "'soon' is not a duration"),
        ('spans = ["1m", "x"]', "'x' is not a duration"),
        ("spans = []", "at least 1 item"),
        ("intake_messages = 40001", "less than or equal to 40000"),
        ("batch_age_ms = 101", "less than or equal to 100"),
        ("coverage_minimum = 1.5", "less than or equal to 1"),
        ('demo = "sometimes"', "'auto', 'on' or 'off'"),
        ("[[topics]]\nfilter = 'a'", "Field required"),
    ],
)
def test_settings_with_a_bad_value_name_line_key_and_reason(
    write: Write, line: str, reason: str
) -> None:
    """What cannot be used is found by line and key, with what would do."""
    write(f"refresh_ms = 1000\n{line}")
    key = re.search(r"\w+", line)
    assert key is not None
    assert refused().startswith(f"culex.toml, line 2, {key[0]}: ")
    assert reason in refused()


def test_settings_with_a_bad_table_name_the_line_of_that_table(write: Write) -> None:
    """Of several topic templates the wrong one is found by its own line."""
    write('[[topics]]\ntemplate = "a/{client}"\n\n[[topics]]\nfilter = "b"\n')
    assert "culex.toml, line 4, topics: Field required" in refused()
    assert "line 1" not in refused()


def test_settings_with_a_template_that_cannot_be_used_name_its_line(write: Write) -> None:
    """A topic template is checked where it is written, for every process alike."""
    write('[[topics]]\ntemplate = "a/{client}"\n\n[[topics]]\ntemplate = "a/{client}/#"')
    said = refused()
    assert said.startswith("culex.toml, line 4, topics: topic template 'a/{client}/#': '#' is")


def test_settings_with_a_bad_item_of_a_list_name_the_line_of_the_list(write: Write) -> None:
    """A list in one line has one line, whichever of its items is wrong."""
    write('topics = [{template = "a/{client}"}, {template = 1}]')
    assert refused().startswith("culex.toml, line 1, topics: ")


@pytest.mark.usefixtures("write")
def test_settings_with_a_bad_variable_name_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value from the environment is blamed on its variable, not on the file."""
    monkeypatch.setenv("CULEX_HTTP_PORT", "eighty")
    assert refused().startswith("CULEX_HTTP_PORT='eighty': ")


def test_settings_with_several_faults_name_them_all(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that must be mended is in one message."""
    write("typo = 1")
    monkeypatch.setenv("CULEX_MQTT_PORT", "-1")
    assert "CULEX_MQTT_PORT='-1'" in refused()
    assert "line 1, typo" in refused()


@pytest.mark.usefixtures("write")
def test_settings_with_a_nested_variable_that_is_no_json_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A list from the environment is JSON; anything else is a sentence too."""
    monkeypatch.setenv("CULEX_SPANS", "1m,5m")
    assert refused() == """CULEX_SPANS='1m,5m': write JSON, a list such as ["1m", "5m"]"""


@pytest.mark.usefixtures("write")
def test_settings_from_a_file_that_is_no_text_are_refused() -> None:
    """A file in another encoding gets a sentence too."""
    Settings.toml_file.write_bytes(b'http_host = "\xff"')
    assert refused() == "culex.toml is not UTF-8; save it as that"


@pytest.mark.usefixtures("write")
def test_settings_never_show_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The initial password is in no text of the settings."""
    monkeypatch.setenv("CULEX_ADMIN_PASSWORD", "hunter2-hunter2")
    settings = load_settings()
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert settings.admin_password is not None
    assert settings.admin_password.get_secret_value() == "hunter2-hunter2"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtts://culex:hunter2@broker.example", "a password does not belong in an address"),
        ("mqtts://culex:@broker.example", "secrets/broker-password of the data folder"),
        ("wss://broker.example", "does not speak MQTT over WebSockets"),
        ("broker.example", "mqtts://user@broker.example:8883"),
        ("mqtts://", "it is no address"),
        ("mqtts://broker.example:99999", "it is no address"),
        ("mqtts://broker.example:0", "port 0 is none"),
        ("mqtts://broker.example/clients", "it ends with host and port"),
        ("mqtts://broker .example", "it is no address"),
        (f"mqtts://{'a' * 64}.example", "it is no address"),
    ],
)
def test_broker_url_that_cannot_be_used_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    """One sentence, and a password that somebody wrote there is not repeated in it."""
    monkeypatch.setenv("CULEX_BROKER_URL", url)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://10.0.0.7", ExistingBroker("10.0.0.7", 1883, "", tls=False)),
        ("mqtts://a%40b@h.example:1/", ExistingBroker("h.example", 1, "a@b", tls=True)),
        ("mqtts://[2001:db8::7]", ExistingBroker("2001:db8::7", 8883, "", tls=True)),
    ],
)
def test_broker_url_names_an_existing_broker(url: str, broker: ExistingBroker) -> None:
    """Ports have their defaults, and a user name may have any character, encoded."""
    assert Settings(broker_url=url).existing_broker == broker
    assert Settings(broker_url="").existing_broker is None


def test_fleet_at_an_existing_broker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no logins there; one sentence says which of the two settings to change."""
    monkeypatch.setenv("CULEX_BROKER_URL", "mqtts://broker.example")
    monkeypatch.setenv("CULEX_DEMO", "on")
    with pytest.raises(SettingsError, match=r"^CULEX_DEMO='on': the simulated fleet plays at Cu"):
        load_settings()
