"""Arrays: lines break in gaps, peaks stay, states are those that were heard."""

import math
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.arrays import Trace, arrays
from dashboard.question import Picture
from dashboard.style import Style
from telemetry.interface import Answer
from telemetry.window import Window, parse_time
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    STYLE,
    every,
    picture,
    states,
    switch,
    unpacked,
)
from tests.telemetry.builders import NOON_US, SECOND_US, decoded, fill, steady


def drawn(shown: Picture, style: Style = STYLE) -> list[Trace]:
    """The traces of the first panel."""
    return list(arrays(shown.pictures[0], shown, style))


def test_line_over_a_gap_is_broken(tmp_path: Path) -> None:
    """Between readings further apart than three intervals lies a missing point."""
    readings = every(10 * SECOND_US, 60)
    path = fill(tmp_path / "culex.db", [*readings[:20], *readings[26:]])
    _, line, _, *means = drawn(picture(path))
    y = unpacked(line["y"])
    assert len(y) == 54
    assert list(np.flatnonzero(np.isnan(y))) == [20]
    assert all(np.isnan(unpacked(mean["y"])).any() for mean in means[::2])


def test_line_without_a_gap_has_no_missing_point(tmp_path: Path) -> None:
    """Single losses of one or two readings break nothing."""
    readings = every(10 * SECOND_US, 60)
    path = fill(tmp_path / "culex.db", [*readings[:20], *readings[22:]])
    assert not np.isnan(unpacked(drawn(picture(path))[1]["y"])).any()


def test_line_in_the_browsers_zone_is_milliseconds(tmp_path: Path) -> None:
    """Times are sent as binary milliseconds since 1970, values as sent."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 3))
    line = drawn(picture(path, window=Window(NOON_US - MINUTE_US, NOON_US + 1)))[1]
    expected = [(NOON_US - n * 10 * SECOND_US) / 1000 for n in (2, 1, 0)]
    assert list(unpacked(line["x"])) == expected
    assert list(unpacked(line["y"])) == [0, 1, 2]


def test_line_in_another_zone_is_that_zones_wall_clock(tmp_path: Path) -> None:
    """Times of a zone that is not the browser's are texts without an offset."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 3))
    style = replace(STYLE, browsers=False, zone=ZoneInfo("Asia/Tokyo"))
    line = drawn(picture(path, window=Window(NOON_US - MINUTE_US, NOON_US + 1)), style)[1]
    assert line["x"][-1] == "2026-11-23T21:00:00.000"


@pytest.mark.parametrize("browsers", [True, False])
@pytest.mark.parametrize("hours", [1, 12])
def test_lines_in_the_night_clocks_go_back_run_forward(
    tmp_path: Path, hours: int, browsers: bool
) -> None:
    """Raw and in buckets no line turns back, and each point says what clocks showed at it."""
    change_us = parse_time("2026-10-25T01:00:00Z", 0)
    night = [
        one._replace(time_us=one.time_us - NOON_US + change_us + HOUR_US)
        for one in every(10 * SECOND_US, 4000)
    ]
    shown = picture(
        fill(tmp_path / "culex.db", night),
        window=Window(change_us - hours * HOUR_US, change_us + HOUR_US),
        now_us=change_us + HOUR_US,
    )
    style = replace(STYLE, browsers=browsers, zone=ZoneInfo("Europe/Berlin"))
    _, line, _, *means = drawn(shown, style)
    for trace in (line, *means[::2]):
        places = np.array(trace["x"], dtype="datetime64[ms]")
        assert (np.diff(places).astype(int) > 0).all()
        assert len(trace["text"]) == len(places) == len(set(trace["text"]))
        assert {text[-4:] for text in trace["text"]} == {"CEST", " CET"}


def test_values_are_drawn_in_the_unit_that_is_written(tmp_path: Path) -> None:
    """Axis and tile say kW, so the line is in kW."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 3000, unit="W"))
    shown = picture(path, window=Window(NOON_US - MINUTE_US, NOON_US + 1))
    _, line, *_ = drawn(shown)
    assert unpacked(line["y"]).tolist()[-2:] == [2.998, 2.999]


def test_band_of_buckets_holds_every_peak_and_opens_at_gaps(tmp_path: Path) -> None:
    """Each stretch is one closed outline from its minimum to its maximum."""
    readings = every(SECOND_US, 7200)
    readings[3000] = readings[3000]._replace(value=-5e5)
    path = fill(tmp_path / "culex.db", [*readings[:4000], *readings[5000:]])
    shown = picture(path, window=Window(NOON_US - 2 * HOUR_US, NOON_US))
    band, line, *_ = drawn(shown)
    x, y = unpacked(band["x"]), unpacked(band["y"])
    assert len(x) == len(y)
    assert np.nanmin(y) == -5e5
    assert np.nanmax(y) == 7198
    assert np.isnan(y).sum() == 2  # the end of each of two stretches
    buckets = shown.pictures[0].answer.frame
    assert len(y) == 2 * len(buckets) + 2
    assert np.isnan(unpacked(line["y"])).sum() == 1


def test_means_of_little_coverage_move_to_the_uncertain_line(tmp_path: Path) -> None:
    """A mean stands in the line of certain or of uncertain ones, and where they meet in both."""
    readings = every(10 * SECOND_US, 60)
    path = fill(tmp_path / "culex.db", [*readings[:20], *readings[50:]])
    traces = drawn(picture(path))
    sure, unsure = (unpacked(trace["y"]) for trace in traces[-4:-2])
    shares = unpacked(traces[6]["customdata"])
    assert len(sure) == len(unsure) == len(shares)
    present = ~np.isnan(sure) | ~np.isnan(unsure)
    assert present.sum() >= 30
    assert np.nanmin(shares[~np.isnan(sure)]) >= STYLE.coverage_minimum
    assert (shares[present & np.isnan(sure)] < STYLE.coverage_minimum).all()


def test_reading_between_two_gaps_is_a_dot(tmp_path: Path) -> None:
    """Where a line shows nothing there is a dot: for the one reading, for none in a row of them."""
    near = every(10 * SECOND_US, 60)
    path = fill(tmp_path / "culex.db", [*near[:20], near[40], *near[50:]])
    dots = drawn(picture(path))[2]
    assert unpacked(dots["x"]).tolist() == [near[40].time_us / 1000]
    assert unpacked(dots["y"]).tolist() == [near[40].value]


def test_means_of_full_coverage_send_no_uncertain_line(tmp_path: Path) -> None:
    """Where nothing is uncertain the second line is empty, with all its arrays."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 400))
    unsure = drawn(picture(path))[4]
    assert [len(unpacked(unsure[name])) for name in ("x", "y", "customdata")] == [0, 0, 0]


