"""The newest readings as rows of a grid."""

from dataclasses import replace
from pathlib import Path

from dashboard.asking import ask
from dashboard.client import newest
from telemetry.batch import Batch
from telemetry.reading import Flag, Series
from telemetry.store import open_appender
from telemetry.window import Window
from tests.dashboard.pictures import HOSTILE, MINUTE_US, QUESTION, STYLE, every, states
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, reading

WINDOW = Window(NOON_US - 15 * MINUTE_US, NOON_US + 15 * MINUTE_US)


def found(path: Path, since_us: int | None = None) -> tuple[list[newest.Row], int]:
    """The rows of the store."""
    asked = replace(QUESTION, window=WINDOW, now_us=NOON_US + 10 * MINUTE_US)
    with asking(path) as querier, querier.snapshot() as snapshot:
        return newest.rows(snapshot, ask(snapshot, asked), STYLE, since_us)


def add(path: Path, *readings: object) -> None:
    """More readings in the store."""
    appender = open_appender(path)
    appender.append(Batch(list(readings)))  # type: ignore[arg-type]  # readings
    appender.close()


def test_rows_are_the_newest_first_over_all_metrics(tmp_path: Path) -> None:
    """Each with its metric, value and unit."""
    path = fill(
        tmp_path / "culex.db",
        [*every(10 * SECOND_US, 3, unit="°C"), *states([(-5 * SECOND_US, "auto")])],
    )
    rows, arrived_us = found(path)
    assert [(row["metric"], row["value"], row["unit"]) for row in rows] == [
        ("temperature", "2", "°C"),
        ("mode", "auto", ""),
        ("temperature", "1", "°C"),
        ("temperature", "0", "°C"),
    ]
    assert arrived_us == NOON_US
    assert rows[0]["time"] == "2026-11-23 12:00:00.000"


def test_only_what_arrived_since_is_told(tmp_path: Path) -> None:
    """Also what is older but came later, with its delay and its flag."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 30))
    before, arrived_us = found(path)
    late = reading(NOON_US - 95 * SECOND_US, 7.0, delay_us=100 * SECOND_US, flags=int(Flag.LATE))
    add(path, late, reading(NOON_US + 10 * SECOND_US, 8.0))
    rows, later_us = found(path, arrived_us)
    assert [(row["value"], row["delay"], row["flags"]) for row in rows] == [
        ("8", "", ""), ("7", "100.000 s", "late"),
    ]  # fmt: skip
    assert later_us == NOON_US + 10 * SECOND_US
    assert not {row["id"] for row in rows} & {row["id"] for row in before}
    assert found(path, later_us) == ([], later_us)


def test_more_than_a_few_new_readings_are_all_told(tmp_path: Path) -> None:
    """A client that sent much since the last tick loses none of it."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 30))
    add(path, *(reading(NOON_US + n * SECOND_US, float(n)) for n in range(1, 301)))
    assert len(found(path, NOON_US)[0]) == 300


def test_grid_is_bounded(tmp_path: Path) -> None:
    """What is older is in the export."""
    path = fill(tmp_path / "culex.db", every(100_000, newest.MOST_ROWS + 50))
    rows, _ = found(path)
    assert len(rows) == newest.MOST_ROWS


def test_each_row_has_an_id_of_its_own(tmp_path: Path) -> None:
    """Two values of one instant are two rows, and the same reading is the same row again."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US, 1.0), reading(NOON_US, 2.0)])
    first, again = found(path)[0], found(path)[0]
    assert len({row["id"] for row in first}) == 2
    assert first == again


def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    """With their invisible characters as numbers, and no field has a dot."""
    series = Series("boiler", HOSTILE)
    path = fill(tmp_path / "culex.db", [reading(NOON_US, "<b>on", series=series, unit="<u>")])
    row = found(path)[0][0]
    assert "<U+202E>" in row["metric"]
    assert row["value"] == "<b>on"
    assert all("." not in str(column["field"]) for column in newest.COLUMNS)
