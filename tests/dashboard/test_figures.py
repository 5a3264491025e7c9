"""Figures: what is patched fits what was drawn, and nothing in them is taken for HTML."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.arrays import Trace, arrays
from dashboard.charts import time_axis
from dashboard.figures import (
    GRAPH_CONFIG,
    figure,
    height_px,
    moving,
    signature,
    titles,
    x_range,
)
from dashboard.question import Picture, Question
from dashboard.style import Style
from dashboard.tiles import tiles
from telemetry.reading import Series
from telemetry.settings import ROOT
from telemetry.window import Window, parse_time
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    QUESTION,
    STYLE,
    every,
    lost,
    picture,
    revived,
    states,
    switch,
    texts,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading, steady

METRICS = ("temperature", "lone", "valve", "mode")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense number, a lone one, a boolean and a state."""
    path = tmp_path_factory.mktemp("store") / "culex.db"
    moods = states([(-n * MINUTE_US, "on" if n % 3 else "off") for n in range(60)])
    lone = reading(NOON_US - MINUTE_US, series=Series("boiler", "lone"), unit="°C")
    return fill(path, [*every(SECOND_US, 4000), *switch(20 * SECOND_US, 300), *moods, lone])


QUESTIONS = st.builds(
    lambda metrics, spans, length_us, end_us: replace(
        QUESTION,
        metrics=tuple(metrics),
        spans=tuple(spans),
        window=Window(end_us - length_us, end_us),
    ),
    st.lists(st.sampled_from(METRICS), unique=True),
    st.lists(st.sampled_from(["90s", "1m", "5m", "30m", "2h"]), min_size=1, unique=True),
    st.sampled_from([1, SECOND_US, MINUTE_US, 15 * MINUTE_US, 6 * HOUR_US, 3000 * HOUR_US]),
    st.integers(-2 * HOUR_US, 2 * HOUR_US).map(lambda offset_us: NOON_US + offset_us),
)
STYLES = st.builds(
    lambda zone, browsers, dark: Style(
        zone=ZoneInfo(zone), browsers=browsers, dark=dark, touch=False, coverage_minimum=0.6
    ),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.booleans(),
    st.booleans(),
)


def data_of(shown: Picture, style: Style) -> list[Trace]:
    """The arrays of every trace."""
    return [data for one in shown.pictures for data in arrays(one, shown, style)]


@steady
@given(question=QUESTIONS, style=STYLES)
def test_data_of_any_picture_fits_its_figure(store: Path, question: Question, style: Style) -> None:
    """There are arrays for each trace, in order, and the figure has them."""
    shown = picture(store, **{name: getattr(question, name) for name in question.__slots__})
    traces = figure(shown, style).to_dict()["data"]
    for trace, data in zip(traces, data_of(shown, style), strict=True):
        for name, values in data.items():
            assert _plain(trace[name]) == _plain(values), (trace["name"], name)
    assert len(figure(shown, style).layout.annotations) == len(shown.pictures)


def _plain(values: Any) -> object:  # plotly's own JSON
    return values if isinstance(values, dict) else list(values)


@steady
@given(question=QUESTIONS)
def test_data_in_the_browsers_zone_is_binary(store: Path, question: Question) -> None:
    """No list of times or numbers is sent with a tick; only states are texts."""
    shown = picture(store, **{name: getattr(question, name) for name in question.__slots__})
    for data in data_of(shown, STYLE):
        binary = {name for name, values in data.items() if isinstance(values, dict)}
        assert binary == set(data) or (set(data) == {"x", "y"} and binary == {"x"})
        assert binary == set(data) or all(isinstance(y, str) or y is None for y in data["y"])


def test_signature_of_new_data_is_the_same(store: Path) -> None:
    """Ticks that only bring data are patches, also when raw readings turn into buckets."""
    shown = picture(store)
    later = picture(store, window=Window(NOON_US - 6 * HOUR_US, NOON_US + 5), now_us=NOON_US + 5)
    assert [one.pictures[2].answer.bucket_us > 0 for one in (shown, later)] == [False, True]
    assert signature(shown, STYLE) == signature(later, STYLE)


