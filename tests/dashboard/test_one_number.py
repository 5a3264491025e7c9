"""One number everywhere: chart, tile, CSV, JSON and the command line say the same mean."""

import csv
import io
import json
import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from dashboard.compare.lines import Asked
from dashboard.compare.question import Comparison, compare
from dashboard.playground.question import Asked as Tried
from dashboard.playground.question import trial
from dashboard.playground.statistics import STATISTICS
from dashboard.view import View
from telemetry.__main__ import main
from telemetry.job import Seal
from telemetry.reading import Reading
from telemetry.settings import Settings
from telemetry.store import open_appender
from telemetry.window import Window, parse_duration, to_iso, to_us
from tests.dashboard.pictures import HOUR_US, MINUTE_US, texts, unpacked
from tests.dashboard.test_answer import answered
from tests.telemetry.builders import NOON_US, SECOND_US, fill, looking, reading

SPANS = ("1m", "5m", "30m")
LAST_US = NOON_US - 1
"""A reading at the very instant of the tiles."""

VIEW = View(clients=("boiler",))
DAY = View(clients=("boiler",), start="now-24h")

Means = dict[int, float]


def irregular(seed: int) -> list[Reading]:
    """A day of irregular readings with outages of all lengths, some of them of one instant."""
    random = np.random.default_rng(seed)
    gaps_us = random.integers(100_000, 20_000_000, 9000)
    gaps_us[random.integers(0, 9000, 40)] = random.integers(MINUTE_US, HOUR_US, 40)
    times = LAST_US - np.append(0, np.cumsum(gaps_us))
    values = random.normal(20, 3, len(times)).round(2)
    pairs = {*zip(times.tolist(), values.tolist(), strict=True)}
    pairs |= {(int(times[5]), 99.5), (int(times[9]), -40.25)}
    return [reading(time_us, value, unit="°C") for time_us, value in sorted(pairs)]


