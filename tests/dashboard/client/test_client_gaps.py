"""The gaps of a client's metrics: found in the store, counted, and explained."""

from pathlib import Path

import pytest

from dashboard.client.gaps import MOST_READINGS, Lacks, Metric, lacks, reason
from dashboard.presence import State, Stretch
from telemetry.gaps import Gap, LateRun
from telemetry.interval import Cadence, SetBy
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, every, states
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, reading

EVERY_10_S = Cadence(10 * SECOND_US, 0, 1.0, 60, SetBy.SETTING)
WINDOW = Window(NOON_US - 15 * MINUTE_US, NOON_US + SECOND_US)
GONE = Stretch(NOON_US - 9 * MINUTE_US, NOON_US, State.DISCONNECTED, "disconnected: kicked <b>")


def found(
    path: Path, window: Window = WINDOW, told: tuple[Stretch, ...] = (), **rest: object
) -> Lacks:
    """What is lacking of every metric in the store."""
    cadence = rest.get("cadence", EVERY_10_S)
    with asking(path) as querier, querier.snapshot() as snapshot:
        metrics = [
            Metric(
                one,
                cadence,  # type: ignore[arg-type]  # by name
                snapshot.changes(one.series, window, EVERY_10_S.gap_us)
                if one.kind is Kind.STATE
                else None,
            )
            for one in snapshot.latest("boiler")
        ]
        return lacks(snapshot, metrics, window, NOON_US + SECOND_US, told)


def without(readings: list[Reading], start_us: int, end_us: int) -> list[Reading]:
    """The readings but those of some time relative to noon."""
    return [one for one in readings if not start_us <= one.time_us - NOON_US < end_us]


def test_metric_without_gaps_lacks_nothing(tmp_path: Path) -> None:
    """Each reading came."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 200))
    assert found(path) == Lacks([], 0, 0, 0, 0, [])


def test_gap_in_readings_is_counted_and_explained(tmp_path: Path) -> None:
    """What the broker said of the client in that time is the reason."""
    some = without(every(10 * SECOND_US, 200), -5 * MINUTE_US, -3 * MINUTE_US)
    lack = found(fill(tmp_path / "culex.db", some), told=(GONE,))
    assert (lack.gaps, lack.missing, lack.grain_us) == (1, 12, 0)
    assert lack.shown[0].why == "disconnected: kicked <b>"
    assert lack.shown[0].what == Gap(NOON_US - 310 * SECOND_US, NOON_US - 180 * SECOND_US, 12)


def test_gap_that_began_before_the_window_has_its_whole_length(tmp_path: Path) -> None:
    """The last reading before the window says when it began."""
    some = without(every(10 * SECOND_US, 300), -40 * MINUTE_US, -10 * MINUTE_US)
    gap = found(fill(tmp_path / "culex.db", some)).shown[0].what
    assert gap == Gap(NOON_US - 2410 * SECOND_US, NOON_US - 600 * SECOND_US, 180)


def test_series_that_begins_in_the_window_lacks_nothing_before(tmp_path: Path) -> None:
    """Nobody expected it earlier."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 12))
    assert found(path).gaps == 0


def test_gap_that_lasts_ends_with_now(tmp_path: Path) -> None:
    """Not with a window that reaches into the future."""
    some = [one for one in every(10 * SECOND_US, 200) if one.time_us < NOON_US - 2 * MINUTE_US]
    lack = found(fill(tmp_path / "culex.db", some), Window(WINDOW.start_us, NOON_US + 10**12))
    assert lack.shown[0].what == Gap(some[-1].time_us, NOON_US + SECOND_US, 13, lasts=True)


