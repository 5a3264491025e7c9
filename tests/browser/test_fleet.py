"""The fleet in a browser: states as they change, search, tiles, and the way to a client."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Locator, Page, expect

from mosquitto.provision import add_client
from telemetry.clock import now_us
from tests.browser.conftest import Opener
from tests.browser.stack import HOSTILE, Stack
from tests.support import wait_until

pytestmark = pytest.mark.browser


@contextmanager
def connected(stack: Stack, name: str) -> Iterator[paho.Client]:
    """A client that has reported every two seconds up to half a minute ago, and is connected."""
    login = add_client(stack.settings, name)
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    client.tls_set(str(stack.settings.ca_file))
    client.username_pw_set(name, login.password)
    client.connect("127.0.0.1", stack.settings.mqtt_tls_port)
    client.loop_start()
    try:
        wait_until(client.is_connected)
        newest_s = now_us() // 1_000_000 - 30
        for at_s in range(newest_s - 40, newest_s + 1, 2):
            payload = json.dumps({"value": at_s % 7, "unit": "bar", "ts": at_s * 1_000_000})
            client.publish(f"clients/{name}/pressure", payload, qos=1).wait_for_publish(30)
        yield client
    finally:
        client.loop_stop()
        client.disconnect()


def row(page: Page, client: str) -> Locator:
    """The part of a client's row that scrolls."""
    return page.locator(f'.ag-center-cols-container .ag-row[row-id="{client}"]')


def clients(page: Page) -> Locator:
    """The links to the clients that are shown."""
    return page.locator(".fleet-client")


def query(page: Page) -> dict[str, list[str]]:
    """The query of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def test_client_that_is_killed_is_shown_as_disconnected_with_the_reason(
    pages: Opener, stack: Stack
) -> None:
    """Silent while it is connected and sends nothing, disconnected when its socket is gone."""
    with connected(stack, "doomed") as client:
        watched = pages("/fleet?search=doomed")
        page = watched.page
        state = row(page, "doomed").locator(".fleet-state")
        expect(state).to_have_text("silent")
        expect(row(page, "doomed")).to_contain_text("pressure")
        client.loop_stop()
        found = client.socket()
        assert found is not None
        found.close()
        expect(state).to_have_text("disconnected")
        state.hover()
        expect(page.locator(".ag-tooltip")).to_contain_text("connection closed")


def test_search_and_tiles_leave_what_fits_and_stay_in_the_address(pages: Opener) -> None:
    """The search asks nobody; a copied address shows the same."""
    watched = pages("/fleet")
    page = watched.page
    expect(clients(page).filter(has_text="attic")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("green")
    expect(clients(page)).to_have_text(["greenhouse"])
    page.get_by_role("searchbox", name="Search clients").fill("pump")
    expect(clients(page)).to_have_text(["greenhouse"])
    expect(page).to_have_url(re.compile("search=pump"))
    copied = pages(page.url).page
    expect(clients(copied)).to_have_text(["greenhouse"])
    page.get_by_role("searchbox", name="Search clients").fill("no such thing")
    expect(page.get_by_role("grid").get_by_text("No client fits.")).to_be_visible()
    page.get_by_role("searchbox", name="Search clients").fill("")
    expect(page).not_to_have_url(re.compile("search="))
    page.locator("#fleet-tile-silent").click()
    expect(page).to_have_url(re.compile("state=silent"))
    expect(clients(page).filter(has_text="greenhouse")).to_have_count(0)
    expect(clients(page).filter(has_text="attic")).to_be_visible()
    page.reload()
    expect(clients(page).filter(has_text="attic")).to_be_visible()
    expect(clients(page).filter(has_text="greenhouse")).to_have_count(0)
    page.locator("#fleet-tile-all").click()
    expect(clients(page).filter(has_text="greenhouse")).to_be_visible()


def test_click_on_a_client_keeps_the_time(pages: Opener) -> None:
    """By mouse anywhere on the row, or by keyboard; a hostile name arrives as it is."""
    for how in ("row", "key"):
        watched = pages("/fleet?from=now-6h&to=now")
        page = watched.page
        if how == "row":
            cell = row(page, "greenhouse").locator('[col-id="every"]')
            expect(cell).to_have_text("2 s")
            cell.click()
            wanted = "greenhouse"
        else:
            link = clients(page).filter(has_text=HOSTILE.client)
            expect(link).to_be_visible()
            link.press("Enter")
            wanted = HOSTILE.client
        expect(page).to_have_url(re.compile("/client"))
        expect(page).to_have_url(re.compile("from=now-6h"))
        assert query(page) == {"id": [wanted], "from": ["now-6h"], "to": ["now"]}


def test_click_on_a_strip_goes_to_that_time_of_the_client(pages: Opener) -> None:
    """The strip's own time, with some before and after."""
    watched = pages("/fleet?search=attic&from=now-6h&to=now")
    page = watched.page
    bar = page.locator(".fleet-strips .barlayer .point path")
    expect(bar.first).to_be_visible()
    bar.first.click(force=True)
    expect(page).to_have_url(re.compile("/client"))
    asked = query(page)
    assert asked["from"][0].endswith("Z")
    assert asked["from"] < asked["to"]


def test_grid_is_usable_on_a_phone(pages: Opener) -> None:
    """The page does not scroll sideways, its grid does; tiles can be hit."""
    watched = pages("/fleet", viewport={"width": 390, "height": 844}, has_touch=True)
    page = watched.page
    expect(clients(page).first).to_be_visible()
    assert watched.ask("document.documentElement.scrollWidth - innerWidth") == 0
    scroll = "document.querySelector('.ag-center-cols-viewport')"
    assert watched.ask(f"{scroll}.scrollWidth > {scroll}.clientWidth")
    box = page.locator("#fleet-tile-online").bounding_box()
    assert box is not None
    assert box["height"] >= 44
