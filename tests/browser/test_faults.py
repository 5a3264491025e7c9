"""Processes that go away while somebody looks, and come back."""

import signal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.stack import PROBE, Stack, broker_since_us
from tests.browser.watched import HEAL_MS, tile
from tests.support import start_broker, wait_until

pytestmark = pytest.mark.browser


def test_dashboard_killed_and_started_again_is_found_by_the_open_page(
    pages: Opener, stack: Stack
) -> None:
    """A page whose server was killed says so, and is live again without anybody's help."""
    watched = pages("/client?id=greenhouse")
    watched.allowed = ["net::ERR_", "the server did not respond"]
    watched.wait_ticks(1)
    stack.dashboard.stop(signal.SIGKILL)
    try:
        updated = watched.page.locator("#updated")
        expect(updated).to_have_text("reconnecting …", timeout=HEAL_MS)
    finally:
        stack.start_dashboard()
    watched.wait_ticks(2, HEAL_MS / 1000)
    expect(updated).to_have_text("updated 0 s ago")
    expect(watched.page.get_by_role("button", name="Live")).to_be_visible()


def test_collector_that_stops_is_named_on_the_page_until_it_runs_again(
    pages: Opener, stack: Stack
) -> None:
    """Without its collector the page says so and what to do; the first new reading follows."""
    stack.publish("level", "1")
    watched = pages(f"/client?id={PROBE}")
    banner = watched.page.get_by_role("status")
    watched.wait_ticks(1)
    expect(banner).to_be_empty()
    stack.collector.stop()
    try:
        expect(banner).to_contain_text("The collector was stopped")
        expect(banner).to_contain_text("make collector")
        expect(watched.page.locator(".fact")).to_have_text(
            ["collector stopped", "broker link unknown"]
        )
        stack.publish("level", "2")
    finally:
        stack.start_collector()
    expect(banner).to_be_empty()
    expect(watched.page.locator(".fact")).to_have_text(["collector", "broker link"])
    expect(tile(watched.page, "level").locator(".tile-value")).to_have_text("2")


def test_broker_that_stops_is_named_on_the_page_until_it_runs_again(
    pages: Opener, stack: Stack
) -> None:
    """Without its broker the page says that the link is down; both come back by themselves."""
    watched = pages("/client?id=greenhouse")
    banner = watched.page.get_by_role("status")
    watched.wait_ticks(1)
    stack.broker.stop()
    try:
        expect(banner).to_contain_text("The broker link is down")
        expect(watched.page.locator(".fact")).to_have_text(["collector", "broker link down"])
    finally:
        stack.broker = start_broker(stack.settings)
    wait_until(lambda: broker_since_us(stack.settings), HEAL_MS / 1000)
    expect(banner).to_be_empty()
    expect(watched.page.locator(".fact")).to_have_text(["collector", "broker link"])
