"""Open data: tools that know nothing of Culex read its files, as data/README.md says."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from telemetry.batch import Batch
from telemetry.job import Seal
from telemetry.reading import Kind, Reading, Series
from telemetry.store.appender import StoreAppender
from tests.telemetry.builders import NOON_US

README = Path(__file__).resolve().parents[3] / "data" / "README.md"
SERIES = [Series("greenhouse", "humidity"), Series("greenhouse", "mode"), Series("attic", "power")]
SECONDS = range(-40_000, 40_000, 20)  # two days


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where data/blocks has numbers and states of two days, sealed twice."""
    path = tmp_path / "data" / "culex.db"
    path.parent.mkdir()
    appender = StoreAppender(path)
    appender.append(Batch([reading(series, second) for second in SECONDS for series in SERIES]))
    for hour in (0, 24):
        appender.do(Seal(NOON_US + hour * 3_600_000_000))
    appender.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "blocks"


def reading(series: Series, second: int) -> Reading:
    """A reading of that second: a state of the mode, a number of the others."""
    time_us = NOON_US + second * 1_000_000
    if series.metric == "mode":
        return Reading(series, time_us, "on" if second % 60 else "off", Kind.STATE)
    return Reading(series, time_us, second / 10)


def mean() -> float:
    """Of each number's series."""
    return sum(second / 10 for second in SECONDS) / len(SECONDS)


def test_duckdb_reads_the_files_as_the_document_says(folder: Path) -> None:
    """The command of data/README.md, to the letter."""
    (query,) = re.findall(r'^duckdb -c "(.+)"$', README.read_text(encoding="utf-8"), re.M)
    assert folder.is_dir()
    found = dict(duckdb.connect().execute(query).fetchall())
    assert found == {"humidity": pytest.approx(mean()), "mode": None}


def test_pandas_reads_the_files_as_the_document_says(folder: Path) -> None:
    """One line, and one client of a folder of several files."""
    (line,) = re.findall(r"^pandas\.(.+)$", README.read_text(encoding="utf-8"), re.M)
    assert folder.is_dir()
    frame = eval(f"pd.{line}", {"pd": pd})  # noqa: S307  # our own document
    assert len(frame) == 2 * len(SECONDS)
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    assert frame["value"].mean() == pytest.approx(mean())
    assert set(frame["text"].dropna()) == {"on", "off"}


def test_polars_reads_the_files_as_the_document_says(folder: Path) -> None:
    """One line, lazily."""
    (line,) = re.findall(r"^polars\.(.+)$", README.read_text(encoding="utf-8"), re.M)
    assert folder.is_dir()
    frame = eval(f"pl.{line.replace('polars.', 'pl.')}", {"pl": pl})  # noqa: S307  # our own document
    assert frame.height == 2 * len(SECONDS)
    assert frame["value"].mean() == pytest.approx(mean())


def test_hours_of_any_tool_are_the_means_of_the_readings(folder: Path) -> None:
    """Sum of sums over sum of counts, however many rows there are of an hour."""
    query = "SELECT sum({}) / sum({}) FROM '{}/{}/**/*.parquet' WHERE metric = 'power'"
    connection = duckdb.connect()
    raw = connection.execute(
        f"SELECT avg(value) FROM '{folder}/readings/**/*.parquet' WHERE metric = 'power'"  # noqa: S608  # our own words
    ).fetchone()
    hours = connection.execute(query.format("sum", "count", folder, "rollup_1h")).fetchone()
    assert raw is not None
    assert hours == pytest.approx(raw)
