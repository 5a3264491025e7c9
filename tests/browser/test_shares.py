"""Tiles of states and booleans: shares of time that fit a phone and a desk."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Opener
from tests.browser.greenhouse import PERIOD_S
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import tile

pytestmark = pytest.mark.browser

SHARE = re.compile(r"\d+ %|[<>] \d+ %")
CUT = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).length"


def cells(rows: Locator) -> list[list[str]]:
    """The texts of rows: span, share, changes."""
    return [row.split("\n") for row in rows.all_inner_texts()]


@pytest.mark.parametrize(
    ("screen", "scheme"),
    [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")],
    ids=["desk-light", "desk-dark", "phone-light", "phone-dark"],
)
def test_tiles_of_states_show_shares_of_time_without_cutting_them(
    pages: Opener, tmp_path: Path, screen: dict[str, object], scheme: str
) -> None:
    """A boolean says how long it was on, a state how long it was what it is, and both how often."""
    watched = pages("/client?id=greenhouse", **screen, color_scheme=scheme)
    watched.wait_drawn()
    for metric in ("pump", "vent"):
        shown = tile(watched.page, metric)
        expect(shown.locator(".state:not(.state-head)")).to_have_count(3)
        spans, shares, changes = zip(*cells(shown.locator(".state"))[1:], strict=True)
        assert spans == ("1 min", "5 min", "30 min")
        assert all(map(SHARE.fullmatch, shares)), shares
        assert all(int(number) <= 1800 / PERIOD_S for number in changes)
        assert shown.locator(".state span").evaluate_all(CUT) == 0
    assert watched.ask("document.documentElement.scrollWidth <= innerWidth")
    watched.picture(tmp_path / "states.png")
