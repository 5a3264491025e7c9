"""What the charts say of sessions that the broker lost."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.stack import Stack
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import HEAL_MS, PLOT
from tests.support import start_broker

pytestmark = pytest.mark.browser

WORDS = ".js-plotly-plot .annotation-text:has-text('session lost')"
HOVER = ".js-plotly-plot .hoverlayer .hovertext"
INSIDE = f"""
(([charts, words]) => charts.left < words.left && words.right < charts.right)([
  {PLOT}, [...document.querySelectorAll('.js-plotly-plot .annotation-text')]
    .find(text => text.textContent.includes('session lost')) ?? document.createElement('p'),
].map(one => one.getBoundingClientRect()))
"""
"""Asked of one instant: a chart that is drawn anew between two questions has no words in one."""

LINES = f"({PLOT}.layout.shapes || []).length"


def lose_session(stack: Stack) -> None:
    """The broker comes back without what it kept of sessions."""
    stack.broker.stop()
    try:
        (stack.settings.broker_dir / "mosquitto.db").unlink()
    finally:
        stack.broker = start_broker(stack.settings)


@pytest.fixture(scope="module")
def _forgetful(stack: Stack) -> None:
    lose_session(stack)


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("_forgetful")
def test_session_that_the_broker_lost_is_marked_in_the_charts(
    pages: Opener, tmp_path: Path, screen: dict[str, object], scheme: str
) -> None:
    """A line stands where it happened; its words are inside the charts and say what is gone."""
    watched = pages("/client?id=greenhouse", **screen, color_scheme=scheme)
    watched.wait_drawn()
    words = watched.page.locator(WORDS)
    expect(words).to_have_count(1, timeout=HEAL_MS)
    assert watched.ask(LINES) >= 1
    watched.wait_for(INSIDE)
    words.hover()
    expect(watched.page.locator(HOVER)).to_contain_text("what it held for the collector is gone")
    watched.picture(tmp_path / "marks.png")


def test_session_lost_while_somebody_looks_is_marked_at_a_tick(pages: Opener, stack: Stack) -> None:
    """The line comes into the charts that are there."""
    watched = pages("/client?id=greenhouse")
    watched.wait_drawn()
    before = watched.ask(LINES)
    watched.ask(f"{PLOT}.ours = true")
    lose_session(stack)
    watched.wait_for(f"{LINES} === {before + 1}", HEAL_MS / 1000)
    assert watched.ask(f"{PLOT}.ours"), "drawn anew instead of patched"
    expect(watched.page.locator(WORDS)).to_have_count(1)
