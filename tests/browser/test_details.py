"""Details of a client: operators edit them, viewers read them, and hostile ones are text."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.people import hash_password
from mosquitto.access import Access
from mosquitto.access_users import Users
from mosquitto.detail import Detail
from tests.browser.conftest import Opener
from tests.browser.stack import HOSTILE, Stack
from tests.browser.watched import WatchedPage, log_in, open_page

pytestmark = pytest.mark.browser

PASSWORD = "a-password-of-others"  # noqa: S105  # opens nothing but the test's own dashboard
PATH = "/client?id=attic"


@pytest.fixture(scope="session")
def access(stack: Stack) -> Access:
    """Who may look: one more operator and one viewer."""
    found = Access(stack.settings.access_path)
    for role in ("operator", "viewer"):
        Users(stack.settings.access_path).add(role, hash_password(PASSWORD), role)
    return found


def opened_by(
    name: str, contexts: Callable[..., BrowserContext], stack: Stack, path: str = PATH
) -> WatchedPage:
    """The page of a client, opened by a user."""
    watched = open_page(contexts(), stack.url)
    watched.page.goto(stack.url + path)
    log_in(watched.page, PASSWORD, name)
    expect(watched.page.locator("#client-facts")).to_contain_text("last reading")
    return watched


def edit(page: Page, **texts: str) -> None:
    """Opens the form, writes these texts into it, and sends it."""
    page.locator("#client-details-edit").click()
    form = page.get_by_role("dialog", name="Details of")
    expect(form).to_be_visible()
    for label, text in texts.items():
        form.get_by_label(label.replace("_", " ")).fill(text)
    form.get_by_role("button", name="Save").click()


def test_operator_edits_and_everybody_reads(
    access: Access, contexts: Callable[..., BrowserContext], stack: Stack
) -> None:
    """What was saved appears by itself, for a viewer too, who has no button for it."""
    viewer = opened_by("viewer", contexts, stack)
    operator = opened_by("operator", contexts, stack)
    edit(
        operator.page,
        Description="Attic sensor",
        MAC_address="00-1B-44-11-3A-B7",
        Tags="roof, dry",
        Notes="Behind the chimney.\nKey at the desk.",
    )
    expect(operator.page.get_by_role("dialog")).to_have_count(0)
    for page in (operator.page, viewer.page):
        strip = page.locator(".client-strip")
        expect(strip).to_contain_text("Attic sensor")
        expect(strip).to_contain_text("00:1b:44:11:3a:b7")
        expect(strip.get_by_role("list", name="Tags").get_by_role("listitem")).to_have_text(
            ["roof", "dry"]
        )
        strip.get_by_text("Notes").click()
        expect(strip).to_contain_text("Key at the desk.")
    expect(viewer.page.locator("#client-details-edit")).to_have_count(0)
    kept = access.detail("attic")
    assert kept is not None
    assert kept.changed_by == "operator"
    for watched in (viewer, operator):
        watched.assert_quiet()


def test_viewer_who_sends_the_form_all_the_same_changes_nothing(
    access: Access, contexts: Callable[..., BrowserContext], stack: Stack
) -> None:
    """The server asks for the role, whatever the page shows."""
    viewer = opened_by("viewer", contexts, stack, "/client?id=greenhouse")
    edited = '{"client": "greenhouse", "changed_us": 0}'
    viewer.ask(
        "dash_clientside.set_props('client-details-form', {is_open: true});"
        f"dash_clientside.set_props('client-details-edited', {{data: {edited}}})"
    )
    form = viewer.page.get_by_role("dialog")
    form.get_by_label("Description").fill("Mine")
    viewer.allowed = ["403"]
    with viewer.page.expect_response(lambda answer: answer.status == HTTPStatus.FORBIDDEN):
        form.get_by_role("button", name="Save").click()
    assert access.detail("greenhouse") is None


def test_form_says_what_is_wrong_and_keeps_what_was_written(pages: Opener) -> None:
    """A sentence, and the form stays open."""
    page = pages(PATH).page
    edit(page, MAC_address="nonsense")
    form = page.get_by_role("dialog")
    expect(form.get_by_role("alert")).to_contain_text("is not a MAC address; write for example")
    expect(form.get_by_label("MAC address")).to_have_value("nonsense")
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)


def test_hostile_details_of_a_hostile_client_are_text(access: Access, pages: Opener) -> None:
    """No markup of theirs becomes an element."""
    evil = "<img src=x onerror=alert(1)><b>"
    access.put_detail(Detail(HOSTILE.client, evil, tags=(evil,), notes=evil))
    page = pages("/client?id=a%2Fb%20%231%20%3Cb%3E&from=now-1h&to=now").page
    strip = page.locator(".client-strip")
    expect(strip.locator(".client-description")).to_have_text(evil)
    expect(strip.locator(".client-tag")).to_have_text(evil)
    strip.get_by_text("Notes").click()
    expect(strip.locator(".client-notes")).to_have_text(evil)
    assert page.locator(".client-strip img").count() == 0
