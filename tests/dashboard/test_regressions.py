"""What bit before, on every page: each of these tests was a fault of a dashboard once."""

import ast
import json
import math
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from flask import Flask
from flask.testing import FlaskClient
from plotly import graph_objects
from plotly.basedatatypes import BaseTraceType
from plotly.offline import get_plotlyjs_version

from dashboard.app import create_app
from dashboard.pages import PAGES
from dashboard.view import view_of_query, view_to_json
from telemetry.batch import Batch
from telemetry.export import ExportQuery, subject
from telemetry.interface import Querier
from telemetry.reading import Kind, Reading, Series
from telemetry.settings import ROOT, Settings
from telemetry.shape import Shape
from telemetry.store import open_appender, open_querier
from telemetry.store.rendering import rendered
from telemetry.window import Window
from tests.dashboard.test_app import addressed, run, sent
from tests.dashboard.visits import callback_headers, log_in, prepared
from tests.telemetry.builders import NOON_US, SECOND_US

CALLBACK = "/_dash-update-component"
HOUR_US = 3600 * SECOND_US
HOSTILE = 'a/b #1 <b>"%{x}'
NAMES = [page.name for page in PAGES]
BUNDLED = {"scatter", "bar", "heatmap"}
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store with hours of numbers, a boolean, a state, a hostile name, and a client long gone."""
    settings = prepared(tmp_path_factory.mktemp("regressions"))
    readings = [
        *numbers(Series("boiler", "temperature"), 1, 2000),
        *numbers(Series("attic", "temperature"), 5, 700),
        *numbers(Series(HOSTILE, "<i>%{y}"), 10, 300),
        *numbers(Series("gone", "temperature"), 10, 3, NOON_US - 400 * HOUR_US),
        *(
            Reading(Series("boiler", "pump"), NOON_US - n * 60 * SECOND_US, n % 2, Kind.BOOLEAN)
            for n in range(60)
        ),
        *(
            Reading(Series("boiler", "mode"), NOON_US - n * 60 * SECOND_US, f"m{n % 3}", Kind.STATE)
            for n in range(60)
        ),
    ]
    with closing(open_appender(settings.store_path)) as appender:
        appender.append(Batch(readings))
        appender.report({"beat_us": NOON_US, "broker_up": 1, "heard_us": NOON_US})
    return settings


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    """The application, at noon; nothing here changes it."""
    return create_app(settings, lambda: NOON_US)


@pytest.fixture(scope="module")
def person(app: Flask) -> FlaskClient:
    """A browser of the admin."""
    browser = app.test_client()
    assert log_in(browser).status_code == 302
    return browser


def numbers(series: Series, step_s: int, count: int, end_us: int = NOON_US) -> Iterator[Reading]:
    """A wave that ends then, a reading each so many seconds."""
    for n in range(count):
        yield Reading(series, end_us - n * step_s * SECOND_US, math.sin(n / 50), unit="°C")


class Tab:
    """A browser's tab on a page: it sends what the page's script sends, and keeps the answers."""

    def __init__(self, browser: FlaskClient, page: str, query: str) -> None:
        self._browser = browser
        self._headers = callback_headers(browser)
        known = browser.get("/_dash-dependencies").get_json()
        asks = [{"id": f"{page}-ask", "property": "data"}]
        self._callback = next(one for one in known if one["inputs"] == asks)
        self._view = view_to_json(view_of_query(query))
        self._number = 0
        self.drawn: Any = {}

    def tick(self, browser: FlaskClient | None = None) -> dict[str, Any]:
        """The answer to one tick, of that server or of the usual one, by component and property."""
        self._number += 1
        ask = {"number": self._number, "view": self._view, "theme": "dark", "width": 1200}
        output = self._callback["output"]
        ids = [part for part in output.strip(".").split("...") if part]
        body = {
            "output": output,
            "outputs": [addressed(one) for one in ids],
            "inputs": [self._callback["inputs"][0] | {"value": ask | {"zone": "Europe/Berlin"}}],
            "state": [self._callback["state"][0] | {"value": self.drawn}],
            "changedPropIds": [f"{self._callback['inputs'][0]['id']}.data"],
        }  # fmt: skip
        answer = (browser or self._browser).post(CALLBACK, json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text, parse_int=held_by_browsers)["response"]
        self.drawn = found.get("drawn", {}).get("data", self.drawn)
        return found


def held_by_browsers(text: str) -> int:
    """A whole number of an answer: browsers have doubles, so it must be one to come back alike."""
    number = int(text)
    assert int(float(number)) == number, f"a browser makes {float(number):.0f} of {number}"
    return number


QUERIES = {
    "client": "?id=boiler",
    "compare": "?metric=temperature&id=boiler&id=attic",
    "playground": "?id=boiler&metric=temperature",
}


def long_lists(part: object, place: str = "") -> Iterator[str]:
    """Where a trace has numbers as a list in which they cost ten times as much."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from long_lists(value, f"{place}.{key}")
            if key in {"x", "y", "z"} and isinstance(value, list) and len(value) > 200:
                yield f"{place}.{key}: {len(value)}"
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from long_lists(value, f"{place}[{number}]")


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_has_a_long_list_of_numbers_in_a_trace(person: FlaskClient, name: str) -> None:
    """Neither the whole figure nor what replaces its arrays: they go as packed bytes."""
    tab = Tab(person, name, f"{QUERIES.get(name, '')}")
    for _ in range(3):
        answer = tab.tick()
        assert list(long_lists(answer)) == []
        for value in patched(answer):
            assert not (isinstance(value, list) and len(value) > 200)


