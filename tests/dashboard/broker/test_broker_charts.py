"""The charts of the Broker page: one figure, then patches of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import Patch

from dashboard.broker import charts
from dashboard.broker.charts import Sheet
from dashboard.broker.drawing import drawing, read_sheet
from dashboard.broker.panels import PANELS
from dashboard.page import Json
from telemetry.presence import Event, EventKind
from telemetry.reading import Reading
from telemetry.window import Window
from tests.dashboard.broker.looks import figures, looking_at, store
from tests.dashboard.pictures import HOUR_US, MINUTE_US, STYLE, unpacked
from tests.telemetry.builders import NOON_US, SECOND_US


def busy(path: Path, events: list[Event] | None = None) -> Path:
    """A store with figures of both for a quarter of an hour."""
    readings: list[Reading] = [
        *figures("broker", "clients.connected", [float(n % 9) for n in range(90)]),
        *figures("collector", "lag_p50", [1.25 * n for n in range(90)]),
    ]
    return store(path / "culex.db", readings, events=events or [])


def drawn(path: Path, before: Json | None = None, **changes: object) -> tuple[Json, Json]:
    """What is answered to a look, and what the browser then has."""
    kept: Json = dict(before or {})
    with looking_at(path, drawn=kept, **changes) as look:  # type: ignore[arg-type]  # by name
        return drawing(look, kept), kept


def moved_to(patch: Patch, name: str) -> list[Any]:
    """What a patch puts at places that begin with that name."""
    made: Json = patch.to_plotly_json()
    return [one for one in made["operations"] if one["location"][:1] == [name]]


def test_first_look_draws_and_the_next_moves_the_axis_alone(tmp_path: Path) -> None:
    """Figures come every ten seconds: until then nothing is read, and no line is sent."""
    path = busy(tmp_path)
    first, kept = drawn(path)
    assert set(first["figure"]) == {"data", "layout"}
    same, kept_still = drawn(path, kept)
    assert (same, kept_still) == ({}, kept)
    later_us = NOON_US + 2 * SECOND_US
    next_one, _ = drawn(path, kept, now_us=later_us)
    assert moved_to(next_one["figure"], "data") == []
    assert moved_to(next_one["figure"], "layout")
    assert "caption" not in next_one


def test_new_figures_are_patched_into_the_same_traces(tmp_path: Path) -> None:
    """After ten seconds the lines are read again; the legend and the zoom stay."""
    path = busy(tmp_path)
    _, kept = drawn(path)
    answer, _ = drawn(path, kept, now_us=NOON_US + 11 * SECOND_US)
    assert isinstance(answer["figure"], Patch)
    assert moved_to(answer["figure"], "data")


@pytest.mark.parametrize(
    "changes", [{"style": replace(STYLE, dark=True)}, {"width": 390}], ids=["dark", "phone"]
)
def test_other_looks_draw_anew(tmp_path: Path, changes: dict[str, object]) -> None:
    """Another theme or another number of columns is another figure."""
    path = busy(tmp_path)
    _, kept = drawn(path)
    answer, _ = drawn(path, kept, **changes)
    assert set(answer["figure"]) == {"data", "layout"}


def sheet(path: Path, length_us: int = 15 * MINUTE_US, width: int = 1200) -> Sheet:
    """What is drawn of a store at noon."""
    window = Window(NOON_US - length_us, NOON_US)
    with looking_at(path, window=window, width=width) as look:
        return read_sheet(look)


def test_every_array_is_packed_and_every_panel_has_its_axis(tmp_path: Path) -> None:
    """No list of numbers goes to the browser; two columns are linked in time."""
    made = charts.figure(sheet(busy(tmp_path)))
    assert len(made["data"]) == 2 * sum(len(panel.lines) for panel in PANELS)
    for trace in made["data"]:
        assert isinstance(trace["x"], dict), trace["name"]
        assert isinstance(trace["y"], dict), trace["name"]
    layout = made["layout"]
    assert layout["xaxis2"]["matches"] == "x"
    assert "yaxis" not in layout
    assert {f"yaxis{number + 1}" for number in range(len(PANELS))} <= set(layout)


def test_phone_has_one_column(tmp_path: Path) -> None:
    """Panels stand below each other, and the figure is as much higher."""
    path = busy(tmp_path)
    narrow = charts.figure(sheet(path, width=390))["layout"]
    assert "xaxis2" not in narrow
    assert narrow["height"] > 1.8 * charts.figure(sheet(path))["layout"]["height"]


def test_wide_buckets_have_bands_and_narrow_ones_none(tmp_path: Path) -> None:
    """Peaks survive where a bucket holds several figures; the words say which it is."""
    path = busy(tmp_path)
    narrow, wide = sheet(path), sheet(path, 24 * HOUR_US)

    def longest_band(one: Sheet) -> int:
        bands = [t for t in charts.figure(one)["data"] if t["name"].endswith("least to most")]
        return max(len(unpacked(band["y"])) for band in bands)

    assert longest_band(narrow) == 0
    assert longest_band(wide) > 0
    assert "Every figure" in charts.caption(narrow)
    assert "5 min buckets" in charts.caption(wide)


def test_panel_without_figures_says_so(tmp_path: Path) -> None:
    """An empty panel is no riddle."""
    notes = [one["text"] for one in charts.figure(sheet(busy(tmp_path)))["layout"]["annotations"]]
    assert notes.count("no figures in this time") == len(PANELS) - 2


def test_time_without_a_link_is_grey(tmp_path: Path) -> None:
    """A gap is explained: the link was down."""
    lost = Event(NOON_US - 600 * SECOND_US, EventKind.BROKER_LOST)
    back = Event(NOON_US - 300 * SECOND_US, EventKind.BROKER_BACK)
    one = sheet(busy(tmp_path, [lost, back]))
    shapes = charts.figure(one)["layout"]["shapes"]
    assert [shape["xref"] for shape in shapes] == ["x", "x2"]
    assert shapes[0]["x0"].startswith("2026-11-23T11:50:00")
    assert "Grey" in charts.caption(one)
