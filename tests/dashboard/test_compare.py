"""Comparing clients: the same numbers as everywhere, honest where there are none."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from dash import Patch

from dashboard.compare.figure import Canvas, arrays, figure
from dashboard.compare.lines import Asked, Line
from dashboard.compare.looks import looks_of
from dashboard.compare.numbers import Points, differences, gaps, quantile_of_runs
from dashboard.compare.page import PAGE
from dashboard.compare.panels import MOST_LINES, Mode, panels_of
from dashboard.compare.question import MOST_CLIENTS, Comparison, compare
from dashboard.compare.table import rows
from dashboard.compare.words import caption, table_caption
from dashboard.page import Json
from dashboard.style import CLIENT_COLOURS, client_colour
from dashboard.view import View
from telemetry.job import Seal
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender
from telemetry.window import Window
from tests.dashboard.looks import QUARTER, answers
from tests.dashboard.pictures import HOSTILE, HOUR_US, MINUTE_US, STYLE, texts, unpacked
from tests.telemetry.builders import NOON_US, SECOND_US, fill, looking, reading

ASKED = Asked(QUARTER, NOON_US, "", 600)

Value = Callable[[int], float]


def measured(
    client: str, value: Value, step_us: int = 10 * SECOND_US, count: int = 90, **rest: object
) -> list[Reading]:
    """So many readings of a client, the newest one step before noon."""
    first_us = NOON_US - count * step_us
    series = Series(client, "temperature")
    fields = {"series": series, "unit": "°C"} | rest
    return [reading(first_us + n * step_us, value(n), **fields) for n in range(count)]


def compared(path: Path, *clients: str, metric: str = "", **changes: object) -> Comparison:
    """What the store answers to ASKED with these changes."""
    with looking(path) as snapshot:
        return compare(snapshot, metric, clients, replace(ASKED, **changes))  # type: ignore[arg-type]  # by name


def of(comparison: Comparison, client: str) -> Line:
    """The line of a client."""
    return next(line for line in comparison.lines if line.client == client)


def pairs(points: Points) -> dict[int, float]:
    """The numbers by their times."""
    return dict(zip(points.times_us.tolist(), points.values.tolist(), strict=True))


def test_quantile_of_runs_is_that_of_all_numbers_one_by_one() -> None:
    """As NumPy interpolates it, whatever the counts are."""
    random = np.random.default_rng(3)
    for _ in range(200):
        length = int(random.integers(1, 12))
        values, counts = random.normal(size=length), random.integers(1, 6, length)
        expected = np.quantile(np.repeat(values, counts), 0.95)
        assert quantile_of_runs(values, counts, 0.95) == pytest.approx(expected, abs=1e-12)


def test_gaps_are_the_stretches_of_the_period_without_a_reading() -> None:
    """At its edges too; a period without any is one gap."""
    period, none = Window(0, 100), np.zeros(0, dtype=np.int64)
    assert gaps(np.arange(0, 100, 10), period, 30, 0) == 0
    assert gaps(np.array([40, 50, 60]), period, 30, 0) == 2
    assert gaps(np.array([0, 31, 62, 93]), period, 30, 0) == 3
    assert gaps(none, period, 30, 0) == 1


def test_differences_are_to_the_median_of_those_that_have_a_number() -> None:
    """With one alone nothing is told."""
    nan = np.full(3, np.nan)
    one = Points(np.array([0, 10, 20]), np.array([1.0, 2.0, 3.0]), nan)
    two = Points(np.array([0, 10, 30]), np.array([2.0, 6.0, 9.0]), nan)
    three = Points(np.array([0]), np.array([9.0]), nan[:1])
    found = [pairs(points) for points in differences([one, two, three])]
    assert found == [{0: -1.0, 10: -2.0}, {0: 0.0, 10: 2.0}, {0: 7.0}]
    assert differences([]) == []


def test_lines_are_the_means_of_buckets_as_wide_as_the_slowest_interval(tmp_path: Path) -> None:
    """So that clients that report at other seconds have numbers at the same times."""
    quick = measured("quick", lambda n: float(n % 10), SECOND_US, 900)
    slow = measured("slow", lambda n: float(n), 30 * SECOND_US, 30)
    found = compared(fill(tmp_path / "culex.db", [*quick, *slow]), "quick", "slow")
    assert found.width_us == 30 * SECOND_US
    starts = range(QUARTER.start_us, QUARTER.end_us, found.width_us)
    assert pairs(of(found, "quick").points) == {at + found.width_us // 2: 4.5 for at in starts}
    expected = {at + found.width_us // 2: float(n) for n, at in enumerate(starts)}
    assert pairs(of(found, "slow").points) == expected


def test_totals_are_those_of_the_readings_of_the_window(tmp_path: Path) -> None:
    """To the last bit while readings are few; what lies outside does not count."""
    random = np.random.default_rng(5)
    values = random.normal(20, 4, 200).round(2)
    some = [one for n, one in enumerate(measured("boiler", lambda n: values[n], count=200))
            if not 150 <= n < 160]  # fmt: skip
    found = of(compared(fill(tmp_path / "culex.db", some)), "boiler").totals
    inside = np.array([float(one.value) for one in some if one.time_us >= QUARTER.start_us])
    assert (found.count, found.gaps) == (80, 1)
    assert (found.least, found.greatest) == (inside.min(), inside.max())
    assert found.mean == pytest.approx(math.fsum(inside) / 80, rel=1e-15)
    assert found.p95[0] == found.p95[1] == pytest.approx(np.quantile(inside, 0.95))
    assert found.coverage == pytest.approx(80 / 90)


def test_totals_of_many_readings_are_those_of_whole_buckets(tmp_path: Path) -> None:
    """Of blocks, rollups and head; the quantile lies between the two numbers that are said."""
    random = np.random.default_rng(7)
    values = random.normal(20, 4, 40_000).round(1)
    path = fill(
        tmp_path / "culex.db", measured("boiler", lambda n: values[n], SECOND_US, len(values))
    )
    appender = open_appender(path)
    appender.do(Seal(NOON_US - 2 * HOUR_US))
    appender.close()
    window = Window(NOON_US - 11 * HOUR_US + 1_234_567, NOON_US)
    found = compared(path, window=window, points=300)
    line = of(found, "boiler")
    assert not found.exact
    assert found.period.start_us == -(-window.start_us // found.width_us) * found.width_us
    inside = values[-(found.period.length_us // SECOND_US) :]
    assert line.totals.count == len(inside)
    assert (line.totals.least, line.totals.greatest) == (inside.min(), inside.max())
    assert line.totals.mean == pytest.approx(inside.mean(), rel=1e-12)
    low, high = line.totals.p95
    assert low < np.quantile(inside, 0.95) < high
    assert line.totals.gaps == 0
    assert "whole" in table_caption(found, UTC)


def test_rolling_means_are_at_bucket_ends_also_where_a_client_is_silent(tmp_path: Path) -> None:
    """With a coverage that falls, until nothing is left in the span."""
    some = [one for one in measured("boiler", lambda n: float(n)) if one.time_us
            < NOON_US - 5 * MINUTE_US]  # fmt: skip
    found = of(compared(fill(tmp_path / "culex.db", some), span="1m"), "boiler").points
    last_us = some[-1].time_us
    assert found.times_us[-1] < last_us + MINUTE_US <= found.times_us[-1] + 2 * SECOND_US
    assert found.values[-1] == some[-1].value
    assert found.coverage[-1] == pytest.approx(1 / 6)


def test_clients_without_the_metric_or_with_states_are_said(tmp_path: Path) -> None:
    """They are named, and the others are compared."""
    states = [reading(NOON_US - SECOND_US, "warm", series=Series("mode", "temperature"))]
    other = measured("cellar", float, series=Series("cellar", "humidity"))
    path = fill(tmp_path / "culex.db", [*measured("a", float), *states, *other])
    found = compared(path, "mode", "a", "cellar", "nobody", metric="temperature")
    assert [line.client for line in found.lines] == ["a"]
    assert (found.lacking, found.of_states) == (["cellar", "nobody"], ["mode"])
    said = caption(found, Mode.OVERLAY, 0.6)
    assert "Without temperature: cellar, nobody." in said
    assert "a state, which has no mean: mode." in said


def test_metric_that_most_clients_have_is_shown_of_all_by_itself(tmp_path: Path) -> None:
    """In the order of their names, Culex's own last."""
    humid = measured("a", float, series=Series("a", "humidity"))
    some = [one for name in ("c", "broker", "b") for one in measured(name, float)]
    found = compared(fill(tmp_path / "culex.db", [*humid, *some]))
    assert found.metric == "temperature"
    assert [line.client for line in found.lines] == ["b", "c", "broker"]
    assert found.metrics == {"humidity": 1, "temperature": 3}


