"""What people meet when there is nothing to draw."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Opener
from tests.browser.stack import lone_dashboard, url_of
from tests.browser.watched import log_in, open_page

pytestmark = pytest.mark.browser


def test_first_run_says_how_a_client_gets_a_login(
    contexts: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    """Before any collector has run, the page says what to do, and charts nothing."""
    with lone_dashboard(tmp_path) as settings:
        watched = open_page(contexts(), url_of(settings))
        watched.page.goto(url_of(settings))
        log_in(watched.page)
        heading = watched.page.get_by_role("heading", name="Waiting for the first reading")
        expect(heading).to_be_visible()
        expect(watched.page.get_by_text("python -m mosquitto client add")).to_be_visible()
        expect(watched.page.locator(".js-plotly-plot")).to_be_hidden()
        watched.picture(tmp_path / "first-run.png")
        watched.assert_quiet()


def test_client_without_readings_in_range_offers_a_jump_to_its_last(
    pages: Opener, tmp_path: Path
) -> None:
    """An empty window says how old the newest reading is, and a button shows it."""
    watched = pages("/client?id=attic")
    page = watched.page
    expect(page.get_by_role("heading", name="No readings in this window")).to_be_visible()
    watched.picture(tmp_path / "no-data.png")
    page.get_by_role("link", name="Jump to the last reading").click()
    watched.wait_drawn()
    expect(page.locator("#client-newest .ag-center-cols-container .ag-row")).to_have_count(12)
    assert set(parse_qs(urlsplit(page.url).query)) == {"id", "from", "to"}


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/client?id=nobody", "No readings of 'nobody'"),
        ("/client?id=greenhouse&from=now&to=now-1h", "This cannot be shown"),
        ("/client?id=greenhouse&span=fast", "This cannot be shown"),
        ("/client?id=greenhouse&tz=Moon/Crater", "This cannot be shown"),
        ("/nowhere", "There is no such page"),
    ],
)
def test_address_that_shows_nothing_says_why(
    pages: Opener, tmp_path: Path, path: str, title: str
) -> None:
    """A wrong client, range, span, zone or page is answered with a sentence and a way on."""
    watched = pages(path)
    watched.allowed = ["404"] if path == "/nowhere" else []
    expect(watched.page.get_by_role("heading", name=title)).to_be_visible()
    watched.picture(tmp_path / "state.png")
    if "nobody" not in path:
        watched.page.locator(".empty").get_by_role("link").click()
        expect(watched.page.get_by_role("heading", name=title)).to_be_hidden()
        expect(watched.page.locator(".js-plotly-plot").first).to_be_visible()
