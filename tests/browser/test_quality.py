"""The Quality page in a browser: a bad payload is seen, explained, and decoded again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.topic_settings import Topic
from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack, stored

pytestmark = [pytest.mark.browser, pytest.mark.broker]

METRIC, START_S, LINES = "flowlog", 1_790_000_000, 3
TOPIC = f"clients/{PROBE}/{METRIC}"
QUARANTINED = """(() => {
  const plot = document.querySelector('.quality .js-plotly-plot');
  const trace = plot?._fullData?.find((one) => one.name === 'quarantined');
  return trace ? [...trace.y].reduce((sum, one) => sum + one, 0) : 0;
})()"""


def with_template(settings: Settings) -> Settings:
    """The settings of somebody who has found out that these are CSV."""
    known = Topic(template=f"clients/{{client}}/{METRIC}", format="csv", columns=("time", "flow"))  # type: ignore[arg-type]  # pydantic converts it
    return settings.model_copy(update={"topics": (known, *settings.topics)})


@pytest.fixture
def restarted(stack: Stack) -> Iterator[Stack]:
    """The stack, whose collector may be given other settings; it has its own again afterwards."""
    yield stack
    stack.collector.stop()
    stack.collector.settings = stack.settings
    stack.start_collector()


def group(page: Page) -> Locator:
    """What opens the drawer of our topic."""
    return page.get_by_role("button", name=TOPIC)


def test_bad_payload_is_seen_explained_and_decoded_again(restarted: Stack, pages: Opener) -> None:
    """It stands in bars and grid; its bytes in the drawer; with a template it becomes readings."""
    stack = restarted
    for n in range(LINES):
        stack.publish(METRIC, f"{START_S + n},{n}.5")
    watched = pages("/quality?from=now-3h&to=now")
    page = watched.page
    page.locator("#quality-groups").scroll_into_view_if_needed()  # out of sight it draws nothing
    expect(group(page)).to_be_visible()
    watched.wait_for(f"{QUARANTINED} >= {LINES}")
    expect(page.locator("#quality-equation")).to_contain_text("It adds up")

    group(page).press("Enter")
    drawer = page.locator(".quality-drawer")
    expect(drawer).to_contain_text("It begins like a number and is none.")
    expect(drawer.locator("pre").first).to_have_text(f"{START_S + LINES - 1},{LINES - 1}.5")
    drawer.get_by_text("Bytes", exact=True).click()
    expect(drawer.locator("pre").first).to_contain_text("000000  31 37 39 30")
    drawer.get_by_role("button", name="Preview").click()
    expect(drawer.get_by_role("status")).to_contain_text("None of them can be read yet.")

    stack.collector.stop()
    stack.collector.settings = with_template(stack.settings)
    stack.start_collector()
    drawer.get_by_role("button", name="Preview").click()
    expect(drawer.get_by_role("status")).to_contain_text(
        f"{LINES} of {LINES} messages would leave quarantine"
    )
    assert not stored(stack.settings, Series(PROBE, "flow"))
    drawer.get_by_role("button", name="Replay").click()
    expect(drawer.get_by_role("status")).to_contain_text(f"{LINES} new readings are stored")
    expect(drawer).to_contain_text("they have left quarantine meanwhile")
    assert stored(stack.settings, Series(PROBE, "flow")) == [
        ((START_S + n) * 1_000_000, n + 0.5) for n in range(LINES)
    ]
    drawer.get_by_role("button", name="Close").click()
    expect(group(page)).to_have_count(0)


def test_map_and_table_lead_to_the_client_at_that_time(pages: Opener) -> None:
    """A click in the map shows the client in that hour; the table's link keeps the range."""
    watched = pages("/quality?from=now-3h&to=now&id=greenhouse")
    page = watched.page
    box = page.locator("#quality-completeness .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + box["height"] / 2)
    page.wait_for_url("**/client?id=greenhouse&from=*&to=*")
    page.go_back()
    expect(page.locator("#quality-equation")).to_contain_text("It adds up")
    page.locator("#quality-clients").get_by_role("link", name="greenhouse").click()
    page.wait_for_url("**/client?id=greenhouse&from=now-3h&to=now")


@pytest.mark.parametrize("width", [1440, 390])
def test_page_fits_and_shows_hostile_names_as_text(pages: Opener, width: int) -> None:
    """Nothing runs out of a phone; a name is a name; the switches are kept in the address."""
    watched = pages("/quality", viewport={"width": width, "height": 900}, has_touch=width < 500)
    page = watched.page
    expect(page.get_by_role("link", name="a/b #1 <b>")).to_be_visible()
    page.get_by_text("Readings", exact=True).click()
    page.wait_for_url("**/quality?of=readings")
    expect(page.locator("#quality-equation")).to_contain_text("readings received")
    assert watched.ask("document.documentElement.scrollWidth - innerWidth") == 0