def patched(part: object) -> Iterator[object]:
    """The values that a Patch puts in place."""
    if isinstance(part, dict):
        if "operation" in part and isinstance(part.get("params"), dict):
            yield part["params"].get("value")
        for value in part.values():
            yield from patched(value)
    elif isinstance(part, list):
        for value in part:
            yield from patched(value)


@pytest.mark.parametrize("name", NAMES)
def test_tick_that_changes_nothing_is_a_kilobyte(person: FlaskClient, name: str) -> None:
    """The clock stands still here, and so does the store."""
    tab = Tab(person, name, QUERIES.get(name, ""))
    for _ in range(3):  # what is worked out beside the ticks is there by then
        tab.tick()
    assert len(json.dumps(tab.tick())) <= 1000


@pytest.mark.parametrize("name", [name for name in NAMES if name != "admin"])
def test_two_workers_answer_alike_and_take_turns_unnoticed(
    settings: Settings, person: FlaskClient, name: str
) -> None:
    """What one remembers of a tab travels with the tab: the other has nothing to add.

    Admin's figures are counted beside the ticks, by each worker when it comes to it.
    """
    other = create_app(settings, lambda: NOON_US).test_client()
    assert log_in(other).status_code == 302
    other_headers = callback_headers(other)
    one, two = Tab(person, name, QUERIES.get(name, "")), Tab(other, name, QUERIES.get(name, ""))
    for _ in range(3):
        said = [without_chance(tab.tick()) for tab in (one, two)]
    assert said[0] == said[1]
    one._headers = other_headers
    turned = one.tick(other)
    assert set(turned) <= {"ack", "as-of", "drawn"}, "nothing is drawn anew"


def without_chance(answer: dict[str, Any]) -> str:
    """The answer without what is drawn by lot: numbers of faults."""
    return re.sub(r"number [0-9a-f]{6}", "number", json.dumps(answer, sort_keys=True))


@pytest.mark.parametrize("name", NAMES)
def test_page_answers_without_a_fault_whatever_is_in_the_store(
    person: FlaskClient, name: str
) -> None:
    """Hostile names, states, booleans, a client that is long gone, and one that never was."""
    for query in ("", f"?id={HOSTILE}", "?id=gone", "?id=nobody", "?from=1900-01-01&to=1900-01-02"):
        notice = Tab(person, name, query.replace("#", "%23")).tick().get("notice", {})
        assert "dashboard has a fault" not in json.dumps(notice)


def graphs(part: object) -> Iterator[dict[str, Any]]:
    """The properties of every chart in a layout."""
    if isinstance(part, dict):
        if part.get("type") == "Graph":
            yield part["props"]
        for value in part.values():
            yield from graphs(value)
    elif isinstance(part, list):
        for value in part:
            yield from graphs(value)