def changed(shown: Picture) -> Iterator[tuple[str, Picture, Style]]:
    """What must be drawn anew."""
    yield "client", replace(shown, question=replace(shown.question, client="other")), STYLE
    yield "metric", replace(shown, pictures=shown.pictures[1:]), STYLE
    yield "span", replace(shown, question=replace(shown.question, spans=("1m",))), STYLE
    one = shown.pictures[0]
    unit = replace(one, notation=replace(one.notation, unit="K"))
    yield "unit", replace(shown, pictures=[unit, *shown.pictures[1:]]), STYLE
    yield "theme", shown, replace(STYLE, dark=True)
    yield "zone", shown, replace(STYLE, zone=ZoneInfo("Asia/Tokyo"))
    yield "touch", shown, replace(STYLE, touch=True)


def test_signature_of_other_traces_or_looks_is_another(store: Path) -> None:
    """A metric, span, unit, theme or zone that changes makes a new figure."""
    shown = picture(store)
    for what, other, style in changed(shown):
        assert signature(other, style) != signature(shown, STYLE), what


def test_figure_gives_each_panel_its_own_axis_and_height(store: Path) -> None:
    """Panels stand one above the other without overlap, on one time axis."""
    shown = picture(store)
    made = figure(shown, STYLE)
    domains = [made.layout[f"yaxis{n}"].domain for n in range(1, 5)]
    assert all(low < high for low, high in domains)
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    assert {trace.xaxis for trace in made.data} == {"x"}
    assert {trace.yaxis for trace in made.data} == {"y", "y2", "y3", "y4"}
    assert made.layout.height == height_px(shown)


@pytest.mark.parametrize(
    ("metrics", "panel"), [(("lone", "valve"), "y"), (("valve", "warmth"), "y2")]
)
def test_legend_names_means_wherever_the_first_panel_with_some_stands(
    store: Path, tmp_path: Path, metrics: tuple[str, ...], panel: str
) -> None:
    """A boolean in the first panel has no means: the legend names those of the next one."""
    warm = every(10 * SECOND_US, 90, "warmth")
    path = (
        store
        if "lone" in metrics
        else fill(tmp_path / "culex.db", [*switch(10 * SECOND_US, 90), *warm])
    )
    made = figure(picture(path, metrics=metrics), STYLE)
    legend = [(trace.name, trace.yaxis) for trace in made.data if trace.showlegend]
    names = ["reading", "1 min mean", "5 min mean", "30 min mean"]
    assert legend == [(name, panel) for name in names]
    assert not [one.name for one in made.data if one.yaxis != panel and "mean" in one.name]


def test_legend_without_any_mean_names_readings(store: Path) -> None:
    """A boolean alone has them, too."""
    made = figure(picture(store, metrics=("valve",)), STYLE)
    assert [trace.name for trace in made.data if trace.showlegend] == ["reading"]


def test_figure_keeps_zoom_and_legend_over_ticks(store: Path) -> None:
    """The page's own state of the figure survives new data."""
    assert figure(picture(store), STYLE).layout.uirevision == "keep"


def test_axis_is_the_window_in_the_zone_shown(store: Path) -> None:
    """The time axis begins and ends with the window."""
    shown = picture(store)
    assert x_range(shown, STYLE) == ["2026-11-23T11:45:00.000", "2026-11-23T12:00:00.000"]
    berlin = x_range(shown, replace(STYLE, zone=ZoneInfo("Europe/Berlin")))
    assert berlin == ["2026-11-23T12:45:00.000", "2026-11-23T13:00:00.000"]


@pytest.mark.parametrize(("pixels", "most"), [(360, 4), (1400, 10)])
def test_labels_of_the_time_axis_are_level_and_few_enough(
    store: Path, pixels: int, most: int
) -> None:
    """Where more would stand, plotly.js turns them on their ends."""
    axis = figure(picture(store, max_buckets=round(pixels / 0.9)), STYLE).layout.xaxis
    assert (axis.tickangle, axis.nticks) == (0, most)
    window = Window(NOON_US - HOUR_US, NOON_US)
    assert time_axis(window, STYLE, pixels)["tickangle"] == 0
    assert time_axis(window, STYLE, pixels)["nticks"] <= most


def test_touch_scrolls_and_a_mouse_zooms(store: Path) -> None:
    """Dragging on a phone is left to the page."""
    shown = picture(store)
    assert figure(shown, STYLE).layout.dragmode == "zoom"
    assert figure(shown, replace(STYLE, touch=True)).layout.dragmode is False