def test_more_clients_than_can_be_compared_are_said(tmp_path: Path) -> None:
    """Over each other the first eight are drawn, side by side all that are compared."""
    names = [f"c{n:02}" for n in range(MOST_CLIENTS + 3)]
    some = [one for name in names for one in measured(name, float, count=3)]
    found = compared(fill(tmp_path / "culex.db", some))
    assert (len(found.lines), found.left_out) == (MOST_CLIENTS, 3)
    over, beside = (panels_of(found, mode) for mode in (Mode.OVERLAY, Mode.MULTIPLES))
    assert [line.client for line in over[0].lines] == names[:MOST_LINES]
    assert [panel.title for panel in beside] == names[:MOST_CLIENTS]
    said = caption(found, Mode.OVERLAY, 0.6)
    assert "the first 8 are drawn; 16 others" in said
    assert "24 of 27 clients" in said
    assert "the first" not in caption(found, Mode.MULTIPLES, 0.6)
    nine = compared(tmp_path / "culex.db", *names[: MOST_LINES + 1])
    assert "the first 8 are drawn; 1 other is in the table" in caption(nine, Mode.OVERLAY, 0.6)


def test_units_that_differ_have_scales_and_medians_of_their_own(tmp_path: Path) -> None:
    """Celsius is never drawn on Fahrenheit's axis, and it is said."""
    some = [*measured("a", float), *measured("b", lambda n: n + 2.0),
            *measured("c", lambda n: 70.0 + n, unit="°F")]  # fmt: skip
    found = compared(fill(tmp_path / "culex.db", some))
    over = panels_of(found, Mode.OVERLAY)
    assert [(one.unit, [line.client for line in one.lines]) for one in over] == [
        ("°C", ["a", "b"]), ("°F", ["c"]),
    ]  # fmt: skip
    apart = panels_of(found, Mode.DIFFERENCE)
    assert [one.unit for one in apart] == ["°C"]
    assert {*apart[0].points[0].values.tolist()} == {-1.0}
    assert "different units" in caption(found, Mode.OVERLAY, 0.6)
    canvas = Canvas(Mode.MULTIPLES, QUARTER, STYLE, 1400, rolling=False)
    assert canvas.cells(panels_of(found, Mode.MULTIPLES)) == [(0, 0), (0, 1), (1, 0)]


