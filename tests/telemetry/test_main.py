"""`python -m telemetry`: export, erase and stats from a shell."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from telemetry.__main__ import main
from telemetry.batch import Batch
from telemetry.clock import now_us
from telemetry.daemon import pid_file, prepare_folders
from telemetry.interface import Chunk, StoreUnavailable, StreamQuery
from telemetry.job import Seal
from telemetry.jobs import run_pending
from telemetry.reading import Flag, Reading, Series
from telemetry.settings import Settings, load_settings
from telemetry.store import open_appender
from telemetry.store.rendering import Cited
from telemetry.store.snapshot import StoreQuerier
from telemetry.store.streaming import chunks
from telemetry.window import to_iso
from tests.telemetry.builders import DEADLINE_S, SECOND_US, erasing, fill, reading

ROOT = Path(__file__).resolve().parents[2]
STATE = Series("boiler", "state")
SIMULATED = Series("demo-solar", "power")
START_US = now_us() // SECOND_US * SECOND_US - 600 * SECOND_US


def measured() -> list[Reading]:
    """Ten minutes of a boiler, a state, and a simulated client."""
    return [
        *(reading(START_US + n * 10 * SECOND_US, 20 + n / 10, unit="°C") for n in range(60)),
        reading(START_US, "=on", series=STATE),
        *(reading(START_US + n, series=SIMULATED, flags=Flag.SIMULATED) for n in range(5)),
    ]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a data folder of our own, with a store in it."""
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path))
    settings = load_settings()
    prepare_folders(settings)
    fill(settings.store_path, measured())
    return settings


def run(*arguments: str) -> Result:
    """The outcome of a command; a traceback fails the test."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def refused(*arguments: str) -> str:
    """The one sentence on stderr of a command that fails with status 1 and prints nothing."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").strip()


def test_export_by_default_is_the_long_csv_of_a_day(settings: Settings) -> None:
    """One client's readings come out as the contract says, with nothing else on stdout."""
    hours = (reading(START_US - n * 3600 * SECOND_US, unit="°C") for n in (23, 25))
    fill(settings.store_path, list(hours))
    result = run("export", "boiler")
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert result.exit_code == 0
    assert len(rows) == 62
    assert rows[0]["time"] == to_iso(START_US - 23 * 3600 * SECOND_US)
    assert (rows[1]["metric"], rows[1]["value"]) == ("state", "'=on")
    assert (rows[2]["metric"], rows[2]["value"], rows[2]["unit"]) == ("temperature", "20", "°C")


@pytest.mark.usefixtures("settings")
def test_export_with_every_option_does_what_they_say() -> None:
    """Metric, window, layout, interval, span and zone all have their effect."""
    start, end = to_iso(START_US + 60 * SECOND_US), to_iso(START_US + 180 * SECOND_US)
    options = "--metric temperature --layout wide --every 1m --span 2m --span 5m --tz Asia/Kolkata"
    options += " --span 2m --statistic max"
    result = run("export", "boiler", "--start", start, "--end", end, *options.split())
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert list(rows[0]) == [
        "time",
        "temperature [°C]",
        "temperature max_2m [°C]",
        "temperature coverage_2m",
        "temperature max_5m [°C]",
        "temperature coverage_5m",
    ]
    assert result.stdout.splitlines()[0].count("max_2m") == 1
    assert len(rows) in (2, 3)  # aligned minutes over two minutes that need not be aligned
    assert all(row["time"].endswith("+05:30") for row in rows)


@pytest.mark.usefixtures("settings")
def test_export_as_json_and_parquet_has_the_same_rows(tmp_path: Path) -> None:
    """Each format is whole in itself, on stdout or in a file."""
    array = json.loads(run("export", "boiler", "--format", "json").stdout)
    path = tmp_path / "boiler.parquet"
    assert run("export", "boiler", "--format", "parquet", "--output", str(path)).stdout == ""
    table = pq.read_table(path).to_pylist()
    assert [row["value"] for row in array] == [row["text"] or row["value"] for row in table]
    assert sorted(tmp_path.glob("boiler*")) == [path, manifest_beside(path)]


