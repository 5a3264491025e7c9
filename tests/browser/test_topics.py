"""The Topics page: an unknown fleet unfolds by itself, says why, and can be tried out."""

import pytest
from playwright.sync_api import Locator, Page, expect

from telemetry.reading import Flag, Series
from telemetry.window import LATEST_US, Window
from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack
from tests.support import wait_until
from tests.telemetry.builders import looking

pytestmark = pytest.mark.browser

LEFT_OUT = "document.documentElement.scrollWidth - innerWidth"


def search(page: Page, text: str) -> None:
    """Narrows the tree down."""
    page.get_by_label("Search topics").fill(text)


def row(page: Page, level: str) -> Locator:
    """The row of a level of the tree, in the part of the grid that has its cells."""
    return page.locator(".topics-grid .ag-row").filter(
        has=page.get_by_role("button", name=level, exact=True)
    )


def test_message_that_cannot_be_read_appears_with_its_reason(pages: Opener, stack: Stack) -> None:
    """Without anybody loading the page again; its payload is there in full, as text."""
    page = pages("/topics").page
    search(page, "strange")
    stack.publish("strange", '<b>{"a": 1</b>')
    expect(row(page, "strange")).to_contain_text("new")
    stack.publish("strange", '{"a": "<b>1</b>"')
    expect(row(page, "strange")).to_contain_text("It is not valid JSON")
    page.get_by_role("button", name="strange", exact=True).click()
    whole = page.get_by_role("region", name="Last message")
    expect(whole.locator("pre")).to_have_text('{"a": "<b>1</b>"')
    expect(whole).to_contain_text("correct what the client sends")
    link = whole.get_by_role("link", name="It is not valid JSON")
    expect(link).to_have_attribute("href", "/quality?reason=malformed-json")


def test_series_is_a_link_to_its_client(pages: Opener, stack: Stack) -> None:
    """What could be read leads to where it is charted."""
    page = pages("/topics").page
    search(page, f"{PROBE}/readable")
    stack.publish("readable", "21.5")
    expect(row(page, "readable")).to_contain_text("21.5")
    row(page, "readable").get_by_role("link", name="readable").click()
    page.wait_for_url("**/client?id=probe*")


def test_branch_that_is_closed_stays_closed(pages: Opener, stack: Stack) -> None:
    """Its topics are counted; the address has it, so a copied link shows the same."""
    stack.publish("folded/x", "1")
    watched = pages(f"/topics?search={PROBE}/folded")
    page = watched.page
    expect(page.get_by_role("button", name="x", exact=True)).to_be_visible()
    page.get_by_role("button", name="folded, 1 topic").click()
    expect(page.get_by_role("button", name="x", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="folded, 1 topic")).to_have_attribute(
        "aria-expanded", "false"
    )
    wait_until(lambda: "shut=" in page.url)
    page.reload()
    watched.wait_ticks(2)
    expect(page.get_by_role("button", name="folded, 1 topic")).to_be_visible()
    expect(page.get_by_role("button", name="x", exact=True)).to_have_count(0)


def test_test_message_is_published_through_the_broker_and_appears(
    pages: Opener, stack: Stack
) -> None:
    """It says what became of it; what is stored of it is marked as simulated."""
    page = pages("/topics?search=trial").page
    page.get_by_text("Publish a test message").click()
    page.get_by_label("Topic", exact=True).fill("$SYS/trial")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Not published")).to_be_visible()
    page.get_by_label("Topic", exact=True).fill(f"clients/{PROBE}/trial")
    page.get_by_label("Payload", exact=True).fill("42.5")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("the broker took it")).to_be_visible()
    expect(row(page, "trial")).to_contain_text("42.5")
    with looking(stack.settings.store_path) as snapshot:
        frame = snapshot.read(Series(PROBE, "trial"), Window(0, LATEST_US)).frame
    assert [*frame["value"]] == [42.5]
    assert frame["flags"][0] & Flag.SIMULATED


def test_page_fits_a_phone(pages: Opener) -> None:
    """Nothing scrolls sideways but the tree in its own box."""
    watched = pages("/topics", viewport={"width": 390, "height": 844}, has_touch=True)
    expect(watched.page.get_by_role("button", name="clients", exact=False).first).to_be_visible()
    assert watched.ask(LEFT_OUT) == 0
