"""Tiles: the newest value with its means, honest about what is missing."""

from collections.abc import Sequence
from pathlib import Path

from dash import html

from dashboard.display import NOTHING
from dashboard.question import Picture
from dashboard.tiles import tiles
from telemetry.reading import Series
from telemetry.window import Window
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    STYLE,
    every,
    picture,
    states,
    switch,
    texts,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading


def words(shown: Picture) -> Sequence[str]:
    """The texts of the first tile."""
    return list(texts(tiles(shown, STYLE)[0]))


def means(shown: Picture) -> Sequence[html.Div]:
    """The rows of the means of the first tile."""
    rows: Sequence[html.Div] = tiles(shown, STYLE)[0].children[-1].children
    return rows


def test_tile_shows_the_newest_value_with_unit_age_and_means(tmp_path: Path) -> None:
    """What a person wants to know first."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 400, unit="°C"))
    shown = words(picture(path, window=Window(NOON_US - HOUR_US, NOON_US + 1)))
    for word in ("temperature", "399", "°C", "0 s ago", "every 10 s", "5 min", "384.5"):
        assert word in shown, (word, shown)


def test_tile_without_readings_in_a_span_shows_a_dash(tmp_path: Path) -> None:
    """No readings: no number, no bar, and the title says so."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US - 10 * MINUTE_US, 5.0)])
    one, five, thirty = means(picture(path))
    assert list(texts(one)) == ["1 min", NOTHING]
    assert list(texts(five)) == ["5 min", NOTHING]
    assert list(texts(thirty)) == ["30 min", "5.000"]
    assert one.title == "no readings"
    assert one.className == "mean"
    assert one.children[1].children.style["width"] == "0.0%"


def test_tile_of_little_coverage_is_marked_as_uncertain(tmp_path: Path) -> None:
    """Half of the expected readings is below the minimum, and the title says how many."""
    readings = every(10 * SECOND_US, 100)
    path = fill(tmp_path / "culex.db", readings[:96])
    one, five, _ = means(picture(path))
    assert (one.className, five.className) == ("mean unsure", "mean")
    assert one.title == "3 readings, 50% of those expected"


def test_tile_of_a_silent_series_is_stale(tmp_path: Path) -> None:
    """Three missed readings make it stale, with the age of the last."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 50))
    fresh, silent = (
        picture(path, now_us=now_us, window=Window(NOON_US - HOUR_US, now_us))
        for now_us in (NOON_US + 30 * SECOND_US, NOON_US + 31 * SECOND_US)
    )
    assert tiles(fresh, STYLE)[0].className == "tile"
    assert tiles(silent, STYLE)[0].className == "tile stale"


def test_tile_of_a_boolean_and_of_a_state_speak_words(tmp_path: Path) -> None:
    """A boolean's mean is a share; a state has none."""
    path = fill(tmp_path / "culex.db", [*switch(SECOND_US, 121), *states([(-1, "idle")])])
    shown = picture(path, window=Window(NOON_US - HOUR_US, NOON_US + 1))
    state, boolean = (list(texts(one)) for one in tiles(shown, STYLE))
    assert "idle" in state
    assert not any("min" in word for word in state)
    assert "off" in boolean
    assert "50 %" in boolean


def test_tile_of_hostile_names_holds_them_as_text(tmp_path: Path) -> None:
    """Names are children, never markup, and reordering characters are shown."""
    one = reading(NOON_US - 1, series=Series("boiler", HOSTILE), unit=HOSTILE)
    shown = words(picture(fill(tmp_path / "culex.db", [one])))
    safe = HOSTILE.replace("\u202e", "<U+202E>")
    assert shown.count(safe) == 2


def test_tile_of_a_fixed_window_has_the_means_of_its_end(tmp_path: Path) -> None:
    """In the past the means stand at the window's last instant."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 400))
    end_us = NOON_US - 30 * MINUTE_US + 1
    shown = picture(path, window=Window(end_us - 15 * MINUTE_US, end_us))
    assert list(texts(means(shown)[0]))[1] == "216.5"


def test_tiles_have_the_colours_of_their_lines_and_stay_within_bounds(tmp_path: Path) -> None:
    """A bar is at most full, also if the mean lies outside of what is visible."""
    readings = [one._replace(value=-one.value) for one in every(10 * SECOND_US, 300)]  # type: ignore[operator]  # floats
    shown = picture(
        fill(tmp_path / "culex.db", readings), window=Window(NOON_US - MINUTE_US, NOON_US)
    )
    for row in means(shown):
        width = row.children[1].children.style["width"]
        assert 0 <= float(width.removesuffix("%")) <= 100


def test_tile_of_a_window_that_is_over_shows_its_last_reading(tmp_path: Path) -> None:
    """Value and means in one tile stand at one time."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 400))
    window = Window(NOON_US - 2 * HOUR_US, NOON_US - HOUR_US)
    words = list(texts(tiles(picture(path, window=window), STYLE)[0]))
    assert words[1] == "38"  # 399 at noon, 39 at eleven, which the half-open window leaves out
