"""A page that remembers what went wrong on it and whom it asked."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    expect,
)

from tests.browser.stack import PASSWORD
from tests.support import wait_until

DRAWN = ".js-plotly-plot .legend .traces"
HEAL_MS = 40_000
"""A lost answer holds the gate of live ticks for 15 s; then two ticks and a slow machine."""

PLOT = "document.querySelector('.js-plotly-plot')"

COUNT_TICKS = """
document.addEventListener('DOMContentLoaded', () => {
  const ours = window.dash_clientside?.culex;
  if (!ours) return;
  const { ask, beat } = ours;
  window.ticker = 0;
  window.answers = 0;
  let acknowledged = 0;
  ours.beat = (...facts) => { window.ticker += 1; return beat(...facts); };
  ours.ask = (...facts) => {
    const answer = facts[4];
    if (answer > acknowledged) { acknowledged = answer; window.answers += 1; }
    return ask(...facts);
  };
});
"""
"""Counts how often the page's ticker ran, and the live answers that came."""


class WatchedPage:
    """A page with its faults.

    Attributes:
        page: Playwright's page.
        origin: Whom alone it may ask.
        allowed: Patterns of console errors that the test provokes.
    """

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.allowed: list[str] = []
        self._faults: list[str] = []
        self._strangers: set[str] = set()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._faults.append(f"page error: {error}"))
        page.context.on("request", self._note)

    def assert_quiet(self) -> None:
        """Nothing was printed as an error, and every request went to our own host."""
        spoken = [
            fault
            for fault in self._faults
            if not any(re.search(pattern, fault) for pattern in self.allowed)
        ]
        assert not spoken, spoken
        assert not self._strangers, self._strangers

    def wait_drawn(self) -> None:
        """Returns when charts are there."""
        expect(self.page.locator(DRAWN).first).to_be_visible()

    def wait_ticks(self, count: int, seconds: float = 30.0) -> None:
        """Returns when so many more live answers have been drawn."""
        seen = self.ask("window.answers")
        self.wait_for(f"window.answers >= {seen + count}", seconds)

    def wait_ticker(self, count: int) -> None:
        """Returns when the page's clock has ticked so often, whether or not it asked anything."""
        seen = self.ask("window.ticker")
        self.wait_for(f"window.ticker >= {seen + count}")

    def wait_for(self, condition: str, seconds: float = 30.0) -> None:
        """Returns when the expression is true in the page.

        Asked from here: the Content-Security-Policy forbids the page what Playwright's own
        `wait_for_function` does.
        """
        wait_until(lambda: self.ask(condition), seconds)

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(expression)

    def trace(self, name: str, axis: str = "y") -> str:
        """The expression that stands for a trace of the charts."""
        return f"{PLOT}._fullData.find(t => t.name === '{name}' && t.yaxis === '{axis}')"

    def picture(self, path: Path) -> Path:
        """Leaves a screenshot of what is visible."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path

    def on_live(self, heard: Callable[[Request], None]) -> None:
        """Calls back with every request for a live answer."""
        self.page.on("request", lambda request: is_live(request) and heard(request))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._faults.append(f"console {message.type}: {message.text}")

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        host = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in {"data", "blob"} and host != self.origin:
            self._strangers.add(host)


def open_page(context: BrowserContext, origin: str) -> WatchedPage:
    """A new page that is watched from its first request on."""
    context.add_init_script(COUNT_TICKS)
    return WatchedPage(context.new_page(), origin)


def log_in(page: Page, password: str = PASSWORD, name: str = "admin") -> None:
    """Fills in the form and sends it."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def is_live(request: Request) -> bool:
    """Whether the request asks for a live answer."""
    if "/_dash-update-component" not in request.url:
        return False
    return "ack.data" in str((request.post_data_json or {}).get("output", ""))


def control(page: Page, kind: str, name: str) -> Locator:
    """The control of a part of the view: kind `choice` or `option`, and its name."""
    return page.locator(f"[id='{json.dumps({kind: name}, separators=(',', ':'))}']")


def tile(page: Page, metric: str) -> Any:
    """The tile of a metric."""
    return page.locator(".tile").filter(has=page.get_by_text(metric, exact=True))
