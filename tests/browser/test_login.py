"""Coming in and going out."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from dashboard.people import hash_password
from mosquitto.access_users import Users
from tests.browser.stack import Stack
from tests.browser.watched import HEAL_MS, log_in, open_page, tile

pytestmark = pytest.mark.browser


def test_login_with_wrong_then_right_password_leads_to_the_fleet_and_out_again(
    contexts: Callable[..., BrowserContext], stack: Stack
) -> None:
    """A wrong password is refused with a sentence, the right one shows the fleet, till logout."""
    watched = open_page(contexts(), stack.url)
    watched.allowed = ["401"]
    page = watched.page
    page.goto(stack.url)
    log_in(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("That user name and password do not fit.")
    expect(page.get_by_label("User name")).to_have_value("admin")
    expect(page.get_by_label("Password")).to_be_focused()
    log_in(page)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(f"{stack.url}/client?id=greenhouse")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    watched.assert_quiet()


def test_session_that_ends_while_a_page_is_open_leads_to_the_login_and_back(
    contexts: Callable[..., BrowserContext], stack: Stack
) -> None:
    """After a change of password an open page goes to the login, and from there back to its view.

    The cookie alone will not do: an answer that is under way would bring it back.
    """
    users = Users(stack.settings.access_path)
    users.add("leaver", hash_password("before"))
    watched = open_page(contexts(), stack.url)
    watched.allowed = ["401", "body stream already read"]  # the second is how Dash meets the first
    page = watched.page
    page.goto(f"{stack.url}/client?id=greenhouse&metric=humidity&from=now-1h&to=now&span=5m")
    log_in(page, "before", "leaver")
    expect(tile(page, "humidity")).to_be_visible()
    watched.wait_ticks(1)
    before, asked = page.url, list[str]()
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    users.set_password("leaver", hash_password("after"))
    page.wait_for_url("**/login?next=*", timeout=HEAL_MS)
    assert "/api/v1/clients" not in asked, "the first answer was enough: nobody had to ask why"
    log_in(page, "after", "leaver")
    expect(tile(page, "humidity")).to_be_visible()
    assert view(page.url) == view(before)
    watched.assert_quiet()


def view(url: str) -> tuple[str, dict[str, list[str]]]:
    """What a URL shows."""
    return urlsplit(url).path, parse_qs(urlsplit(url).query)
