"""Who may look, changed on the page Admin: people, tokens, sessions, and the audit log."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from dashboard.people import token_digest
from mosquitto.access_tokens import Tokens
from tests.browser.conftest import Opener
from tests.browser.stack import Stack
from tests.browser.test_looks import BOXES, DESKTOP, PHONE, small_targets
from tests.browser.watched import HEAL_MS, log_in, open_page

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> %{x} 'a\" é"


def panel(page: Page, title: str) -> Locator:
    """The panel of that title."""
    return page.locator(".panel").filter(has=page.get_by_role("heading", name=title, exact=True))


def row(page: Page, title: str, name: str) -> Locator:
    """The first row of a panel's list in which that name stands."""
    return panel(page, title).get_by_role("row").filter(has_text=name).first


def add_person(page: Page, name: str, sees: str = "") -> str:
    """Fills in the form and reads the password that is shown once; the form stays."""
    page.get_by_role("button", name="Add a person").click()
    form = page.get_by_role("dialog", name="Add a person")
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("Sees").fill(sees)
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#admin-person-secret")).to_be_visible()
    return page.locator("#admin-person-secret").inner_text()


def closed(page: Page) -> None:
    """Closes the form that is open; no secret stays in the page."""
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.locator(".offcanvas.show")).to_have_count(0)


def test_person_is_added_logs_in_and_its_session_is_ended(
    pages: Opener, contexts: Callable[..., BrowserContext], stack: Stack, tmp_path: Path
) -> None:
    """Added with a password that is shown once, seen as logged in, sent back to the login."""
    watched = pages("/admin", **DESKTOP)
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    password = add_person(page, HOSTILE, "client:greenhouse")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert watched.ask("navigator.clipboard.readText()") == password
    closed(page)
    assert password not in page.content()
    expect(row(page, "People", HOSTILE)).to_contain_text("client:greenhouse")
    guest = open_page(contexts(), stack.url)
    guest.allowed = ["401", "body stream already read"]
    guest.page.goto(f"{stack.url}/client?id=greenhouse")
    log_in(guest.page, password, HOSTILE)
    guest.wait_drawn()
    session = row(page, "Sessions", HOSTILE)
    expect(session).to_contain_text("Chrome on Linux")
    session.get_by_role("button", name="End").click()
    guest.page.wait_for_url("**/login?next=*", timeout=HEAL_MS)
    guest.assert_quiet()
    noted = row(page, "Audit log", "session ended")
    for text in ("admin", "web", HOSTILE):
        expect(noted).to_contain_text(text)
    noted.hover()  # into sight; a row that a tick makes anew meanwhile is looked for again
    watched.picture(tmp_path / "log.png")
    remove(page)


def remove(page: Page) -> None:
    """The person is removed after a last question; the log can be searched for it."""
    row(page, "People", HOSTILE).get_by_role("button").click()
    page.get_by_role("button", name="Remove …", exact=True).click()
    page.get_by_role("dialog", name="Remove this person?").get_by_role(
        "button", name="Remove"
    ).click()
    expect(row(page, "People", HOSTILE)).to_have_count(0)
    page.get_by_label("Search changes").fill("USER removed")
    expect(panel(page, "Audit log")).to_contain_text("1 of the newest")
    expect(row(page, "Audit log", "user removed")).to_contain_text(HOSTILE)


def test_last_admin_stays_and_a_token_is_shown_once(
    pages: Opener, stack: Stack, tmp_path: Path
) -> None:
    """On a phone: one column, fingers hit, a refusal is a sentence in the form."""
    watched = pages("/admin", **PHONE, color_scheme="dark")
    page = watched.page
    panel(page, "People").get_by_role("button", name="admin", exact=True).tap()
    page.get_by_role("button", name="Disable").tap()
    expect(page.locator("#admin-person-said")).to_contain_text("Admin is the last admin")
    assert small_targets(watched.ask(BOXES)) == {}
    watched.picture(tmp_path / "person.png")
    closed(page)
    page.get_by_role("button", name="Add a token").tap()
    form = page.get_by_role("dialog", name="Add a token")
    form.get_by_label("Name", exact=True).fill("grafana")
    form.get_by_label("Days").fill("30")
    form.get_by_role("button", name="Add").tap()
    token = page.locator("#admin-token-secret").inner_text()
    kept = Tokens(stack.settings.access_path)
    assert kept.of_digest(token_digest(token)) is not None
    closed(page)
    assert token not in page.content()
    row(page, "Tokens", "grafana").get_by_role("button").tap()
    page.get_by_role("dialog", name="Remove this token?").get_by_role("button", name="Remove").tap()
    expect(row(page, "Tokens", "grafana")).to_have_count(0)
    assert kept.of_digest(token_digest(token)) is None
    assert watched.ask("document.documentElement.scrollWidth") == 390
