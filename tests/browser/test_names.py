"""A hostile name is text wherever it appears."""

import csv
import re
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.stack import HOSTILE, HOSTILE_UNIT
from tests.browser.watched import PLOT, control

pytestmark = pytest.mark.browser


def test_hostile_name_is_text_in_url_dropdown_title_hover_and_export(
    pages: Opener, tmp_path: Path
) -> None:
    """Names with markup are shown letter by letter; no element of theirs comes to be."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    control(page, "choice", "client").click()
    page.get_by_role("option", name=HOSTILE.client).click()
    expect(control(page, "choice", "client")).to_have_text(HOSTILE.client)
    expect(page.locator(".tile-name")).to_have_text([HOSTILE.metric])
    expect(page).to_have_url(re.compile(f"id={re.escape(quote_plus(HOSTILE.client))}$"))
    for _ in range(2):
        # Another test may have lost the broker's session, which is marked on every client's charts.
        title = page.locator(".annotation-text").filter(has_not_text="session lost")
        expect(title).to_have_text([f"{HOSTILE.metric} [{HOSTILE_UNIT}]"])
        assert_hover_is_text(page)
        assert_nothing_injected(page)
        page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    path = tmp_path / download.value.suggested_filename
    assert path.name == "a_b_1_b.csv"
    download.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["client"], row["metric"], row["unit"]) for row in rows} == {
        (HOSTILE.client, HOSTILE.metric, HOSTILE_UNIT)
    }


def assert_hover_is_text(page: Page) -> None:
    """The box at the pointer names the unit as it was sent."""
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()  # why nothing arrives may stand above it
    box = plot.bounding_box()
    assert box is not None
    middle = page.evaluate(
        f"(() => {{ const x = {PLOT}._fullLayout.xaxis, t = {PLOT}._fullData"
        ".find(one => one.name === 'reading').x; return x.d2p(t[t.length >> 1]); })()"
    )
    page.mouse.move(box["x"] + middle + 30, box["y"] + 40)
    page.mouse.move(box["x"] + middle, box["y"] + box["height"] / 2, steps=3)
    expect(control(page, "chart", "client").locator(".hoverlayer")).to_contain_text(HOSTILE_UNIT)


def assert_nothing_injected(page: Page) -> None:
    """Neither the page nor the charts hold an element that a name could have made."""
    assert page.locator("img[src=x], u, main b, svg a, [onerror]").count() == 0
