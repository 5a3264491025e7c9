"""What is said of states and booleans: from the store's readings, and as rows of a tile."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dashboard import states as dashboard_states
from dashboard.display import NOTHING
from dashboard.question import Picture
from dashboard.states import StateFigures
from dashboard.tiles import tiles
from telemetry.reading import Kind, Reading, Series
from telemetry.window import Window
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    STYLE,
    every,
    picture,
    revived,
    states,
    switch,
    texts,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading

VALVE = Series("boiler", "valve")
NOW = {"window": Window(NOON_US - HOUR_US, NOON_US + 1)}
"""The window whose last instant is noon."""


def figures(shown: Picture) -> StateFigures:
    """What is known of the first metric."""
    found = shown.pictures[0].states
    assert found is not None
    return found


def rows(shown: Picture) -> Sequence[Sequence[str]]:
    """The texts of the rows of the first tile: when it began, heading, spans."""
    return [list(texts(row)) for row in revived(tiles(shown, STYLE))[0].children[-1].children]


def titles(shown: Picture) -> Sequence[str]:
    """What each span's row says besides."""
    return [row.title for row in revived(tiles(shown, STYLE))[0].children[-1].children[-3:]]


def heating() -> list[Reading]:
    """A state every ten seconds of an hour: heating in its last two minutes and the fifth last."""
    times_us = range(-HOUR_US, 1, 10 * SECOND_US)
    return states(
        (time_us, "heating" if -time_us // MINUTE_US in {0, 1, 4} else "idle")
        for time_us in times_us
    )


def test_tile_of_a_state_has_its_share_of_each_span_and_its_changes(tmp_path: Path) -> None:
    """The newest state, since when it holds, how much of each span it took, and the changes."""
    shown = picture(fill(tmp_path / "culex.db", heating()), **NOW)
    assert rows(shown) == [
        ["began ", "1 min ago"],
        ["", "heating", "changes"],
        ["1 min", "100 %", "0"],
        ["5 min", "57 %", "3"],
        ["30 min", "9 %", "3"],
    ]


def test_tile_of_a_state_tells_the_rest_on_request(tmp_path: Path) -> None:
    """A row's title has every state, the changes, and how much of the time is known."""
    shown = picture(fill(tmp_path / "culex.db", heating()), **NOW)
    assert titles(shown)[1:] == [
        "heating 57 %, idle 43 %; 3 changes; known for 100 % of the time",
        "idle 91 %, heating 9 %; 3 changes; known for 100 % of the time",
    ]


def test_tile_of_a_boolean_has_the_share_of_time_it_was_on(tmp_path: Path) -> None:
    """Eight quick readings while it is on weigh no more than the ten seconds they last."""
    slow = [(-n, 0.0) for n in range(0, 301, 10) if n != 60]
    said = [*slow, *((n - 60, 1.0) for n in range(8))]
    readings = [
        reading(NOON_US + second * SECOND_US, value, series=VALVE, kind=Kind.BOOLEAN)
        for second, value in said
    ]
    shown = picture(fill(tmp_path / "culex.db", readings), spans=("1m", "2m"), **NOW)
    assert "off" in texts(revived(tiles(shown, STYLE))[0].children[1])
    assert rows(shown)[1:] == [
        ["", "on", "changes"],
        ["1 min", "17 %", "1"],
        ["2 min", "8 %", "2"],
    ]


def test_tile_of_a_silent_state_says_how_much_is_known(tmp_path: Path) -> None:
    """Three intervals after the last reading no state holds; then time counts as unknown."""
    path = fill(tmp_path / "culex.db", heating())
    later_us = NOON_US + 3 * MINUTE_US
    shown = picture(path, now_us=later_us, window=Window(NOON_US - HOUR_US, later_us + 1))
    assert rows(shown) == [
        ["", "heating", "changes"],
        ["1 min", NOTHING, "0"],
        ["5 min", "93 %", "1"],
        ["30 min", "12 %", "3"],
    ]
    assert titles(shown)[0] == "no state is known in this time; 0 changes"
    looks = [row.className for row in revived(tiles(shown, STYLE))[0].children[-1].children]
    assert looks == ["state state-head", "state", "state unsure", "state"]


def test_tile_of_a_state_that_holds_for_long_says_at_least_how_long(tmp_path: Path) -> None:
    """What was before the widest span is not looked at."""
    readings = states((-n * MINUTE_US, "closed") for n in range(600))
    shown = picture(fill(tmp_path / "culex.db", readings), **NOW)
    assert rows(shown)[0] == ["began over ", "33 min ago"]


@pytest.mark.parametrize(("oldest", "earlier"), [(5, False), (6, True)])
def test_state_that_began_with_the_first_reading_looked_at_may_be_older(
    tmp_path: Path, oldest: int, earlier: bool
) -> None:
    """Unless three intervals before it are looked at too: then it began there."""
    readings = states((-minute * MINUTE_US, "closed") for minute in range(oldest + 1))
    found = figures(picture(fill(tmp_path / "culex.db", readings), spans=("5m",), **NOW))
    assert found.earlier is earlier


def test_state_of_a_single_reading_holds_within_the_spans_that_have_it(tmp_path: Path) -> None:
    """Nobody knows how often it reports, and so how long it holds: the title says so."""
    path = fill(tmp_path / "culex.db", states([(-90 * SECOND_US, "idle")]))
    shown = picture(path, **NOW)
    assert rows(shown)[0] == ["began ", "1 min ago"]
    assert [row[1] for row in rows(shown)[2:]] == [NOTHING, "100 %", "100 %"]
    assert titles(shown)[1:] == ["idle 100 %; 0 changes; how often it reports is unknown"] * 2


def test_states_beyond_the_longest_are_told_together(tmp_path: Path) -> None:
    """A client that invents states makes no page of them."""
    readings = states((-n * SECOND_US, f"state {n}") for n in range(61))
    title = titles(picture(fill(tmp_path / "culex.db", readings), **NOW))[0]
    assert title.count("state ") == 8
    assert ", other states 87 %; 60 changes;" in title


@pytest.mark.parametrize(("most", "whole"), [(60, [False] * 3), (61, [True, False, False])])
def test_span_of_more_readings_than_looked_at_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, whole: list[bool]
) -> None:
    """Shares of a part would be wrong: a span needs all of its readings, and the one before."""
    monkeypatch.setattr(dashboard_states, "MOST_READINGS", most)
    shown = picture(fill(tmp_path / "culex.db", switch(SECOND_US, 3600)), **NOW)
    assert [span.whole for span in figures(shown).spans] == whole
    told, untold = ["50 %", "60"], [NOTHING, NOTHING]
    assert [row[1:] for row in rows(shown)[2:]] == [told if one else untold for one in whole]
    assert titles(shown)[1:] == ["more readings than are counted here; export them to see all"] * 2


