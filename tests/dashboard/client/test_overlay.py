"""The period before, at the times of this one."""

from datetime import UTC
from pathlib import Path

import numpy as np
import pytest

from dashboard.asking import ask
from dashboard.client import overlay
from telemetry.reading import Reading
from telemetry.window import Window
from tests.dashboard.pictures import (
    HOUR_US,
    MINUTE_US,
    QUESTION,
    STYLE,
    every,
    picture,
    switch,
    unpacked,
)
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill


def drawn(path: Path, window: Window = QUESTION.window) -> list[dict[str, object]]:
    """The data of the traces of the period before."""
    shown = picture(path, window=window)
    with asking(path) as querier, querier.snapshot() as snapshot:
        return overlay.arrays(shown, overlay.before(snapshot, shown), STYLE)


def test_period_before_stands_at_the_times_of_this_one(tmp_path: Path) -> None:
    """Each reading a window's length later than it was measured."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 200))
    found = drawn(path)
    assert len(found) == 1
    times = unpacked(found[0]["x"]) * 1000
    assert times[0] >= QUESTION.window.start_us
    assert times[-1] < QUESTION.window.end_us
    values = unpacked(found[0]["y"])
    measured_us = times - 15 * MINUTE_US
    assert np.allclose(values, 199 - (NOON_US - measured_us) / (10 * SECOND_US))


def test_period_before_has_the_buckets_of_this_one(tmp_path: Path) -> None:
    """A long window has as many points of both."""
    path = fill(tmp_path / "culex.db", every(SECOND_US, 10_000))
    window = Window(NOON_US - HOUR_US, NOON_US)
    shown, found = picture(path, window=window), drawn(path, window)
    width_us = shown.pictures[0].answer.bucket_us
    assert width_us > 0
    assert set(np.diff(unpacked(found[0]["x"]) * 1000).round()) == {width_us}


def test_gap_of_the_period_before_is_not_bridged(tmp_path: Path) -> None:
    """A missing point breaks the line."""
    some: list[Reading] = [
        one
        for one in every(10 * SECOND_US, 200)
        if not -25 * MINUTE_US < one.time_us - NOON_US < -20 * MINUTE_US
    ]
    assert np.isnan(unpacked(drawn(fill(tmp_path / "culex.db", some))[0]["y"])).sum() == 1


def test_only_numbers_have_a_period_before(tmp_path: Path) -> None:
    """Beside its panels the others count on."""
    path = fill(
        tmp_path / "culex.db", [*switch(10 * SECOND_US, 90), *every(10 * SECOND_US, 90, "x")]
    )
    shown = picture(path)
    assert [row for row, _ in overlay.drawn(shown)] == [2]
    assert [trace["yaxis"] for trace in overlay.traces(shown, STYLE)] == ["y2"]


def test_client_without_a_past_has_an_empty_line(tmp_path: Path) -> None:
    """Nothing was measured before: as many traces, no points."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 30))
    found = drawn(path)
    assert [len(unpacked(one["y"])) for one in found] == [0]


@pytest.mark.parametrize(
    ("length_us", "named"),
    [
        (HOUR_US, "2026-11-23 10:00 – 11:00"),
        (24 * HOUR_US, "2026-11-21 12:00 – 2026-11-22 12:00"),
    ],
)
def test_period_before_is_named_by_its_dates(length_us: int, named: str) -> None:
    """The day is said once if it is one."""
    assert overlay.name(Window(NOON_US - length_us, NOON_US), UTC) == named


def test_legend_names_the_period_once(tmp_path: Path) -> None:
    """Also of several panels."""
    path = fill(
        tmp_path / "culex.db", [*every(10 * SECOND_US, 30, "a"), *every(10 * SECOND_US, 30, "b")]
    )
    with asking(path) as querier, querier.snapshot() as snapshot:
        shown = ask(snapshot, QUESTION)
    assert [trace["showlegend"] for trace in overlay.traces(shown, STYLE)] == [True, False]