def test_long_window_is_told_by_rollups_to_a_grain(tmp_path: Path) -> None:
    """The same gap with the same ends, and how short a gap may be that was not seen."""
    count = MOST_READINGS + 4000
    some = without(every(SECOND_US, count), -100 * MINUTE_US, -90 * MINUTE_US)
    window = Window(NOON_US - (count - 1) * SECOND_US, NOON_US + SECOND_US)
    each_s = Cadence(SECOND_US, 0, 1.0, 60, SetBy.SETTING)
    lack = found(fill(tmp_path / "culex.db", some), window, cadence=each_s)
    assert [one.what for one in lack.shown] == [
        Gap(NOON_US - 6001 * SECOND_US, NOON_US - 5400 * SECOND_US, 600)
    ]
    assert 0 < lack.grain_us <= 60 * SECOND_US


def test_late_readings_are_told_where_readings_themselves_tell(tmp_path: Path) -> None:
    """They are no gap any more, but nobody saw them in time."""
    some = [
        one._replace(delay_us=4 * MINUTE_US, flags=int(Flag.LATE))
        if -5 * MINUTE_US <= one.time_us - NOON_US < -3 * MINUTE_US
        else one
        for one in every(10 * SECOND_US, 200)
    ]
    lack = found(fill(tmp_path / "culex.db", some))
    assert (lack.gaps, lack.late) == (0, 1)
    start_us, end_us = NOON_US - 300 * SECOND_US, NOON_US - 190 * SECOND_US
    assert lack.shown[0].what == LateRun(start_us, end_us, 12, 4 * MINUTE_US)


def test_gaps_of_a_state_are_found(tmp_path: Path) -> None:
    """A state that is repeated has gaps like a number."""
    steps = [*range(-900, -600, 10), *range(-300, 1, 10)]
    path = fill(tmp_path / "culex.db", states((step * SECOND_US, "auto") for step in steps))
    assert [one.what for one in found(path).shown] == [
        Gap(NOON_US - 610 * SECOND_US, NOON_US - 300 * SECOND_US, 30)
    ]


def test_metric_of_unknown_interval_is_named(tmp_path: Path) -> None:
    """Of it nobody can tell a gap."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 2))
    assert found(path, cadence=None) == Lacks([], 0, 0, 0, 0, ["temperature"])


def test_window_in_the_future_lacks_nothing(tmp_path: Path) -> None:
    """Nothing can be missing yet."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 20))
    assert found(path, Window(NOON_US + 10**9, NOON_US + 10**10)).gaps == 0


def test_newest_gaps_are_shown_first_over_all_metrics(tmp_path: Path) -> None:
    """Those of one metric do not stand before those of another."""
    first = without(every(10 * SECOND_US, 200, "a"), -5 * MINUTE_US, -3 * MINUTE_US)
    second = without(every(10 * SECOND_US, 200, "b"), -9 * MINUTE_US, -8 * MINUTE_US)
    third = without(second, -2 * MINUTE_US, -1 * MINUTE_US)
    lack = found(fill(tmp_path / "culex.db", [*first, *third]))
    assert [one.metric for one in lack.shown] == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((), ""),
        ((Stretch(0, 100, State.CONNECTED, "connected"),), "connected"),
        (
            (
                Stretch(0, 40, State.CONNECTED, "connected"),
                Stretch(40, 45, State.DISCONNECTED, "gone"),
                Stretch(45, 100, State.COLLECTOR_DOWN, "stopped"),
            ),
            "stopped",
        ),
        ((Stretch(90, 100, State.DISCONNECTED, "gone"),), ""),
    ],
)
def test_reason_is_what_lasted_longest_of_what_explains(
    told: tuple[Stretch, ...], why: str
) -> None:
    """That it was connected is said only if nothing else is."""
    assert reason(Gap(10, 60, 3), told) == why


def test_client_without_readings_in_the_window_has_one_gap(tmp_path: Path) -> None:
    """From its last reading to now."""
    series = Series("boiler", "temperature")
    old = [reading(NOON_US - 3600 * SECOND_US + n, 1.0, series=series) for n in (0, 1, 2)]
    lack = found(fill(tmp_path / "culex.db", old))
    assert lack.shown[0].what == Gap(old[-1].time_us, NOON_US + SECOND_US, 360, lasts=True)
