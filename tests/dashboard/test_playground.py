"""The playground: what a span does to a metric, said in numbers that can be checked by hand."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from dash import Patch

from dashboard.playground.figure import arrays, figure, second
from dashboard.playground.page import PAGE
from dashboard.playground.question import Asked, Trial, trial
from dashboard.playground.statistics import MARKS, SPANS, STATISTICS, check_span, step_of
from dashboard.playground.words import limits, sentence, spread_of
from dashboard.view import View, ViewError
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.window import Window, parse_duration
from tests.dashboard.looks import QUARTER, answers, look_at
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    every,
    states,
    texts,
    unpacked,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, looking

ASKED = Asked("", "", QUARTER, NOON_US, "1m", "mean", 700)
TEN_S = 10 * SECOND_US


def before_noon(step_us: int, count: int, *values: float, **rest: object) -> list[Reading]:
    """So many readings, the newest one step before noon, with these values again and again."""
    found = every(step_us, count, **rest)  # type: ignore[arg-type]  # by name
    return [
        one._replace(time_us=one.time_us - step_us, value=values[n % len(values)])
        for n, one in enumerate(found)
    ]


def tried(path: Path, **changes: object) -> Trial:
    """What the store answers to ASKED with these changes."""
    with looking(path) as snapshot:
        found, _ = trial(snapshot, replace(ASKED, **changes))  # type: ignore[arg-type]  # by name
    assert found is not None
    return found


def test_residual_is_each_reading_less_the_mean_at_its_instant(tmp_path: Path) -> None:
    """Of what lies in the minute up to it, itself included; nothing lies before the first."""
    found = tried(fill(tmp_path / "culex.db", before_noon(TEN_S, 90, 1.0, 3.0)))
    assert found.answer.bucket_us == 0
    assert found.line["value"].tolist() == [1.0, 3.0] * 45
    means = [1.0, 2.0, 5 / 3, 2.0, 9 / 5, *[2.0] * 85]
    assert found.line["statistic"].tolist() == pytest.approx(means, rel=1e-15)
    assert second(found).tolist() == [v - m for v, m in zip([1.0, 3.0] * 45, means, strict=True)]


def test_coverage_is_told_also_where_nothing_arrived(tmp_path: Path) -> None:
    """It falls while the span empties, and is 0 until a reading comes."""
    some = before_noon(TEN_S, 180, 5.0)
    some = [one for one in some if not NOON_US - 600 * SECOND_US <= one.time_us
            < NOON_US - 300 * SECOND_US]  # fmt: skip
    found = tried(fill(tmp_path / "culex.db", some))
    share = dict(zip(found.coverage["time_us"], found.coverage["coverage"], strict=True))
    assert share[NOON_US - 600 * SECOND_US - 1] == pytest.approx(1.0)
    assert share[NOON_US - 570 * SECOND_US - 1] == pytest.approx(0.5)
    assert share[NOON_US - 450 * SECOND_US - 1] == 0.0
    assert share[NOON_US - 1] == pytest.approx(1.0)
    assert "1 gap, coverage 0 % to 100 %" in sentence(found)


def test_sentence_says_what_is_shown(tmp_path: Path) -> None:
    """Its numbers are those of the charts."""
    path = fill(tmp_path / "culex.db", before_noon(TEN_S, 200, 1.0, 3.0, unit="°C"))
    found = tried(path, span="5m")
    assert sentence(found) == (
        "5 min mean of 90 readings, 0 gaps, coverage 100 %, residual std 1.0 °C"
    )
    assert spread_of(second(found)) == pytest.approx(math.sqrt(90 / 89))
    assert limits(found) == ""


def test_long_window_is_drawn_in_buckets_that_divide_the_span(tmp_path: Path) -> None:
    """The mean at a bucket's end is then that of the readings."""
    path = fill(tmp_path / "culex.db", before_noon(SECOND_US, 14_400, 0.0, 1.0, 2.0, 3.0))
    found = tried(path, window=Window(NOON_US - 3 * HOUR_US, NOON_US), span="5m")
    width_us = found.answer.bucket_us
    assert parse_duration("5m") % width_us == 0
    assert len(found.line) == 3 * HOUR_US // width_us
    assert {*found.line["statistic"].tolist()} == {1.5}
    assert {*second(found).tolist()} == {0.0}
    assert f"10\u202f800 readings in {width_us // SECOND_US} s buckets" in sentence(found)


def test_span_narrower_than_a_bucket_is_said(tmp_path: Path) -> None:
    """Then the bucket's own mean is all that can be shown."""
    path = fill(tmp_path / "culex.db", before_noon(SECOND_US, 14_400, 0.0, 1.0))
    found = tried(path, window=Window(NOON_US - 3 * HOUR_US, NOON_US), span="10s")
    assert not found.exact
    assert "wider than 10 s: choose a shorter time" in limits(found)


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_is_drawn_of_readings_and_of_buckets(tmp_path: Path, name: str) -> None:
    """Those of another quantity have a chart of their own; no chart is empty."""
    path = fill(tmp_path / "culex.db", before_noon(SECOND_US, 14_400, 0.0, 1.0, 4.0, unit="°C"))
    for window in (Window(NOON_US - 5 * MINUTE_US, NOON_US), Window(NOON_US - HOUR_US, NOON_US)):
        found = tried(path, window=window, statistic=name)
        assert not found.too_many
        look = look_at(Settings(), None, window=window)
        *_, line, unsure, own, coverage = (unpacked(one["y"]) for one in arrays(found, look))
        assert np.isfinite(line).any() == STATISTICS[name].residual
        assert not np.isfinite(unsure).any()
        assert np.isfinite(own).all()
        assert coverage[-1] == 100.0