@pytest.mark.parametrize("twice", [False, True])
def test_state_of_more_readings_than_looked_at_began_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, twice: bool
) -> None:
    """It is readings that are limited, however many of them share an instant."""
    monkeypatch.setattr(dashboard_states, "MOST_READINGS", 40)
    said = [(-n * SECOND_US, "closed") for n in range(120)]
    hidden = [(time_us, "ajar") for time_us, _ in said]
    path = fill(tmp_path / "culex.db", states([*said, *(hidden if twice else [])]))
    assert rows(picture(path, **NOW))[0] == ["began over ", f"{19 if twice else 39} s ago"]


def test_state_of_unknown_rhythm_may_have_begun_before_what_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not known how long a state holds, but that there are more readings."""
    path = fill(tmp_path / "culex.db", states([(-9 * SECOND_US, "idle"), (-1, "idle")]))
    assert rows(picture(path, **NOW))[0] == ["began ", "9 s ago"]
    monkeypatch.setattr(dashboard_states, "MOST_READINGS", 1)
    assert rows(picture(path, **NOW))[0] == ["began over ", "0 s ago"]


def test_state_that_changed_among_the_readings_looked_at_began_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies before them says nothing of it."""
    monkeypatch.setattr(dashboard_states, "MOST_READINGS", 40)
    said = [(-n * SECOND_US, "open" if n < 30 else "closed") for n in range(120)]
    path = fill(tmp_path / "culex.db", states(said))
    assert rows(picture(path, **NOW))[0] == ["began ", "29 s ago"]


def test_boolean_has_no_means_and_is_read_no_further_back_than_the_window(tmp_path: Path) -> None:
    """The tile alone says what share of the time it was on: a mean of samples is another number."""
    shown = picture(fill(tmp_path / "culex.db", switch(10 * SECOND_US, 300)))
    one, window = shown.pictures[0], shown.question.window
    times = one.answer.frame["time_us"]
    assert not one.means
    assert (len(times), times.min()) == (90, window.start_us)


def test_state_of_a_hostile_name_is_text_and_short(tmp_path: Path) -> None:
    """Names are text, reordering characters are shown, and a title has a bounded length."""
    readings = states((-n * SECOND_US, HOSTILE + "x" * 1000) for n in range(61))
    shown = picture(fill(tmp_path / "culex.db", readings), **NOW)
    safe = HOSTILE.replace("\u202e", "<U+202E>")
    assert rows(shown)[1][1].startswith(safe)
    assert titles(shown)[0].startswith(safe[:40])
    assert len(titles(shown)[0]) < 200


def test_metric_that_is_a_number_has_no_states(tmp_path: Path) -> None:
    """It has means."""
    assert (
        picture(fill(tmp_path / "culex.db", every(SECOND_US, 9)), **NOW).pictures[0].states is None
    )
