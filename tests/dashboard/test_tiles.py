"""Tiles: the newest value with its means, honest about what is missing."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from dash import html

from dashboard.asking import ask
from dashboard.display import NOTHING
from dashboard.question import Picture
from dashboard.tiles import tiles
from telemetry.interval import IntervalRule
from telemetry.reading import Series
from telemetry.store.snapshot import StoreQuerier
from telemetry.window import Window
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    QUESTION,
    STYLE,
    every,
    picture,
    revived,
    states,
    switch,
    texts,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading


def words(shown: Picture) -> Sequence[str]:
    """The texts of the first tile."""
    return list(texts(revived(tiles(shown, STYLE))[0]))


def means(shown: Picture) -> Sequence[html.Div]:
    """The rows of the means of the first tile."""
    rows: Sequence[html.Div] = revived(tiles(shown, STYLE))[0].children[-1].children
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
    assert list(texts(thirty)) == ["30 min", "5.0"]
    assert one.title == "no readings"
    assert one.className == "mean"
    assert one.children[1].className == ""
    assert thirty.children[1].className == "mean-bar"


def test_tile_without_any_mean_has_no_rows_of_means(tmp_path: Path) -> None:
    """Dashes and bars of nothing explain nothing; the age says how old the value is."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US - HOUR_US, 5.0)])
    assert list(words(picture(path))) == ["temperature", "5", "", "60 min ago"]


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
    assert revived(tiles(fresh, STYLE))[0].className == "tile"
    assert revived(tiles(silent, STYLE))[0].className == "tile stale"


def cadence(shown: Picture) -> tuple[str, str, str]:
    """The look of the first tile, and what it says of its cadence, in short and in full."""
    tile = revived(tiles(shown, STYLE))[0]
    (said,) = tile.children[2].children[1:]
    return tile.className, said.children, said.title


def test_tile_says_how_often_how_evenly_how_surely_and_what_is_missing(tmp_path: Path) -> None:
    """Of 90 readings expected in the quarter of an hour, one in ten is not there."""
    readings = every(10 * SECOND_US, 400)
    kept = [one for number, one in enumerate(readings) if number % 10]
    look, short, full = cadence(picture(fill(tmp_path / "culex.db", kept)))
    assert (look, short) == ("tile", "every 10 s")
    assert full == "every 10 s ± 0 ms, 85% sure from 64 gaps, 10 % missing in what is shown"


def test_tile_of_buckets_counts_what_is_missing_in_whole_ones(tmp_path: Path) -> None:
    """A day in buckets, the first half of it without readings."""
    readings = every(10 * SECOND_US, 12 * 360)
    window = Window(NOON_US - 24 * HOUR_US, NOON_US)
    shown = picture(fill(tmp_path / "culex.db", readings), window=window)
    assert shown.pictures[0].answer.bucket_us
    assert cadence(shown)[2].endswith("96% sure from 64 gaps, 50 % missing in what is shown")


def test_tile_of_a_series_silent_for_ten_intervals_is_lost(tmp_path: Path) -> None:
    """Until then it is stale, and still expected."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 50))
    stale, lost = (
        cadence(picture(path, now_us=now_us, window=Window(NOON_US - HOUR_US, now_us + 1)))
        for now_us in (NOON_US + 100 * SECOND_US, NOON_US + 101 * SECOND_US)
    )
    assert stale[:2] == ("tile stale", "every 10 s")
    assert lost[:2] == ("tile stale", "lost, was every 10 s")


def test_tile_of_events_is_irregular_and_expects_nothing(tmp_path: Path) -> None:
    """It is never stale, and its means claim no coverage."""
    times = [NOON_US - n**3 * SECOND_US for n in range(1, 40)]
    path = fill(tmp_path / "culex.db", [reading(time_us) for time_us in times])
    later_us = NOON_US + 12 * HOUR_US
    shown = picture(path, now_us=later_us, window=Window(NOON_US - HOUR_US, later_us))
    look, short, full = cadence(shown)
    assert (look, short) == ("tile", "irregular")
    assert "missing" not in full
    assert "expected" not in means(picture(path))[2].title


def test_tile_of_a_series_whose_interval_is_set_says_so(tmp_path: Path) -> None:
    """Coverage counts by it: one reading of six in a minute."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US - SECOND_US)])
    rules = [IntervalRule("boiler", "*", 10 * SECOND_US)]
    with closing(StoreQuerier(path, rules)) as querier, querier.snapshot() as snapshot:
        shown = ask(snapshot, QUESTION)
    assert cadence(shown)[1:] == (
        "every 10 s",
        "every 10 s, set in culex.toml, 99 % missing in what is shown",
    )
    assert means(shown)[0].title == "1 readings, 17% of those expected"


def test_tile_of_two_readings_says_nothing_yet(tmp_path: Path) -> None:
    """One gap is no interval."""
    shown = picture(fill(tmp_path / "culex.db", every(SECOND_US, 2)))
    (age,) = revived(tiles(shown, STYLE))[0].children[2].children
    assert age.children == "1 s ago"


def test_tile_of_a_boolean_and_of_a_state_speak_words(tmp_path: Path) -> None:
    """The share of time stands where a number has its mean."""
    path = fill(tmp_path / "culex.db", [*switch(SECOND_US, 121), *states([(-1, "idle")])])
    shown = picture(path, window=Window(NOON_US - HOUR_US, NOON_US + 1))
    state, boolean = (list(texts(one)) for one in revived(tiles(shown, STYLE)))
    assert state.count("idle") == 2
    assert {"off", "on", "50 %"} <= {*boolean}


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
    words = list(texts(revived(tiles(picture(path, window=window), STYLE))[0]))
    assert words[1] == "38"  # 399 at noon, 39 at eleven, which the half-open window leaves out