@pytest.fixture
def stored(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """That day, all but its last hours in blocks."""
    fill(settings.store_path, irregular(11))
    appender = open_appender(settings.store_path)
    appender.do(Seal(NOON_US - 3 * HOUR_US))
    appender.close()
    monkeypatch.setenv("CULEX_DATA_DIR", str(settings.data_dir))
    return settings


def chart(settings: Settings, view: View, span: str) -> Means:
    """The mean of a span in the chart, certain or not, by the time of each point."""
    figure = answered(settings, view)["figure"]
    name = f"{int(parse_duration(span) // MINUTE_US)} min mean"
    lines = [one for one in figure["data"] if str(one["name"]).startswith(name)]
    found: Means = {}
    for line in lines:
        for place_ms, value in zip(unpacked(line["x"]), unpacked(line["y"]), strict=True):
            if not np.isnan(value):
                found[round(place_ms * 1000)] = float(value)
    return found


def arguments(**more: str) -> dict[str, str]:
    """Of all ways to ask, for the last quarter of an hour."""
    return {
        "client": "boiler",
        "start": to_iso(NOON_US - 15 * MINUTE_US),
        "end": to_iso(NOON_US),
    } | more


def over_http(person: FlaskClient, *spans: str, **more: str) -> str:
    """What the API answers."""
    asked = [*arguments(**more).items(), *(("span", span) for span in spans or SPANS)]
    return person.get("/api/v1/readings?" + urlencode(asked), buffered=True).text


def from_shell(**more: str) -> str:
    """What the command writes."""
    given = arguments(**more)
    options = [f"--{name}={value}" for name, value in given.items() if name != "client"]
    spans = [f"--span={span}" for span in SPANS]
    found = CliRunner().invoke(main, ["export", given["client"], *options, *spans])
    assert found.exit_code == 0, found.output
    return found.stdout


def columns(text: str, span: str) -> dict[str, str]:
    """The mean of a CSV, as it is written, by time."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["time"]: row[f"mean_{span}"] for row in rows if row[f"mean_{span}"]}


@pytest.mark.parametrize("span", SPANS)
def test_chart_csv_json_and_command_say_the_same_mean_at_each_reading(
    stored: Settings, person: FlaskClient, span: str
) -> None:
    """To the last digit, at every instant of the chart."""
    written = columns(over_http(person), span)
    assert len(written) > 30
    assert columns(from_shell(), span) == written
    objects = json.loads(over_http(person, format="json"))
    assert {row["time"]: row[f"mean_{span}"] for row in objects} == {
        time: float(mean) for time, mean in written.items()
    }
    drawn = {to_iso(time_us)[:23]: mean for time_us, mean in chart(stored, VIEW, span).items()}
    assert drawn == {time[:23]: float(mean) for time, mean in written.items()}


def test_tiles_say_the_mean_of_the_csv_to_the_digit_they_print(
    stored: Settings, person: FlaskClient
) -> None:
    """Rounded once, from the number that the CSV has at the same instant."""
    made = answered(stored, VIEW)
    said = [*texts(made["tiles"])]
    text = over_http(person)
    for span in SPANS:
        printed = said[said.index(f"{span[:-1]} min") + 1]
        exact = Decimal(columns(text, span)[to_iso(LAST_US)])
        digits = Decimal(1).scaleb(-len(printed.partition(".")[2]))
        assert re.fullmatch(r"\d+\.\d+", printed)
        assert Decimal(printed) == exact.quantize(digits, ROUND_HALF_UP)


@pytest.mark.parametrize("span", ["5m", "30m"])
def test_chart_of_a_day_says_the_means_of_the_export_in_its_buckets(
    stored: Settings, person: FlaskClient, span: str
) -> None:
    """Through blocks, rollups and the head: at each bucket's end the same mean, to the last bit."""
    drawn = chart(stored, DAY, span)
    bucket_us = answered(stored, DAY)["drawn"]["page"]["bucket_us"]
    start, every = to_iso(NOON_US - 24 * HOUR_US), f"{bucket_us // SECOND_US}s"
    written = columns(over_http(person, span, start=start, every=every), span)
    ends = {int(to_us(datetime.fromisoformat(time))) + bucket_us - 1: float(mean)
            for time, mean in written.items()}  # fmt: skip
    last = drawn.pop(LAST_US)  # is the tile's and of readings; sums of sums have twelve digits
    assert last == pytest.approx(ends.pop(LAST_US), rel=1e-12)
    assert len(drawn) > 100
    assert drawn.items() <= ends.items()


@pytest.mark.parametrize(
    "names", [("mean", "time_weighted", "median", "p95"), ("min", "max", "std", "rate", "increase")]
)
@pytest.mark.usefixtures("stored")
def test_statistics_of_http_and_shell_are_the_same(
    person: FlaskClient, names: tuple[str, ...]
) -> None:
    """Of all that can be asked for, in the order in which it was."""
    given = arguments()
    asked = [*given.items(), ("span", "5m"), *(("statistic", name) for name in names)]
    answer = person.get("/api/v1/readings?" + urlencode(asked), buffered=True).text
    options = [f"--{name}={value}" for name, value in given.items() if name != "client"]
    options += ["--span=5m", *(f"--statistic={name}" for name in names)]
    shell = CliRunner().invoke(main, ["export", "boiler", *options]).stdout
    assert shell.splitlines() == answer.splitlines()
    added = [f"{name}_5m" for name in (*names, "coverage")]
    assert answer.splitlines()[0].split(",")[-len(added) :] == added


def of_day(settings: Settings, span: str) -> Comparison:
    """The comparison of a day, of one client, on buckets as wide as those of its own page."""
    points = 24 * HOUR_US // answered(settings, DAY)["drawn"]["page"]["bucket_us"]
    asked = Asked(Window(NOON_US - 24 * HOUR_US, NOON_US), NOON_US, span, points)
    with looking(settings.store_path) as snapshot:
        return compare(snapshot, "temperature", ["boiler"], asked)


@pytest.mark.parametrize("span", ["5m", "30m"])
def test_comparison_says_the_means_of_client_page_tile_and_export(
    stored: Settings, person: FlaskClient, span: str
) -> None:
    """At the same instants, to the last bit: at each bucket's end, and where the tile stands."""
    found = of_day(stored, span)
    points = found.lines[0].points
    drawn = dict(zip(points.times_us.tolist(), points.values.tolist(), strict=True))
    at_client = chart(stored, DAY, span)
    assert len(at_client) > 100
    assert at_client.items() <= drawn.items()
    assert drawn.pop(LAST_US) == float(columns(over_http(person), span)[to_iso(LAST_US)])
    start, every = to_iso(NOON_US - 24 * HOUR_US), f"{found.width_us // SECOND_US}s"
    written = columns(over_http(person, span, start=start, every=every), span)
    ends = {int(to_us(datetime.fromisoformat(time))) + found.width_us - 1: float(mean)
            for time, mean in written.items()}  # fmt: skip
    del ends[LAST_US]
    assert ends.items() <= drawn.items()


def test_comparison_says_the_buckets_of_the_export_and_its_figures(
    stored: Settings, person: FlaskClient
) -> None:
    """Each bucket's mean is a row's value; the mean of the table is that of a day at its end."""
    found = of_day(stored, "")
    start = to_iso(NOON_US - 24 * HOUR_US)
    text = over_http(person, "30m", start=start, every=f"{found.width_us // SECOND_US}s")
    written = [float(row["value"]) for row in csv.DictReader(io.StringIO(text))]
    assert found.lines[0].points.values.tolist() == written
    rows = [*csv.DictReader(io.StringIO(over_http(person, "24h", start=start)))]
    totals = found.lines[0].totals
    assert totals.count == len(rows)
    assert totals.mean == float(rows[-1]["mean_24h"])
    assert totals.coverage == pytest.approx(float(rows[-1]["coverage_24h"] or "nan"), nan_ok=True)


@pytest.mark.parametrize("name", STATISTICS)
def test_playground_says_the_statistics_of_the_export_at_each_reading(
    stored: Settings, person: FlaskClient, name: str
) -> None:
    """To the last digit, whichever one drags the span of."""
    window = Window(NOON_US - 15 * MINUTE_US, NOON_US)
    asked = Tried("boiler", "temperature", window, NOON_US, "5m", name, 700)
    with looking(stored.store_path) as snapshot:
        found, _ = trial(snapshot, asked)
    assert found is not None
    rows = [*csv.DictReader(io.StringIO(over_http(person, "5m", statistic=name)))]
    assert len(rows) > 30
    assert found.line["time_us"].tolist() == [
        to_us(datetime.fromisoformat(row["time"])) for row in rows
    ]
    np.testing.assert_array_equal(
        found.line["statistic"], [float(row[f"{name}_5m"] or "nan") for row in rows]
    )


def test_store_of_these_tests_has_blocks(stored: Settings) -> None:
    """Otherwise they would say less than they seem to."""
    assert [*Path(stored.data_dir, "blocks").rglob("*.parquet")]
