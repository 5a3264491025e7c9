"""The playground in a real browser: by keyboard, by dragging, and from its address."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from dashboard.playground.statistics import MARKS
from tests.browser.watched import PLOT, WatchedPage

pytestmark = pytest.mark.browser

Opener = Callable[..., WatchedPage]
HOUSE = "/playground?id=greenhouse&metric=temperature"


def slider(page: Page) -> Any:
    """The slider."""
    return page.get_by_role("slider", name="Span")


def said(page: Page) -> Any:
    """The sentence."""
    return page.locator("#playground-sentence")


def test_slider_goes_by_keyboard_and_says_where_it_is(pages: Opener) -> None:
    """Each step is in the address, and the page that is opened there looks the same."""
    watched = pages(HOUSE)
    page = watched.page
    watched.wait_drawn()
    expect(said(page)).to_contain_text("5 min mean of")
    slider(page).focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(said(page)).to_contain_text("10 min mean of")
    expect(page).to_have_url(re.compile("span=10m"))
    expect(slider(page)).to_have_attribute("aria-valuetext", "10 min")
    page.keyboard.press("Home")
    expect(said(page)).to_contain_text("10 s mean of")
    page.keyboard.press("End")
    expect(said(page)).to_contain_text("24 h mean of")
    copied = pages(page.url)
    copied.wait_drawn()
    expect(said(copied.page)).to_contain_text("24 h mean of")
    expect(slider(copied.page)).to_have_value(slider(page).input_value())
    expect(copied.page.locator("#playground-span")).to_have_text("24 h")


def test_dragging_never_empties_the_charts_and_ends_where_it_ends(pages: Opener) -> None:
    """Far fewer questions than steps, and no history of addresses to go back through."""
    watched = pages(HOUSE)
    page = watched.page
    watched.wait_drawn()
    expect(said(page)).to_be_visible()
    history, asked = watched.ask("history.length"), list[str]()

    def note(request: Request) -> None:
        body = request.post_data or ""
        if "playground-sentence" in body:
            asked.append(re.findall(r'"spans":\[(.*?)\]', body)[0])

    page.on("request", note)
    box = slider(page).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 12, middle)
    page.mouse.down()
    for share in range(100):
        page.mouse.move(box["x"] + box["width"] * share / 100, middle)
        assert watched.ask(f"{PLOT}.querySelectorAll('.scatterlayer .trace').length") >= 3
    page.mouse.move(box["x"] + box["width"] - 2, middle)
    page.mouse.up()
    expect(said(page)).to_contain_text("24 h mean of")
    assert asked[-1] == '"24h"'
    assert watched.ask("history.length") == history


def test_marks_are_a_click_away(pages: Opener) -> None:
    """The slider goes there too."""
    page = pages(HOUSE).page
    page.get_by_role("button", name="30 min").click()
    expect(said(page)).to_contain_text("30 min mean of")
    expect(slider(page)).to_have_attribute("aria-valuetext", "30 min")
    expect(page.locator("#playground-span")).to_have_text("30 min")


def test_statistic_of_another_quantity_has_a_chart_of_its_own(pages: Opener) -> None:
    """In its own unit; the address keeps it."""
    watched = pages(f"{HOUSE}&from=now-1h&to=now")
    page = watched.page
    watched.wait_drawn()
    titles = page.locator(".js-plotly-plot .annotation-text")
    expect(titles.nth(1)).to_contain_text("residual: readings less their 5 min mean")
    page.get_by_label("Statistic", exact=True).select_option("rate")
    expect(titles.nth(1)).to_have_text("5 min rate [°C/s]")
    expect(page).to_have_url(re.compile("statistic=rate"))


def test_playground_fits_a_phone(pages: Opener, tmp_path: Path) -> None:
    """Marks can be hit with a finger, and nothing scrolls sideways."""
    watched = pages(HOUSE, viewport={"width": 390, "height": 844}, has_touch=True)
    page = watched.page
    watched.wait_drawn()
    assert watched.ask("document.documentElement.scrollWidth <= innerWidth")
    marks = page.locator(".playground-mark:visible")
    expect(marks).to_have_text([re.compile(f"{span}$") for span in MARKS])
    for mark in marks.all():
        box = mark.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 24
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    watched.picture(tmp_path / "playground-phone.png")
