"""The charts of nights in which clocks change, in browsers of both zones."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, expect

from telemetry.batch import Batch
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender
from telemetry.window import parse_time, to_iso
from tests.browser.stack import lone_dashboard, url_of
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import PLOT, WatchedPage, log_in, open_page

pytestmark = pytest.mark.browser

CELLAR = Series("cellar", "temperature")
POWER = Series("cellar", "power")
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
NIGHTS = {
    "Berlin back": ("Europe/Berlin", "2026-10-25T01:00:00Z", "02:00 CEST", "02:00 CET"),
    "Berlin forward": ("Europe/Berlin", "2026-03-29T01:00:00Z", "01:00 CET", "03:00 CEST"),
    "New York back": ("America/New_York", "2026-11-01T06:00:00Z", "01:00 EDT", "01:00 EST"),
    "New York forward": ("America/New_York", "2026-03-08T07:00:00Z", "01:00 EST", "03:00 EDT"),
}
TICKS = "[...document.querySelectorAll('.js-plotly-plot .xtick text')].map(t => t.textContent)"
CLOSE_BOXES = """
[...document.querySelectorAll('.js-plotly-plot .xtick text')]
  .map(text => text.getBoundingClientRect()).map(box => [box.left, box.right])
"""
HOVER = ".js-plotly-plot .hoverlayer .legend"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A dashboard over a store with six hours around each change, a reading each half minute."""
    with lone_dashboard(tmp_path_factory.mktemp("nights")) as settings:
        appender = open_appender(settings.store_path)
        appender.append(Batch([one for _, at, *_ in NIGHTS.values() for one in night(at)]))
        appender.close()
        yield settings


@pytest.fixture(scope="module")
def nights_session(chromium: Browser, nights: Settings) -> StorageState:
    """The cookies of somebody who is logged in there."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url_of(nights))
    log_in(page)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def night(change: str) -> Iterator[Reading]:
    """Half of six hours before the change and half after it."""
    start_us = parse_time(change, 0) - 3 * HOUR_US
    for n in range(720):
        time_us = start_us + n * MINUTE_US // 2
        yield Reading(CELLAR, time_us, round(18 + n / 120 + n % 5 / 10, 1), unit="°C")
        yield Reading(POWER, time_us, 1_100_000.0 + 1000 * (n % 150), unit="W")


Visit = Callable[..., WatchedPage]


@pytest.fixture
def visit(
    contexts: Callable[..., BrowserContext], nights: Settings, nights_session: StorageState
) -> Iterator[Visit]:
    """Opens the page of a night; in the end each must have been quiet."""
    opened: list[WatchedPage] = []

    def make(name: str, hours: int = 3, **options: object) -> WatchedPage:
        zone, change, *_ = NIGHTS[name]
        at = parse_time(change, 0)
        where = f"from={to_iso(at - hours * HOUR_US)}&to={to_iso(at + hours * HOUR_US)}"
        context = contexts(storage_state=nights_session, **({"timezone_id": zone} | options))
        opened.append(open_page(context, url_of(nights)))
        opened[-1].page.goto(f"{url_of(nights)}/client?id=cellar&{where}&span=5m")
        opened[-1].wait_drawn()
        return opened[-1]

    yield make
    for one in opened:
        one.assert_quiet()


@pytest.mark.parametrize(
    ("name", "screen"),
    [
        *((name, DESKTOP | {"color_scheme": "dark"}) for name in NIGHTS),
        (next(iter(NIGHTS)), PHONE | {"color_scheme": "light"}),
    ],
    ids=[*NIGHTS, "phone"],
)
def test_night_of_a_change_is_drawn_forward_with_ticks_of_the_clock(
    visit: Visit, tmp_path: Path, name: str, screen: dict[str, object]
) -> None:
    """No line turns back, the ticks beside the change name its offsets, and none overlap."""
    watched = visit(name, **screen)
    for axis in ("y", "y2"):
        for trace in ("reading", "5 min mean"):
            texts = watched.ask(f"{watched.trace(trace, axis)}.x")
            places = np.array(texts, dtype="datetime64[ms]").astype(np.int64)
            assert len(places) == 720
            steps = np.diff(places)  # the last of a mean stands at the window's end
            assert set(steps[:-1]) == {30_000}
            assert 0 < steps[-1] <= 30_000
    ticks = watched.ask(TICKS)
    if "is_mobile" not in screen:  # a phone has room for fewer
        before, after = NIGHTS[name][2:]
        assert after in ticks
        assert ticks[ticks.index(after) - 1].endswith(before[-4:].strip())
    boxes = watched.ask(CLOSE_BOXES)
    assert all(before[1] <= after[0] for before, after in pairwise(boxes)), (ticks, boxes)
    watched.picture(tmp_path / "night.png")


@pytest.mark.parametrize("name", NIGHTS)
def test_hover_beside_the_change_says_the_offset(visit: Visit, tmp_path: Path, name: str) -> None:
    """A minute before and a minute after the change the clock and its offset are right."""
    watched = visit(name, hours=1)
    zone, _, *ticks = NIGHTS[name]
    box = watched.page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    for share, offset in ((0.45, ticks[0][-4:]), (0.55, ticks[1][-4:])):
        watched.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        hover = watched.page.locator(HOVER)
        expect(hover).to_contain_text(offset.strip())
        expect(hover).to_contain_text(zone)
    watched.picture(tmp_path / "hover.png")


def test_hour_dragged_after_the_change_is_that_hour(visit: Visit) -> None:
    """What is dragged on the axis of the night is the UTC window that stood there."""
    watched = visit("Berlin back")
    page = watched.page
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, middle, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=2026-10-25T0*")
    query = parse_qs(urlsplit(page.url).query)
    dragged = [parse_time(query[end][0], 0) for end in ("from", "to")]
    meant = [parse_time(f"2026-10-25T{clock}:00Z", 0) for clock in ("01:00", "02:30")]
    assert dragged == pytest.approx(meant, abs=2 * MINUTE_US)


def test_power_is_in_its_prefix_in_tile_table_axis_and_hover(visit: Visit) -> None:
    """One prefix and the same digits wherever the metric is shown."""
    watched = visit("Berlin back", hours=1)
    page = watched.page
    tile = page.locator(".tile", has_text="power")
    expect(tile.locator(".tile-unit")).to_have_text("MW")
    value = tile.locator(".tile-value").inner_text()
    cell = page.locator("#client-newest .ag-row", has_text="power").first
    expect(cell).to_contain_text(value)
    expect(cell).to_contain_text("MW")
    assert watched.ask(f"{PLOT}.layout.annotations.map(one => one.text)")[0].endswith("[MW]")
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    expect(page.locator(HOVER)).to_contain_text(f"{value} MW")