def test_title_names_metric_unit_and_buckets(store: Path) -> None:
    """The title says what is drawn, and how wide buckets are where there are some."""
    by_name = {one["text"].split("</b>")[0][3:]: one["text"] for one in titles(picture(store))}
    assert by_name["lone"] == "<b>lone</b> [°C]"
    wide = picture(store, window=Window(NOON_US - HOUR_US, NOON_US), metrics=("temperature",))
    assert titles(wide)[0]["text"] == "<b>temperature</b> · 10 s buckets"


def _texts(trace: Trace) -> Iterator[str]:
    for value in trace.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(value)


def test_figure_of_hostile_names_takes_none_for_html(tmp_path: Path) -> None:
    """Metric and unit are shown as they are: no tag, no template, no reordering."""
    one = reading(NOON_US - 1, series=Series("boiler", HOSTILE), unit=HOSTILE)
    made = figure(picture(fill(tmp_path / "culex.db", [one])), STYLE).to_dict()
    written = [text for trace in made["data"] for text in _texts(trace)]
    written += [title["text"] for title in made["layout"]["annotations"]]
    assert any("&lt;img" in text for text in written)
    for text in written:
        assert "<img" not in text
        assert "%{x}" not in text
        assert "\u202e" not in text


def marked(shown: Picture, *offsets_us: int) -> Picture:
    """The picture with sessions lost at times relative to noon."""
    return replace(shown, marks=lost(*offsets_us))


def labels(shown: Picture, style: Style = STYLE) -> list[Trace]:
    """What the figure says of marks."""
    annotations = figure(shown, style).to_dict()["layout"]["annotations"]
    return [one for one in annotations if one["text"].startswith("session lost")]


def test_mark_is_a_line_across_all_panels_in_the_zone_shown(store: Path) -> None:
    """It stands on the axis where the readings of that moment stand."""
    berlin = replace(STYLE, zone=ZoneInfo("Europe/Berlin"))
    shown = marked(picture(store), -5 * MINUTE_US, -1)
    lines = figure(shown, berlin).to_dict()["layout"]["shapes"]
    assert [line["x0"] for line in lines] == ["2026-11-23T12:55:00.000", "2026-11-23T12:59:59.999"]
    for line in lines:
        assert (line["xref"], line["yref"]) == ("x", "paper")
        assert line["x0"] == line["x1"]
        assert (line["y0"], line["y1"]) == (0, 1)


@pytest.mark.parametrize(
    ("zone", "change", "text"),
    [
        ("Europe/Berlin", "2026-10-25T01:00:00Z", "clocks go back 1 h to CET"),
        ("America/New_York", "2026-03-08T07:00:00Z", "clocks go forward 1 h to EDT"),
    ],
)
def test_night_of_a_change_has_ticks_of_the_clock_and_a_line_at_the_change(
    tmp_path: Path, zone: str, change: str, text: str
) -> None:
    """The axis goes on by an hour each hour; ticks and hover say what clocks show."""
    at, style = parse_time(change, 0), replace(STYLE, zone=ZoneInfo(zone))
    rows = [one._replace(time_us=one.time_us - NOON_US + at) for one in every(SECOND_US, 60)]
    window = Window(at - 3 * HOUR_US, at + 3 * HOUR_US)
    shown = picture(fill(tmp_path / "culex.db", rows), window=window, now_us=window.end_us)
    made = figure(shown, style).to_dict()
    axis, (line,) = made["layout"]["xaxis"], made["layout"]["shapes"]
    start, end = map(pd.Timestamp, axis["range"])
    assert end - start == pd.Timedelta(hours=6)
    assert (axis["tickmode"], axis["unifiedhovertitle"]["text"]) == ("array", zone)
    assert line["x0"] == line["x1"]
    assert pd.Timestamp(line["x0"]) - start == pd.Timedelta(hours=3)
    assert text in [one["text"] for one in made["layout"]["annotations"]]
    assert all("%{text}" in one["hovertemplate"] for one in made["data"] if "hovertemplate" in one)
    later = replace(
        shown,
        question=replace(shown.question, window=Window(at + HOUR_US * 99, at + HOUR_US * 100)),
    )
    assert figure(later, style).layout.xaxis.tickmode == "auto"
    assert signature(later, style) != signature(shown, style)