ALIKE = ["attic", "cellar", "greenhouse", "wempty", "wjson"]
"""Clients whose own colour is the same."""


def test_clients_have_a_colour_of_their_own_among_those_that_are_shown() -> None:
    """Who comes first by name keeps the one it always has; nobody is dashed while colours last."""
    assert len({client_colour(name) for name in ALIKE}) == 1
    names = [*ALIKE, "barn", "kiln", "roof"]
    looks = looks_of(names)
    assert {look.colour for look in looks.values()} == set(CLIENT_COLOURS)
    assert {look.dash for look in looks.values()} == {"solid"}
    assert looks["attic"].colour == client_colour("attic")
    assert looks_of(names[::-1]) == looks


def test_client_keeps_its_own_colour_from_those_that_only_take_it_over() -> None:
    """However many stand before it by name, a colour of which it is the first is not taken."""
    own = next(name for n in range(99) if client_colour(name := f"z{n}") != client_colour("attic"))
    assert looks_of([*ALIKE, own])[own].colour == client_colour(own)


def test_more_clients_than_colours_are_told_apart_by_dashes() -> None:
    """The first are solid, whoever comes after them."""
    names = [f"client-{n:02}" for n in range(MOST_CLIENTS)]
    looks = looks_of(names)
    assert len(set(looks.values())) == len(names)
    first = names[: len(CLIENT_COLOURS)]
    assert looks_of(first) == {name: looks[name] for name in first}


