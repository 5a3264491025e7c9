"""The page and its shell: controls say what the URL says."""

from collections.abc import Iterator

import pytest
from dash import dcc
from dash._utils import stringify_id
from dash.development.base_component import Component

from dashboard import client_page, ids, shell
from dashboard.callbacks import laid_out
from dashboard.engine import Engine
from dashboard.frame import SHELL
from dashboard.page import Page
from dashboard.pages import PAGES
from dashboard.view import View
from telemetry.settings import Settings
from tests.telemetry.builders import NOON_US, asking


def components(root: object) -> Iterator[Component]:
    """Every component of a layout."""
    if isinstance(root, list | tuple):
        for one in root:
            yield from components(one)
    elif isinstance(root, Component):
        yield root
        yield from components(getattr(root, "children", None))


def named(root: object) -> dict[str, Component]:
    """The components of a layout that have an identifier, by what Dash makes of it."""
    found = [one for one in components(root) if getattr(one, "id", None)]
    made = {stringify_id(one.id): one for one in found}
    assert len(made) == len(found), "an identifier is given twice"
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """What a page needs before any data."""
    with asking(settings.store_path) as querier:
        yield Engine(querier, settings, lambda: NOON_US)


def test_page_of_a_view_shows_it_in_its_controls(engine: Engine) -> None:
    """Client, metrics and spans of the URL are chosen before any data."""
    view = View(("a/b #1 <b>",), ("m",), spans=("5m", "90s"))
    page = named(client_page.layout(view, engine))
    assert page[stringify_id(ids.choice("client"))].value == "a/b #1 <b>"
    assert page[stringify_id(ids.choice("metrics"))].value == ["m"]
    spans = page[stringify_id(ids.choice("spans"))]
    assert spans.value == ["5m", "90s"]
    assert [one["value"] for one in spans.options] == ["1m", "5m", "30m", "90s"]


def test_page_of_a_default_view_has_the_spans_of_the_settings(engine: Engine) -> None:
    """What the URL leaves out is the default, visibly."""
    page = named(client_page.layout(View(), engine))
    assert page[stringify_id(ids.choice("client"))].value is None
    assert page[stringify_id(ids.choice("spans"))].value == list(engine.settings.spans)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_and_shell_have_every_component_that_ticks_name(page: Page, engine: Engine) -> None:
    """No output of the tick leads nowhere, and no identifier is given twice."""
    whole = named([shell.layout(PAGES, 1000), laid_out(page, View(), engine)])
    outputs = [*page.outputs.values(), *SHELL.values()]
    assert {stringify_id(output.component_id) for output in outputs} <= set(whole)
    assert ids.ask(page.name) in whole


def test_shell_ticks_no_slower_than_it_refreshes() -> None:
    """The gate looks at least four times a second."""
    for refresh_ms, interval in ((1000, 250), (60_000, 250), (250, 250)):
        whole = named(shell.layout(PAGES, refresh_ms))
        assert whole[ids.TICKER].interval == interval
        assert whole[ids.PERIOD].data == refresh_ms


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_keeps_nothing_in_the_browser_over_visits(page: Page, engine: Engine) -> None:
    """Stores live as long as the page: the URL alone is the state."""
    whole = [shell.layout(PAGES, 1000), laid_out(page, View(), engine)]
    stores = [one for one in components(whole) if isinstance(one, dcc.Store)]
    assert stores
    assert all(getattr(one, "storage_type", "memory") == "memory" for one in stores)


def test_document_asks_no_other_host_and_sets_the_theme_first() -> None:
    """The only inline script is the one whose hash the content policy names."""
    assert "http" not in shell.index("")
    assert shell.index("").count("<script>") == 1
    assert shell.index("").index(shell.EARLY_SCRIPT) < shell.index("").index("{%css%}")
    assert shell.EARLY_SCRIPT_HASH.startswith("'sha256-")
