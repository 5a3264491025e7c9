"""Charts that are extended tick by tick are the charts that are drawn at once."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest
from playwright.sync_api import Browser, Page

from dashboard import tails
from dashboard.arrays import arrays
from dashboard.asking import ask
from dashboard.figures import figure, signature
from dashboard.question import Picture
from dashboard.style import Style
from telemetry.interface import Appender, Snapshot
from telemetry.store import open_appender
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, QUESTION, STYLE, every, states, switch
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill
from tests.telemetry.deeds import DEEDS

pytestmark = pytest.mark.browser

TAIL = Path("assets/tail.js")
ELSEWHERE = replace(STYLE, browsers=False, zone=ZoneInfo("Asia/Tokyo"))
EXTENDED = "([update, figure]) => dash_clientside.tail.extended(update, figure)"
TICKS = 16
NAMES = sorted({*DEEDS} - {"erase"})

Json = dict[str, Any]  # what goes to the browser
Points = list[tuple[object, ...]]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page with the script of tails."""
    context = chromium.new_context()
    made = context.new_page()
    made.set_content("<html></html>")
    made.add_script_tag(path=TAIL)
    yield made
    context.close()


def stretches(trace: Json) -> list[Points]:
    """The points of a trace, without those that only break it: a list for each stretch."""
    names = [name for name in ("x", "y") if name in trace]
    columns = [listed(trace[name]) for name in names]
    found: list[Points] = [[]]
    for point in zip(*columns, strict=True):
        if point[1] is None or point[1] != point[1]:
            found.append([])
        else:
            found[-1].append(point)
    return [one for one in found if one]


def listed(values: Any) -> list[Any]:
    """Numbers or texts, packed or not."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), "<f8").tolist()
    return list(values)


@pytest.fixture(params=[8, 1000], ids=["buckets", "readings"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many readings are drawn one by one."""
    monkeypatch.setattr("dashboard.numbers.RAW_READINGS", request.param)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("style", [STYLE, ELSEWHERE], ids=["browser", "elsewhere"])
@pytest.mark.parametrize("seed", range(2))
def test_extended_charts_are_those_that_are_drawn_at_once(
    page: Page, tmp_path: Path, seed: int, style: Style
) -> None:
    """Whatever happens to readings between two ticks, every point is where it belongs."""
    random = np.random.default_rng(seed)
    readings = [*every(5 * SECOND_US, 90), *switch(9 * SECOND_US, 40), *states([(-9, "on")])]
    path = fill(tmp_path / "culex.db", readings)
    now_us, tailed = NOON_US, 0
    chart = Chart(page, style)
    with closing(open_appender(path)) as appender, asking(path) as querier:
        for _ in range(TICKS):
            something(appender, random, now_us)
            now_us += int(random.integers(1, 9)) * SECOND_US
            window = Window(now_us - 6 * MINUTE_US, now_us)
            with querier.snapshot() as snapshot:
                asked = replace(QUESTION, window=window, now_us=now_us, spans=("20s", "1m"))
                picture = ask(snapshot, replace(asked, max_buckets=60))
                tailed += chart.tick(picture, snapshot)
            whole = [data for one in picture.pictures for data in arrays(one, picture, style)]
            for trace, data in zip(chart.figure["data"], whole, strict=True):
                assert stretches(trace) == stretches(data), trace["name"]
    assert tailed > TICKS


def something(appender: Appender, random: np.random.Generator, now_us: int) -> None:
    """Happens: often the next reading, else anything."""
    if random.random() < 0.4:
        DEEDS["next"](appender, (now_us - NOON_US) // SECOND_US - 400)
    else:
        DEEDS[NAMES[random.integers(len(NAMES))]](appender, int(random.integers(41)))


class Chart:
    """A chart in a browser."""

    def __init__(self, page: Page, style: Style) -> None:
        self._page = page
        self._style = style
        self._state: Json = {}
        self._signature = ""
        self.figure: Json = {}

    def tick(self, picture: Picture, snapshot: Snapshot) -> int:
        """Extends it, or draws it at once if it has other traces; how many ends of lines came."""
        new = tails.state_of(picture, snapshot)
        update = tails.update(picture, self._style, self._state, snapshot)
        self._state = orjson.loads(orjson.dumps(new))
        drawn, self._signature = self._signature, signature(picture, self._style)
        if drawn != self._signature:
            self.figure = json.loads(figure(picture, self._style).to_json())
            self.figure["layout"]["meta"] = {"token": new["token"]}
            return 0
        sent = orjson.loads(orjson.dumps(update | {"token": new["token"], "layout": {}}))
        self.figure = self._page.evaluate(EXTENDED, [sent, self.figure])
        return len(update["tails"])


def test_update_of_other_charts_changes_nothing(page: Page) -> None:
    """What was answered to another question, or comes twice, does not fit."""
    shown = {"data": [{"x": [1], "y": [1]}], "layout": {"meta": {"token": "a"}}}
    update = {"of": "a", "token": "b", "layout": {}, "whole": [], "bands": [],
              "tails": [[0, 0, 2, {"x": [2], "y": [5]}]]}  # fmt: skip
    once = page.evaluate(EXTENDED, [update, shown])
    assert once["data"][0] == {"x": [1, 2], "y": [1, 5]}
    assert once["layout"]["meta"] == {"token": "b"}
    assert page.evaluate(EXTENDED, [update, once]) is None
    assert page.evaluate(EXTENDED, [update | {"of": None}, {"data": [], "layout": {}}]) is None


def test_update_that_does_not_fit_asks_for_everything(page: Page) -> None:
    """The browser forgets what it said that it has; the next answer is whole."""
    told: Sequence[object] = page.evaluate(
        """() => {
          const told = [];
          Object.assign(dash_clientside, {
            no_update: "as it is", set_props: (...props) => told.push(props),
          });
          const update = { of: "a", whole: [], tails: [], bands: [] };
          told.push(dash_clientside.tail.extend(update, { data: [], layout: {} }));
          told.push(dash_clientside.tail.extend(null, {}));
          return told;
        }"""
    )
    assert told == [["drawn", {"data": {}}], "as it is", "as it is"]
