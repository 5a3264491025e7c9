"""What is said not to have changed has not, whatever is done to a store."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.interface import Querier
from telemetry.job import Seal
from telemetry.reading import Series
from telemetry.store import open_appender
from telemetry.window import ALL_TIME
from tests.telemetry.builders import (
    NOON_US,
    SECOND_US,
    SERIES,
    asking,
    fill,
    looking,
    reading,
    steady,
    values,
)
from tests.telemetry.deeds import DEEDS, OTHER, done

Store = dict[Series, list[tuple[int, float | str]]]


def seen(querier: Querier) -> tuple[int, Store]:
    """The sequence, and all readings of each series."""
    with querier.snapshot() as snapshot:
        known = [latest.series for latest in snapshot.latest()]
        return snapshot.sequence, {one: values(snapshot.read(one, ALL_TIME)) for one in known}


@steady
@given(
    st.lists(done, max_size=14),
    st.integers(1, 4),
)
def test_what_is_said_to_be_as_it_was_is(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int]], at_once: int
) -> None:
    """Of readings up to the newest of a series before: those before `changed_us` are the same."""
    path = fill(tmp_path_factory.mktemp("store") / "culex.db", [reading(NOON_US)])
    appender = open_appender(path)
    with asking(path) as querier:
        sequence, before = seen(querier)
        for number, (deed, n) in enumerate(deeds):
            DEEDS[deed](appender, n)
            if number % at_once:
                continue
            now, after = seen(querier)
            with querier.snapshot() as snapshot:
                for series in before:
                    changed_us = snapshot.kept.of(series).changed_us(sequence)
                    end_us = min(changed_us, max(before[series])[0] + 1)
                    assert until(before[series], end_us) == until(after.get(series, []), end_us)
            sequence, before = now, after
    appender.close()


def until(readings: list[tuple[int, float | str]], end_us: int) -> list[tuple[int, float | str]]:
    """Those measured before then."""
    return [one for one in readings if one[0] < end_us]


def changed(path: Path, sequence: int) -> int:
    """What a store says has changed."""
    with looking(path) as snapshot:
        return snapshot.kept.of(SERIES).changed_us(sequence)


def sequence_of(path: Path) -> int:
    """The sequence of a store."""
    with looking(path) as snapshot:
        return snapshot.sequence


def test_newer_readings_are_no_change(tmp_path: Path) -> None:
    """Of the series nor of others: what there was stays."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US), reading(NOON_US, series=OTHER)])
    before = sequence_of(path)
    fill(path, [reading(NOON_US + n) for n in (1, 2, 3)])
    fill(path, [reading(NOON_US - 5, series=OTHER)])
    assert changed(path, before) == ALL_TIME.end_us


def test_late_readings_change_what_is_after_them(tmp_path: Path) -> None:
    """Up to many commits ago it is known from when on; of longer ago everything may differ."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US - 10_000), reading(NOON_US)])
    before = sequence_of(path)
    fill(path, [reading(NOON_US - 50)])
    fill(path, [reading(NOON_US - 20)])
    assert changed(path, before) == NOON_US - 50
    assert changed(path, before - 1) == ALL_TIME.start_us, "the series was made then"
    appender = open_appender(path)
    for n in range(200):
        appender.append(Batch([reading(NOON_US - n, 2.0)]))
    appender.close()
    assert changed(path, before) == ALL_TIME.start_us
    assert changed(path, sequence_of(path) - 5) >= NOON_US - 200


def test_what_is_kept_is_of_one_file_alone(tmp_path: Path) -> None:
    """Of a store that takes the place of another nothing is kept."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US)])
    with asking(path) as querier:
        with querier.snapshot() as snapshot:
            snapshot.kept.put("key", 5)
        with querier.snapshot() as snapshot:
            assert snapshot.kept.get("key", int) == 5
            assert snapshot.kept.get("key", str) is None
        fill(tmp_path / "other.db", [reading(NOON_US)]).replace(path)
        with querier.snapshot() as snapshot:
            assert snapshot.kept.get("key", int) is None


def test_nothing_is_kept_while_a_file_cannot_be_read(tmp_path: Path) -> None:
    """What was made without it would stay when it is back."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US), reading(NOON_US + 1)])
    appender = open_appender(path)
    appender.do(Seal(NOON_US + SECOND_US))
    appender.close()
    for block in (tmp_path / "blocks").rglob("*.parquet"):
        block.unlink()
    with looking(path) as snapshot:
        snapshot.kept.put("before", 5)
        snapshot.read(SERIES, ALL_TIME)
        snapshot.kept.put("after", 5)
        assert snapshot.kept.get("before", int) == 5
        assert snapshot.kept.get("after", int) is None
