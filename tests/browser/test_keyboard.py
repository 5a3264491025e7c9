"""Everything with the keyboard alone: no test here touches the mouse."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.watched import WatchedPage

pytestmark = pytest.mark.browser

FOCUSED = """
(() => {
  const one = document.activeElement;
  const name = one.getAttribute('aria-label') || one.textContent || one.title || one.value || '';
  return `${one.tagName.toLowerCase()} ${one.id} ${name}`.trim();
})()
"""
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"
MOST_STOPS = 60
THEME = "document.documentElement.dataset.bsTheme"


OPTION = "document.activeElement.closest('[role=option], label, li')?.textContent ?? ''"


def tab_to(page: Page, pattern: str) -> str:
    """Presses Tab until what has the focus is called so; it must be reached and be seen."""
    passed = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        passed.append(str(page.evaluate(FOCUSED)))
        if re.search(pattern, passed[-1]):
            return passed[-1]
    raise AssertionError(f"{pattern} is not reached by Tab: {passed}")


def go_down_to(page: Page, option: str) -> None:
    """Presses the arrow until that option of an open list has the focus."""
    passed: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("ArrowDown")
        passed.append(str(page.evaluate(OPTION)))
        if passed[-1] == option:
            return
    raise AssertionError(f"{option} is not reached: {passed}")


def query(watched: WatchedPage) -> dict[str, list[str]]:
    """What the page's URL says."""
    return parse_qs(urlsplit(watched.page.url).query)


def test_skip_link_leads_past_the_navigation(pages: Opener) -> None:
    """The first stop is seen, and leads to the content."""
    watched = pages("/client?id=greenhouse")
    watched.wait_drawn()
    page = watched.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_client_and_range_are_chosen_and_exported(pages: Opener, tmp_path: Path) -> None:
    """Another page, a client by its name, six hours, and the file: by Tab, arrows and Enter."""
    watched = pages("/fleet")
    page = watched.page
    watched.wait_ticks(1)
    tab_to(page, "^a to-client")
    assert page.evaluate(OUTLINE) != "none", "the focus is seen"
    page.keyboard.press("Enter")
    page.wait_for_url("**/client*")
    watched.wait_drawn()
    tab_to(page, r"^button \{\"choice\":\"client\"\}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_visible()
    go_down_to(page, "greenhouse")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("id=greenhouse"))
    watched.wait_drawn()
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="6h").focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("from=now-6h"))
    tab_to(page, "Export CSV")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "greenhouse.csv")
    assert (tmp_path / "greenhouse.csv").read_text("utf-8").startswith("time,client,metric")


def test_keys_of_the_help_do_what_it_says(pages: Opener) -> None:
    """Theme, standing still, times, help; and none of them while somebody types."""
    watched = pages("/client?id=greenhouse", color_scheme="light")
    page = watched.page
    watched.wait_drawn()
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Help")
    expect(help_).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    before = watched.ask(THEME)
    page.keyboard.press("d")
    watched.wait_for(f"{THEME} !== '{before}'")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"from=\d{4}-"))
    page.keyboard.press("p")
    expect(page).not_to_have_url(re.compile(r"from=\d{4}-"))
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"from=\d{4}-"))
    first = query(watched)["from"]
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(re.compile(re.escape(first[0].replace(":", "%3A"))))
    page.keyboard.press("t")
    expect(page.locator(".time-picker input").first).to_be_focused()
    page.keyboard.type("2026")
    page.keyboard.press("d")
    assert watched.ask(THEME) != before, "a letter that is typed is no command"


def test_clients_are_compared(pages: Opener) -> None:
    """The page is reached and two clients are chosen without the mouse."""
    watched = pages("/compare?metric=temperature")
    page = watched.page
    watched.wait_ticks(1)
    tab_to(page, r"^button \{\"choice\":\"clients\"\}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("att")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["attic"])
    go_down_to(page, "attic")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("id=attic"))
