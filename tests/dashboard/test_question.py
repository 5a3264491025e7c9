"""One question per tick: numbers that agree with the store, and order that stays."""

import csv
import io
import math
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.activity import activity
from dashboard.faults import newest_limited
from dashboard.marks import MOST_MARKS
from dashboard.numbers import RAW_READINGS
from dashboard.parts import caption, export_link
from dashboard.question import MOST_PANELS, MetricPicture
from telemetry.export import ExportQuery, subject
from telemetry.export_rows import export_rows
from telemetry.job import Retain, Seal
from telemetry.presence import Event, EventKind
from telemetry.reading import Flag, Kind, Latest, Reading, Series
from telemetry.retention import Keep, Retention
from telemetry.store import open_appender
from telemetry.store.csv_text import csv_long
from telemetry.window import Window, parse_duration
from tests.dashboard.pictures import (
    HOUR_US,
    MINUTE_US,
    QUESTION,
    every,
    happen,
    lost,
    picture,
    states,
    switch,
)
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, looking, reading, steady

SPANS = ("1m", "5m", "30m")
DAY = 24 * HOUR_US


def exported(path: Path, window: Window) -> dict[str, str]:
    """The last row of the CSV of a window, by column."""
    with asking(path) as querier:
        query = ExportQuery("boiler", window, spans=SPANS)
        text = "".join(
            csv_long(export_rows(querier, query, subject(querier, query)), query.mean_columns, UTC)
        )
    return list(csv.DictReader(io.StringIO(text)))[-1]


def tile_means(one: MetricPicture) -> dict[str, float]:
    """What the tile shows."""
    return {mean.span: float(mean.frame["mean"].iloc[-1]) for mean in one.means}


