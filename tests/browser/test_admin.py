"""The page Admin in a browser: what is over is shown, confirmed and let go by the collector."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from dashboard.people import hash_password
from mosquitto.access_users import Users
from telemetry.batch import Batch
from telemetry.clock import now_us
from telemetry.job import Seal
from telemetry.reading import Reading, Series
from telemetry.store import open_appender
from tests.browser.stack import PASSWORD, Stack
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import WatchedPage, log_in, open_page
from tests.support import Process

pytestmark = pytest.mark.browser

DAY_US = 86_400_000_000
OLD = Series("a/b #1 <b>", "level")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with sealed readings of five days ago, of which its dashboard would keep four.

    The collector has other rules: by the same it would let them go before anybody has looked.
    """
    made = Stack(tmp_path_factory.mktemp("kept"))
    rules = {"keep_readings": "4d", "keep_minutes": "4d"}
    made.dashboard = Process(made.settings.model_copy(update=rules), "dashboard", "run")
    start_us = now_us() - 5 * DAY_US
    appender = open_appender(made.settings.store_path)
    appender.append(
        Batch([Reading(OLD, start_us + n * 1_000_000, float(n), unit="m") for n in range(500)])
    )
    appender.do(Seal(start_us + DAY_US))
    appender.close()
    try:
        made.start()
        yield made
    finally:
        made.stop()


def visit(context: BrowserContext, stack: Stack, name: str = "admin") -> WatchedPage:
    """The page as that user sees it."""
    watched = open_page(context, stack.url)
    watched.page.goto(f"{stack.url}/admin")
    log_in(watched.page, PASSWORD, name)
    expect(watched.page.get_by_role("heading", name="Versions")).to_be_visible()
    return watched


def test_admin_sees_what_is_over_and_lets_it_go(
    contexts: Callable[..., BrowserContext], kept: Stack, tmp_path: Path
) -> None:
    """Counted, shown, asked once more, kept, asked again, let go; then the bundle is fetched."""
    watched = visit(contexts(**DESKTOP, color_scheme="light"), kept)
    page = watched.page
    storage = page.locator("#admin-clients")
    expect(storage.get_by_role("cell", name=OLD.client)).to_be_visible()
    let_go = page.get_by_role("button", name="Let it go now")
    expect(let_go).to_be_disabled()
    page.get_by_role("button", name="What would go now?").click()
    expect(page.locator("#admin-expiring")).to_contain_text(OLD.client)
    watched.picture(tmp_path / "admin-dry-run.png")
    let_go.click()
    dialog = page.get_by_role("dialog", name="Let go of what is over?")
    expect(dialog).to_contain_text("500 readings")
    watched.picture(tmp_path / "admin-sure.png")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    let_go.click()
    dialog.get_by_role("button", name="Let it go").click()
    expect(page.locator("#admin-outcome")).to_contain_text("Done: 500 readings are gone")
    expect(let_go).to_be_disabled()
    watched.picture(tmp_path / "admin-done.png")
    with page.expect_download() as download:
        page.get_by_role("link", name="Diagnostics bundle").click()
    download.value.save_as(tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        names = {name.rpartition("/")[2] for name in bundle.namelist()}
        texts = b"".join(map(bundle.read, bundle.namelist()))
    assert {"collector.log", "dashboard.log", "ledger.json"} <= names
    assert PASSWORD.encode() not in texts
    for file in kept.settings.secrets_dir.iterdir():
        assert file.read_bytes().strip() not in texts
    watched.assert_quiet()


def test_viewer_sees_versions_alone(
    contexts: Callable[..., BrowserContext], kept: Stack, tmp_path: Path
) -> None:
    """And is told why, on a phone too."""
    Users(kept.settings.access_path).add("guest", hash_password(PASSWORD))
    watched = visit(contexts(**PHONE, color_scheme="dark"), kept, "guest")
    page = watched.page
    expect(page.get_by_text("are for admins")).to_be_visible()
    expect(page.get_by_role("link", name="Diagnostics bundle")).to_have_count(0)
    expect(page.get_by_role("heading", name="Settings in force")).to_have_count(0)
    watched.picture(tmp_path / "admin-viewer.png")
    watched.assert_quiet()
