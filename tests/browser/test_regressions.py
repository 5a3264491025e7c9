"""What bit before, in a real browser: on every page, over a gap, and below a prefix."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from dashboard.pages import PAGES
from telemetry.batch import Batch
from telemetry.clock import now_us
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.browser.conftest import Opener
from tests.browser.stack import stack_settings, start_dashboard, url_of
from tests.browser.test_axe import ANSWERED, address
from tests.browser.test_looks import PHONE
from tests.browser.watched import log_in, open_page
from tests.support import Process

pytestmark = pytest.mark.browser

PREFIX = "/iot"
GAP = Series("gap", "level")
SHARED = "[...document.querySelectorAll('.modebar-btn, button, a')].filter(one => /share|cloud/i.test(one.dataset.title || one.title || one.textContent)).length"  # noqa: E501
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
CLOUD = "[...document.querySelectorAll('.js-plotly-plot')].filter(one => one._context.showSendToCloud || one._context.displaylogo).length"  # noqa: E501
WATCH_SHIFTS = """
window.moved = [];
const name = (node) => node ? `${node.nodeName}#${node.id ?? ''} ${node.textContent}` : '';
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    window.moved.push(one.sources.map((each) => name(each.node)));
  }
}).observe({ type: 'layout-shift' });
window.facts = () => [...document.querySelectorAll('#client-facts > *')]
  .filter(fact => !fact.querySelector('[data-since]')).map(fact => fact.textContent).join();
window.said = new Set();
new MutationObserver(() => window.said.add(window.facts()))
  .observe(document.body, { childList: true, characterData: true, subtree: true });
"""
BEGIN = """
new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => {
  window.moved.length = 0;
  window.said = new Set([window.facts()]);
  return window.facts();
})
"""
"""What moved before is told by now."""

LINES = """
[...document.querySelectorAll('.js-plotly-plot .scatterlayer .trace')]
  .map(trace => trace.querySelectorAll('path.js-line').length)
"""


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_page_asks_nobody_else_shares_nothing_and_is_as_wide_as_a_phone(
    pages: Opener, name: str
) -> None:
    """In the end the fixture looks at the console and at whom the page has asked."""
    watched = pages(address(name), **PHONE)
    watched.wait_for(ANSWERED)
    watched.wait_ticks(2)
    assert watched.ask(SHARED) == 0
    assert watched.ask(CLOUD) == 0
    assert watched.ask(SIDEWAYS) <= 0


def test_nothing_moves_while_readings_arrive(pages: Opener) -> None:
    """Not even by the width of an age: the browser itself says what moved.

    Unless a fact of the client has other words meanwhile, such as 99 % between 100 % and 100 %:
    then it is looked at again.
    """
    watched = pages(address("client"))
    watched.wait_drawn()
    expect(watched.page.locator("#client-facts")).to_contain_text("clock agrees")
    watched.wait_ticks(2)
    watched.page.evaluate(WATCH_SHIFTS)
    newest = "document.querySelector('#client-facts [data-since]').dataset.since"
    for _ in range(10):
        assert "clock agrees" in watched.ask(BEGIN)
        for _ in range(3):
            before = watched.ask(newest)
            watched.wait_for(f"{newest} !== '{before}'")
        moved = watched.ask("window.moved")
        if watched.ask("window.said.size") == 1:
            break
    else:
        pytest.fail("the facts never rested for three readings")
    assert moved == []


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A dashboard below a prefix, over a store whose only client was silent for a while."""
    settings = stack_settings(tmp_path_factory.mktemp("below"), http_prefix=PREFIX)
    dashboard = Process(settings, "dashboard", "run")
    start_dashboard(dashboard)
    end_us = now_us()
    times = [end_us - second * 1_000_000 for second in (*range(300, 420, 5), *range(5, 120, 5))]
    appender = open_appender(settings.store_path)
    appender.append(
        Batch([Reading(GAP, time_us, 1.5 + time_us % 7, unit="m") for time_us in times])
    )
    appender.close()
    yield settings
    dashboard.stop()


def test_dashboard_below_a_prefix_works_and_asks_nothing_outside_it(
    contexts: Callable[..., BrowserContext], below: Settings, tmp_path: Path
) -> None:
    """Login, a page, another by its link, an export, the way out: all addresses begin with it."""
    watched = open_page(contexts(), url_of(below))
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(url_of(below))))
    page.goto(f"{url_of(below)}{PREFIX}/client?id=gap&from=now-15m&to=now")
    log_in(page)
    watched.wait_drawn()
    assert page.url.startswith(f"{url_of(below)}{PREFIX}/client?id=gap")
    watched.wait_for(f"{LINES.strip()}.includes(2)")  # a line over a gap is two paths
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    download.value.save_as(tmp_path / "gap.csv")
    assert len((tmp_path / "gap.csv").read_text("utf-8").splitlines()) > 40
    page.get_by_role("navigation").get_by_role("link", name="Quality").click()
    page.wait_for_url(f"**{PREFIX}/quality*")
    watched.wait_for(ANSWERED)
    page.reload()
    watched.wait_for(ANSWERED)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    outside = {one for one in asked if not one.startswith((f"{PREFIX}/", "data:", "blob:"))}
    assert outside == set()
    watched.assert_quiet()
