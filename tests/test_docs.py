"""README, culex.toml, Makefile and the documents say what the code does."""

import doctest
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from telemetry.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SETTINGS_FILE = (ROOT / "culex.toml").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")

SECRET_FIELDS = {"admin_password"}
"""Fields that have a variable but no key, because culex.toml is kept in git."""

KEY = re.compile(r"^# (\w+ = .+|\[\[\w+\]\])$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| `(CULEX_\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
COMMAND = re.compile(r"\.venv/bin/python -m ([\w.]+(?: [\w-]+)*)")
TARGETS = re.findall(r"^(\w+):.*## ", MAKEFILE, re.MULTILINE)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own CULEX_ variables are out of the way."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"CULEX_{field.upper()}", raising=False)


def uncommented() -> str:
    """culex.toml with every key in force."""
    return KEY.sub(r"\1", SETTINGS_FILE)


def keys() -> dict[str, Any]:  # values of any TOML type
    """The keys that culex.toml shows, with the values written beside them."""
    return tomllib.loads(uncommented())


def settings_from(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a culex.toml of that text means."""
    file = folder / "culex.toml"
    file.write_text(text, "utf-8")
    monkeypatch.setattr(Settings, "toml_file", file)
    return load_settings()


def defaults(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What holds when culex.toml is empty."""
    return settings_from("", folder, monkeypatch)


def test_examples_on_the_page_about_the_mean_are_true() -> None:
    """What it says that the code answers, the code answers."""
    found = doctest.testfile(str(ROOT / "docs/mean.md"), module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0


def test_settings_file_as_shipped_means_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file as it comes changes nothing."""
    shipped = settings_from(SETTINGS_FILE, tmp_path, monkeypatch)
    assert shipped == defaults(tmp_path, monkeypatch)


def test_settings_file_uncommented_means_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each default written in the file is the one in force."""
    written = settings_from(uncommented(), tmp_path, monkeypatch)
    assert written == defaults(tmp_path, monkeypatch)


def test_settings_file_names_every_field() -> None:
    """Every setting can be found in culex.toml, and nothing else can."""
    assert set(keys()) == set(Settings.model_fields) - SECRET_FIELDS


def test_settings_table_names_every_key_with_its_variable_and_default() -> None:
    """README's table and culex.toml agree to the letter."""
    values = {match[1]: match[2] for match in re.finditer(r"^# (\w+) = (.+)$", SETTINGS_FILE, re.M)}
    del values["template"]
    rows = {key: (variable, default.strip("`")) for key, variable, default in ROW.findall(README)}
    assert rows.pop("topics") == ("CULEX_TOPICS", "three templates")
    assert rows == {key: (f"CULEX_{key.upper()}", value) for key, value in values.items()}


@pytest.mark.parametrize("field", sorted(SECRET_FIELDS))
def test_readme_names_every_secret_variable(field: str) -> None:
    """A setting without a key is in README all the same."""
    assert f"`CULEX_{field.upper()}`" in README


def test_readme_variables_are_settings() -> None:
    """README names no variable that does nothing."""
    named = {name.lower() for name in re.findall(r"CULEX_(\w+)", README)}
    assert named <= set(Settings.model_fields)


def test_make_help_lists_every_target() -> None:
    """`make` alone shows each target with what it does."""
    done = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith("make")]
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    assert listed == phony == TARGETS


def test_readme_names_exactly_the_targets_there_are() -> None:
    """README's targets exist, and each target but help is in README."""
    named = set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE))
    assert named == set(TARGETS) - {"help"}


@pytest.mark.parametrize("command", sorted(set(COMMAND.findall(README))))
def test_readme_command_exists(command: str) -> None:
    """Each command of README, with its options, knows `--help`."""
    line = re.search(rf"-m {re.escape(command)}((?: --?[\w-]+)*)", README)
    assert line is not None
    room, *words = command.split()
    program = importlib.import_module(f"{room}.__main__").main
    done = CliRunner().invoke(program, [*words, *line[1].split(), "--help"])
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize("room", ["collector", "dashboard", "mosquitto", "telemetry"])
def test_room_is_a_command_line(room: str) -> None:
    """Each room is run with `python -m`."""
    done = subprocess.run(
        [sys.executable, "-m", room, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m {room}" in done.stdout


def test_readme_links_lead_to_files() -> None:
    """Every link inside the project leads somewhere; screenshots come from the browser suite."""
    links = set(re.findall(r"\]\((?!http)([^)#]+)\)", README))
    assert [link for link in links if not (ROOT / link).exists()] == []