def manifest_beside(path: Path) -> Path:
    """Where the manifest of a file is, if nobody says otherwise."""
    return path.with_name(f"{path.name}.manifest.json")


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_export_to_a_file_has_its_manifest_beside_it(tmp_path: Path, form: str) -> None:
    """It has the hash of the file, the words that were typed, and rights like those of the file."""
    path = tmp_path / f"x.{form}"
    before = os.umask(0o077)
    try:
        run("export", "boiler", "--format", form, "--start", "now-2h", "--output", str(path))
    finally:
        os.umask(before)
    manifest = json.loads(manifest_beside(path).read_bytes())
    content = path.read_bytes()
    assert manifest["content"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (manifest["content"]["rows"], manifest["content"]["bytes"]) == (61, len(content))
    assert manifest["query"]["given"] == {"start": "now-2h", "end": "now"}
    assert manifest["links"]["page"].startswith("/client?id=boiler&from=")
    assert {one.stat().st_mode & 0o777 for one in (path, manifest_beside(path))} == {0o600}


@pytest.mark.usefixtures("settings")
def test_export_writes_its_manifest_where_it_is_told(tmp_path: Path) -> None:
    """In place of the one beside the file; of what is printed only if it is told."""
    path, told = tmp_path / "x.csv", tmp_path / "told.json"
    assert run("export", "boiler", "--output", str(path), "--manifest", str(told)).stdout == ""
    assert not manifest_beside(path).exists()
    told.unlink()
    printed = run("export", "boiler", "--manifest", str(told)).stdout_bytes
    content = json.loads(told.read_bytes())["content"]
    assert content["sha256"] == hashlib.sha256(printed).hexdigest()
    assert not told.with_name("told.json.part").exists()


@pytest.mark.usefixtures("settings")
def test_manifest_from_before_is_never_beside_another_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault between file and manifest leaves the file alone; one before it changes neither."""
    path, to = tmp_path / "x.csv", ("export", "boiler", "--output", str(tmp_path / "x.csv"))
    run(*to)
    first = [one.read_bytes() for one in (path, manifest_beside(path))]
    with monkeypatch.context() as patched:
        patched.setattr(StoreQuerier, "stream", broken_off)
        assert refused(*to) == "the store went away; try again"
    assert [one.read_bytes() for one in (path, manifest_beside(path))] == first
    with monkeypatch.context() as patched:
        patched.setattr(Cited, "manifest", broken_manifest)
        assert refused(*to, "--format", "json") == "the store went away; try again"
    assert json.loads(path.read_bytes())
    assert not manifest_beside(path).exists()
    told = str(manifest_beside(path))
    run(*to)
    with monkeypatch.context() as patched:
        patched.setattr(StoreQuerier, "stream", broken_off)
        assert run("export", "boiler", "--manifest", told).exit_code == 1
    assert not manifest_beside(path).exists()


def broken_off(self: StoreQuerier, query: StreamQuery) -> Iterator[Chunk]:
    """A stream that fails after its first part."""
    yield next(chunks(self, query))
    raise StoreUnavailable("the store went away; try again")


def broken_manifest(_self: Cited, _made_us: int) -> NoReturn:
    """A store that fails when its state at the end is asked for."""
    raise StoreUnavailable("the store went away; try again")


KILLED = """
import sys
from tests.dying import Fuse, dying_before
from telemetry.__main__ import main
from {module} import {owner}
with dying_before({owner}, "{name}", Fuse({passes})):
    main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("point", "left"),
    [
        (("telemetry.commands.export", "os", "fsync", 0), {"x.csv.part"}),
        (("pathlib", "Path", "rename", 0), {"x.csv.part"}),
        (("telemetry.commands.export", "os", "fsync", 1), {"x.csv", "x.csv.manifest.json.part"}),
        (("pathlib", "Path", "rename", 1), {"x.csv", "x.csv.manifest.json.part"}),
    ],
)
def test_export_that_is_killed_leaves_no_manifest(
    settings: Settings, tmp_path: Path, point: tuple[str, str, str, int], left: set[str]
) -> None:
    """And no file of that name that is not whole, wherever it is killed."""
    module, owner, name, passes = point
    program = KILLED.format(module=module, owner=owner, name=name, passes=passes)
    to = tmp_path / "out"
    to.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, "export", "boiler", "--output", str(to / "x.csv")],
        cwd=ROOT,
        env=os.environ | {"CULEX_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert {one.name for one in to.iterdir()} == left


@pytest.mark.usefixtures("settings")
def test_export_that_is_interrupted_keeps_its_name_as_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in the middle ends with status 1, a sentence, and no file that looks whole."""
    monkeypatch.setattr(StoreQuerier, "stream", broken_off)
    sentence = refused("export", "boiler", "--output", str(tmp_path / "x.csv"))
    assert sentence == "the store went away; try again"
    assert [path.name for path in tmp_path.glob("x.csv*")] == ["x.csv.part"]
    assert (tmp_path / "x.csv.part").read_text(encoding="utf-8").startswith("time,client,")
    assert run("export", "boiler").exit_code == 1


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "there is no client 'nobody'"),
        (["boiler", "--metric", "x"], "client 'boiler' has no metric 'x'"),
        (["boiler", "--start", "soon"], "'soon' is not a time; write ISO 8601"),
        (["boiler", "--start", "now", "--end", "now-1h"], "start must be before end"),
        (["boiler", "--tz", "Mars"], "'Mars' is not a time zone"),
        (["boiler", "--every", "0s"], "'0s' is not a duration"),
        (["boiler", "--span", "90s", "--every", "1m"], "must be a multiple of every"),
        (["boiler", "--span", "32d"], "span 32d is too long; use at most 31d"),
        (
            ["boiler", "--output", "/proc/none/x"],
            "/proc/none/x.part: No such file or directory; check",
        ),
    ],
)
def test_export_of_what_is_not_there_is_a_sentence(arguments: list[str], sentence: str) -> None:
    """Each fault of its arguments is named, with status 1 and nothing on stdout."""
    assert sentence in refused("export", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["export"],
        ["export", "boiler", "--format", "xml"],
        ["export", "boiler", "--layout", "wide", "--format", "json"],
        ["export", "boiler", "--layout", "wide", "--format", "parquet"],
        ["export", "boiler", "--manifest", "-"],
        ["export", "boiler", "--span", "5m", "--statistic", "mode"],
        ["export", "boiler", "--output", "x.csv", "--manifest", "x.csv"],
        ["erase"],
        ["erase", "--simulated", "--client", "boiler"],
        ["typo"],
    ],
)
def test_command_used_wrongly_ends_with_status_2(arguments: list[str]) -> None:
    """Wrong usage is told apart from failure."""
    assert run(*arguments).exit_code == 2


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("what", ["span", "statistic"])
def test_export_has_six_spans_and_six_statistics_at_most(what: str) -> None:
    """As over HTTP: a seventh is wrong usage, told in a sentence."""
    texts = [f"--{what}={'p' * (what == 'statistic')}{n}{'m' * (what == 'span')}" for n in range(7)]
    texts[0] = {"span": "--span=9m", "statistic": "--statistic=max"}[what]
    others = ["--span=1h"] if what == "statistic" else []
    assert run("export", "boiler", *others, *texts[:6]).exit_code == 0
    result = run("export", "boiler", *others, *texts)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: name at most 6 {what}s\n"


@pytest.mark.parametrize("command", [["export", "x"], ["erase", "--simulated"], ["stats"]])
def test_command_before_the_first_collector_says_what_to_start(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a store every command says so, and makes nothing."""
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path / "data"))
    assert refused(*command).endswith("start the collector: make collector")
    assert not (tmp_path / "data").exists()


