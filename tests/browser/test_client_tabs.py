"""What stands below and above the client's charts: tabs, statistics, period before, pictures."""

import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack
from tests.browser.watched import PLOT

pytestmark = pytest.mark.browser

NEWEST = 'dash_ag_grid.getApi("client-newest")'


def show(page: Page, tab: str) -> None:
    """Chooses a tab."""
    page.get_by_role("group", name="Show", exact=True).get_by_text(tab, exact=True).click()


def lane(page: Page) -> Locator:
    """The presence lane."""
    return page.get_by_role("img", name="Presence of the client over time")


def test_latest_readings_are_a_grid_that_grows_at_its_top(pages: Opener) -> None:
    """Far more rows than are drawn; a new reading appears above without anybody asking."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    first = page.locator("#client-newest .ag-row[row-index='0'] [col-id='time']")
    expect(first).not_to_be_empty()
    seen = first.inner_text()
    watched.wait_for(f"{NEWEST}.getDisplayedRowCount() > 400")
    assert page.locator("#client-newest .ag-row").count() < 100
    expect(first).not_to_have_text(seen)
    assert first.inner_text() > seen


def test_topics_tab_says_what_a_message_became(pages: Opener, stack: Stack) -> None:
    """The topic of the client, how often, and into which series."""
    stack.publish("tabbed", "21.5")
    page = pages(f"/client?id={PROBE}").page
    show(page, "Topics")
    row = page.get_by_role("region", name="Topics").locator("tr", has_text=f"{PROBE}/tabbed")
    expect(row).to_contain_text("readings: tabbed")
    expect(page).to_have_url(re.compile(r"tab=topics"))


def test_raw_tab_has_the_last_payload_and_what_could_not_be_read(
    pages: Opener, stack: Stack
) -> None:
    """As text, whatever it is, and with the reason in words."""
    stack.publish("raw", "21.5")
    stack.publish("broken", '{"a": "<b>1</b>"')
    page = pages(f"/client?id={PROBE}&tab=raw").page
    last = page.get_by_role("region", name="Last messages")
    expect(last.locator("tr", has_text=f"{PROBE}/raw").locator("code")).to_have_text("21.5")
    held = page.get_by_role("region", name="Messages in quarantine").first
    expect(held.locator("code").first).to_contain_text("<b>1</b>")
    expect(page.locator(".client-group").first).to_contain_text("It is not valid JSON")


def test_gap_leads_to_a_closer_look(pages: Opener) -> None:
    """A client that is gone lacks readings; the link shows that time, and the tab stays."""
    page = pages("/client?id=attic&tab=gaps&from=now-4h&to=now").page
    table = page.get_by_role("region", name="Gaps")
    expect(table.locator("tbody tr").first).to_contain_text("lasts")
    table.get_by_role("link", name=re.compile("^Look at temperature from")).first.click()
    expect(page).to_have_url(re.compile(r"from=20\d\d-.*tab=gaps"))


def test_statistic_is_drawn_told_and_exported(pages: Opener) -> None:
    """The lines are of it, and so are the file and a reload."""
    watched = pages("/client?id=greenhouse&metric=temperature")
    page = watched.page
    watched.wait_drawn()
    page.get_by_label("Statistic").select_option("95 % quantile")
    watched.wait_for(f"{PLOT}.data.some(t => t.name === '1 min 95 % quantile')")
    expect(page.locator("#client-export")).to_have_attribute("href", re.compile("statistic=p95"))
    page.reload()
    expect(page.get_by_label("Statistic")).to_have_value("p95")
    watched.wait_for(f"{PLOT}?.data?.some(t => t.name === '1 min 95 % quantile')")


def test_period_before_is_drawn_with_its_dates(pages: Opener) -> None:
    """As a dashed line of its own for each number, and it goes away again."""
    watched = pages("/client?id=greenhouse&metric=temperature")
    page = watched.page
    watched.wait_drawn()
    before = f"{PLOT}.data.find(t => t.legendgroup === 'before')"
    page.get_by_label("Period before").check()
    watched.wait_for(f"{before}?.x && {PLOT}.calcdata.length === {PLOT}.data.length")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d .* – .*", watched.ask(f"{before}.name"))
    assert watched.ask(f"{before}.line.dash") == "dash"
    page.get_by_label("Period before").uncheck()
    watched.wait_for(f"!{before}")


def test_charts_are_kept_as_a_picture(pages: Opener, tmp_path: Path) -> None:
    """A PNG of the size they have, named after the client, its metric and the time."""
    watched = pages("/client?id=greenhouse&metric=temperature")
    page = watched.page
    watched.wait_drawn()
    with page.expect_download() as wanted:
        page.get_by_role("button", name="PNG").click()
    assert re.fullmatch(r"greenhouse-temperature_20\d\d-.*\.png", wanted.value.suggested_filename)
    wanted.value.save_as(tmp_path / "charts.png")
    head = (tmp_path / "charts.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, _ = struct.unpack(">II", head[16:])
    assert width == 2 * watched.ask(f"{PLOT}.offsetWidth")
    with page.expect_download() as wanted:
        page.get_by_role("button", name="SVG").click()
    wanted.value.save_as(tmp_path / "charts.svg")
    assert "greenhouse" in (tmp_path / "charts.svg").read_text("utf-8")


def test_presence_lane_stands_on_the_axis_of_the_charts(pages: Opener) -> None:
    """Both show the same time at the same place."""
    watched = pages("/client?id=greenhouse")
    watched.wait_drawn()
    expect(lane(watched.page).locator(".barlayer .point").first).to_be_attached()
    ends = "(d => [d._fullLayout.xaxis._offset, d._fullLayout.xaxis._length])"
    plot = "document.querySelector('.client-lane .js-plotly-plot')"
    assert watched.ask(f"{ends}({plot})") == watched.ask(f"{ends}({PLOT})")
    expect(watched.page.locator("#client-facts")).to_contain_text("connected")


def test_tabs_fit_a_phone(pages: Opener) -> None:
    """Tables scroll inside their own box, never the page."""
    watched = pages(
        "/client?id=greenhouse&tab=topics", viewport={"width": 390, "height": 844}, has_touch=True
    )
    page = watched.page
    for tab, name in (("Topics", "Topics"), ("Raw messages", "Last messages")):
        show(page, tab)
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
        assert watched.ask("document.documentElement.scrollWidth - innerWidth") == 0
    show(page, "Latest readings")
    expect(page.locator("#client-newest .ag-row").first).to_be_visible()
    assert watched.ask("document.documentElement.scrollWidth - innerWidth") == 0
