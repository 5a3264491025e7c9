"""What moves by itself, and what must not."""

import time

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack
from tests.browser.watched import control, is_live, tile

pytestmark = pytest.mark.browser

HIDEABLE = """
let hidden = false;
Object.defineProperty(document, 'hidden', { get: () => hidden });
Object.defineProperty(document, 'visibilityState', { get: () => hidden ? 'hidden' : 'visible' });
window.hide = (value) => { hidden = value; document.dispatchEvent(new Event('visibilitychange')); };
"""

AGES = """
(() => {
  const places = [...document.querySelectorAll('.tile-age [data-since]')];
  const tiles = places.map((one) => one.dataset.since);
  const said = document.querySelector('#client-facts [data-since]').textContent;
  return [parseInt(said), Math.floor((Date.now() - Math.max(...tiles)) / 1000)];
})()
"""


def test_value_published_over_tls_moves_tile_and_line(pages: Opener, stack: Stack) -> None:
    """What `mosquitto_pub` sends over TLS appears in the tile and at the end of the line."""
    stack.publish("level", "10.25")
    watched = pages(f"/client?id={PROBE}")
    level = tile(watched.page, "level").locator(".tile-value")
    expect(level).to_have_text("10.25")
    watched.wait_drawn()
    for value in ("11.50", "12.75"):
        began_s = time.monotonic()
        stack.publish("level", value)
        expect(level).to_have_text(value)
        watched.wait_for(f"{watched.trace('reading')}.y.at(-1) === {value}")
        print(f"published to drawn: {time.monotonic() - began_s:.2f} s")  # noqa: T201  # a figure


def test_first_value_of_a_client_is_a_dot(pages: Opener, stack: Stack) -> None:
    """One reading, to which no line leads, is seen in its chart; with a second it is a line."""
    stack.publish("first", "4")
    watched = pages(f"/client?id={PROBE}&metric=first")
    charts = control(watched.page, "chart", "client")
    dots = charts.locator(".points path").filter(visible=True)
    expect(dots).to_have_count(1)
    stack.publish("first", "5")
    watched.wait_for(f"{watched.trace('reading')}.y.length === 2")
    expect(dots).to_have_count(0)
    line = charts.locator(".lines path")
    expect(line.first).to_be_visible()


def test_hidden_tab_asks_nothing_and_goes_on_when_it_is_looked_at(pages: Opener) -> None:
    """A hidden page sends no live request; shown again, it is live at once."""
    watched = pages("/client?id=greenhouse")
    watched.wait_ticks(1)
    watched.ask(HIDEABLE)
    asked: list[Request] = []
    watched.ask("window.hide(true)")
    watched.wait_ticker(2)
    watched.on_live(asked.append)
    watched.wait_ticker(16)
    assert asked == []
    watched.ask("window.hide(false)")
    watched.wait_ticks(2)
    assert asked


def test_newest_reading_is_as_old_in_the_facts_as_in_the_tiles(pages: Opener) -> None:
    """Facts are told now and then, tiles each time: the page never says both 2 s and 6 s."""
    watched = pages("/client?id=greenhouse&from=now-24h&to=now")
    watched.wait_drawn()
    expect(watched.page.locator("#client-facts")).to_contain_text("last reading")
    for _ in range(20):
        watched.wait_ticks(1)
        said, newest = watched.ask(AGES)
        assert abs(said - newest) <= 1  # the clock may move on between the two


def test_what_dash_keeps_of_each_beat_is_forgotten(pages: Opener) -> None:
    """It would be a longer list with each beat, all day."""
    watched = pages("/client?id=greenhouse")
    watched.wait_drawn()
    watched.wait_for("window.ticker > 60")
    assert watched.ask("dash_stores.length") == 1
    assert watched.ask("dash_stores[0].getState().history.past.length") <= 30


def test_slow_server_is_asked_once_at_a_time(pages: Opener) -> None:
    """While an answer is outstanding no second tick is sent; after it, ticks go on."""
    watched = pages("/client?id=greenhouse")
    watched.wait_ticks(1)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if is_live(route.request) else route.continue_()

    watched.page.route("**/_dash-update-component*", hold)
    for turn in range(1, 4):
        for _ in range(100):
            if len(held) < turn:
                watched.wait_ticker(1)
        watched.wait_ticker(10)
        assert len(held) == turn
        held[-1].continue_()
    watched.page.unroute("**/_dash-update-component*")
    watched.wait_ticks(2)
