"""Manifests: they say of an export what a count of its bytes and of the store finds."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from telemetry.address import PAGE
from telemetry.batch import Batch
from telemetry.export import ExportQuery
from telemetry.interval import GAPS, cadence_of
from telemetry.provenance import Request, TooManySpans, definition
from telemetry.reading import Flag, Reading, Series, flag_names
from telemetry.rolling import StatisticError, check_statistic
from telemetry.settings import ROOT
from telemetry.shape import Format, Layout, Shape
from telemetry.store import open_appender
from telemetry.store.rendering import Cited, rendered
from telemetry.version import VERSION
from telemetry.window import ALL_TIME, Window, to_iso
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, asking, fill, looking, reading

Json = dict[str, Any]  # values of any JSON type

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = 'a"b\\ \n\r\t\x00\x7f\u202eabc\u2028<b>é🜂\U000e0041'
STATE = Series("boiler", 'say "hi"\r\nand, more')
WINDOW = Window(NOON_US, NOON_US + 120 * SECOND_US)
SHAPES: tuple[tuple[Format, Layout], ...] = (
    ("csv", "long"), ("csv", "wide"), ("json", "long"), ("parquet", "long"),
)  # fmt: skip


def measured() -> list[Reading]:
    """Numbers with units and flags, crowded instants, states that span lines, and times outside."""
    power = Series("boiler", "power")
    return [
        *(
            reading(
                NOON_US + n * SECOND_US, n / 7, unit="°C", flags=Flag(n % 4 * 8), delay_us=n % 3 * 5
            )
            for n in range(-10, 130)
        ),
        *(reading(NOON_US, float(n), series=power, flags=Flag.LATE) for n in range(5)),
        *(reading(NOON_US + n, f"a\r\n{n}", series=STATE) for n in (0, 7, 900)),
        reading(NOON_US - 1, series=Series("boiler", "silent")),
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of what was measured."""
    return fill(tmp_path_factory.mktemp("provenance") / "culex.db", measured())


def asked(
    shape: tuple[Format, Layout] = ("csv", "long"),
    zone: tzinfo = UTC,
    window: Window = WINDOW,
    **query: object,
) -> Request:
    """A request for the boiler, given as `now-2m` to `now`."""
    wanted = {"client": "boiler"} | query
    return Request(
        ExportQuery(window=window, **wanted),  # type: ignore[arg-type]  # by name
        Shape(*shape, zone),
        "now-2m",
        "now",
    )


def cited(path: Path, wanted: Request, origin: str = "") -> tuple[bytes, Json]:
    """The content of an export, and its manifest."""
    with asking(path) as querier:
        export = Cited(querier, wanted)
        content = b"".join(export.content)
        text = export.manifest(NOON_US + 1, origin).to_json()
    return content, json.loads(text)


def lines(content: bytes, form: str) -> int:
    """Rows of a content as a reader of the format counts them."""
    if form == "parquet":
        return int(pq.read_table(io.BytesIO(content)).num_rows)
    if form == "json":
        return len(json.loads(content))
    return len([*csv.reader(io.StringIO(content.decode(), newline=""))]) - 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("every_us", [0, 60 * SECOND_US, 7 * SECOND_US])