@pytest.mark.parametrize("name", NAMES)
def test_no_chart_offers_to_share_what_it_shows(person: FlaskClient, name: str) -> None:
    """plotly.js would send it to its maker's servers at a click."""
    place = {"path": f"/{name}", "search": QUERIES.get(name, "")}
    answer = run(person, sent(person, "page.children", {"place": place}))
    assert answer.status_code == 200
    for graph in graphs(answer.get_json()):
        assert graph["config"]["showSendToCloud"] is False
        assert graph["config"]["displaylogo"] is False


def test_bundle_of_plotly_has_every_trace_that_is_drawn_and_its_version() -> None:
    """assets/plotly.min.js is a part of plotly.js: deploy/plotly.sh says which."""
    made = {name: getattr(graph_objects, name) for name in dir(graph_objects)}
    every = {
        name.lower()
        for name, one in made.items()
        if isinstance(one, type) and issubclass(one, BaseTraceType)
    }
    drawn = {
        node.value
        for file in (ROOT / "dashboard").rglob("*.py")
        for parent in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(parent, ast.Dict)
        for key, node in zip(parent.keys, parent.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "type" and isinstance(node, ast.Constant)
    }
    assert drawn & every == BUNDLED
    with (ROOT / "assets" / "plotly.min.js").open(encoding="utf-8") as file:
        banner = file.readline()
    assert f"plotly.js {get_plotlyjs_version()} (scatter, bar, heatmap)" in banner


@pytest.mark.parametrize(
    "path", ["/api/typo", "/api/v1/typo", "/api/v1/readings/typo", "/api", "/api/v1/clients/"]
)
def test_typo_of_the_api_is_told_as_json(person: FlaskClient, path: str) -> None:
    """Dash answers unknown paths with its page; a program could not tell."""
    answer = person.get(path, follow_redirects=True)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.get_json()["error"]


def test_export_of_many_readings_takes_little_memory(tmp_path: Path) -> None:
    """400 000 rows of CSV grow the process by less than 30 MB over the first 150 000."""
    path = tmp_path / "culex.db"
    series = Series("boiler", "temperature")
    with closing(open_appender(path)) as appender:
        for start in range(0, 400_000, 20_000):
            appender.append(
                Batch(
                    [
                        Reading(series, NOON_US + n * SECOND_US, n / 10)
                        for n in range(start, start + 20_000)
                    ]
                )
            )
    with closing(open_querier(path)) as querier:
        exported(querier, 150_000)
        before = psutil.Process().memory_info().rss
        rows, most = exported(querier, 400_000)
    assert rows == 400_001
    assert most - before < 30 * MEGABYTE


def exported(querier: Querier, count: int) -> tuple[int, int]:
    """How many lines the export of so many readings has, and the most that the process held."""
    process = psutil.Process()
    query = ExportQuery("boiler", Window(NOON_US, NOON_US + count * SECOND_US))
    rows = most = 0
    for part in rendered(querier, query, subject(querier, query), Shape("csv", "long", UTC)):
        rows += part.count(b"\n")
        most = max(most, process.memory_info().rss)
    return rows, most


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_page_keep_its_time(person: FlaskClient, name: str) -> None:
    """Whoever goes to another page sees the same hours there."""
    tab = Tab(person, name, f"{QUERIES.get(name, '?')}&from=now-6h&to=now")
    text = json.dumps([tab.tick(), tab.tick()])
    for href in re.findall(r'"href": "(/(?:client|compare|quality|fleet)\b[^"]*)"', text):
        query = parse_qs(urlsplit(href).query)
        fixed = query.get("from", [""])[0].startswith(("19", "20"))
        assert fixed or query.get("from") == ["now-6h"], href


def test_application_names_no_other_host(app: Flask, person: FlaskClient) -> None:
    """Neither the document nor what it loads by itself."""
    assert "https://" not in person.get("/").text
    policy = person.get("/").headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    assert "default-src 'self'" in policy
    assert app.name == "dashboard"