def test_command_with_a_broken_setting_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that cannot be used is a sentence here too."""
    monkeypatch.setenv("CULEX_HTTP_PORT", "x")
    assert refused("stats").startswith("CULEX_HTTP_PORT='x': ")


def test_erase_without_a_collector_removes_directly(settings: Settings) -> None:
    """The simulated fleet goes, the rest stays, and no lock is left behind."""
    assert run("erase", "--simulated").stdout == "removed 5 readings\n"
    assert json.loads(run("erase", "--client", "boiler", "--json").stdout) == {"erased": 61}
    assert refused("erase", "--client", "boiler") == "there is no client 'boiler'"
    assert list(settings.run_dir.iterdir()) == []


def test_erase_is_completed_once_files_that_were_damaged_are_back(settings: Settings) -> None:
    """It says what to do, and to do that works."""
    with closing(open_appender(settings.store_path)) as appender:
        appender.do(Seal(now_us()))
    files = {one: one.read_bytes() for one in settings.data_dir.rglob("blocks/**/*.parquet")}
    for file in files:
        file.write_bytes(b"PAR1, or is it?")
    missed = run("erase", "--client", "boiler")
    assert missed.exit_code == 1
    assert missed.stderr.endswith("put them back from a backup and erase again\n")
    for file, content in files.items():
        file.write_bytes(content)
    assert run("erase", "--client", "boiler").stdout == "removed 61 readings\n"
    assert refused("erase", "--client", "boiler") == "there is no client 'boiler'"


def test_erase_beside_a_running_collector_is_done_by_it(settings: Settings) -> None:
    """With the lock taken, the job is handed over and its result printed."""
    asked, stopping = threading.Event(), threading.Event()

    def collect() -> None:
        with pid_file(settings, "collector"):
            appender = open_appender(settings.store_path)
            asked.set()
            do = erasing(appender)
            while not stopping.wait(0.01) and not run_pending(settings.jobs_dir, do):
                pass
            appender.append(Batch([reading(START_US, series=SIMULATED)]))
            appender.close()

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        assert asked.wait(DEADLINE_S)
        assert run("erase", "--client", SIMULATED.client).stdout == "removed 5 readings\n"
    finally:
        stopping.set()
        collector.join(DEADLINE_S)
    assert list(settings.jobs_dir.iterdir()) == []


def test_stats_say_how_much_there_is(settings: Settings) -> None:
    """Counts, the span of time and sizes, for people and as JSON."""
    found = json.loads(run("stats", "--json").stdout)
    assert found.pop("bytes")["store"] >= settings.store_path.stat().st_size
    assert {one["client"]: one["readings"] for one in found.pop("usage")} == {
        "demo-solar": 5,
        "boiler": 61,
    }
    assert found.pop("forecast").keys() == {
        "day_bytes", "full_days", "balance_bytes", "forever_bytes"
    }  # fmt: skip
    assert found.pop("unread_bytes") == 0
    assert found == {
        "clients": 2,
        "series": 3,
        "readings": 66,
        "first": to_iso(START_US),
        "last": to_iso(START_US + 590 * SECOND_US),
    }
    assert "readings  66\n" in run("stats").stdout


def test_stats_of_an_empty_store_are_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing measured yet is no fault."""
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path))
    fill(tmp_path / "culex.db", [])
    found = json.loads(run("stats", "--json").stdout)
    assert (found["readings"], found["first"], found["last"]) == (0, None, None)


def test_module_run_by_the_interpreter_exports_and_fails_like_a_program(
    settings: Settings,
) -> None:
    """A real process writes the CSV to its stdout, and a fault to its stderr with status 1."""
    environment = os.environ | {"CULEX_DATA_DIR": str(settings.data_dir)}

    def process(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "telemetry", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )

    good, bad = process("export", "boiler"), process("export", "nobody")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.count("\n") == 62
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "Error: there is no client 'nobody'\n"
