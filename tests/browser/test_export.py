"""What a person downloads."""

import csv
import hashlib
import json
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from telemetry.clock import now_us
from telemetry.reading import Series
from telemetry.window import to_iso, to_us
from tests.browser import greenhouse
from tests.browser.conftest import Opener
from tests.browser.stack import Stack, stored

pytestmark = pytest.mark.browser


def test_export_downloads_the_rows_of_the_store_with_the_mean_shown(
    pages: Opener, stack: Stack, tmp_path: Path
) -> None:
    """Export CSV gives the window's readings as the store holds them, and a column of means."""
    end_us = now_us() // 1_000_000 * 1_000_000 - 60_000_000
    window = (end_us - 300_000_000, end_us)
    where = f"from={to_iso(window[0])}&to={to_iso(window[1])}"
    watched = pages(f"/client?id={greenhouse.NAME}&metric=temperature&{where}&span=5m")
    watched.wait_drawn()
    with watched.page.expect_download() as download:
        watched.page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == "greenhouse.csv"
    path = tmp_path / "greenhouse.csv"
    download.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = stored(stack.settings, Series(greenhouse.NAME, "temperature"))
    inside = [(time, value) for time, value in expected if window[0] <= time < window[1]]
    assert [(to_us(datetime.fromisoformat(r["time"])), float(r["value"])) for r in rows] == inside
    assert len(rows) == 150
    assert {row["unit"] for row in rows} == {"°C"}
    assert all(15 < float(row["mean_5m"]) < 30 and row["coverage_5m"] for row in rows)


def test_manifest_is_offered_with_an_export_and_has_its_checksum(
    pages: Opener, tmp_path: Path
) -> None:
    """Of the very file just saved, however far the live page has gone on; then not any more."""
    watched = pages("/client?id=attic&from=now-30d&to=now")
    page = watched.page
    manifest = page.get_by_role("link", name="Manifest")
    watched.wait_drawn()
    expect(manifest).to_be_hidden()
    content = saved(page, "Export CSV", tmp_path / "attic.csv")
    expect(manifest).to_be_visible()
    watched.wait_ticks(3)
    facts = json.loads(saved(page, "Manifest", tmp_path / "attic.csv.manifest.json"))
    assert facts["content"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["content"]["rows"] == len(content.splitlines()) - 1 > 0
    page.goto(facts["links"]["page"])
    watched.wait_drawn()
    assert saved(page, "Export CSV", tmp_path / "again.csv") == content
    expect(manifest).to_be_visible()
    page.get_by_text("1h", exact=True).click()
    expect(manifest).to_be_hidden()


def saved(page: Page, link: str, path: Path) -> bytes:
    """What a link downloads, under the name that it suggests."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    download.value.save_as(path)
    assert download.value.suggested_filename in (path.name, "attic.csv")
    return path.read_bytes()
