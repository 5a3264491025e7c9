"""Themes, the phone, and the pictures of README."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from telemetry.settings import ROOT
from tests.browser.conftest import Opener
from tests.browser.stack import PROBE
from tests.browser.watched import PLOT

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
INK = f"{PLOT}.layout.font.color"
THEME = "document.documentElement.dataset.bsTheme"
TOUCHED = ".btn, .segment, .form-control, .form-select, .dash-dropdown, .brand"

REMEMBER_THEMES = """
window.themes = [];
new MutationObserver(() => {
  window.themes.push([document.documentElement.dataset.bsTheme, performance.now()]);
}).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-bs-theme'] });
"""
FIRST_PAINT = "performance.getEntriesByName('first-paint').map(entry => entry.startTime)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_until_it_is_chosen(pages: Opener, scheme: str) -> None:
    """The page starts in the system's theme; a click changes page and charts, and stays."""
    other = {"light": "dark", "dark": "light"}[scheme]
    watched = pages("/client?id=greenhouse", color_scheme=scheme)
    watched.wait_drawn()
    assert watched.ask(THEME) == scheme
    before = watched.ask(INK)
    watched.page.locator("#theme-button").click()
    assert watched.ask(THEME) == other
    watched.wait_for(f"{INK} !== '{before}'")
    watched.page.context.add_init_script(REMEMBER_THEMES)
    watched.page.reload()
    watched.wait_drawn()
    assert watched.ask(INK) != before
    watched.wait_for(f"{FIRST_PAINT}.length")
    ((theme, set_ms),) = watched.ask("window.themes")
    assert theme == other
    assert set_ms < watched.ask(f"{FIRST_PAINT}[0]"), "the other theme flashed first"


def test_navigation_of_a_phone_shows_where_one_is(pages: Opener) -> None:
    """The page's link comes into view without the page being moved; an edge fades over more."""
    watched = pages("/admin", **PHONE)
    bar, current = watched.page.locator("#navigation"), watched.page.locator("#to-admin")
    expect(current).to_have_attribute("aria-current", "page")
    expect(current).to_be_in_viewport(ratio=0.95)
    expect(bar).to_have_attribute("data-before", "")
    assert watched.ask("scrollY") == 0
    watched.page.locator("#to-topics").tap()
    expect(watched.page.locator("#to-topics")).to_have_attribute("aria-current", "page")
    bar.evaluate("bar => { bar.scrollLeft = 0; }")
    expect(bar).to_have_attribute("data-after", "")
    expect(bar).not_to_have_attribute("data-before", "")


def test_tables_of_a_phone_show_names_and_values(pages: Opener) -> None:
    """What matters most is seen before anything is scrolled sideways."""
    page = pages("/client?id=greenhouse", **PHONE).page
    row = page.locator("#client-newest .ag-row[row-index='0']")
    for column in ("metric", "value", "unit"):
        cell = row.locator(f".ag-cell[col-id='{column}']")
        cell.scroll_into_view_if_needed()
        expect(cell).to_be_in_viewport(ratio=0.95)
    assert (
        page.locator("#client-newest .ag-center-cols-viewport").evaluate("e => e.scrollLeft") == 0
    )
    page.goto(page.url.split("/client")[0])
    name = page.locator("#fleet-grid .ag-cell[col-id='id']", has_text="greenhouse")
    expect(name.locator(".fleet-first")).to_have_text(re.compile(r"\d"))
    expect(name.locator(".fleet-first")).to_be_visible()


def test_client_without_readings_is_shown_as_chosen(pages: Opener) -> None:
    """The picker has it, and why there is no data stands open."""
    page = pages(f"/client?id={PROBE}-new").page
    expect(page.get_by_role("heading", name=f"No readings of '{PROBE}-new'")).to_be_visible()
    expect(page.locator(".client-field .dash-dropdown")).to_contain_text(f"{PROBE}-new")
    expect(page.locator("#client-why")).to_have_attribute("open", "")


def test_phone_shows_everything_without_scrolling_sideways(pages: Opener) -> None:
    """At 390 px the page is as wide as the screen, charts fill it, and fingers hit controls."""
    watched = pages("/client?id=greenhouse", **PHONE)
    page = watched.page
    watched.wait_drawn()
    assert watched.ask("[document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    chart = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert chart is not None
    assert chart["width"] > 270
    page.locator(".time-picker summary").tap()
    expect(page.get_by_role("button", name="Show")).to_be_visible()
    assert small_targets(watched.ask(BOXES)) == {}
    assert watched.ask("document.documentElement.scrollWidth") == 390


BOXES = (
    f"Array.from(document.querySelectorAll('{TOUCHED}')).filter(one => one.checkVisibility())"
    ".map(one => [one.id + ' ' + one.className + ' ' + one.textContent,"
    " one.getBoundingClientRect().width, one.getBoundingClientRect().height])"
)


def small_targets(boxes: list[tuple[str, float, float]]) -> dict[str, tuple[float, float]]:
    """Controls that a finger misses: less than 44 px in one direction."""
    return {name: (width, height) for name, width, height in boxes if min(width, height) < 43.9}


@pytest.mark.parametrize(
    ("name", "screen", "scheme"),
    [
        ("client-light", DESKTOP, "light"),
        ("client-dark", DESKTOP, "dark"),
        ("phone-light", PHONE, "light"),
        ("phone-dark", PHONE, "dark"),
    ],
)
def test_picture_of_the_client_page_is_small_and_full(
    pages: Opener, tmp_path: Path, name: str, screen: dict[str, object], scheme: str
) -> None:
    """Each screenshot shows tiles and charts; CULEX_SCREENSHOTS=1 keeps it for README."""
    watched = pages("/client?id=greenhouse", **screen, color_scheme=scheme)
    watched.wait_drawn()
    watched.wait_ticks(2)
    expect(watched.page.locator(".tile")).to_have_count(4)
    keep = os.environ.get("CULEX_SCREENSHOTS") == "1"
    folder = ROOT / "docs" / "screenshots" if keep else tmp_path
    assert 20_000 < watched.picture(folder / f"{name}.png").stat().st_size < 200_000