def test_chart_and_table_show_a_client_in_the_same_colour(tmp_path: Path) -> None:
    """In each mode."""
    some = [one for name in ALIKE for one in measured(name, float, count=3)]
    found = compared(fill(tmp_path / "culex.db", some))
    listed = {row["id"]: row["colour"] for row in rows(found.lines)}
    for mode in Mode:
        traces = [one for one in drawn(found, mode)["data"] if "line" in one]
        assert {one["legendgroup"]: one["line"]["color"] for one in traces} == listed


def drawn(found: Comparison, mode: Mode, *, rolling: bool = False) -> Json:
    """The chart of a comparison."""
    canvas = Canvas(mode, QUARTER, STYLE, 1400, rolling)
    return figure(panels_of(found, mode), canvas)


def test_time_axes_stand_below_their_columns_without_hanging_on_a_row(tmp_path: Path) -> None:
    """plotly.js draws an axis that hangs on a new row before it knows where that is: at NaN."""
    some = [one for name in ALIKE for one in measured(name, float, count=3)]
    found = compared(fill(tmp_path / "culex.db", some))
    panels = panels_of(found, Mode.MULTIPLES)
    canvas = Canvas(Mode.MULTIPLES, QUARTER, STYLE, 390, rolling=False)
    axes = figure(panels, canvas)["layout"]
    feet = {name: axes[name]["domain"][0] for name in ("yaxis", "yaxis2", "yaxis3")}
    assert [axes[name]["anchor"] for name in ("xaxis", "xaxis2")] == ["free", "free"]
    assert axes["xaxis"]["position"] == feet["yaxis3"] < feet["yaxis2"]
    assert axes["xaxis2"]["position"] == feet["yaxis2"]


def test_lines_are_broken_where_a_client_was_silent(tmp_path: Path) -> None:
    """A missing number stands between, for plotly joins all others."""
    some = [one for n, one in enumerate(measured("a", float)) if not 30 <= n < 40]
    made = drawn(compared(fill(tmp_path / "culex.db", some)), Mode.OVERLAY)
    values = unpacked(made["data"][0]["y"])
    assert np.flatnonzero(np.isnan(values)).tolist() == [30]
    assert len(unpacked(made["data"][1]["y"])) == 0


def test_uncertain_means_are_dotted_with_their_share(tmp_path: Path) -> None:
    """They join the certain part at both ends."""
    some = [one for n, one in enumerate(measured("a", lambda _: 5.0, count=120))
            if not 60 <= n < 70]  # fmt: skip
    found = compared(fill(tmp_path / "culex.db", some), span="2m")
    sure, _, unsure = drawn(found, Mode.OVERLAY, rolling=True)["data"]
    shares = unpacked(unsure["customdata"])
    dotted = ~np.isnan(unpacked(unsure["y"]))
    assert shares[dotted].min() < 0.6
    assert np.isnan(unpacked(sure["y"])[shares < 0.6]).all()
    assert (np.isnan(unpacked(sure["y"])) <= dotted).all()
    assert unsure["line"]["dash"] == "dot"


def test_names_that_are_code_are_shown_as_text(tmp_path: Path) -> None:
    """In chart, table and caption; nobody's name becomes markup or a field of plotly's."""
    series = Series(HOSTILE, f"t{HOSTILE}")
    some = measured("x", float, series=series, unit="<u>%{y}")
    found = compared(fill(tmp_path / "culex.db", some), HOSTILE, "gone<b>", metric=series.metric)
    made = drawn(found, Mode.MULTIPLES)
    said = str([trace["name"] for trace in made["data"]] + made["layout"]["annotations"])
    assert "<img" not in said
    assert "%{" not in said
    (row,) = rows(found.lines)
    assert "\u202e" not in row["client_text"]
    assert row["client"] == HOSTILE
    assert "gone<b>" in caption(found, Mode.OVERLAY, 0.6)