def test_manifest_counts_the_content_it_came_with(
    path: Path, shape: tuple[Format, Layout], every_us: int
) -> None:
    """Rows, bytes and hash are those of the bytes, in every format and layout."""
    wanted = asked(shape, BERLIN, every_us=every_us, spans=[] if every_us else ["1m"])
    content, manifest = cited(path, wanted)
    assert manifest["content"] == {
        "rows": lines(content, shape[0]),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert manifest["content"]["rows"] > 1


@pytest.mark.parametrize("shape", SHAPES)
def test_content_with_a_manifest_is_the_content_without(
    path: Path, shape: tuple[Format, Layout]
) -> None:
    """Counting changes no byte."""
    wanted = asked(shape, spans=["1m", "5m"])
    with asking(path) as querier:
        export = Cited(querier, wanted)
        plain = rendered(querier, wanted.query, export.manifest(0).about, wanted.shape)
        assert b"".join(export.content) == b"".join(plain)


@pytest.mark.parametrize("shape", SHAPES)
def test_manifest_counts_each_metric_as_the_store_has_it(
    path: Path, shape: tuple[Format, Layout]
) -> None:
    """Readings, flags, times of receipt, and the first and last time inside the window."""
    _, manifest = cited(path, asked(shape))
    found = {one["metric"]: one for one in manifest["metrics"]}
    assert list(found) == sorted(found)
    assert set(found) == {one.series.metric for one in measured()}
    for metric, count in found.items():
        with looking(path) as snapshot:
            stored = snapshot.read(Series("boiler", metric), WINDOW).frame
        times = stored["time_us"].tolist()
        assert count["rows"] == len(times)
        assert count["flags"] == flags_of(stored["flags"])
        assert count["timed_by_receipt"] == stored["delay_us"].tolist().count(0)
        assert count["first"] == (to_iso(min(times)) if times else None)
        assert count["last"] == (to_iso(max(times)) if times else None)
    assert found["silent"]["rows"] == 0
    assert found["temperature"]["flags"] == {"imported": 60, "simulated": 60}
    assert found["power"]["flags"] == {"late": 5, "conflict": 4}


def flags_of(flags: Iterable[int]) -> Mapping[str, int]:
    """How many readings have each flag, counted one by one."""
    return Counter(flag_names(flag) for one in flags for flag in Flag if one & flag)


def test_manifest_says_what_was_asked(path: Path) -> None:
    """In the words it was given in, and in absolute times."""
    metrics, spans = [SERIES.metric, "power"], ["2m", "5m"]
    wanted = asked(zone=BERLIN, metrics=metrics, spans=spans, every_us=60 * SECOND_US)
    _, manifest = cited(path, wanted)
    assert manifest["query"] == {
        "client": "boiler",
        "metrics": metrics,
        "start": "2026-11-23T12:00:00.000000Z",
        "end": "2026-11-23T12:02:00.000000Z",
        "given": {"start": "now-2m", "end": "now"},
        "every": "1m",
        "spans": spans,
        "statistics": ["mean"],
        "format": "csv",
        "layout": "long",
        "zone": "Europe/Berlin",
    }
    assert (manifest["manifest"], manifest["culex"]) == (1, VERSION)
    assert manifest["made"] == to_iso(NOON_US + 1)
    plain = cited(path, asked())[1]["query"]
    assert (plain["metrics"], plain["statistics"]) == (None, [])


def test_manifest_says_what_coverage_rests_on(path: Path) -> None:
    """The expected interval of each metric that has one, and none where no mean was asked."""
    _, manifest = cited(path, asked(spans=["1m"]))
    intervals = {one["metric"]: one["interval"] for one in manifest["metrics"]}
    times = [one.time_us for one in measured() if one.series == SERIES]
    newest = sorted(time for time in times if time < WINDOW.end_us)[-GAPS - 1 :]
    learned = cadence_of(newest)
    assert learned is not None
    assert intervals["temperature"] == {
        "seconds": learned.interval_us / SECOND_US,
        "set_by": "learned",
        "confidence": round(learned.confidence, 2),
    }
    assert intervals["silent"] is None
    assert {one["interval"] for one in cited(path, asked())[1]["metrics"]} == {None}


def test_manifest_of_intervals_claims_no_flags(path: Path) -> None:
    """A mean has none: what its readings had is not known of it."""
    _, manifest = cited(path, asked(every_us=60 * SECOND_US))
    (temperature,) = (one for one in manifest["metrics"] if one["metric"] == "temperature")
    assert temperature["rows"] == 2
    assert temperature["flags"] is temperature["timed_by_receipt"] is None


@pytest.mark.parametrize("shape", SHAPES)
def test_manifest_of_no_rows_says_so(path: Path, shape: tuple[Format, Layout]) -> None:
    """It is whole, and its hash is that of a header."""
    content, manifest = cited(path, asked(shape, window=Window(0, 10), spans=["1m"]))
    assert manifest["content"]["rows"] == lines(content, shape[0]) == 0
    assert manifest["content"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert {one["rows"] for one in manifest["metrics"]} == {0}


def test_manifest_says_whether_the_store_went_on_meanwhile(tmp_path: Path) -> None:
    """Equal numbers at begin and end mean that the content is of exactly one state."""
    path = fill(tmp_path / "culex.db", measured())
    with asking(path) as querier:
        quiet, disturbed = Cited(querier, asked()), Cited(querier, asked())
        (before,) = states(quiet)
        with closing(open_appender(path)) as appender:
            appender.append(Batch([reading(WINDOW.end_us + SECOND_US)]))
        begin, end = states(disturbed)
        with querier.snapshot() as snapshot:
            assert end == snapshot.as_of.sequence
    assert begin == before < end


def states(export: Cited) -> list[int]:
    """The states of the store that a manifest names, each once."""
    for _ in export.content:
        pass
    as_of = json.loads(export.manifest(0).to_json())["as_of"]
    assert as_of["received"] == to_iso(max(one.time_us + one.delay_us for one in measured()))
    return sorted({as_of["sequence"], as_of["sequence_at_end"]})


def test_manifest_of_hostile_names_keeps_them_and_shows_no_trick(tmp_path: Path) -> None:
    """Quotes, line ends and characters that turn text are escaped, and read back as they were."""
    one = reading(NOON_US, series=Series(HOSTILE, HOSTILE), unit=HOSTILE)
    path = fill(tmp_path / "culex.db", [one])
    wanted = asked(client=HOSTILE, metrics=[HOSTILE])
    with asking(path) as querier:
        export = Cited(querier, wanted)
        assert len(b"".join(export.content)) > 0
        text = export.manifest(0).to_json().decode()
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "é🜂" in text
    manifest = json.loads(text)
    assert manifest["query"]["client"] == HOSTILE
    assert manifest["metrics"][0]["metric"] == manifest["metrics"][0]["unit"] == HOSTILE
    for link in manifest["links"].values():
        assert re.fullmatch(r"/[\w/.?&=%+-]+", link, re.ASCII)


def test_links_are_those_of_the_origin_if_it_is_known(path: Path) -> None:
    """And relative if not."""
    _, relative = cited(path, asked())
    _, absolute = cited(path, asked(), "https://culex.example")
    for name, link in relative["links"].items():
        assert link.startswith("/")
        assert absolute["links"][name] == f"https://culex.example{link}"


def names_of_statistics() -> list[str]:
    """As they are told to somebody who names another; of quantiles an example."""
    with pytest.raises(StatisticError) as told:
        check_statistic("?")
    _, _, names = str(told.value).partition("; use ")
    plain, _, quantile = names.partition(" or a quantile as ")
    return [*plain.split(", "), quantile]


@pytest.mark.parametrize("name", [*names_of_statistics(), "p0", "p99.9"])
def test_each_statistic_is_defined_in_one_sentence(name: str) -> None:
    """None is another's, and each says over which span."""
    sentence = definition(name)
    assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", sentence)
    assert ". " not in sentence
    assert "(t - s, t]" in sentence
    assert sentence not in [definition(other) for other in names_of_statistics() if other != name]
    is_quantile = re.fullmatch(r"p[\d.]+", name) is not None
    assert (f" {name.removeprefix('p')} % of" in sentence) == is_quantile


def test_names_of_statistics_are_those_of_the_documented_table() -> None:
    """So that none is tested which there is no more, nor one left out."""
    document = (ROOT / "docs" / "mean.md").read_text("utf-8")
    table = document.partition("| name | over the readings in the span |")[2].partition("\n\n")[0]
    documented = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)))
    assert {"mean", "median", "increase"} <= set(documented)
    assert set(documented) - {"p99"} <= set(names_of_statistics())


