"""The HTTP API: its contract, word for word, as a script reads it."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.app import create_app
from dashboard.exports import MOST
from dashboard.people import add_token
from dashboard.view import View, ViewError, check_spans, view_of_query
from mosquitto.access_tokens import Tokens
from telemetry.interface import Chunk, StoreUnavailable, StreamQuery
from telemetry.reading import Flag, Kind, Series
from telemetry.settings import Settings
from telemetry.shape import FORMATS
from telemetry.store.snapshot import StoreQuerier
from telemetry.window import Window, parse_time, to_iso
from tests.dashboard.pictures import HOUR_US, MINUTE_US, every, picture, states
from tests.dashboard.visits import prepared
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, SECOND_US, asking, decoded, fill, reading

LONG = ["time", "client", "metric", "value", "unit", "received", "flags"]
NAMES = ("a/b #1 <b>", "=1+1", "ä€🜂", "a&client=b", "%00%2F..", "x;y,\"z'")
Ask = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of a boiler with a number and a state, and clients with hostile names."""
    settings = prepared(tmp_path_factory.mktemp("api"))
    noon = reading(NOON_US, 0.1, series=Series("boiler", "pressure"), delay_us=1500)
    odd = [reading(NOON_US - 1, 7.5, series=Series(name, name), unit=name) for name in NAMES]
    flagged = noon._replace(time_us=NOON_US - 1, flags=Flag.LATE | Flag.SIMULATED)
    return fill(
        settings.store_path,
        [
            *every(10 * SECOND_US, 60, unit="°C"),
            *states([(-SECOND_US, "=on"), (-2 * HOUR_US, "off")]),
            *odd,
            noon,
            flagged,
        ],
    )


@pytest.fixture(scope="module")
def program(store: Path) -> FlaskClient:
    """A program with a token, for the tests that only read that store."""
    settings = make_settings(store.parent.parent)
    token = add_token(Tokens(settings.access_path), "program")
    browser = create_app(settings, lambda: NOON_US).test_client()
    browser.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return browser


@pytest.fixture
def ask(program: FlaskClient) -> Ask:
    """Asks for readings of the boiler up to noon, with these arguments."""

    def asked(*pairs: tuple[str, str], **arguments: str) -> TestResponse:
        given = {"client": "boiler", "end": "2026-11-23T12:00:00.000001Z"} | arguments
        address = "/api/v1/readings?" + urlencode([*given.items(), *pairs])
        return program.get(address, buffered=True)  # read to its end, as a server does

    return asked


def rows(answer: TestResponse) -> list[dict[str, str]]:
    """The rows of a CSV, by column."""
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def error(answer: TestResponse) -> str:
    """What a refused answer says, in JSON."""
    body: Mapping[str, str] = answer.get_json()
    assert list(body) == ["error"]
    return body["error"]


def test_clients_are_listed_with_their_metrics(program: FlaskClient) -> None:
    """Every client with its last reception and the newest value of each metric."""
    listed = {one["client"]: one for one in program.get("/api/v1/clients").get_json()}
    assert set(listed) == {"boiler", *NAMES}
    boiler = listed["boiler"]
    assert boiler["last_received"] == "2026-11-23T12:00:00.001500Z"
    assert [metric["metric"] for metric in boiler["metrics"]] == ["mode", "pressure", "temperature"]
    assert boiler["metrics"][2] == {
        "metric": "temperature",
        "kind": "number",
        "unit": "°C",
        "time": "2026-11-23T12:00:00.000000Z",
        "value": 59.0,
        "simulated": False,
    }
    assert boiler["metrics"][0]["value"] == "=on"


def test_answer_says_of_what_state_of_the_store_it_is(
    ask: Ask, program: FlaskClient, store: Path
) -> None:
    """Both addresses, with the same number and the time at which the newest reading arrived."""
    with asking(store) as querier, querier.snapshot() as snapshot:
        as_of = snapshot.as_of
    for answer in (ask(), program.get("/api/v1/clients")):
        assert answer.headers["Culex-Sequence"] == str(as_of.sequence)
        assert answer.headers["Culex-As-Of"] == to_iso(as_of.time_us)


