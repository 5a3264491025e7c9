"""What a person downloads."""

import csv
from datetime import datetime
from pathlib import Path

import pytest

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
