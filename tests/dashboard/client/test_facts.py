"""What stands above the tiles of a client."""

from pathlib import Path

import pytest

from dashboard.client.facts import facts
from dashboard.presence import State, Stretch
from telemetry.batch import Skew
from telemetry.reading import Reading
from tests.dashboard.pictures import MINUTE_US, every, picture, texts
from tests.telemetry.builders import NOON_US, SECOND_US, fill


def said(path: Path, told: tuple[Stretch, ...] = (), skew: Skew | None = None) -> list[str]:
    """The facts in words, but for ages."""
    skews = {} if skew is None else {"boiler": skew}
    found = facts(picture(path), told, skews)
    return ["".join(texts(one)) for one in found]


def gappy(readings: list[Reading]) -> list[Reading]:
    """Without a third of the window."""
    return [
        one for one in readings if not -10 * MINUTE_US <= one.time_us - NOON_US < -5 * MINUTE_US
    ]


def test_facts_say_how_often_it_reports_and_that_all_is_here(tmp_path: Path) -> None:
    """Of a client that reports evenly."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 200))
    assert said(path)[1:] == ["expected every 10 s", "100 % complete"]


def test_completeness_counts_what_is_missing(tmp_path: Path) -> None:
    """A third of the readings that were due in the window."""
    path = fill(tmp_path / "culex.db", gappy(every(10 * SECOND_US, 200)))
    assert "67 % complete" in said(path)


def test_completeness_is_over_all_metrics_and_none_has_more_than_all(tmp_path: Path) -> None:
    """One that reports twice as often as expected makes up for nothing."""
    readings = [*every(10 * SECOND_US, 200, "a"), *gappy(every(10 * SECOND_US, 200, "b"))]
    assert "83 % complete" in said(fill(tmp_path / "culex.db", readings))


def test_several_intervals_are_a_range(tmp_path: Path) -> None:
    """From the most frequent metric to the rarest."""
    readings = [*every(10 * SECOND_US, 200, "a"), *every(MINUTE_US, 90, "b")]
    assert "expected every 10 s to 1 min" in said(fill(tmp_path / "culex.db", readings))


def test_state_is_that_of_the_end_with_its_reason(tmp_path: Path) -> None:
    """In words, with an icon and a class for its colour."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 200))
    told = (
        Stretch(0, 5, State.CONNECTED, "connected"),
        Stretch(5, 9, State.DISCONNECTED, "disconnected: kicked"),
    )
    first = facts(picture(path), told, {})[0]
    assert "".join(texts(first)) == "disconnected"
    looks = {name: getattr(first, name, "") for name in ("className", "title")}
    assert looks == {
        "className": "client-fact state-disconnected", "title": "disconnected: kicked",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("skew_us", "words"),
    [
        (300_000, "clock agrees"),
        (-90_000_000, "clock 90 s ahead"),
        (7_412_000, "clock 7.4 s behind"),
    ],
)
def test_clock_of_the_client_is_told(tmp_path: Path, skew_us: int, words: str) -> None:
    """A client whose messages carry times that are past has a clock that is behind."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 200))
    assert words in said(path, skew=Skew(skew_us, 40))