def test_long_csv_has_the_columns_of_the_contract(ask: Ask) -> None:
    """UTC with microseconds, shortest numbers, times of receipt, flags; by time, then metric."""
    answer = ask()
    assert answer.text.splitlines()[0] == ",".join(LONG)
    assert answer.content_type == "text/csv; charset=utf-8"
    found = rows(answer)
    assert len(found) == 64
    keys = [(row["time"], row["metric"]) for row in found]
    assert keys == sorted(keys)
    assert list(found[-2].values()) == [
        "2026-11-23T12:00:00.000000Z", "boiler", "pressure", "0.1", "",
        "2026-11-23T12:00:00.001500Z", "",
    ]  # fmt: skip
    assert (found[-1]["value"], found[-1]["unit"]) == ("59", "°C")
    assert found[-3]["flags"] == "late|simulated"
    assert next(row["value"] for row in found if row["metric"] == "mode") == "off"
    assert [row["value"] for row in found if row["metric"] == "mode"][1] == "'=on"


def test_long_csv_with_spans_adds_mean_and_coverage(ask: Ask) -> None:
    """Each span adds two columns, and the mean is over the span that ends at the row."""
    answer = ask(("span", "5m"), ("span", "1m"), metric="temperature")
    header = answer.text.splitlines()[0].split(",")
    assert header == [*LONG, "mean_5m", "coverage_5m", "mean_1m", "coverage_1m"]
    last = rows(answer)[-1]
    assert float(last["mean_1m"]) == pytest.approx(56.5)
    assert (last["coverage_5m"], last["coverage_1m"]) == ("1", "1")


def test_mean_of_the_api_is_that_of_the_tile(ask: Ask, store: Path) -> None:
    """The same question over HTTP and on the page has the same number for an answer."""
    row = rows(ask(("span", "1m"), ("span", "5m"), ("span", "30m"), metric="temperature"))[-1]
    window = Window(NOON_US - HOUR_US, NOON_US + 1)
    shown = picture(store, metrics=("temperature",), window=window)
    for mean in shown.pictures[0].means:
        tile = mean.frame.iloc[-1]
        assert float(row[f"mean_{mean.span}"]) == tile["mean"]
        assert float(row[f"coverage_{mean.span}"]) == tile["coverage"]


def test_span_named_twice_has_its_columns_once(ask: Ask) -> None:
    """The same mean again adds nothing."""
    found = rows(ask(("span", "5m"), ("span", "5m")))
    assert list(found[0]) == [*LONG, "mean_5m", "coverage_5m"]


def test_wide_csv_has_a_column_for_each_metric_with_its_unit(ask: Ask) -> None:
    """One row per instant; what was not measured then is empty."""
    found = rows(ask(layout="wide"))
    assert list(found[0]) == ["time", "mode", "pressure", "temperature [°C]"]
    assert list(found[-1].values()) == ["2026-11-23T12:00:00.000000Z", "", "0.1", "59"]
    assert len(found) == 63
    times = [row["time"] for row in found]
    assert times == sorted(times)


def test_csv_in_a_zone_has_its_offset(ask: Ask) -> None:
    """tz= moves times of the rows and the meaning of times without an offset."""
    answer = ask(tz="Europe/Berlin", start="2026-11-23T12:59:50", metric="temperature")
    found = rows(answer)
    assert [row["time"] for row in found] == [
        "2026-11-23T12:59:50.000000+01:00",
        "2026-11-23T13:00:00.000000+01:00",
    ]
    assert found[0]["received"].endswith("+01:00")


