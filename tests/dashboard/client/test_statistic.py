"""Other statistics in place of the mean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboard.asking import ask
from dashboard.client.statistic import STATISTICS, chosen, untold, with_statistic
from dashboard.question import Picture, Question
from telemetry.reading import Reading
from telemetry.window import Window
from tests.dashboard.pictures import HOUR_US, MINUTE_US, QUESTION, every, switch
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill


def drawn(path: Path, name: str, **changes: object) -> Picture:
    """What the store answers to QUESTION with these changes, with a statistic."""
    asked: Question = replace(QUESTION, **changes)  # type: ignore[arg-type]  # by name
    with asking(path) as querier, querier.snapshot() as snapshot:
        return with_statistic(snapshot, ask(snapshot, asked), name)


def store(tmp_path: Path, readings: list[Reading]) -> Path:
    """A store with the readings."""
    return fill(tmp_path / "culex.db", readings)


def last(picture: Picture, span: int = 0) -> float:
    """What the tile says of a span."""
    return float(picture.pictures[0].means[span].frame["mean"].iloc[-1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("mean", 196.5), ("median", 196.5), ("min", 194.0), ("max", 199.0), ("p95", 198.75)],
)
def test_statistic_of_a_span_is_of_its_readings(tmp_path: Path, name: str, value: float) -> None:
    """The tile stands at the last instant of the window, and its span reaches back from there."""
    path = store(tmp_path, every(10 * SECOND_US, 200))
    window = Window(NOON_US - 15 * MINUTE_US, NOON_US + 1)
    found = last(drawn(path, name, window=window))
    assert found == pytest.approx(value)


def test_mean_is_left_as_it_is(tmp_path: Path) -> None:
    """The picture with means is the one that was asked."""
    path = store(tmp_path, every(10 * SECOND_US, 100))
    with asking(path) as querier, querier.snapshot() as snapshot:
        picture = ask(snapshot, QUESTION)
        assert with_statistic(snapshot, picture, "mean") is picture


def test_line_and_tile_of_readings_agree(tmp_path: Path) -> None:
    """The line's point at a reading is the statistic of the span that ends there."""
    path = store(tmp_path, every(10 * SECOND_US, 200))
    frame = drawn(path, "max").pictures[0].means[1].frame
    assert frame["time_us"].is_monotonic_increasing
    assert frame["mean"].tolist()[:-1] == [
        199.0 - (NOON_US - at) / (10 * SECOND_US) for at in frame["time_us"].tolist()[:-1]
    ]


def test_buckets_tell_extremes_and_not_quantiles(tmp_path: Path) -> None:
    """Where readings are too many, a quantile has no line, and the page can say so."""
    path = store(tmp_path, every(SECOND_US, 26_000))
    long = {"window": Window(NOON_US - 7 * HOUR_US, NOON_US), "spans": ("5m",)}
    most, middle = drawn(path, "max", **long), drawn(path, "median", **long)
    assert most.pictures[0].answer.bucket_us > 0
    assert last(most) == 25_998.0
    assert not untold(most.pictures, "max")
    assert untold(middle.pictures, "median")
    assert last(middle) == pytest.approx(25_998.0 - 149.5)


def test_time_weighted_counts_what_held_before(tmp_path: Path) -> None:
    """Of a series that rises evenly it is half an interval less than the mean at its readings."""
    path = store(tmp_path, every(10 * SECOND_US, 200))
    window = Window(NOON_US - 15 * MINUTE_US, NOON_US + 1)
    assert last(drawn(path, "time_weighted", window=window)) == pytest.approx(195.5)


def test_rate_is_of_the_panel_and_of_its_spans(tmp_path: Path) -> None:
    """The panel shows the change per second, with its unit, and so do tile and lines."""
    path = store(tmp_path, every(10 * SECOND_US, 200, unit="kWh"))
    one = drawn(path, "rate").pictures[0]
    assert one.latest.unit == "kWh/s"
    assert one.latest.value == pytest.approx(0.1)
    assert set(one.answer.frame["value"].round(9)) == {0.1}
    assert one.means[0].frame["mean"].iloc[-1] == pytest.approx(0.1)
    assert one.means[0].statistic == "rate"


def test_rate_of_buckets_keeps_their_width(tmp_path: Path) -> None:
    """So that what is one bucket apart is joined."""
    path = store(tmp_path, every(SECOND_US, 8000))
    one = drawn(path, "rate", window=Window(NOON_US - 2 * HOUR_US, NOON_US)).pictures[0]
    width_us = one.answer.bucket_us
    assert width_us > 0
    assert set(np.diff(one.answer.frame["time_us"])) == {width_us}
    assert one.answer.frame["min"].round(9).unique().tolist() == [1.0]


def test_other_kinds_are_left_alone(tmp_path: Path) -> None:
    """A boolean has no median."""
    path = store(tmp_path, switch(10 * SECOND_US, 50))
    assert drawn(path, "median").pictures[0].means == []


def test_option_that_names_nothing_means_the_mean() -> None:
    """Whatever an address says."""
    assert chosen("") == chosen("<b>") == "mean"
    assert all(chosen(name) == name for name in STATISTICS)