def test_unknown_statistic_has_no_definition() -> None:
    """Its name is refused as everywhere."""
    with pytest.raises(StatisticError, match="there is no statistic 'mode'"):
        definition("mode")


def test_manifest_defines_what_was_asked_and_nothing_else(path: Path) -> None:
    """A median is not defined as a mean; without spans a value is what it is."""
    found = cited(path, asked(spans=["1m"], statistics=["median", "p95"]))[1]["definitions"]
    assert found["statistics"] == {name: definition(name) for name in ("median", "p95")}
    assert "gaps before the window's end" in found["coverage"]
    plain = cited(path, asked())[1]["definitions"]
    assert (plain["statistics"], plain["coverage"]) == ({}, None)
    of_intervals = cited(path, asked(every_us=60 * SECOND_US))[1]["definitions"]
    assert plain["value"] == found["value"] != of_intervals["value"]
    assert of_intervals["value"].startswith("The mean of the readings in an interval")


def test_interval_of_a_manifest_is_learned_up_to_the_end_of_the_window(tmp_path: Path) -> None:
    """From gaps before the window too, and never from what comes after it."""
    times = [*range(0, 700, 7), *range(700, 760, 60), *range(1000, 2000)]
    path = fill(tmp_path / "culex.db", [reading(NOON_US + at * SECOND_US) for at in times])
    window = Window(NOON_US + 690 * SECOND_US, NOON_US + 710 * SECOND_US)
    manifest = cited(path, asked(window=window, metrics=[SERIES.metric], spans=["1m"]))[1]
    assert manifest["metrics"][0]["rows"] == 2
    assert manifest["metrics"][0]["interval"]["seconds"] == 7