@pytest.mark.parametrize(
    ("step_us", "count", "length_us", "bucketed"),
    [
        (10 * SECOND_US, 400, 15 * MINUTE_US, False),  # 90 in the window
        (SECOND_US // 2, 8000, 15 * MINUTE_US, True),  # 1800 in the window
        (SECOND_US, 8000, 2 * HOUR_US, True),
        (SECOND_US // 13, 26_000, 15 * MINUTE_US, True),  # more than a tile reads one by one
        (40 * MINUTE_US, 20, 24 * HOUR_US, False),  # one reading in the widest span
        (7 * MINUTE_US + 1, 9, 15 * MINUTE_US, False),
    ],
)
def test_mean_of_tile_chart_and_export_at_one_instant_is_the_same(
    tmp_path: Path, step_us: int, count: int, length_us: int, *, bucketed: bool
) -> None:
    """The tile's mean is the last of the chart's line and that of the CSV's last row."""
    path = fill(tmp_path / "culex.db", every(step_us, count))
    window = Window(NOON_US + 1 - length_us, NOON_US + 1)
    shown = picture(path, window=window, now_us=NOON_US + HOUR_US).pictures[0]
    assert (shown.answer.bucket_us > 0) is bucketed
    row = exported(path, window)
    for span, mean in tile_means(shown).items():
        within = min(count, -(-parse_duration(span) // step_us))
        assert mean == pytest.approx(count - 1 - (within - 1) / 2, rel=1e-12)
        assert mean == pytest.approx(float(row[f"mean_{span}"]), rel=1e-14)
    for mean in shown.means:
        assert int(mean.frame["time_us"].iloc[-1]) == NOON_US
        assert float(mean.frame["coverage"].iloc[-1]) == pytest.approx(
            float(row[f"coverage_{mean.span}"])
        )


@steady
@given(st.lists(st.integers(0, 3600), min_size=1, max_size=50), st.integers(1, 40))
def test_mean_of_buckets_at_any_instant_is_that_of_the_readings(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int], minutes: int
) -> None:
    """Beyond the number that a tile reads one by one its means are of the same readings."""
    path = tmp_path_factory.mktemp("store") / "culex.db"
    fill(path, [reading(NOON_US - s * SECOND_US - 1, float(s)) for s in seconds])
    window = Window(NOON_US - minutes * MINUTE_US - 7, NOON_US - 7)
    with pytest.MonkeyPatch.context() as patch:
        raw = tile_means(picture(path, window=window).pictures[0])
        patch.setattr("dashboard.numbers.RAW_READINGS", 0)
        patch.setattr("dashboard.numbers._TILE_READINGS", 0)
        cut = tile_means(picture(path, window=window).pictures[0])
    assert cut == pytest.approx(raw, nan_ok=True)


def test_mean_without_readings_in_its_span_is_missing(tmp_path: Path) -> None:
    """Nothing in the span is NaN with count 0, never 0."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US - 10 * MINUTE_US, 5.0)])
    means = tile_means(picture(path).pictures[0])
    assert math.isnan(means["1m"])
    assert math.isnan(means["5m"])
    assert means["30m"] == 5.0


def test_first_visible_mean_has_its_whole_span_behind_it(tmp_path: Path) -> None:
    """The lines look back beyond the left edge."""
    path = fill(tmp_path / "culex.db", every(10 * SECOND_US, 400))
    means = picture(path).pictures[0].means
    assert [int(mean.frame["count"].iloc[0]) for mean in means] == [6, 30, 180]


def test_buckets_of_a_long_window_keep_its_peaks(tmp_path: Path) -> None:
    """One reading that stands out of thousands is the maximum of its bucket."""
    readings = every(SECOND_US, 7200)
    readings[3000] = readings[3000]._replace(value=1e6)
    path = fill(tmp_path / "culex.db", readings)
    answer = picture(path, window=Window(NOON_US - 2 * HOUR_US, NOON_US)).pictures[0].answer
    assert answer.bucket_us > 0
    assert answer.frame["max"].max() == 1e6
    assert answer.frame["min"].min() == 0.0
    assert len(answer.frame) <= QUESTION.max_buckets + 2


@pytest.mark.parametrize(("count", "bucketed"), [(RAW_READINGS, False), (RAW_READINGS + 1, True)])
def test_readings_turn_into_buckets_beyond_the_limit(
    tmp_path: Path, count: int, *, bucketed: bool
) -> None:
    """So many readings are drawn as they are, one more as buckets."""
    path = fill(tmp_path / "culex.db", every(SECOND_US // 10, count))
    shown = picture(path, window=Window(NOON_US - HOUR_US, NOON_US + 1)).pictures[0]
    assert (shown.answer.bucket_us > 0) is bucketed


def test_state_before_the_window_leads_it_while_it_holds(tmp_path: Path) -> None:
    """A state heard within three intervals of the left edge still holds there."""
    heard = [(-s * MINUTE_US, "on" if s > 17 else "off") for s in range(30, 0, -2)]
    path = fill(tmp_path / "culex.db", states(heard))
    frame = picture(path).pictures[0].answer.frame
    assert list(frame["text"]) == ["off", "off"]
    assert list(frame["time_us"]) == [NOON_US - 16 * MINUTE_US, NOON_US - 2 * MINUTE_US]


def test_state_not_heard_for_long_is_not_shown(tmp_path: Path) -> None:
    """A state last heard more than three intervals before the window leaves it empty."""
    heard = [(-DAY - s * MINUTE_US, "on") for s in range(5)]
    path = fill(tmp_path / "culex.db", states(heard))
    assert picture(path).pictures[0].answer.frame.empty


def test_metrics_that_the_client_lacks_are_left_out(tmp_path: Path) -> None:
    """Unknown names are ignored; if none is known, all are shown."""
    path = fill(tmp_path / "culex.db", [*every(SECOND_US, 3), *switch(SECOND_US, 3)])
    assert names(picture(path, metrics=("valve", "nonsense")).pictures) == ["valve"]
    assert names(picture(path, metrics=("nonsense",)).pictures) == ["temperature", "valve"]


def names(pictures: object) -> list[str]:
    """The metrics of pictures, in order."""
    assert isinstance(pictures, list)
    return [one.latest.series.metric for one in pictures]


def test_client_left_open_is_the_one_with_the_newest_activity(tmp_path: Path) -> None:
    """No client asked for means the busiest, and its name comes back."""
    old = reading(NOON_US - HOUR_US, series=Series("a", "m"))
    path = fill(tmp_path / "culex.db", [old, *every(SECOND_US, 3)])
    shown = picture(path, client="")
    assert shown.question.client == "boiler"
    assert [one.client for one in shown.clients] == ["boiler", "a"]


def latest(client: str, age_us: int, flags: int = 0) -> Latest:
    """The newest reading of a client, that old."""
    received_us = NOON_US - age_us
    return Latest(Series(client, "m"), Kind.NUMBER, "", received_us, 1.0, received_us, flags)


def test_clients_active_in_the_last_minute_stand_by_name() -> None:
    """Busy clients keep their place; quiet ones follow by age, our own come last."""
    found = activity(
        [
            latest("collector", 0),
            latest("quiet", HOUR_US),
            latest("z", 0),
            latest("quieter", DAY),
            latest("a", 59 * SECOND_US),
        ],
        NOON_US,
    )
    assert [one.client for one in found] == ["a", "z", "quiet", "quieter", "collector"]


def test_client_whose_newest_reading_is_simulated_is_marked() -> None:
    """The newest reading of any metric says whether a client is simulated."""
    old, new = latest("a", HOUR_US), latest("a", 0, Flag.SIMULATED)
    assert activity([new, old], NOON_US)[0].simulated
    assert not activity([replace(new, flags=0), old], NOON_US)[0].simulated


def test_means_ignore_states_in_a_series_of_numbers(tmp_path: Path) -> None:
    """A text among numbers is no number: neither 0 nor counted."""
    numbers: list[Reading] = every(10 * SECOND_US, 5)
    odd = numbers[2]._replace(time_us=NOON_US - 15 * SECOND_US, value="broken")
    path = fill(tmp_path / "culex.db", [odd, *numbers])
    shown = picture(path, window=Window(NOON_US - MINUTE_US, NOON_US + 1)).pictures[0]
    assert tile_means(shown)["1m"] == 2.0
    assert np.isnan(shown.answer.frame["value"]).sum() == 1


def test_metrics_of_a_client_with_many_are_not_all_shown(tmp_path: Path) -> None:
    """Twelve panels unless some are chosen; the page says so and the export leaves none out."""
    many = [reading(NOON_US - 1, 1.0, series=Series("boiler", f"m{n:03}")) for n in range(40)]
    path = fill(tmp_path / "culex.db", many)
    shown = picture(path)
    assert len(shown.pictures) == MOST_PANELS
    assert "12 of 40 metrics are shown" in caption(shown)
    assert "metric=" not in export_link(shown, "")
    assert names(picture(path, metrics=("m039",)).pictures) == ["m039"]


def test_wide_span_on_a_short_window_takes_in_buckets(tmp_path: Path) -> None:
    """What a mean looks back on is bounded, whatever the span."""
    path = fill(tmp_path / "culex.db", every(SECOND_US, 7000))
    window = Window(NOON_US - 10 * MINUTE_US, NOON_US)
    answer = picture(path, window=window, spans=("4w",)).pictures[0].answer
    assert answer.bucket_us >= 28 * DAY // 6000


def test_marks_are_the_sessions_lost_in_the_window(tmp_path: Path) -> None:
    """Half-open as every window, oldest first, and nothing else that happened."""
    others = [Event(NOON_US - 2, kind) for kind in EventKind if kind is not EventKind.SESSION_LOST]
    start_us = -15 * MINUTE_US
    events = [*others, *lost(start_us - 1, start_us, -1, 0)]
    path = happen(fill(tmp_path / "culex.db", every(SECOND_US, 3)), *events)
    assert picture(path).marks == lost(start_us, -1)


def test_limited_client_is_the_last_one_within_the_hour(tmp_path: Path) -> None:
    """Whatever else happened; an hour later the page is silent about it."""
    events = [
        Event(NOON_US - HOUR_US - 1, EventKind.LIMITED, "a"),
        Event(NOON_US - 3, EventKind.REFUSED, "c"),
    ]
    path = happen(fill(tmp_path / "culex.db", every(SECOND_US, 3)), *events)
    with looking(path) as snapshot:
        assert newest_limited(snapshot, NOON_US) is None
    limited = Event(NOON_US - HOUR_US, EventKind.LIMITED, "b")
    with looking(happen(path, limited)) as snapshot:
        assert newest_limited(snapshot, NOON_US) == limited


def test_marks_beyond_what_is_shown_are_the_newest(tmp_path: Path) -> None:
    """A broker that restarts all the time does not paint the charts over."""
    events = lost(*range(-MOST_MARKS - 5, 0))
    path = happen(fill(tmp_path / "culex.db", every(SECOND_US, 3)), *events)
    assert picture(path).marks == events[5:]


def test_tile_that_would_cut_an_hour_of_which_a_rollup_is_left_says_nothing(tmp_path: Path) -> None:
    """At 10:30 nobody can tell any more what the last hour was; at 11:00 anybody can."""
    path = tmp_path / "culex.db"
    day_us = (NOON_US // DAY - 30) * DAY
    fill(path, [reading(day_us + n * 10 * MINUTE_US, float(n)) for n in range(144)])
    with closing(open_appender(path)) as appender:
        appender.do(Seal(NOON_US - DAY))
        appender.do(Retain(NOON_US, Retention((), Keep(DAY, None, None))))
    at_us = day_us + 10 * HOUR_US
    for end_us, expected in ((at_us + HOUR_US // 2, None), (at_us + HOUR_US, 62.5)):
        window = Window(end_us - 6 * HOUR_US, end_us)
        (mean,) = picture(path, window=window, spans=("1h",)).pictures[0].means
        tile = mean.frame.iloc[-1]
        assert (tile["count"], tile["mean"]) == (6, 62.5) if expected else np.isnan(tile["mean"])
