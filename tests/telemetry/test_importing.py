"""`python -m telemetry import`: files from a shell, with and without a collector that runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from telemetry.__main__ import main
from telemetry.clock import now_us
from telemetry.daemon import pid_file, prepare_folders
from telemetry.job import Import, Job
from telemetry.job import Result as JobResult
from telemetry.jobs import run_pending
from telemetry.reading import Series
from telemetry.settings import Settings, load_settings
from telemetry.store import open_appender
from telemetry.window import ALL_TIME
from tests.telemetry.builders import DEADLINE_S, looking, values

HEADER = "client,metric,time,value\n"
TIME = "2026-01-01T00:00:00Z"
TIME_US = 1_767_225_600_000_000


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a data folder of our own, with nothing in it; files are named from beside it."""
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    prepare_folders(settings)
    return settings


def write(text: str, name: str = "a.csv") -> str:
    """A file of that text in the working folder."""
    Path(name).write_text(text, "utf-8")
    return name


def run(*arguments: str) -> Result:
    """The outcome of a command; a traceback fails the test."""
    result = CliRunner().invoke(main, ["import", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_import_of_a_file_says_what_came_of_it(settings: Settings) -> None:
    """In words on stdout, in one object with --json; the second time all of it is there."""
    path = write(f"{HEADER}a,t,{TIME},1\na,t,{TIME},2\na,mode,{TIME},heat\n")
    first, second = run(path), run(path, "--json")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == "imported 3 readings; 0 were there already\n"
    assert (second.exit_code, second.stderr) == (0, "")
    assert json.loads(second.stdout) == {
        "read": 3, "stored": 0, "duplicates": 3, "skipped": 0, "bad": 0, "bad_rows": [],
        "faults": [],
        "fault_count": 0,
    }  # fmt: skip
    with looking(settings.store_path) as snapshot:
        assert values(snapshot.read(Series("a", "t"), ALL_TIME)) == [(TIME_US, 1.0), (TIME_US, 2.0)]


@pytest.mark.usefixtures("settings")
def test_import_with_bad_rows_tells_them_on_stderr_and_ends_with_0() -> None:
    """By file and line, the first twenty; the rest is imported."""
    path = write(f"{HEADER}a,t,{TIME},1\n" + f"a,t,{TIME},1_000\n" * 25)
    result = run(path)
    lines = result.stderr.splitlines()
    assert result.exit_code == 0
    assert len(lines) == 21
    assert lines[0] == f"{Path(path).absolute()}, line 3: malformed-number: a,t,{TIME},1_000"
    assert lines[-1] == ("rows left out because they are no readings: 25, the first 20 above")
    said = json.loads(run(path, "--json").stdout)
    assert (said["bad"], len(said["bad_rows"])) == (25, 20)
    assert said["bad_rows"][0] == {
        "file": str(Path(path).absolute()), "line": 3, "reason": "malformed-number",
        "sample": f"a,t,{TIME},1_000",
    }  # fmt: skip


@pytest.mark.usefixtures("settings")
def test_import_of_which_nothing_comes_ends_with_1() -> None:
    """Bad rows only, a file that says not what it is, and one that is not there."""
    assert run(write(f"{HEADER}a,t,soon,1\n")).exit_code == 1
    for path in (write("a,b\n1,2\n"), "missing.csv"):
        result = run(path)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert result.stderr.startswith(f"Error: {Path(path).absolute()}: ")


@pytest.mark.usefixtures("settings")
def test_import_with_one_file_that_cannot_be_read_imports_the_others_and_ends_with_1() -> None:
    """Who reads the exit status only must not take it for whole."""
    result = run("missing.csv", write(f"{HEADER}a,t,{TIME},1\n"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["stored"] == 1


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--column", "size=x", "a.csv"],
        ["--column", "time", "a.csv"],
        ["--format", "xls", "a.csv"],
        ["--precision", "h", "a.csv"],
    ],
)
def test_import_used_wrongly_ends_with_2(options: list[str]) -> None:
    """Before anything is read."""
    assert run(*options).exit_code == 2


def test_import_with_every_option_does_what_they_say(settings: Settings) -> None:
    """Names of columns, client, metric and zone; and for line protocol tag and precision."""
    path = write("when;watt\n2026-07-01 02:00;1,5\n")
    options = [
        "--client",
        "roof",
        "--metric",
        "power",
        "--column",
        "time=when",
        "--column",
        "value=watt",
    ]
    assert run(path, *options, "--tz", "Europe/Berlin", "--format", "csv").exit_code == 0
    path = write("air,host=pi,site=lab t=1 1767225600", "a.lp")
    assert run(path, "--client-tag", "site", "--precision", "s").exit_code == 0
    with looking(settings.store_path) as snapshot:
        found = {one.series: one.time_us for one in snapshot.latest()}
    assert found == {
        Series("lab", "air.t{host=pi}"): TIME_US,
        Series("roof", "power"): 1_782_864_000_000_000,
    }


@pytest.mark.usefixtures("settings")
def test_import_refuses_a_zone_that_is_none() -> None:
    """In one sentence."""
    result = run(write(HEADER), "--tz", "Mars/Olympus")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Mars/Olympus" in result.stderr


def test_import_refuses_what_lies_in_the_future_beyond_the_tolerance(settings: Settings) -> None:
    """By the clock of now and the setting for messages."""
    now_s = now_us() // 1_000_000
    result = run(write(f"{HEADER}a,t,{now_s + 200},1\na,t,{now_s + 500},1\n"), "--json")
    said = json.loads(result.stdout)
    assert (said["stored"], [row["reason"] for row in said["bad_rows"]]) == (1, ["future"])
    assert settings.future_tolerance == "5m"


@contextmanager
def collecting(settings: Settings) -> Iterator[None]:
    """Somebody holds the store and does jobs, as the collector does."""
    asked, stopping = threading.Event(), threading.Event()

    def collect() -> None:
        with pid_file(settings, "collector"):
            appender = open_appender(settings.store_path)

            def do(job: Job) -> JobResult | None:
                assert isinstance(job, Import)
                return appender.step(job)

            asked.set()
            while not stopping.wait(0.01):
                run_pending(settings.jobs_dir, do)
                appender.tend(now_us())
            appender.close()

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        assert asked.wait(DEADLINE_S)
        yield
    finally:
        stopping.set()
        collector.join(DEADLINE_S)


def test_import_beside_a_running_collector_is_done_by_it(settings: Settings) -> None:
    """With the lock taken the job is handed over, and says the same as without."""
    path = write(f"{HEADER}a,t,{TIME},1\na,t,soon,1\na,mode,{TIME},heat\n")
    with collecting(settings):
        beside = run(path, "--json")
        missing = run("missing.csv")
    assert beside.exit_code == 0
    said = json.loads(beside.stdout)
    assert (said["stored"], said["bad_rows"][0]["line"]) == (2, 3)
    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)
    again = json.loads(run(path, "--json").stdout)
    assert again == said | {"stored": 0, "duplicates": 2}


def test_export_imported_elsewhere_says_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """CSV and Parquet, numbers and texts: what one store writes another reads."""
    run(write(f"client,metric,time,value,unit\na,t,{TIME},1.5,°C\na,mode,{TIME},heat,\n"))
    for form in ("csv", "parquet"):
        arguments = ["export", "a", "--start", TIME, "--format", form, "--output", f"out.{form}"]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    with looking(settings.store_path) as snapshot:
        before = [(one.series, one.value, one.kind, one.unit) for one in snapshot.latest()]
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path / "other"))
    assert json.loads(run("out.csv", "--json").stdout)["stored"] == 2
    assert json.loads(run("out.parquet", "--json").stdout)["duplicates"] == 2
    with looking(load_settings().store_path) as snapshot:
        after = [(one.series, one.value, one.kind, one.unit) for one in snapshot.latest()]
    assert after == before
