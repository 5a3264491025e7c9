"""Late readings of hours whose readings are over: what becomes of them depends on nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from telemetry.batch import Batch
from telemetry.job import Import, Retain, Seal
from telemetry.reading import Series
from telemetry.retention import Keep, Retention
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import Archive
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, MINUTE_US, Window, to_iso
from tests.telemetry.builders import NOON_US, SERIES, looking, reading, values

LONG_AGO_US = NOON_US - 9 * DAY_US


@pytest.fixture
def appender(tmp_path: Path) -> Iterator[StoreAppender]:
    """Writes an empty store."""
    with closing(StoreAppender(tmp_path / "culex.db")) as writer:
        yield writer


def arrive(appender: StoreAppender, *times_us: int, series: Sequence[Series] = (SERIES,)) -> None:
    """A reading of each series at each of these times; its value is the minute."""
    appender.append(
        Batch(
            [reading(us, us % HOUR_US / MINUTE_US, series=one) for us in times_us for one in series]
        )
    )


def let_go(appender: StoreAppender) -> None:
    """Everything is sealed, and only rollups are left of what is older than two days."""
    appender.do(Seal(NOON_US + DAY_US))
    appender.do(Retain(NOON_US, Retention((), Keep(2 * DAY_US, 2 * DAY_US, None))))


def test_late_reading_is_there_however_little_of_its_hour_is_asked_for(
    appender: StoreAppender, tmp_path: Path
) -> None:
    """Its hour is open, as others of it are in a block: one that the window does not touch."""
    arrive(appender, NOON_US, LONG_AGO_US - 5 * HOUR_US)
    let_go(appender)
    arrive(appender, *(LONG_AGO_US + n * MINUTE_US for n in range(5)))
    appender.do(Seal(NOON_US + DAY_US))
    late_us = LONG_AGO_US + 30 * MINUTE_US
    arrive(appender, late_us)
    with looking(tmp_path / "culex.db") as snapshot:
        for reach_us in (HOUR_US, 10 * MINUTE_US, 1):
            window = Window(late_us - reach_us, late_us + reach_us)
            assert (late_us, 30.0) in values(snapshot.read(SERIES, window))
        narrow = Window(late_us, late_us + 1)
        assert snapshot.count(SERIES, narrow, 100) == 1
        assert snapshot.buckets(SERIES, narrow, MINUTE_US).frame["sum"].tolist() == [30.0]


def test_late_reading_of_a_closed_hour_is_nowhere(appender: StoreAppender, tmp_path: Path) -> None:
    """Not in a narrow answer either, though the hour after it is open."""
    arrive(appender, NOON_US, LONG_AGO_US)
    let_go(appender)
    arrive(appender, LONG_AGO_US + HOUR_US)
    appender.do(Seal(NOON_US + DAY_US))
    late_us = LONG_AGO_US + 59 * MINUTE_US
    arrive(appender, late_us)
    with looking(tmp_path / "culex.db") as snapshot:
        for reach_us in (2 * HOUR_US, 1):
            window = Window(late_us - reach_us, late_us + reach_us)
            assert late_us not in [time_us for time_us, _ in values(snapshot.read(SERIES, window))]


def test_import_into_a_day_that_is_over_knows_closed_hours_by_their_times_alone(
    appender: StoreAppender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of many series in any order: each is new where its own series has no rollup."""
    many = [Series("boiler", f"metric {n}") for n in range(20)]
    for place, one in enumerate(many):
        arrive(appender, LONG_AGO_US + place % 3 * HOUR_US, series=[one])
    let_go(appender)

    def fail(*_: object) -> NoReturn:
        raise AssertionError("whole rollups are read")

    monkeypatch.setattr(Archive, "rollups", fail)
    lines = [
        f"{to_iso(LONG_AGO_US + hour * HOUR_US + n * MINUTE_US)},{one.client},{one.metric},{n}"
        for one in many
        for hour in range(3)
        for n in range(2)
    ]
    order = np.random.default_rng(7).permutation(len(lines))
    path = tmp_path / "late.csv"
    path.write_text(
        "\n".join(["time,client,metric,value", *(lines[n] for n in order), ""]), "utf-8"
    )
    done = appender.do(Import((str(path),), NOON_US, NOON_US))
    assert (done["stored"], done["duplicates"]) == (20 * 4, 20 * 2)
    monkeypatch.undo()
    with looking(tmp_path / "culex.db") as snapshot:
        for place, one in enumerate(many):
            times = snapshot.read(one, ALL_TIME).frame["time_us"]
            hours = ((times - LONG_AGO_US) // HOUR_US).tolist()
            assert hours == [hour for hour in range(3) if hour != place % 3 for _ in range(2)]