@pytest.mark.parametrize(
    ("window", "working"),
    [
        (PAGE, {"page", "content"}),
        (Window(PAGE.start_us - 1, PAGE.end_us), {"content"}),
        (Window(PAGE.start_us, PAGE.end_us + 1), {"content"}),
        (ALL_TIME, {"content"}),
        (Window(ALL_TIME.start_us, ALL_TIME.start_us + 1), set()),
    ],
)
def test_link_that_cannot_work_is_left_out(path: Path, window: Window, working: set[str]) -> None:
    """Its key stays, with nothing."""
    _, manifest = cited(path, asked(window=window), "https://culex.example")
    links = manifest["links"]
    assert list(links) == ["page", "content"]
    assert {name for name, link in links.items() if link is not None} == working


def test_request_has_as_many_spans_and_statistics_as_its_links_may() -> None:
    """Six of each, and not one more."""
    spans, statistics = ([f"{kind}{n}" for n in range(1, 8)] for kind in ("", "p"))
    spans = [f"{span}m" for span in spans]
    assert asked(spans=spans[:6], statistics=statistics[:6]).address is not None
    with pytest.raises(TooManySpans, match="name at most 6 spans"):
        asked(spans=spans)
    with pytest.raises(StatisticError, match="name at most 6 statistics"):
        asked(spans=["1m"], statistics=statistics)


def keys(facts: object, before: str = "") -> Iterator[str]:
    """The keys of a JSON object and of those in it, with dots; of a list, those of its first."""
    if isinstance(facts, list) and facts:
        yield from keys(facts[0], before)
    elif isinstance(facts, dict) and not before.endswith(("flags.", "definitions.statistics.")):
        for key, value in facts.items():
            yield f"{before}{key}"
            yield from keys(value, f"{before}{key}.")


def test_documentation_names_every_key_in_order(path: Path) -> None:
    """docs/export.md has a row for each key but those of objects that only hold others."""
    document = (ROOT / "docs" / "export.md").read_text("utf-8")
    table = document.partition("| key | means |")[2]
    named = re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)
    _, manifest = cited(path, asked(metrics=["temperature"], spans=["1m"]))
    plain = {"query", "query.given", "as_of", "content", "definitions", "links"}
    assert [key for key in keys(manifest) if key not in plain] == named


def test_version_is_that_of_the_changelog() -> None:
    """`.dev0` as long as the newest part of CHANGELOG.md is not released."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (newest, *_) = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert VERSION.endswith(".dev0") if newest == "Unreleased" else newest == VERSION
