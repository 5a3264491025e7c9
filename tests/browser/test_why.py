"""Why there is no data: said by itself, until there is some."""

import pytest
from playwright.sync_api import expect

from mosquitto.provision import add_client
from tests.browser.conftest import Opener
from tests.browser.stack import Stack
from tests.mqtt import V311, Peer

pytestmark = pytest.mark.browser

NAME = "cellar"


def test_panel_tells_a_refused_topic_and_closes_when_readings_come(
    pages: Opener, stack: Stack
) -> None:
    """A client that nobody knows yet has a page, which follows what becomes of it."""
    page = pages(f"/client?id={NAME}").page
    panel = page.locator("#client-why")
    expect(panel).to_contain_text("There is no client of this name")
    login = add_client(stack.settings, NAME)
    expect(panel).to_contain_text("It was never connected")
    with Peer(stack.settings, (NAME, login.password), version=V311) as peer:
        peer.publish("clients/celar/temperature", "21")
        refused = panel.locator("li", has_text="clients/celar/temperature")
        expect(refused).to_contain_text("the broker refused that")
        expect(refused).to_contain_text(f"To do: Let it publish to clients/{NAME}/")
        expect(panel).to_have_attribute("open", "")
        peer.publish(f"clients/{NAME}/temperature", "21")
        expect(page.locator("#client-why-head")).to_contain_text("1 warning")
        expect(panel).not_to_have_attribute("open", "")
    page.locator("#client-why-head").press("Enter")
    expect(panel.get_by_text("Readings arrive")).to_be_visible()
