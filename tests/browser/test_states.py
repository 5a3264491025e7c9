"""What people meet when there is nothing to draw."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from telemetry.clock import now_us
from telemetry.interface import StoreUnavailable
from telemetry.store import open_appender
from telemetry.store.head import faults
from tests.browser.conftest import Opener
from tests.browser.stack import fill, lone_dashboard, url_of
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


def refusal(path: Path, *statements: str, mode: str = "rwc") -> str:
    """What the store says of what SQLite refuses."""
    with (
        pytest.raises(StoreUnavailable) as refused,
        closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True)) as database,
        faults(path),
    ):
        database.executescript(";".join(statements))
    return str(refused.value)


def test_store_that_takes_or_gives_nothing_says_why(
    contexts: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    """A full disk, one that cannot be written, a file that is damaged; charts stay while they can.

    The page is live and heals by itself, but for the file, which needs a backup.
    """
    other, table = tmp_path / "other.db", "CREATE TABLE more (one)"
    full = refusal(other, "CREATE TABLE first (one)", "PRAGMA max_page_count = 2", table)
    unwritable = refusal(other, table, mode="ro")
    with lone_dashboard(tmp_path) as settings:
        fill(settings, now_us() // 1_000_000)
        watched = open_page(contexts(), url_of(settings))
        watched.page.goto(f"{url_of(settings)}/client?id=greenhouse")
        log_in(watched.page)
        banner = watched.page.get_by_role("status")
        with closing(open_appender(settings.store_path)) as appender:
            beat = {"beat_us": now_us() + 60_000_000, "broker_up": 1}
            for name, reason in (("full", full), ("unwritable", unwritable)):
                appender.report(beat | {"store_reason": reason})
                expect(banner).to_contain_text(f"Nothing can be stored: {reason}")
                expect(watched.page.locator(".js-plotly-plot").first).to_be_visible()
                watched.picture(tmp_path / f"{name}.png")
            appender.report(beat | {"store_reason": ""})
            expect(banner).to_be_empty()
        settings.store_path.write_bytes(b"no database at all " * 999)
        heading = watched.page.get_by_role("heading", name="The store did not answer")
        expect(heading).to_be_visible()
        expect(watched.page.locator(".empty")).to_contain_text("restore it from a backup")
        expect(watched.page.locator(".empty .number-note")).to_contain_text("dashboard.log")
        expect(watched.page.get_by_role("link", name="Try again")).to_be_visible()
        watched.picture(tmp_path / "damaged.png")
        watched.assert_quiet()
    assert "the disk is full" in full
    assert "cannot be written" in unwritable