@pytest.mark.parametrize("length_us", [15 * MINUTE_US, 2 * HOUR_US])
def test_arrays_of_one_trace_have_one_length(tmp_path: Path, length_us: int) -> None:
    """Every array of a trace is as long as its times, raw and in buckets."""
    readings = [*every(SECOND_US, 5000), *switch(7 * SECOND_US, 700, "a")]
    path = fill(tmp_path / "culex.db", [*readings[:2000], *readings[2500:]])
    shown = picture(path, window=Window(NOON_US - length_us, NOON_US))
    for one in shown.pictures:
        for trace in arrays(one, shown, STYLE):
            assert len({len(unpacked(values)) for values in trace.values()}) == 1


def test_state_that_is_sometimes_off_is_drawn_as_off(tmp_path: Path) -> None:
    """What was decoded as a boolean is one of the states, and the series stays one of them."""
    path = fill(tmp_path / "culex.db", decoded(*["heating", "off"] * 30))
    end_us = NOON_US + 10 * MINUTE_US
    shown = picture(path, window=Window(NOON_US, end_us), now_us=end_us)
    steps = drawn(shown)[0]["y"]
    assert steps[:60] == ["heating", "off"] * 30
    assert set(steps) == {"heating", "off"}


STATE_TIMES = st.lists(
    st.tuples(st.integers(-300, -1), st.sampled_from(["on", "off", "idle"])),
    min_size=1,
    max_size=40,
    unique_by=lambda pair: pair[0],
)


def held(points: list[tuple[float, str | None]], instants: range) -> list[str | None]:
    """The state that a line of steps shows at each instant."""
    shown = []
    for instant in instants:
        before = [text for time, text in points if time <= instant]
        shown.append(before[-1] if before else None)
    return shown


@steady
@given(STATE_TIMES)
def test_states_drawn_from_changes_are_those_of_all_readings(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, str]]
) -> None:
    """The line through the changes shows, at any instant, what one through all readings shows."""
    path = tmp_path_factory.mktemp("store") / "culex.db"
    fill(path, states([(s * SECOND_US, text) for s, text in pairs]))
    shown = picture(path, window=Window(NOON_US - 310 * SECOND_US, NOON_US))
    one = shown.pictures[0]
    all_times = sorted(pairs)
    gaps = [False, *(np.diff([s * SECOND_US for s, _ in all_times]) > one.gap_us)]
    everything = pd.DataFrame(
        {
            "time_us": [NOON_US + s * SECOND_US for s, _ in all_times],
            "value": math.nan,
            "text": [text for _, text in all_times],
            "after_gap": gaps,
        }
    )
    full = replace(one, answer=Answer(one.latest.series, everything))
    lines = []
    for version in (one, full):
        (trace,) = arrays(version, shown, STYLE)
        times = unpacked(trace["x"]) / 1000 - NOON_US / SECOND_US
        lines.append(held(list(zip(times, trace["y"], strict=True)), range(-305, 0)))
    assert lines[0] == lines[1]


def test_state_that_still_holds_reaches_the_present(tmp_path: Path) -> None:
    """The last state is drawn up to now while its next reading is not overdue, not longer."""
    path = fill(tmp_path / "culex.db", states([(-s * MINUTE_US, "on") for s in range(2, 9)]))
    window = Window(NOON_US - 6 * MINUTE_US, NOON_US + HOUR_US)
    for now_us, end_us in (
        (NOON_US, NOON_US),
        (NOON_US + MINUTE_US, NOON_US + MINUTE_US),
        (NOON_US + MINUTE_US + 1, NOON_US - 2 * MINUTE_US),
    ):
        (trace,) = drawn(picture(path, window=window, now_us=now_us))
        assert unpacked(trace["x"])[-1] == end_us / 1000


def test_state_that_led_the_window_is_not_drawn_longer_than_it_was_heard(tmp_path: Path) -> None:
    """Its age counts from when it was heard, not from the window's edge."""
    path = fill(tmp_path / "culex.db", states([(-s * MINUTE_US, "on") for s in range(4, 9)]))
    trace = drawn(picture(path, window=Window(NOON_US - 2 * MINUTE_US, NOON_US + 1)))[0]
    assert set(unpacked(trace["x"])) == {(NOON_US - 2 * MINUTE_US) / 1000}


def test_state_with_a_hostile_name_is_drawn_as_text(tmp_path: Path) -> None:
    """What plotly would take for HTML or a template is escaped."""
    path = fill(tmp_path / "culex.db", states([(-1, HOSTILE)]))
    (trace,) = drawn(picture(path), replace(STYLE, zone=UTC))
    assert set(trace["y"]) == {
        "&lt;img src=x onerror=alert(1)&gt;%&#123;x}&lt;U+202E&gt;a/b #1 &lt;b&gt;"
    }
