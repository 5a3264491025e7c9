"""Comparing clients in a real browser: overlay, side by side, difference, and the table."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stack import HOSTILE, PROBE, Stack
from tests.browser.watched import PLOT, WatchedPage

pytestmark = pytest.mark.browser

Opener = Callable[..., WatchedPage]
TWO = "/compare?metric=temperature&id=greenhouse&id=attic&from=now-6h&to=now"
NUMBERS = "t => ({name: t.name, x: Array.from(t.x), y: Array.from(t.y)})"


def numbers(watched: WatchedPage) -> dict[str, dict[float, float]]:
    """What is drawn of each client at one moment, certain or not, by time."""
    traces: Any = watched.ask(f"{PLOT}._fullData.map({NUMBERS})")
    found: dict[str, dict[float, float]] = {}
    for trace in traces:
        pairs = zip(trace["x"], trace["y"], strict=True)
        some = {x: y for x, y in pairs if y is not None and not math.isnan(y)}
        found.setdefault(trace["name"], {}).update(some)
    return found


def segment(page: Page, name: str) -> Any:
    """What one clicks to choose a mode."""
    return page.locator("label.segment", has_text=re.compile(f"^{name}$"))


def test_copied_link_shows_the_same_comparison(pages: Opener) -> None:
    """Metric, clients, mode and what the lines are."""
    watched = pages(TWO)
    page = watched.page
    watched.wait_drawn()
    segment(page, "Side by side").click()
    page.get_by_label("Lines", exact=True).select_option("5m")
    expect(page).to_have_url(re.compile(r"mean=5m&mode=\w+"))
    expect(page.locator("#compare-caption")).to_contain_text("5 min rolling mean")
    copied = pages(page.url).page
    expect(copied.get_by_label("Metric", exact=True)).to_have_value("temperature")
    expect(copied.get_by_label("Lines", exact=True)).to_have_value("5m")
    expect(copied.get_by_role("radio", name="Side by side")).to_be_checked()
    expect(copied.locator("#compare-caption")).to_have_text(
        page.locator("#compare-caption").inner_text()
    )


def test_difference_is_drawn_where_two_clients_have_a_number(pages: Opener, stack: Stack) -> None:
    """Nothing of a client that was alone; of two, each is as far from the median as the other."""
    stack.publish("telemetry", '{"temperature": {"value": 20.5, "unit": "°C"}}')
    watched = pages(f"{TWO}&id={PROBE}&mode=difference&mean=5m")
    watched.wait_drawn()
    watched.wait_for(f"{PLOT}._fullData.some(t => t.name === '{PROBE}' && t.y.length > 0)")
    drawn = numbers(watched)
    assert drawn[PROBE]
    apart = {x: -y for x, y in drawn[PROBE].items()}
    assert drawn["greenhouse"] == pytest.approx(apart, abs=1e-9)
    assert drawn["attic"] == {}


def test_table_sorts_by_the_column_that_is_clicked(pages: Opener) -> None:
    """The greatest first, then the least."""
    page = pages(TWO).page
    names = page.locator("#compare-grid .ag-cell[col-id=client]")
    expect(names).to_have_text(["greenhouse", "attic"])
    expect(page.locator("#compare-grid [row-id=attic] .ag-cell[col-id=count]")).to_have_text("12")
    mean = page.get_by_role("columnheader", name="Mean")
    mean.click()
    expect(mean).to_have_attribute("aria-sort", "descending")
    mean.click()
    expect(mean).to_have_attribute("aria-sort", "ascending")
    rows = page.locator("#compare-grid .ag-pinned-left-cols-container [row-index='0']")
    expect(rows).to_contain_text("attic")


def test_line_that_was_hidden_stays_hidden_while_time_goes_on(pages: Opener) -> None:
    """A tick replaces numbers and time, nothing else."""
    watched = pages("/compare?metric=temperature&id=greenhouse&id=attic&from=now-5m&to=now")
    page = watched.page
    watched.wait_drawn()
    page.locator(".legendtoggle").first.click()
    hidden = f"{PLOT}._fullData.find(t => t.name === 'greenhouse').visible === 'legendonly'"
    watched.wait_for(hidden)
    until = watched.ask(f"{PLOT}._fullLayout.xaxis.range[1]")
    watched.wait_for(f"{PLOT}._fullLayout.xaxis.range[1] > '{until}'")
    assert watched.ask(hidden)


def test_side_by_side_fits_a_phone(pages: Opener, tmp_path: Path) -> None:
    """Two charts in a row on one scale, and nothing to scroll sideways but the table in its box."""
    watched = pages(f"{TWO}&mode=multiples", viewport={"width": 390, "height": 844})
    page = watched.page
    titles = page.locator(".js-plotly-plot .annotation-text")
    expect(titles).to_have_text([re.compile("greenhouse"), re.compile("attic")])
    expect(page.locator("#compare-grid .ag-row").first).to_be_attached()
    assert watched.ask("document.documentElement.scrollWidth <= innerWidth")
    assert watched.ask(f"{PLOT}._fullLayout.xaxis2.matches") == "x"
    watched.picture(tmp_path / "compare-phone.png")


def test_hostile_names_are_shown_as_text(pages: Opener) -> None:
    """As metric, as client, in the legend and in the table."""
    query = urlencode({"metric": HOSTILE.metric, "id": HOSTILE.client})
    watched = pages(f"/compare?{query}")
    page = watched.page
    watched.wait_drawn()
    expect(page.locator(".legendtext").first).to_have_text(HOSTILE.client)
    expect(page.locator("#compare-grid .ag-cell[col-id=client]")).to_have_text(HOSTILE.client)
    expect(page.locator(".js-plotly-plot .annotation-text")).to_contain_text("<img src=x")


def test_metric_that_nobody_measures_leaves_the_controls(pages: Opener) -> None:
    """One chooses another, and is shown it."""
    page = pages("/compare?metric=vibration").page
    expect(page.get_by_role("heading", name="No client measures vibration")).to_be_visible()
    page.get_by_label("Metric", exact=True).select_option("temperature")
    expect(page.locator("#compare-caption")).to_be_visible()
    expect(page).to_have_url(re.compile("metric=temperature"))
