"""A tick that redraws nothing says in its tiles what one that draws everything would say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboard.asking import ask
from dashboard.question import Picture, Question, picture_of
from dashboard.state_rows import state_rows
from dashboard.tiles import tiles
from telemetry.interface import Querier
from telemetry.kept import Columns
from telemetry.store.recent import StoredRecent
from telemetry.window import Window
from tests.dashboard.pictures import HOUR_US, QUESTION, STYLE, every, switch
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, reading

FEW = 3
LONG = replace(QUESTION, window=Window(NOON_US - HOUR_US, NOON_US))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with an hour of a number each second, and of a switch each ten."""
    return fill(tmp_path / "culex.db", [*every(SECOND_US, 3600), *switch(10 * SECOND_US, 360)])


def later(question: Question, seconds: float, *, resting: bool = True) -> Question:
    """The same question that much later."""
    later_us = int(seconds * SECOND_US)
    window = Window(question.window.start_us + later_us, question.window.end_us + later_us)
    return replace(question, window=window, now_us=question.now_us + later_us, resting=resting)


def shown(querier: Querier, question: Question) -> Picture:
    """What a tick is told."""
    with querier.snapshot() as snapshot:
        return ask(snapshot, question)


def newest(picture: Picture) -> list[object]:
    """What tiles say of each metric: its newest reading, means, and states."""
    return [
        (
            one.latest,
            [[m.columns[name][-1] for name in ("mean", "count", "coverage")] for m in one.means],
            state_rows(one, one.states, 0, STYLE) if one.states else [],
        )
        for one in picture.pictures
    ]


def test_tiles_of_a_resting_picture_are_those_of_a_new_one(path: Path) -> None:
    """Newest values and means are of now, to the last bit; buckets and digits are of before."""
    with asking(path) as querier, asking(path) as other:
        before = shown(querier, LONG)
        for second in range(1, 4):
            fill(path, [reading(NOON_US + second * SECOND_US, 1800.0 + second)])
            question = later(LONG, second + 0.5)
            found = shown(querier, question)
            with other.snapshot() as snapshot:
                expected = picture_of(snapshot, replace(question, resting=False))
            assert newest(found) == newest(expected)
            assert found.pictures[0].latest.value == 1800.0 + second
            number = found.pictures[0].columns["time_us"]
            assert np.array_equal(number, before.pictures[0].columns["time_us"][-len(number) :])


ATTIC = reading(NOON_US, 1.0, series=reading(0, 0.0).series._replace(client="attic"))


@pytest.mark.parametrize("resting", [True, False])
def test_what_is_there_to_choose_is_asked_for_again_in_ten_seconds(
    path: Path, *, resting: bool
) -> None:
    """Another client appears in the list of an open page, whether its charts rest or not."""
    with asking(path) as querier:
        shown(querier, LONG)
        fill(path, [ATTIC])
        names = [
            [one.client for one in shown(querier, later(LONG, seconds, resting=resting)).clients]
            for seconds in (1, 4, 6, 11)
        ]
    renewed = ["boiler"] if resting else ["attic", "boiler"]  # before charts that rest ask for it
    assert names == [["boiler"], ["boiler"], renewed, ["attic", "boiler"]]


def test_list_of_clients_is_never_older_though_charts_rest_beside_it(path: Path) -> None:
    """Another page had asked for it four seconds before."""
    other = replace(LONG, max_buckets=7)
    with asking(path) as querier:
        shown(querier, other)
        shown(querier, later(LONG, 4, resting=False))
        fill(path, [ATTIC])
        picture = shown(querier, later(LONG, 10.5))
    assert [one.client for one in picture.clients] == ["attic", "boiler"]


def test_whoever_asks_for_the_newest_client_is_told_of_this_moment(path: Path) -> None:
    """Also just after the others were looked at."""
    anybody = replace(LONG, client="")
    with asking(path) as querier:
        shown(querier, LONG)
        fill(path, [ATTIC])
        assert shown(querier, later(anybody, 1)).question.client == "attic"


def test_metric_that_appears_is_shown_at_once(path: Path) -> None:
    """Charts that rest have to make room for it."""
    with asking(path) as querier:
        assert len(shown(querier, LONG).pictures) == 2
        fill(path, every(SECOND_US, 5, "humidity"))
        assert len(shown(querier, later(LONG, 1)).pictures) == 3


def test_times_of_the_same_length_are_not_mixed_up(path: Path) -> None:
    """One tab shows the last hour, another one an hour of the past."""
    past = later(LONG, -1800, resting=False)
    past = replace(past, now_us=NOON_US)
    with asking(path) as querier, asking(path) as other:
        for question in (LONG, past, later(LONG, 1), replace(past, resting=True), later(LONG, 2)):
            found = shown(querier, question)
            expected = shown(other, replace(question, resting=False, max_buckets=399))
            assert tiles(found, STYLE) == tiles(replace(expected, question=question), STYLE)


def test_picture_is_shared_for_a_moment_and_until_something_arrives(path: Path) -> None:
    """Tabs that ask at nearly the same time are told the same; a reading is told at once."""
    with asking(path) as querier:
        first = shown(querier, LONG)
        assert shown(querier, later(LONG, 0.2, resting=False)) is first
        assert shown(querier, later(LONG, 0.2)) is first
        assert shown(querier, later(LONG, -0.2)) is first, "a thread may be behind"
        assert shown(querier, later(LONG, 0.3)) is not first
        fill(path, [reading(NOON_US, 7.0)])
        assert shown(querier, later(LONG, 0.2)).pictures[0].latest.value == 7.0


def test_threads_that_overtake_each_other_read_nothing_twice(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that asks for a moment earlier takes what the one ahead has read."""
    read: list[int] = []
    columns = StoredRecent.columns

    def noted(recent: StoredRecent, window: Window) -> Columns:
        found = columns(recent, window)
        read.append(len(found["time_us"]))
        return found

    number = replace(LONG, metrics=("temperature",))
    with asking(path) as querier:
        for seconds in (1, 2):
            shown(querier, later(number, seconds, resting=False))
        monkeypatch.setattr(StoredRecent, "columns", noted)
        shown(querier, later(number, 1.6, resting=False))
    assert sum(read) <= FEW