def test_json_is_an_array_of_the_long_rows(ask: Ask) -> None:
    """The same keys; numbers are numbers, what is missing is null."""
    answer = ask(("span", "1m"), format="json")
    assert answer.content_type == "application/json"
    found = json.loads(answer.text)
    assert len(found) == 64
    assert list(found[-1]) == [*LONG, "mean_1m", "coverage_1m"]
    assert found[-1]["value"] == 59
    state = next(one for one in found if one["metric"] == "mode")
    assert (state["value"], state["mean_1m"]) == ("off", None)


def test_json_of_an_empty_window_is_an_empty_array(ask: Ask) -> None:
    """No readings are no error."""
    assert json.loads(ask(format="json", start="1990-01-01", end="1991-01-01").text) == []
    empty = ask(start="1990-01-01", end="1991-01-01")
    assert empty.text.splitlines() == [",".join(LONG)]


def test_parquet_is_read_back_by_pandas(ask: Ask) -> None:
    """The columns of the disk format, with UTC times and the same values."""
    answer = ask(("span", "1m"), format="parquet")
    assert answer.content_type == "application/vnd.apache.parquet"
    frame = pd.read_parquet(io.BytesIO(answer.data))
    assert list(frame.columns) == [
        "client", "metric", "time", "value", "text", "unit", "delay_ms", "flags",
        "mean_1m", "coverage_1m",
    ]  # fmt: skip
    assert len(frame) == 64
    assert str(frame["time"].dt.tz) == "UTC"
    assert frame["time"].iloc[-1] == pd.Timestamp("2026-11-23T12:00:00Z")
    assert frame.loc[frame["metric"] == "mode", "text"].tolist() == ["off", "=on"]


def test_metric_repeated_exports_those_named(ask: Ask) -> None:
    """Several metrics, each once, whatever their order."""
    found = rows(ask(("metric", "temperature"), ("metric", "mode"), ("metric", "mode")))
    assert {row["metric"] for row in found} == {"temperature", "mode"}
    assert len(found) == 62


def test_every_gives_means_of_aligned_intervals(ask: Ask) -> None:
    """One row per interval with readings, its mean, at its start."""
    found = rows(ask(("span", "5m"), every="1m", metric="temperature"))
    assert [row["time"][11:19] for row in found][-2:] == ["11:59:00", "12:00:00"]
    assert [row["value"] for row in found][-2:] == ["55.5", "59"]
    assert float(found[-2]["mean_5m"]) == pytest.approx(43.5)


def test_window_left_out_is_the_last_day(program: FlaskClient) -> None:
    """Without start and end: 24 hours up to now, which is not part of it."""
    found = rows(program.get("/api/v1/readings?client=boiler"))
    assert len(found) == 62
    assert found[0]["time"] == "2026-11-23T10:00:00.000000Z"


def test_client_that_is_unknown_is_404(ask: Ask) -> None:
    """In JSON, with its name."""
    answer = ask(client="nobody <b>")
    assert answer.status_code == 404
    assert error(answer) == "there is no client 'nobody <b>'"