def test_quantile_of_too_many_readings_is_said_and_the_rest_is_drawn(tmp_path: Path) -> None:
    """What to do stands beside it."""
    path = fill(tmp_path / "culex.db", before_noon(SECOND_US, 25_000, 0.0, 1.0))
    window = Window(NOON_US - 6 * HOUR_US, NOON_US)
    found = tried(path, window=window, statistic="median")
    assert found.too_many
    assert "A median needs each reading" in limits(found)
    assert "residual std –" in sentence(found)
    traces = [unpacked(one["y"]) for one in arrays(found, look_at(Settings(), None, window=window))]
    assert np.isfinite(traces[1]).any()
    assert not np.isfinite(traces[2]).any()
    assert np.isfinite(traces[5]).any()


def test_uncertain_statistic_is_dotted_with_its_share(tmp_path: Path) -> None:
    """After a gap few readings are in the span."""
    some = [one for n, one in enumerate(before_noon(TEN_S, 200, 5.0)) if not 150 <= n < 190]
    found = tried(fill(tmp_path / "culex.db", some), span="2m")
    made = figure(found, look_at(Settings(), None))["data"]
    sure, unsure = made[2], made[3]
    shares = unpacked(unsure["customdata"])
    assert (unsure["line"]["dash"], "dash" in sure["line"]) == ("dot", False)
    assert np.isfinite(unpacked(unsure["y"])[shares < 0.6]).all()
    assert np.isnan(unpacked(sure["y"])[shares < 0.6]).all()


def test_names_that_are_code_are_shown_as_text(tmp_path: Path) -> None:
    """In the titles of the charts and in the unit."""
    some = [one._replace(series=Series(HOSTILE, HOSTILE), unit="<u>%{y}")
            for one in before_noon(TEN_S, 90, 5.0, 6.0)]  # fmt: skip
    found = tried(fill(tmp_path / "culex.db", some))
    made = figure(found, look_at(Settings(), None))
    said = str([one["text"] for one in made["layout"]["annotations"]])
    assert "<img" not in said
    assert "<u>" not in said
    assert "%{" not in said


def test_steps_of_the_slider_go_from_ten_seconds_to_a_day() -> None:
    """Each wider than the one before, at most twice as wide."""
    widths = [parse_duration(span) for span in SPANS]
    assert (SPANS[0], SPANS[-1]) == ("10s", "24h")
    assert all(1 < after / before <= 2 for before, after in pairwise(widths))
    assert set(MARKS) <= set(SPANS)
    assert [step_of(span) for span in SPANS] == [*range(len(SPANS))]


@pytest.mark.parametrize("span", ["soon", "0s", "32d"])
def test_span_that_cannot_be_is_said(span: str) -> None:
    """In a sentence that names it."""
    with pytest.raises(ViewError, match=span):
        check_span(span)


def test_page_answers_charts_and_then_what_a_span_changes(settings: Settings) -> None:
    """The charts that are there are patched: nothing flickers."""
    fill(settings.store_path, before_noon(TEN_S, 200, 1.0, 3.0, unit="°C"))
    first, dragged = answers(PAGE, settings, {}, {"view": View(spans=("10m",))})
    assert first["chosen"] == {"client": "boiler", "metric": "temperature"}
    assert first["sentence"].startswith("5 min mean of 90 readings")
    assert dragged["sentence"].startswith("10 min mean of 90 readings")
    assert isinstance(dragged["figure"], Patch)


def test_page_without_numbers_says_so(settings: Settings) -> None:
    """A state has no mean: the first run, or a sentence beside the controls."""
    fill(settings.store_path, states([(-SECOND_US, "on")]))
    (made,) = answers(PAGE, settings, {})
    assert "Waiting for the first reading" in " ".join(texts(made["notice"]))
    fill(settings.store_path, every(SECOND_US, 5))
    (made,) = answers(PAGE, settings, {"view": View(("boiler",), ("mode",))})
    assert "No numbers of that metric" in " ".join(texts(made["in_place"]))
    assert [one["value"] for one in made["metrics"]] == ["temperature"]


def test_page_of_an_empty_window_leads_to_the_newest_reading(settings: Settings) -> None:
    """The link keeps span and statistic."""
    fill(settings.store_path, every(SECOND_US, 5))
    window = Window(NOON_US - 60 * HOUR_US, NOON_US - 59 * HOUR_US)
    view = View(("boiler",), spans=("2m",), options={"statistic": "max"})
    (made,) = answers(PAGE, settings, {"window": window, "view": view})
    link = made["in_place"].children[-1].href
    assert "span=2m" in link
    assert link.endswith("statistic=max")


def test_statistic_that_there_is_not_is_said(settings: Settings) -> None:
    """With those that there are."""
    fill(settings.store_path, every(SECOND_US, 5))
    with pytest.raises(ViewError, match="no statistic 'mode'; choose one of mean, time_weighted"):
        answers(PAGE, settings, {"view": View(options={"statistic": "mode"})})
