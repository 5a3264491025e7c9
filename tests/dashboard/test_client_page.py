"""The page and its shell: controls say what the URL says."""

from collections.abc import Iterator

import pytest
from dash import dcc
from dash.development.base_component import Component

from dashboard import client_page, ids, shell
from dashboard.callbacks import LIVE
from dashboard.view import View, view_to_json

SPANS = ("1m", "5m", "30m")


def components(root: object) -> Iterator[Component]:
    """Every component of a layout."""
    if isinstance(root, list | tuple):
        for one in root:
            yield from components(one)
    elif isinstance(root, Component):
        yield root
        yield from components(getattr(root, "children", None))


def named(root: object) -> dict[str, Component]:
    """The components of a layout that have an identifier."""
    found = [one for one in components(root) if getattr(one, "id", None)]
    assert len({one.id for one in found}) == len(found), "an identifier is given twice"
    return {one.id: one for one in found}


def test_page_of_a_view_shows_it_in_its_controls() -> None:
    """Client, metrics, range, spans and zone of the URL are chosen before any data."""
    view = View("a/b #1 <b>", ("m",), "now-6h", "now", ("5m", "90s"), "Europe/Berlin")
    page = named(client_page.layout(view, SPANS, 1000))
    assert page[ids.CLIENT].value == "a/b #1 <b>"
    assert page[ids.METRICS].value == ["m"]
    assert page[ids.RANGE].value == "6h"
    assert page[ids.SPANS].value == ["5m", "90s"]
    assert [one["value"] for one in page[ids.SPANS].options] == ["1m", "5m", "30m", "90s"]
    assert page[ids.ZONE].value == "Europe/Berlin"
    assert page[ids.VIEW].data == view_to_json(view)


def test_page_of_a_default_view_has_the_settings_spans_and_the_browsers_zone() -> None:
    """What the URL leaves out is the default, visibly."""
    page = named(client_page.layout(View(), SPANS, 1000))
    assert page[ids.CLIENT].value is None
    assert page[ids.RANGE].value == "15m"
    assert page[ids.SPANS].value == list(SPANS)
    assert page[ids.ZONE].value == "browser"


@pytest.mark.parametrize(("start", "end"), [("2026-01-01", "2026-01-02"), ("now-17m", "now")])
def test_page_of_a_range_of_its_own_has_no_quick_range_chosen(start: str, end: str) -> None:
    """No button claims what is not shown."""
    page = named(client_page.layout(View(start=start, end=end), SPANS, 1000))
    assert page[ids.RANGE].value is None


def test_page_and_shell_have_every_component_that_callbacks_name() -> None:
    """No output of the tick leads nowhere, and no identifier is given twice."""
    page = named([shell.layout(), client_page.layout(View(), SPANS, 1000)])
    assert {output.component_id for output in LIVE.values()} <= set(page)


def test_page_ticks_no_slower_than_it_refreshes() -> None:
    """The gate looks at least four times a second."""
    for refresh_ms, interval in ((1000, 250), (60_000, 250), (250, 250)):
        page = named(client_page.layout(View(), SPANS, refresh_ms))
        assert page[ids.TICKER].interval == interval
        assert page[ids.PERIOD].data == refresh_ms


def test_page_keeps_nothing_in_the_browser_over_visits() -> None:
    """Stores live as long as the page: the URL alone is the state."""
    stores = [
        one
        for one in components(client_page.layout(View(), SPANS, 1000))
        if isinstance(one, dcc.Store)
    ]
    assert stores
    assert all(getattr(one, "storage_type", "memory") == "memory" for one in stores)


def test_document_asks_no_other_host_and_sets_the_theme_first() -> None:
    """The only inline script is the one whose hash the content policy names."""
    assert "http" not in shell.INDEX
    assert shell.INDEX.count("<script>") == 1
    assert shell.INDEX.index(shell.EARLY_SCRIPT) < shell.INDEX.index("{%css%}")
    assert shell.EARLY_SCRIPT_HASH.startswith("'sha256-")