def test_metric_that_is_unknown_is_404(ask: Ask) -> None:
    """In JSON, with its name, also beside one that is known."""
    answer = ask(("metric", "mode"), ("metric", "typo"))
    assert answer.status_code == 404
    assert "'typo'" in error(answer)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"start": "2026-11-23T13:00Z"}, "start, end: start must be before end"),
        ({"start": "now", "end": "now"}, "start, end: start must be before end"),
        ({"start": "yesterday"}, "start: "),
        ({"end": "2026-13-01"}, "end: "),
        ({"start": ""}, "start: "),
        ({"start": "2026-11-23T08:00:00 00:00"}, "start: "),
        ({"format": "xml"}, "format: "),
        ({"format": "CSV"}, "format: "),
        ({"layout": "tall"}, "layout: "),
        ({"tz": "Mars"}, "tz: "),
        ({"tz": ""}, "tz: "),
        ({"tz": "../../etc/passwd"}, "tz: "),
        ({"span": "5 minutes"}, "span: "),
        ({"span": "0s"}, "span: "),
        ({"statistic": "mode"}, "statistic: there is no statistic 'mode'; use mean"),
        ({"statistic": "median", "every": "1m"}, "statistic: median is of single readings"),
        ({"span": "32d"}, "span: span 32d is too long; use at most 31d"),
        ({"layout": "wide", "format": "json"}, "layout: wide goes with csv alone, not with json"),
        ({"layout": "wide", "format": "parquet"}, "layout: wide goes with csv alone"),
        ({"every": "-1m"}, "every: "),
        ({"every": "0m"}, "every: "),
        ({"every": "2m", "span": "5m"}, "span: "),
        ({"manifest": "2"}, "manifest: '2' is none of 0, 1"),
        ({"manifest": ""}, "manifest: "),
        ({"token": "x"}, "token: "),
        ({"Client": "boiler"}, "Client: "),
        ({"client": ""}, "client is missing"),
    ],
)
def test_argument_that_cannot_be_used_is_400_and_named(
    ask: Ask, arguments: dict[str, str], named: str
) -> None:
    """In JSON, the name of the argument first."""
    answer = ask(**arguments)
    assert answer.status_code == 400
    assert error(answer).startswith(named)


@pytest.mark.parametrize("name", ["client", "start", "end", "format", "layout", "every", "tz",
                                  "manifest"])  # fmt: skip
def test_argument_given_twice_is_400_and_named(ask: Ask, name: str) -> None:
    """Only metric and span may be repeated."""
    answer = ask((name, "x"), (name, "y"))
    assert answer.status_code == 400
    assert error(answer) == f"{name}: give it once"


def test_spans_of_more_than_six_are_400(ask: Ask) -> None:
    """A row has at most six means."""
    answer = ask(*(("span", f"{minutes}m") for minutes in range(1, 8)))
    assert answer.status_code == 400
    assert error(answer) == "span: name at most 6 spans"


def test_statistics_of_more_than_six_are_400(ask: Ask) -> None:
    """Nor has a span more than six figures."""
    answer = ask(*(("statistic", f"p{share}") for share in range(1, 8)), span="1m")
    assert answer.status_code == 400
    assert error(answer) == "statistic: name at most 6 statistics"


@pytest.mark.parametrize("path", ["/api/typo", "/api/", "/api/v1/readings/", "/api/v2/clients"])
def test_path_that_is_unknown_is_404_in_json(program: FlaskClient, path: str) -> None:
    """A program that mistypes gets JSON, not a page."""
    answer = program.get(path)
    assert answer.status_code == 404
    assert error(answer).startswith("there is no /api/")


def test_store_that_does_not_exist_yet_is_503(person: FlaskClient) -> None:
    """In JSON, and it says what to do."""
    for path in ("/api/v1/clients", "/api/v1/readings?client=boiler"):
        answer = person.get(path)
        assert answer.status_code == 503
        assert "make collector" in error(answer)