def test_numbers_are_written_as_in_the_tile(tmp_path: Path) -> None:
    """Hover, axis and title have the digits and the prefix of the tile."""
    path = fill(tmp_path / "culex.db", every(SECOND_US, 1235, unit="W"))
    shown = picture(path)
    made = figure(shown, STYLE).to_dict()
    hovers = {one["name"]: one["hovertemplate"] for one in made["data"] if "hovertemplate" in one}
    assert hovers["reading"] == "%{y:.3f} kW"
    assert hovers["5 min mean"] == "%{y:.3f} kW"
    assert made["layout"]["yaxis"]["tickformat"] == ".5~f"
    assert "[kW]" in made["layout"]["annotations"][0]["text"]
    assert {"1.233", "kW"} <= set(texts(revived(tiles(shown, STYLE))))


def test_mark_says_when_and_what_is_gone(store: Path) -> None:
    """The words are short, the hover text is the rest."""
    (label,) = labels(marked(picture(store), -5 * MINUTE_US))
    assert label["text"] == "session lost"
    assert label["x"] == "2026-11-23T11:55:00.000"
    assert label["hovertext"].startswith("2026-11-23 11:55:00<br>")
    assert "what it held for the collector is gone" in label["hovertext"]


def test_marks_near_each_other_share_their_words(store: Path) -> None:
    """Every mark has its line; labels count, and name the newest times."""
    shown = marked(picture(store), *range(-14 * MINUTE_US, -13 * MINUTE_US, 8 * SECOND_US), -1)
    many, one = labels(shown)
    assert (many["text"], one["text"]) == ("session lost ×8", "session lost")
    assert many["hovertext"].count("2026-11-23 ") == 5
    assert "and 3 before" in many["hovertext"]
    assert len(figure(shown, STYLE).layout.shapes) == 9


@steady
@given(
    st.lists(st.integers(-15 * MINUTE_US, -1), max_size=20).map(sorted),
    st.floats(0.05, 0.3),
)
def test_labels_of_any_marks_stand_apart_inside_the_charts(
    store: Path, offsets_us: list[int], width: float
) -> None:
    """However wide the words are, up to 0.3 of the charts, none hides another or is cut."""
    shown = marked(picture(store, metrics=("lone",)), *offsets_us)
    start, end = map(pd.Timestamp, x_range(shown, STYLE))
    reach = {"left": (0, 1), "center": (0.5, 0.5), "right": (1, 0)}
    spans = []
    for label in labels(shown):
        before, after = reach[label["xanchor"]]
        share = (pd.Timestamp(label["x"]) - start) / (end - start)
        spans.append((share - before * width, share + after * width))
    edges = [0.0, *(edge for span in spans for edge in span), 1.0]
    assert all(low <= high + 1e-6 for low, high in pairwise(edges)), spans
    assert bool(spans) is bool(offsets_us)


def test_mark_has_the_colours_of_the_theme(store: Path) -> None:
    """Line and words are as the page shows what is bad, in the dark too."""
    sheet = (ROOT / "assets" / "culex.css").read_text("utf-8")
    shown = marked(picture(store), -1)
    for dark, part in zip((False, True), sheet.split('[data-bs-theme="dark"] {')[:2], strict=True):
        style = replace(STYLE, dark=dark)
        (label,) = labels(shown, style)
        (line,) = figure(shown, style).layout.shapes
        assert f"--cx-bad: {label['font']['color']};" in part
        assert f"--cx-bad-soft: {label['bgcolor']};" in part
        assert line.line.color == label["font"]["color"]


def test_moving_parts_of_the_layout_are_those_of_the_figure(store: Path) -> None:
    """A patch puts exactly what a new figure would have."""
    shown = marked(picture(store), -5 * MINUTE_US)
    layout = figure(shown, STYLE).to_dict()["layout"]
    parts = moving(shown, STYLE)
    assert {name: layout[name] for name in parts} == {
        "xaxis": parts["xaxis"],
        "shapes": list(parts["shapes"]),
        "annotations": list(parts["annotations"]),
    }


def test_graph_never_sends_data_to_another_host() -> None:
    """No button shares the chart, no logo leads away."""
    assert GRAPH_CONFIG["showSendToCloud"] is False
    assert GRAPH_CONFIG["displaylogo"] is False
    assert "plotlyServerURL" not in GRAPH_CONFIG