def test_table_has_numbers_to_sort_by_and_texts_to_show(tmp_path: Path) -> None:
    """No number is nothing, never 0."""
    some = [*measured("a", lambda n: 20 + n / 10), *measured("b", float, count=3)]
    some += measured("old", float, step_us=9 * HOUR_US, count=1)
    one, two, old = rows(compared(fill(tmp_path / "culex.db", some)).lines)
    assert (one["count"], one["count_text"], one["coverage_text"]) == (90.0, "90", "100%")
    assert (one["least_text"], one["greatest_text"]) == ("20.0", "28.9")
    assert two["count"] == 3.0
    assert (old["mean"], old["mean_text"], old["p95_text"]) == (None, "–", "–")
    assert (old["gaps"], old["gaps_text"], two["gaps"]) == (None, "–", 1.0)


def test_page_answers_a_chart_then_nothing_then_what_moved(settings: Settings) -> None:
    """A second is less than a pixel of what is drawn in buckets of ten."""
    fill(settings.store_path, measured("a", float))
    later = {"now_us": NOON_US + 5 * SECOND_US}
    first, same, moved, other = answers(
        PAGE, settings, {}, {"now_us": NOON_US + 1}, later, later | {"width": 390}
    )
    assert first["figure"]["data"][0]["name"] == "a"
    assert first["chosen"] == {"metric": "temperature"}
    assert same == {}
    assert isinstance(moved["figure"], Patch)
    assert not isinstance(other["figure"], Patch)


def test_page_without_any_number_is_the_first_run(settings: Settings) -> None:
    """Nobody has published yet."""
    fill(settings.store_path, [])
    (made,) = answers(PAGE, settings, {})
    assert "Waiting for the first reading" in " ".join(texts(made["notice"]))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(metrics=("pressure",)), "No client measures pressure"),
        (View(clients=("nobody",)), "None of these clients measures temperature"),
        (View(clients=("a",), options={"mode": "difference"}), "No difference to show"),
    ],
)
def test_page_of_nothing_to_compare_says_what_to_choose(
    settings: Settings, view: View, said: str
) -> None:
    """The controls stay."""
    fill(settings.store_path, measured("a", float))
    (made,) = answers(PAGE, settings, {"view": view})
    assert said in " ".join(texts(made["in_place"]))
    assert made["hidden"] is True
    assert "notice" not in made


def test_page_of_an_empty_window_leads_to_the_newest_reading(settings: Settings) -> None:
    """The link keeps what is compared."""
    fill(settings.store_path, measured("a", float))
    window = Window(NOON_US - 60 * HOUR_US, NOON_US - 59 * HOUR_US)
    view = View(clients=("a",), options={"mode": "difference"})
    (made,) = answers(PAGE, settings, {"window": window, "view": view})
    link = made["in_place"].children[-1].href
    assert link.startswith("/compare?id=a&from=2026-11-23T11%3A29%3A50")
    assert link.endswith("mode=difference")


def test_options_that_nobody_knows_are_an_overlay_or_a_sentence(settings: Settings) -> None:
    """A mode that there is not is the first one; a span that is none is said."""
    fill(settings.store_path, measured("a", float))
    (made,) = answers(PAGE, settings, {"view": View(options={"mode": "pie"})})
    assert "figure" in made
    with pytest.raises(ValueError, match="'soon' is not a duration"):
        answers(PAGE, settings, {"view": View(options={"mean": "soon"})})


def test_arrays_are_of_the_traces_in_their_order(tmp_path: Path) -> None:
    """A patch puts each where the whole chart has it."""
    some = [*measured("a", float), *measured("b", lambda n: -float(n))]
    found = compared(fill(tmp_path / "culex.db", some), span="1m")
    for mode in Mode:
        canvas = Canvas(mode, QUARTER, STYLE, 1400, rolling=True)
        panels = panels_of(found, mode)
        made = figure(panels, canvas)["data"]
        for trace, data in zip(made, arrays(panels, canvas), strict=True):
            assert trace | data == trace