def test_store_that_is_damaged_is_503(person: FlaskClient, settings: Settings) -> None:
    """In JSON, without a traceback."""
    settings.store_path.write_bytes(b"this is no database" * 500)
    answer = person.get("/api/v1/readings?client=boiler")
    assert answer.status_code == 503
    assert "damaged" in error(answer)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_store_that_fails_at_the_first_rows_is_503(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """No header promises an answer that does not come."""

    def fail(_self: StoreQuerier, _query: StreamQuery) -> NoReturn:
        raise StoreUnavailable("the question took too long; ask for a shorter time")

    monkeypatch.setattr(StoreQuerier, "stream", fail)
    answer = ask(format=form)
    assert answer.status_code == 503
    assert error(answer) == "the question took too long; ask for a shorter time"


@pytest.mark.parametrize("name", NAMES)
def test_client_with_a_hostile_name_is_exported_under_it(ask: Ask, name: str) -> None:
    """Its name survives URL and CSV; what a spreadsheet would run is guarded."""
    answer = ask(client=name, metric=name)
    (row,) = rows(answer)
    guarded = f"'{name}" if name.startswith("=") else name
    assert (row["client"], row["metric"], row["unit"]) == (guarded, guarded, guarded)
    wide = rows(ask(client=name, layout="wide"))
    assert list(wide[0])[1] == (f"'{name} [{name}]" if name.startswith("=") else f"{name} [{name}]")


@pytest.mark.parametrize(
    ("name", "file"),
    [("boiler", "boiler.csv"), ("a/b #1 <b>", "a_b_1_b.csv"), ("=1+1", "1_1.csv"),
     ("ä€🜂", "client.csv")],
)  # fmt: skip
def test_download_has_a_file_name_that_any_system_takes(ask: Ask, name: str, file: str) -> None:
    """Letters, digits and underscores; nothing breaks out of the header."""
    disposition = ask(client=name).headers["Content-Disposition"]
    assert disposition == f'attachment; filename="{file}"'


def test_export_beyond_the_most_is_503_before_anything_is_asked_of_the_store(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were refused or are of no client hold no place."""
    settings = make_settings(store.parent.parent)
    token = add_token(Tokens(settings.access_path), "another")
    program = create_app(settings, lambda: NOON_US).test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    address = "/api/v1/readings?client=boiler"
    for _ in range(MOST + 1):
        assert program.get("/api/v1/readings?client=nobody").status_code == 404
    held = [program.get(address) for _ in range(MOST)]
    assert [one.status_code for one in held] == [200] * MOST
    with monkeypatch.context() as patched:
        patched.delattr(StoreQuerier, "snapshot")
        refused = program.get(address)
    assert refused.status_code == 503
    assert error(refused) == "too many exports at once; try again shortly"
    held[0].close()
    held[0] = program.get(address)
    assert held[0].status_code == 200
    for one in held:
        one.close()


def manifest_of(answer: TestResponse) -> dict[str, Any]:
    """The manifest that an answer is."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize(
    "shape", [{"format": form} for form in FORMATS] + [{"format": "csv", "layout": "wide"}]
)
@pytest.mark.parametrize("more", [{}, {"every": "1m"}, {"tz": "Asia/Kolkata"}])
def test_manifest_has_the_hash_of_the_download(
    ask: Ask, shape: dict[str, str], more: dict[str, str]
) -> None:
    """In every format and layout, and of the same state of the store."""
    arguments = {"start": "2026-11-23T11:50:00Z"} | shape | more
    download = ask(("span", "5m"), **arguments)
    answer = ask(("span", "5m"), manifest="1", **arguments)
    manifest = manifest_of(answer)
    assert manifest["content"]["sha256"] == hashlib.sha256(download.data).hexdigest()
    assert manifest["content"]["bytes"] == len(download.data)
    assert str(manifest["as_of"]["sequence"]) == download.headers["Culex-Sequence"]
    assert answer.headers["Culex-Sequence"] == download.headers["Culex-Sequence"]
    form = shape["format"]
    names = [one.headers["Content-Disposition"] for one in (download, answer)]
    assert names == [f'attachment; filename="boiler.{form}{end}"' for end in ("", ".manifest.json")]


def test_download_leads_to_its_manifest_and_that_back_to_the_same_bytes(
    program: FlaskClient, store: Path
) -> None:
    """What was asked for up to now is in absolute times on both ways."""
    settings = make_settings(store.parent.parent)
    token = add_token(Tokens(settings.access_path), "later")
    later = create_app(settings, lambda: NOON_US + HOUR_US).test_client()
    later.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    question = "client=boiler&start=now-5m&span=1m&metric=temperature&metric=mode&every=60s"
    question += "&statistic=max&statistic=mean"
    download = program.get(f"/api/v1/readings?{question}", buffered=True)
    link = re.fullmatch(
        r'<(/[!-;=?-~]+)>; rel="describedby"; type="application/json"', download.headers["Link"]
    )
    assert link is not None
    manifest = manifest_of(later.get(link[1]))
    assert manifest["content"]["sha256"] == hashlib.sha256(download.data).hexdigest()
    assert manifest["query"]["start"] == "2026-11-23T11:55:00.000000Z"
    content = manifest["links"]["content"]
    assert content.startswith("http://localhost/api/")
    assert later.get(content, buffered=True).data == download.data
    said = parse_qs(urlsplit(content).query)
    assert (said["every"], said["metric"]) == (["1m"], ["temperature", "mode"])
    assert said["statistic"] == manifest["query"]["statistics"] == ["max", "mean"]
    assert download.text.splitlines()[0].endswith(",max_1m,mean_1m,coverage_1m")


@pytest.mark.parametrize("name", NAMES)
def test_manifest_of_a_hostile_name_leads_to_its_charts(ask: Ask, name: str) -> None:
    """The page of exactly what was exported: client, metric, window, span and zone."""
    arguments = {"client": name, "start": "2026-11-23T12:00", "end": "2026-11-23T13:00"}
    answer = ask(("span", "5m"), manifest="1", metric=name, tz="Europe/Berlin", **arguments)
    manifest = manifest_of(answer)
    assert manifest["query"]["client"] == manifest["metrics"][0]["unit"] == name
    page = urlsplit(manifest["links"]["page"])
    view = view_of_query(page.query)
    assert page.path == "/client"
    assert view == View((name,), (name,), view.start, view.end, ("5m",), "Europe/Berlin")
    asked_for = Window(NOON_US - HOUR_US, NOON_US)
    assert view.window(0, ZoneInfo("Europe/Berlin")) == asked_for
    assert "\n" not in ask(**arguments).headers["Link"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [("culex.example:8443", "http://culex.example:8443"), ("[::1]:80", "http://[::1]"),
     ('a"><b>', ""), ("", "")],
)  # fmt: skip
def test_manifest_links_to_the_host_that_was_asked(
    program: FlaskClient, host: str, origin: str
) -> None:
    """A host that is none leaves them relative."""
    answer = program.get("/api/v1/readings?client=boiler&manifest=1", headers={"Host": host})
    assert manifest_of(answer)["links"]["page"].startswith(f"{origin}/client?id=boiler&")


@pytest.mark.parametrize("start", ["0001-01-01", "now-999999w", "0001-01-01T00:00:00%2B14:00"])
def test_window_from_before_the_calendar_has_a_manifest(program: FlaskClient, start: str) -> None:
    """It begins with the year 1, and is the same."""
    address = f"/api/v1/readings?client=boiler&start={start}"
    download = program.get(address, buffered=True)
    manifest = manifest_of(program.get(f"{address}&manifest=1"))
    assert manifest["query"]["start"] == "0001-01-01T00:00:00.000000Z"
    assert manifest["content"]["sha256"] == hashlib.sha256(download.data).hexdigest()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("1900-01-01", "9000-01-01"),
        ("1899-12-31T23:59:59.999999", "2026-12-01"),
        ("2026-11-01", "9000-01-01T00:00:00.000001"),
        ("0001-01-01", "9999-12-31"),
    ],
)
def test_links_of_a_manifest_are_taken_where_they_lead(
    program: FlaskClient, start: str, end: str
) -> None:
    """Also with as many spans and statistics as there may be, of any length; or there is none."""
    spans = "&span=".join(["1s", "1m", "5m", "1h", "1d", "31d"])
    figures = "&statistic=".join(["mean", "median", "std", "rate", "increase", "share"])
    question = f"client=boiler&start={start}&end={end}&span={spans}&statistic={figures}"
    links = manifest_of(program.get(f"/api/v1/readings?{question}&manifest=1"))["links"]
    assert program.get(links["content"], buffered=True).status_code == 200
    asked_for = Window(parse_time(start, 0), parse_time(end, 0))
    if links["page"] is None:
        with pytest.raises(ViewError, match="between the years 1900 and 9000"):
            View(start=start, end=end).window(0, UTC)
    else:
        view = view_of_query(urlsplit(links["page"]).query)
        assert view.window(0, UTC) == asked_for
        assert len(check_spans(view.spans, ())) == 6
    assert (links["page"] is None) == (start != "1900-01-01")


