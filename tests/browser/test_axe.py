"""Access for everybody: axe finds nothing serious on any page, in both themes, wide and narrow."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Page, expect

from dashboard import ids
from dashboard.pages import PAGES
from tests.browser.conftest import Opener
from tests.browser.stack import HOSTILE
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import WatchedPage

pytestmark = pytest.mark.browser

QUERIES = {
    "client": "?id=greenhouse",
    "compare": "?metric=temperature&id=greenhouse&id=attic",
    "playground": "?id=greenhouse&metric=temperature",
}
"""What a page needs to have something to show."""

RULES: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
NOT_OURS = {"exclude": [[".dash-dropdown-focus-target"]]}
"""Dash's dropdown has an input that hands the focus on to its button: nobody stays in it."""
GRAVE = {"serious", "critical"}
ANSWERED = f"document.querySelector('html:not([data-asking]) #{ids.BODY}:not(.waiting)') !== null"
STILL = """Promise.all(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished)
).then(() => true, () => true)"""
"""While a slow answer is awaited, what is shown is paler."""


def address(name: str) -> str:
    """Where a page shows something."""
    return f"/{name}{QUERIES.get(name, '')}"


def opened(pages: Opener, path: str, **options: object) -> WatchedPage:
    """A page that was answered; axe alone needs what the Content-Security-Policy forbids."""
    watched = pages(path, bypass_csp=True, **options)
    watched.wait_for(ANSWERED)
    return watched


def grave(page: Page) -> dict[str, list[str]]:
    """What axe finds that keeps somebody out, by rule: where, and why."""
    page.evaluate(STILL)
    found = Axe().run(page, NOT_OURS, RULES).response["violations"]
    return {
        f"{one['id']}: {one['help']}": [f"{node['target']} {node['html'][:200]}" for node in nodes]
        for one in found
        if one["impact"] in GRAVE
        for nodes in [one["nodes"]]
    }


def turn_dark(page: Page) -> None:
    """The same page in the other theme, as the system asks for it."""
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_page_keeps_nobody_out(pages: Opener, name: str) -> None:
    """Each page with data: light at a desk, dark on a screen as narrow as a phone's."""
    watched = opened(pages, address(name), color_scheme="light", **DESKTOP)
    watched.wait_ticks(2)
    assert grave(watched.page) == {}
    watched.page.set_viewport_size(PHONE["viewport"])
    turn_dark(watched.page)
    watched.wait_ticks(2)
    assert grave(watched.page) == {}


def test_login_keeps_nobody_out(pages: Opener) -> None:
    """Before anybody is known."""
    page = pages("/login", bypass_csp=True, color_scheme="light", storage_state=None).page
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert grave(page) == {}
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert grave(page) == {}


@pytest.mark.parametrize("path", ["/nowhere", f"/client?id={HOSTILE.client}", "/client?id=attic"])
def test_states_that_people_meet_keep_nobody_out(pages: Opener, path: str) -> None:
    """No such page, a hostile name, nothing in this window."""
    watched = pages(path.replace("#", "%23"), bypass_csp=True)
    watched.allowed = ["404"]
    watched.wait_for(ANSWERED)
    assert grave(watched.page) == {}


def test_help_and_open_menus_keep_nobody_out(pages: Opener) -> None:
    """The help over the page, and the times to choose."""
    page = opened(pages, address("client"), color_scheme="light").page
    for _ in range(2):
        page.locator(".time-picker summary").click()
        assert grave(page) == {}
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Help").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert grave(page) == {}
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        turn_dark(page)
