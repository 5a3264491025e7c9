"""The Broker page against the real broker: who was refused, who went how, what happened."""

import re
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import HEAL_MS, PLOT
from tests.mqtt import Peer

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)> a/b #1"
ENDS = "#broker-grid .broker-state"


@pytest.fixture(scope="module")
def _refused(stack: Stack) -> None:
    """A client with the wrong password has tried."""
    with Peer(stack.settings, (PROBE, "wrong"), client_id="eve") as peer:
        assert not peer.accepted


@pytest.fixture(scope="module")
def _gone(stack: Stack) -> None:
    """A client with a hostile identifier was there and went without a word."""
    client = paho.Client(CallbackAPIVersion.VERSION2, HOSTILE, protocol=paho.MQTTv5)
    client.username_pw_set(PROBE, stack.probe.password)
    client.connect("127.0.0.1", stack.settings.mqtt_port, 60)
    while not client.is_connected():
        client.loop(0.1)
    socket = client.socket()
    assert socket is not None
    socket.close()


def log_of(page: Page) -> list[str]:
    """The kinds of the events that are listed."""
    return page.locator("#broker-log .broker-kind").all_inner_texts()


@pytest.mark.usefixtures("_refused")
def test_refused_login_appears_with_its_reason_and_what_to_do(pages: Opener) -> None:
    """From where, why, and how to let it in."""
    page = pages("/broker").page
    entry = page.locator("#broker-refusals li").filter(has_text="not authorised").first
    expect(entry).to_contain_text("from 127.0.0.1", timeout=HEAL_MS)
    expect(entry).to_contain_text("client add")


@pytest.mark.usefixtures("_gone")
def test_client_that_goes_without_goodbye_appears_with_its_reason(pages: Opener) -> None:
    """The search finds it; its name is text, and leads to its page."""
    watched = pages("/broker")
    page = watched.page
    page.get_by_label("Search connections").fill("onerror goodbye")
    row = page.locator("#broker-grid .ag-center-cols-container .ag-row")
    expect(row).to_have_count(1, timeout=HEAL_MS)
    expect(row.locator(".broker-state")).to_have_text("gone without goodbye")
    expect(row).to_contain_text(HOSTILE)
    assert "q=onerror+goodbye" in page.url
    row.get_by_role("link", name=PROBE).click()
    page.wait_for_url(f"**/client?id={PROBE}*")


@pytest.mark.usefixtures("_refused")
def test_events_are_filtered_by_kind_and_the_address_keeps_it(pages: Opener) -> None:
    """Only those of the kind are left, also after the page is loaded again."""
    page = pages("/broker").page
    kinds = page.locator("#broker-log .broker-kind")
    expect(kinds.filter(has_text="collector started").first).to_be_visible(timeout=HEAL_MS)
    page.get_by_label("Kind of events").select_option("refused")
    expect(kinds.filter(has_text="collector started")).to_have_count(0, timeout=HEAL_MS)
    assert set(log_of(page)) == {"login refused"}
    assert "kind=refused" in page.url
    page.reload()
    expect(kinds.first).to_be_visible(timeout=HEAL_MS)
    assert set(log_of(page)) == {"login refused"}
    expect(page.get_by_label("Kind of events")).to_have_value("refused")


def test_facts_and_charts_are_there(pages: Opener) -> None:
    """The version of the broker, how long the link is up, and lines of both."""
    watched = pages("/broker")
    page = watched.page
    tile = page.locator(".broker-fact")
    expect(tile.filter(has_text="Broker link")).to_contain_text("up", timeout=HEAL_MS)
    expect(tile.filter(has_text="Mosquitto")).to_contain_text(
        re.compile(r"\d\.\d"), timeout=HEAL_MS
    )
    watched.wait_for(
        f"{PLOT} && {PLOT}._fullData.some(t => t.name === 'readings' && t.y.length)", 60
    )
    titles = page.locator(".js-plotly-plot .annotation-text")
    expect(titles.filter(has_text="Lag from receipt to commit")).to_have_count(1)


def test_drag_in_any_panel_moves_the_time(pages: Opener) -> None:
    """Both columns share one time: a drag in the right one moves the view too."""
    watched = pages("/broker")
    watched.wait_for(f"{PLOT} && {PLOT}._fullLayout._plots?.x2y2?.plot.node()", 60)
    box = watched.ask(
        f"(({{x, y, width, height}}) => ({{x, y, width, height}}))"
        f"({PLOT}.querySelector('.draglayer .x2y2 .nsewdrag').getBoundingClientRect())"
    )
    mouse = watched.page.mouse
    mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2, steps=5)
    mouse.up()
    expect(watched.page).to_have_url(re.compile("from=20"), timeout=HEAL_MS)


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("_refused", "_gone")
def test_page_fits_every_screen(
    pages: Opener, tmp_path: Path, screen: dict[str, object], scheme: str
) -> None:
    """Nothing makes the page scroll sideways."""
    watched = pages("/broker", **screen, color_scheme=scheme)
    expect(watched.page.locator(ENDS).first).to_be_visible(timeout=HEAL_MS)
    assert watched.ask("document.documentElement.scrollWidth <= innerWidth")
    watched.picture(tmp_path / "broker.png")