def test_window_outside_the_calendar_has_no_link_to_itself(program: FlaskClient) -> None:
    """Nobody could write its times."""
    address = "/api/v1/readings?client=boiler&start=now-999999w&end=now-999998w"
    assert "Link" not in program.get(address, buffered=True).headers
    links = manifest_of(program.get(f"{address}&manifest=1"))["links"]
    assert links == {"page": None, "content": None}


def test_manifest_of_nobody_or_of_nothing(ask: Ask) -> None:
    """An unknown client or metric is 404, a window without readings is none."""
    assert ask(manifest="1", client="nobody").status_code == 404
    assert ask(manifest="1", metric="typo").status_code == 404
    empty = manifest_of(ask(manifest="1", start="1990-01-01", end="1991-01-01"))
    assert empty["content"]["rows"] == 0
    assert manifest_of(ask(manifest="1"))["content"]["rows"] == len(rows(ask(manifest="0")))


def test_manifest_that_fails_in_the_middle_is_503_and_holds_no_place(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In JSON: no half of a manifest, however often."""
    stream = StoreQuerier.stream

    def break_off(self: StoreQuerier, query: StreamQuery) -> Iterator[Chunk]:
        yield next(stream(self, query))
        raise StoreUnavailable("the store went away; try again")

    with monkeypatch.context() as patched:
        patched.setattr(StoreQuerier, "stream", break_off)
        for _ in range(MOST + 1):
            answer = ask(manifest="1")
            assert (answer.status_code, error(answer)) == (503, "the store went away; try again")
    assert ask(manifest="1").status_code == 200


def test_manifest_beyond_the_most_exports_is_503(ask: Ask, program: FlaskClient) -> None:
    """It reads as much as a download, so it takes a place as one does, and gives it back."""
    for _ in range(MOST + 1):
        assert ask(manifest="1").status_code == 200
    held = [program.get("/api/v1/readings?client=boiler") for _ in range(MOST)]
    refused = ask(manifest="1")
    for one in held:
        one.close()
    assert (refused.status_code, error(refused)) == (
        503, "too many exports at once; try again shortly",
    )  # fmt: skip


def test_export_is_not_held_back_or_stored_on_its_way(ask: Ask) -> None:
    """A stream has no length, no cache and no buffering proxy."""
    answer = ask()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in answer.headers


def test_state_that_is_off_is_listed_as_off(person: FlaskClient, settings: Settings) -> None:
    """A boolean among states is one of them; on its own it stays a number."""
    lamp = reading(NOON_US, 0.0, kind=Kind.BOOLEAN, series=Series("boiler", "lamp"))
    fill(settings.store_path, [*decoded("heating", "off"), lamp])
    (client,) = person.get("/api/v1/clients").get_json()
    assert [(one["kind"], one["value"]) for one in client["metrics"]] == [
        ("boolean", 0.0),
        ("state", "off"),
    ]


def test_boolean_is_exported_as_one_and_zero(person: FlaskClient, settings: Settings) -> None:
    """A boolean stays a number in the CSV."""
    fill(settings.store_path, [reading(NOON_US - MINUTE_US, 1.0, kind=Kind.BOOLEAN)])
    (row,) = rows(person.get("/api/v1/readings?client=boiler"))
    assert row["value"] == "1"
