"""Limits of metrics: in charts and on tiles."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from dash import html

from dashboard.client.limits import exceeded, shapes
from dashboard.digits import Notation
from dashboard.question import MetricPicture
from telemetry.thresholds import MetricRule, Thresholds
from tests.dashboard.pictures import HOSTILE, STYLE, every, picture, switch, texts
from tests.telemetry.builders import SECOND_US, fill

BOTH = MetricRule("*", "*", "", Thresholds(0.0, 10.0, 80.0, 900.0))


def ruled(path: Path, *rules: MetricRule) -> Sequence[MetricPicture]:
    """The panels of a store with these rules."""
    return picture(path, rules=rules).pictures


def test_limits_near_the_readings_are_drawn(tmp_path: Path) -> None:
    """One that is far away would flatten the line, so it is left out."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 90, unit="°C"))
    found = shapes(ruled(path, BOTH), STYLE)
    assert [shape["y0"] for shape in found] == [0.0, 10.0, 80.0]
    assert [shape["label"]["text"] for shape in found] == [
        "alarm below 0 °C", "warning below 10 °C", "warning above 80 °C",
    ]  # fmt: skip
    assert {shape["yref"] for shape in found} == {"y1"}


def test_limits_are_in_the_unit_of_the_panel(tmp_path: Path) -> None:
    """A panel in kW has its limits in kW."""
    watts = [
        one._replace(value=1000.0 * float(one.value)) for one in every(SECOND_US, 90, unit="W")
    ]
    rule = MetricRule("*", "*", "", Thresholds(warn_above=80_000.0))
    found = shapes(ruled(fill(tmp_path / "culex.db", watts), rule), STYLE)
    assert [(shape["y0"], shape["label"]["text"]) for shape in found] == [
        (80.0, "warning above 80 kW")
    ]


def test_worse_limits_look_worse_without_colour(tmp_path: Path) -> None:
    """An alarm has another dash than a warning, and its own words."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 90))
    alarm, *warnings = shapes(ruled(path, BOTH), STYLE)
    assert {shape["line"]["dash"] for shape in warnings} == {"dash"}
    assert alarm["line"]["dash"] == "solid"


def test_panels_without_limits_have_none(tmp_path: Path) -> None:
    """Nor has a boolean, whatever is set."""
    path = fill(tmp_path / "culex.db", [*every(10 * SECOND_US, 90), *switch(10 * SECOND_US, 90)])
    valve = MetricRule("*", "valve", "", BOTH.thresholds)
    assert shapes(ruled(path, valve), STYLE) == []


def test_hostile_unit_is_text_in_the_chart(tmp_path: Path) -> None:
    """Of no limit plotly takes anything for its own."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 90, unit=HOSTILE))
    label = shapes(ruled(path, BOTH), STYLE)[0]["label"]["text"]
    assert "<" not in label
    assert "%{" not in label


@pytest.mark.parametrize(
    ("value", "level", "said"),
    [
        (50.0, None, []),
        (80.5, "warning", ["warning above 80.0 °C"]),
        (-1.0, "alarm", ["alarm below 0.0 °C"]),
        (901.0, "alarm", ["alarm above 900.0 °C"]),
    ],
)
def test_tile_says_when_the_newest_reading_is_beyond(
    tmp_path: Path, value: float, level: str | None, said: list[str]
) -> None:
    """With an icon and in words, beside its colour."""
    shown = ruled(fill(tmp_path / "culex.db", every(10 * SECOND_US, 90)), BOTH)[0]
    one = replace(shown, latest=replace(shown.latest, value=value))
    found = exceeded(one, Notation("°C", decimals=1))
    assert list(texts(found)) == said
    assert [getattr(part, "className", "") for part in found] == (
        [f"tile-limit {level}"] if level else []
    )
    assert all(isinstance(part.children[0], html.I) for part in found)
